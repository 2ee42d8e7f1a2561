"""Videos side by side: a live player on one clock, and the still twin that a notebook keeps.

These are two outputs of one cell. While the player is on the page it hides its twin; where
the player is gone (a reload without its kernel, an export) the twin shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.notebook.environment import Place, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from refvideo_nb.display.page import Bundle
    from refvideo_nb.display.sides import Seen, Side
    from refvideo_nb.notebook.adherence import AdherenceReport
    from refvideo_nb.notebook.job import Job
    from refvideo_nb.notebook.player.player import Player

__all__ = ["Comparison", "compare"]

_STILL = 600_000  # bytes of a comparison's text, frames and pictures, about; the rest is for copies of the videos


def compare(
    *jobs_or_paths: Any,
    references: Mapping[str, Any] | Iterable[Any] | None = None,
    labels: Sequence[str] | None = None,
    title: str = "",
    scores: Sequence[AdherenceReport | None] | None = None,
) -> Comparison:
    """Videos side by side on one clock, with their references.

    As the last line of a cell it shows a player, which plays, steps and loops all videos
    together, lays a reference over them and flips between two of them; its ``?`` button tells
    its keys. The notebook keeps a still version, of about 2 MB at the most, that needs no kernel.

    Parameters
    ----------
    *jobs_or_paths : Job, str or pathlib.Path
        One to nine: finished jobs, their ids, or any video files of this machine.
    references : mapping of str to source, or iterable of source, optional
        What to compare with instead of the jobs' own references; sources as for
        `refvideo_nb.generate`.
    labels : sequence of str, optional
        One for each video; else what a run differs in, its job's id, or the file's name.
    title : str
        Above the videos.
    scores : sequence of AdherenceReport or None, optional
        What `refvideo_nb.adherence` said of each video, shown as curves below them. Without it, of
        jobs what the home folder has kept of that.

    Returns
    -------
    Comparison
        Its `time` is the player's, and can be set.

    Raises
    ------
    InvalidRequestError
        For no video, more than nine, a job without one, another number of labels, or scores of another video.
    BadReferenceError
        Naming the reference that cannot be read.
    DownloadError
        Naming the file that is no video, or not whole.
    """
    # Imported here: loading the package must not load what draws and decodes.
    from refvideo_nb.notebook.compared import references_of, sides_of, with_scores  # noqa: PLC0415 - as said

    sides, jobs = sides_of(jobs_or_paths, labels=labels)
    if scores is not None:
        sides = with_scores(sides, scores)
    shown = references_of(jobs, instead=references)
    return Comparison(sides, shown, jobs=[job for _, job in jobs], title=title)


class Comparison:
    """Videos and references, ready to be shown; made by `compare`.

    Parameters
    ----------
    sides : sequence of Side
    references : sequence of Seen
    jobs : sequence of Job
        Those among the sides.
    title : str
    """

    def __init__(
        self, sides: Sequence[Side], references: Sequence[Seen], *, jobs: Sequence[Job] = (), title: str = ""
    ) -> None:
        self.sides, self.references, self.jobs, self.title = tuple(sides), tuple(references), tuple(jobs), title
        self._player: Player | None = None
        self._bundle: Bundle | None = None
        self._time = 0.0

    @property
    def player(self) -> Player:
        """The widget, made when it is first asked for."""
        if self._player is None:
            from refvideo_nb.display.sides import player_facts  # noqa: PLC0415 - see `compare`
            from refvideo_nb.notebook.player.player import Player  # noqa: PLC0415 - widgets load only where they show

            self._player = Player(
                player_facts(self.sides, self.references, title=self.title),
                files=[s.video for s in self.sides],
                pictures=[r.data for r in self.references],
                time=self._time,
            )
        return self._player

    @property
    def time(self) -> float:
        """Where the player is, in seconds; setting it seeks there.

        It follows the page about four times a second.
        """
        return self._time if self._player is None else float(self._player.time)

    @time.setter
    def time(self, seconds: float) -> None:
        last = max(side.facts.seconds for side in self.sides)
        if not 0 <= seconds <= last:
            raise InvalidRequestError(
                f"time {one_line(seconds, limit=40)} is outside the videos: give 0 to {last:g} seconds",
                field="time",
                value=seconds,
            )
        self._time = float(seconds)
        if self._player is not None:
            self._player.time = self._time

    @property
    def bundle(self) -> Bundle:
        """The still twin: ``text/html``, ``image/png`` and ``text/plain``; drawn once."""
        if self._bundle is None:
            from refvideo_nb.display.compare import MOST_BYTES, compare_bundle  # noqa: PLC0415 - see `compare`
            from refvideo_nb.settings import Settings  # noqa: PLC0415 - as above

            # Who wants small notebooks wants them small here too; the frames stay.
            most = min(MOST_BYTES, _STILL + Settings.from_environment().embed_bytes)
            self._bundle = compare_bundle(self.sides, self.references, title=self.title, most_bytes=most)
        return self._bundle

    def show(self, *, still: Callable[[], Bundle] | None = None) -> None:
        """Show it under the current cell.

        Parameters
        ----------
        still : callable, optional
            Gives the MIME bundle that the notebook keeps instead of the still twin.
        """
        drawn = still or (lambda: self.bundle)
        where = place()
        if where in {Place.SCRIPT, Place.TERMINAL}:
            print(drawn()["text/plain"])  # noqa: T201 - there is nothing else to show it on
        elif where is Place.NOTEBOOK:
            from refvideo_nb.notebook.alive import show_alive  # noqa: PLC0415 - only in a notebook

            show_alive(self.player, drawn, hides=self.player)
        else:  # nobody is there to play it, and a saved widget would only be large
            from IPython.display import display  # noqa: PLC0415 - as above

            display(drawn(), raw=True)  # type: ignore[no-untyped-call]

    def _ipython_display_(self) -> None:
        self.show()

    def __repr__(self) -> str:
        labels = ", ".join(one_line(s.label, limit=30) for s in self.sides)
        return f"<Comparison of {labels}>"
