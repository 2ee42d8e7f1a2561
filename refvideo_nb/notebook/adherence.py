"""How well a video followed its references: one call, one report."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from refvideo_nb.notebook.environment import Place, place

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from refvideo_nb.core.adherence import Report
    from refvideo_nb.display.page import Bundle
    from refvideo_nb.display.sides import Seen

__all__ = ["AdherenceReport", "adherence", "line_of_cell"]

_OFTEN = 0.25  # seconds between two words of progress


def adherence(
    job_or_path: Any,
    references: Mapping[str, Any] | Iterable[Any] | None = None,
    *,
    roles: Mapping[str, str] | None = None,
    embedder: Any = "efficientnet-lite0",
    frames: int | None = 32,
    every: float | None = None,
    negatives: Mapping[str, Any] | Iterable[Any] | None = None,
    seed: int = 0,
    fresh: bool = False,
) -> AdherenceReport:
    """Measure how well a video followed its references.

    Each frame is searched for what looks most like each reference, and so it is for pictures
    that have nothing to do with it: what those score is chance, and stands beside every number.
    Adherence and copying are two numbers. Works without a key and without the internet, on any
    video file. docs/adherence.md says what each number means, and when not to trust it.

    Parameters
    ----------
    job_or_path : Job, str or pathlib.Path
        A finished job, its id, or any video file of this machine.
    references : mapping of str to source, or iterable of source, optional
        What to measure against; by default the job's own. A source is what
        `refvideo_nb.generate` takes; a list of them under one name is several pictures of one
        subject, and counts as one reference.
    roles : mapping of str to str, optional
        ``{name: role}``, of ``"subject"`` (searched for), ``"style"`` and ``"scene"`` (whole
        frames) and ``"face"``; by default as the job has them, else ``"subject"``.
    embedder : str, pathlib.Path or Embedder
        ``"efficientnet-lite0"`` needs no internet; ``"dinov2-small"``, ``"dinov2-base"``,
        ``"siglip2-base"`` and ``"clip-vit-b-32"`` are fetched once; or a folder with an ONNX model.
    frames : int or None
        How many, at equal distances in time; None measures all.
    every : float, optional
        Seconds between frames, instead of `frames`.
    negatives : mapping or iterable of sources, optional
        Unrelated pictures besides those that come along.
    seed : int
        Of what is drawn at random: the same call gives the same report.
    fresh : bool
        Measure again where the home folder has the very same measurement already.

    Returns
    -------
    AdherenceReport
        As the last line of a cell it shows itself.

    Raises
    ------
    InvalidRequestError
        For a job without a video, a video without references, or a setting that cannot be used.
    BadReferenceError
        Naming the reference that cannot be read.
    DownloadError
        For a file that is no video, or a network that cannot be fetched.
    MissingDependencyError
        With the command that installs what is missing.
    """
    # Imported here: loading the package must not load what decodes and measures.
    from refvideo_nb.notebook.measuring import (  # noqa: PLC0415 - as said
        How,
        check_frames,
        frames_planned,
        given_of,
        measured,
        wanted,
    )

    check_frames(frames, every)
    what = wanted(job_or_path, references, roles=roles)
    others = () if negatives is None else tuple(given_of(negatives))
    how = How(embedder=embedder, frames=frames, every=every, negatives=others, seed=seed)
    with _Told([s.name for s in what.seen], frames_planned(what.facts, how)) as told:
        report = measured(what, how, told=told, fresh=fresh)
    return AdherenceReport(report, what.seen, video=what.path, simulated=what.simulated)


class AdherenceReport:
    """What a measurement found; made by `refvideo_nb.adherence`.

    Parameters
    ----------
    report : refvideo_nb.core.adherence.Report
        All of its numbers.
    seen : sequence of Seen
        The references with their pictures and colours, as the report has them.
    video : pathlib.Path
        The file that was measured.
    simulated : bool
        Whether it is a clip of the simulator's.
    """

    def __init__(self, report: Report, seen: Sequence[Seen], *, video: Path, simulated: bool = False) -> None:
        self._report, self._seen, self._video, self._simulated = report, tuple(seen), video, simulated
        self._bundle: Bundle | None = None

    @property
    def report(self) -> Report:
        """The values behind it: intervals, negatives, confusion, copies."""
        return self._report

    @property
    def similarity(self) -> NDArray[np.float32]:
        """``(frames, references)`` float32, -1 to 1: of what looks most like the reference in each frame."""
        return self._report.similarity

    @property
    def times(self) -> NDArray[np.float64]:
        """``(frames,)`` float64, seconds."""
        return self._report.times

    @property
    def boxes(self) -> NDArray[np.float32]:
        """``(frames, references, 4)`` float32: x0, y0, x1, y1 of it, pixels of the video."""
        return self._report.boxes

    @property
    def settings(self) -> dict[str, Any]:
        """All that is needed to repeat it: embedder and hash, frames, windows, negatives, thresholds, seed."""
        return dict(self._report.settings)

    def frames(self) -> pd.DataFrame:
        """A tidy table: one row a frame and reference."""
        from refvideo_nb.measure.tables import frames  # noqa: PLC0415 - pandas loads only where it is asked for

        return frames(self._report)

    def summary(self) -> pd.DataFrame:
        """One row a reference: adherence with its interval, z, p, coverage, copying, binding, verdict."""
        from refvideo_nb.measure.tables import summary  # noqa: PLC0415 - as above

        return summary(self._report)

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write `frames` to a Parquet file, with the settings in its metadata."""
        from refvideo_nb.measure.tables import write_parquet  # noqa: PLC0415 - as above

        write_parquet(self._report, path)

    def figure(self, *, dpi: int = 300) -> Any:
        """All of it as one figure for print: dark on white.

        Parameters
        ----------
        dpi : int
            Dots per inch that ``figure.savefig(path)`` writes.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from refvideo_nb.display.adherence import paper_figure  # noqa: PLC0415 - as above

        figure = paper_figure(self._report, self._seen, video=self._video)
        figure.set_dpi(dpi)
        return figure

    @property
    def bundle(self) -> Bundle:
        """``text/html``, ``image/png`` and ``text/plain``; drawn once."""
        if self._bundle is None:
            from refvideo_nb.display.adherence import adherence_bundle  # noqa: PLC0415 - as above

            self._bundle = adherence_bundle(self._report, self._seen, video=self._video, simulated=self._simulated)
        return self._bundle

    def show(self) -> None:
        """Show it under the current cell."""
        if place() in {Place.SCRIPT, Place.TERMINAL}:
            from refvideo_nb.display.measured import adherence_plain  # noqa: PLC0415 - as above

            print(adherence_plain(self._report, simulated=self._simulated))  # noqa: T201 - there is nothing else to show it on
            return
        from IPython.display import display  # noqa: PLC0415 - only in a notebook

        display(self.bundle, raw=True)  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return self.bundle

    def __repr__(self) -> str:
        from refvideo_nb.display.measured import adherence_line  # noqa: PLC0415 - as above

        return f"<AdherenceReport {adherence_line(self._report)}>"


class _Told:
    """Progress under the cell for as long as it measures: frames that are done, of how many."""

    def __init__(self, names: Sequence[str], frames: int) -> None:
        self._names, self._frames = ", ".join(names), frames
        self._began = self._last = time.monotonic()
        self._say: Callable[[str], None] | None = None

    def __enter__(self) -> Self:
        if place() is Place.NOTEBOOK:
            self._say = line_of_cell()
            self._say(self._words(0))
        return self

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if self._say is not None and (now - self._last >= _OFTEN or done >= self._frames):
            self._last = now
            self._say(self._words(done))

    def __exit__(self, *_: object) -> None:
        if self._say is not None:
            self._say("")

    def _words(self, done: int) -> str:
        from refvideo_nb.display.words import clock  # noqa: PLC0415 - see `adherence`

        return f"measuring {self._names} · {done} of {self._frames} frames · {clock(time.monotonic() - self._began)}"


def line_of_cell() -> Callable[[str], None]:
    """A line under the cell that can be said anew, and taken away."""
    from uuid import uuid4  # noqa: PLC0415 - only in a notebook

    from IPython.display import display  # noqa: PLC0415 - as above

    from refvideo_nb.display.form import messages_html  # noqa: PLC0415 - as above

    place_of_it, shown = uuid4().hex, [False]

    def say(text: str) -> None:
        html = messages_html([], [text]) if text else "<span></span>"
        bundle = {"text/plain": text, "text/html": html}
        display(bundle, raw=True, display_id=place_of_it, update=shown[0])  # type: ignore[no-untyped-call]
        shown[0] = True

    return say
