"""What people say of clips, to be held against what was measured of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refvideo_nb.core.rating import Rating

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from refvideo_nb.ledger.database import Database

__all__ = ["Ratings"]


class Ratings:
    """What people say of the clips of a home folder.

    Parameters
    ----------
    database : Database
    clock : callable
        Seconds since the epoch.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def keep(self, ratings: Iterable[Rating]) -> None:
        """Write ratings down: all of them, or none. Whoever rates the same again has changed their mind."""
        rows = [
            (r.video_sha256, r.reference, r.criterion, r.rater, float(r.value), r.when or self._clock())
            for r in ratings
        ]
        with self._database.writing() as db:
            db.executemany(
                'INSERT OR REPLACE INTO ratings (video, reference, criterion, rater, value, "when")'
                " VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )

    def of(self, videos: Iterable[str] | None = None) -> list[Rating]:
        """Ratings of these films, or of all: in the order in which they were given."""
        query = 'SELECT video, reference, criterion, value, rater, "when" FROM ratings'
        with self._database.reading() as db:
            if videos is None:
                rows = db.execute(query).fetchall()
            else:
                rows = [row for v in dict.fromkeys(videos) for row in db.execute(f"{query} WHERE video = ?", (v,))]
        return sorted((_rating(row) for row in rows), key=lambda rating: rating.when)

    def take_back(self, rating: Rating) -> None:
        """Forget what this person said of this, whatever it was."""
        with self._database.writing() as db:
            db.execute(
                "DELETE FROM ratings WHERE (video, reference, criterion, rater) = (?, ?, ?, ?)",
                (rating.video_sha256, rating.reference, rating.criterion, rating.rater),
            )


def _rating(row: tuple[Any, ...]) -> Rating:
    video, reference, criterion, value, rater, when = row
    return Rating(video_sha256=video, reference=reference, criterion=criterion, value=value, rater=rater, when=when)
