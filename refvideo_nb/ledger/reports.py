"""What was measured is kept, so that it is measured once."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.errors import LedgerError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping

    from refvideo_nb.core.adherence import Report
    from refvideo_nb.ledger.database import Database
    from refvideo_nb.ledger.report_document import Scored

__all__ = ["Reports", "forget_video"]

_ELSEWHERE = "measured elsewhere and brought in with a bundle: nothing here has looked at the frames"


class Reports:
    """The reports of a home folder, by what was measured, and not by who made it.

    Parameters
    ----------
    database : Database
    clock : callable
        Seconds since the epoch.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def keep(self, report: Report, *, asked: Mapping[str, Any]) -> None:
        """Keep a report, in the place of one that answers the same.

        Parameters
        ----------
        report : Report
        asked : mapping
            JSON values, all that the numbers depend on beside the film: the references by name, role
            and the hashes of their pictures, the embedder's hash, frames, negatives, seed, and the
            version that measures.
        """
        from refvideo_nb.ledger.report_document import report_key, write_report  # noqa: PLC0415 - imports numpy

        key, video = report_key(report.video_sha256, asked), report.video_sha256
        self._put("REPLACE", [(key, video, write_report(report, asked), 0)])

    def find(self, video_sha256: str, *, asked: Mapping[str, Any]) -> Report | None:
        """A report that answers this very question.

        Parameters
        ----------
        video_sha256 : str
            Hexadecimal, of the film's file.
        asked : mapping
            As it was given to :meth:`keep`.

        Returns
        -------
        Report or None
            `video` is what the film was called when it was measured. None also where one is kept
            that this version cannot read.
        """
        from refvideo_nb.ledger.report_document import report_key  # noqa: PLC0415 - as above

        with self._database.reading() as db:
            row = db.execute(
                "SELECT document, imported FROM reports WHERE key = ?", (report_key(video_sha256, asked),)
            ).fetchone()
        return _readable(*row) if row else None

    def kept(self, asked: Iterable[tuple[str, Mapping[str, Any]]]) -> list[bool]:
        """Of many films, each with what is asked of it, whether that is here; nothing is read.

        Parameters
        ----------
        asked : iterable of (str, mapping)
            See :meth:`find`.
        """
        from refvideo_nb.ledger.report_document import report_key  # noqa: PLC0415 - as above

        keys = [report_key(video, each) for video, each in asked]
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT key FROM reports WHERE key IN (SELECT value FROM json_each(?))", (json.dumps(keys),)
            ).fetchall()
        there = {row[0] for row in rows}
        return [key in there for key in keys]

    def of(self, video_sha256: str) -> list[Report]:
        """All reports on a film, newest first."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT document, imported FROM reports WHERE video = ? ORDER BY made DESC, key", (video_sha256,)
            ).fetchall()
        return [report for row in rows if (report := _readable(*row)) is not None]

    def scores(self, videos: Iterable[str]) -> list[tuple[dict[str, Any], Scored]]:
        """The numbers of all reports on these films, without their arrays, newest first.

        Returns
        -------
        list of (dict, Scored)
            What was asked for, as it was given to :meth:`keep`, and what came of it; the same object
            where the same was asked for. What this version cannot read is left out.
        """
        from refvideo_nb.ledger.report_document import read_scores  # noqa: PLC0415 - as above

        found = []
        said: dict[tuple[type, bytes], Any] = {}
        with self._database.reading() as db:
            # One after the other: all documents of a large sweep would need hundreds of megabytes.
            for row in db.execute(
                "SELECT document FROM reports WHERE video IN (SELECT value FROM json_each(?)) ORDER BY made DESC, key",
                (json.dumps(sorted(set(videos))),),
            ):
                with suppress(LedgerError):
                    found.append(read_scores(row[0], said=said))
        return found

    def documents(self, videos: Iterable[str]) -> dict[str, bytes]:
        """What goes into a bundle with these films: by key, in its order."""
        with self._database.reading() as db:
            return dict(
                row
                for video in sorted(set(videos))
                for row in db.execute("SELECT key, document FROM reports WHERE video = ? ORDER BY key", (video,))
            )

    def bring_in(self, documents: Mapping[str, bytes]) -> None:
        """Keep reports of a bundle that were checked; what was measured here stays as it is.

        Whoever reads one is told that it was measured elsewhere. Passed on, it is what came.
        """
        from refvideo_nb.ledger.report_document import read_report  # noqa: PLC0415 - as above

        found = [(key, read_report(data).report.video_sha256, data) for key, data in documents.items()]
        self._put("IGNORE", [(*each, 1) for each in found])

    def _put(self, otherwise: str, rows: list[tuple[str, str, bytes, int]]) -> None:
        with self._database.writing() as db:
            db.executemany(
                f"INSERT OR {otherwise} INTO reports (key, video, document, imported, made) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - a word of ours
                [(*row, self._clock()) for row in rows],
            )


def forget_video(db: sqlite3.Connection, video_sha256: str) -> None:
    """Let go of what is known of a film that no job has any more."""
    held = db.execute(
        "SELECT EXISTS (SELECT 1 FROM reports WHERE video = :video)"
        " OR EXISTS (SELECT 1 FROM ratings WHERE video = :video)",
        {"video": video_sha256},
    ).fetchone()[0]
    if not held:  # so that thousands of documents are not read for nothing
        return
    others = db.execute(
        "SELECT EXISTS (SELECT 1 FROM jobs WHERE json_valid(CAST(document AS TEXT))"
        " AND json_extract(CAST(document AS TEXT), '$.video.sha256') = ?)",
        (video_sha256,),
    ).fetchone()[0]
    if not others:
        db.execute("DELETE FROM reports WHERE video = ?", (video_sha256,))
        db.execute("DELETE FROM ratings WHERE video = ?", (video_sha256,))


def _readable(document: bytes, imported: int) -> Report | None:
    from refvideo_nb.ledger.report_document import read_report  # noqa: PLC0415 - as above

    try:
        report = read_report(document).report
    except LedgerError:
        return None
    return msgspec.structs.replace(report, notes=(*report.notes, _ELSEWHERE)) if imported else report
