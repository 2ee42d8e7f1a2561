"""Videos side by side: a live player on one clock, and the still twin that a notebook keeps.

These are two outputs of one cell. While the player is on the page it hides its twin; where
the player is gone (a reload without its kernel, an export) the twin shows.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refvideo_nb.core.catalogue import ImageLimits
from refvideo_nb.core.references import Reference
from refvideo_nb.display.compare import Seen, Side, compare_bundle, player_facts
from refvideo_nb.display.differences import differences_of
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.display.pictures import reference_picture
from refvideo_nb.engine.intake import Loaded, Named, load, named_sources
from refvideo_nb.errors import BadReferenceError, InvalidRequestError, RefVideoError, one_line
from refvideo_nb.media.images import is_image, prepare
from refvideo_nb.media.video import probe
from refvideo_nb.notebook.environment import Place, place
from refvideo_nb.notebook.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.display.page import Bundle
    from refvideo_nb.notebook.player.player import Player

__all__ = ["Comparison", "compare"]

_MOST = 9
_LONGEST_LABEL = 48  # characters
# A picture is laid over frames: it need not be sharper than they are.
_PICTURE = ImageLimits(max_side=1280, max_bytes=600_000)


def compare(
    *jobs_or_paths: Any,
    references: Mapping[str, Any] | Iterable[Any] | None = None,
    labels: Sequence[str] | None = None,
    title: str = "",
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

    Returns
    -------
    Comparison
        Its `time` is the player's, and can be set.

    Raises
    ------
    InvalidRequestError
        For no video, more than nine, a job without one, or another number of labels.
    BadReferenceError
        Naming the reference that cannot be read.
    DownloadError
        Naming the file that is no video, or not whole.
    """
    if not 1 <= len(jobs_or_paths) <= _MOST:
        raise InvalidRequestError(
            f"{len(jobs_or_paths)} videos cannot be compared: give one to {_MOST} jobs, ids of jobs or paths",
            field="jobs_or_paths",
        )
    labels = _checked(labels, len(jobs_or_paths))
    found = [_find(given) for given in jobs_or_paths]
    named = labels or _labels(found)
    sides = [
        Side(label=label, video=path, facts=job.record.video if job and job.record.video else probe(path),
             record=job.record if job else None)
        for label, (path, job) in zip(named, found, strict=True)
    ]  # fmt: skip
    seen = _of_jobs([job for _, job in found if job]) if references is None else _given(references)
    return Comparison(sides, seen, title=title)


class Comparison:
    """Videos and references, ready to be shown; made by `compare`.

    Parameters
    ----------
    sides : sequence of Side
    references : sequence of Seen
    title : str
    """

    def __init__(self, sides: Sequence[Side], references: Sequence[Seen], *, title: str = "") -> None:
        self._sides, self._references, self._title = list(sides), list(references), title
        self._player: Player | None = None
        self._bundle: Bundle | None = None
        self._time = 0.0

    @property
    def player(self) -> Player:
        """The widget, made when it is first asked for."""
        if self._player is None:
            from refvideo_nb.notebook.player.player import Player  # noqa: PLC0415 - widgets load only where they show

            self._player = Player(
                player_facts(self._sides, self._references, title=self._title),
                files=[s.video for s in self._sides],
                pictures=[r.data for r in self._references],
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
        last = max(side.facts.seconds for side in self._sides)
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
            self._bundle = compare_bundle(self._sides, self._references, title=self._title)
        return self._bundle

    def show(self) -> None:
        """Show it under the current cell."""
        where = place()
        if where in {Place.SCRIPT, Place.TERMINAL}:
            print(self.bundle["text/plain"])  # noqa: T201 - there is nothing else to show it on
            return
        self._ipython_display_()

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415 - only in a notebook

        if place() is not Place.NOTEBOOK:  # nobody is there to play it, and a saved widget would only be large
            display(self.bundle, raw=True)  # type: ignore[no-untyped-call]
            return
        from refvideo_nb.notebook.alive import show_alive  # noqa: PLC0415 - as above

        show_alive(_Live(self), self.bundle)

    def __repr__(self) -> str:
        labels = ", ".join(one_line(s.label, limit=30) for s in self._sides)
        return f"<Comparison of {labels}>"


class _Live:
    """A comparison as `show_alive` wants it: what is shown, and what knows the class that it hides."""

    def __init__(self, comparison: Comparison) -> None:
        self.box: object = comparison.player
        self.table = comparison.player


# --- the videos ---------------------------------------------------------------------------------------------------


def _find(given: Any) -> tuple[Path, Job | None]:
    """The file of a video, and the job that it came from."""
    if isinstance(given, Job):
        return _of_job(given), given
    if isinstance(given, str) and given.startswith("rv-") and not Path(given).exists():
        from refvideo_nb.notebook.current import current_session  # noqa: PLC0415 - files need no session

        job = Job(current_session(), given)
        return _of_job(job), job
    if not isinstance(given, str | Path):
        raise InvalidRequestError(
            f"{type(given).__name__} is no video: give jobs, ids of jobs, or paths", field="jobs_or_paths", value=given
        )
    path = Path(given).expanduser()
    if not path.is_file():
        raise InvalidRequestError(
            f"{one_line(given, limit=160)} is no file; it is looked for in {Path.cwd()}",
            field="jobs_or_paths",
            value=str(given),
        )
    return path, None


def _of_job(job: Job) -> Path:
    path = job.video
    if path is None:
        raise InvalidRequestError(
            f"job {job.id} has no video, it is {job.status}: wait() for it, or leave it out",
            field="jobs_or_paths",
            value=job.id,
        )
    return path


def _checked(labels: Sequence[str] | None, count: int) -> list[str] | None:
    if labels is None:
        return None
    given = [labels] if isinstance(labels, str) else [str(label) for label in labels]
    if len(given) != count:
        raise InvalidRequestError(
            f"{len(given)} labels for {count} videos: give one for each", field="labels", value=labels
        )
    return given


def _labels(found: Sequence[tuple[Path, Job | None]]) -> list[str]:
    """For a run what it differs in, else its id; for a file its name."""
    jobs = [job for _, job in found if job]
    told = iter(_told_apart([job.record for job in jobs]) if len(jobs) > 1 else [job.id for job in jobs])
    return [next(told) if job else path.stem for path, job in found]


def _told_apart(records: Sequence[JobRecord]) -> list[str]:
    said = [" · ".join(p.text for p in line if p.marked) for line in differences_of(records).settings]
    short = all(0 < len(text) <= _LONGEST_LABEL for text in said)
    return said if short and len(set(said)) == len(said) else [record.id for record in records]


# --- the references -----------------------------------------------------------------------------------------------


def _of_jobs(jobs: Sequence[Job]) -> list[Seen]:
    """The references of all jobs, each once, in the order of their first run."""
    casts = [
        [(f"@{r.name}", r) for r in job.record.request.references]
        + [(f"{f.position} frame", f.image) for f in job.record.request.frames]
        for job in jobs
    ]
    union: dict[tuple[str, str], tuple[Job, Reference]] = {}
    for job, cast in zip(jobs, casts, strict=True):
        for name, reference in cast:
            union.setdefault((name, reference.sha256 or reference.url or ""), (job, reference))
    seen = []
    for index, ((name, content), (job, reference)) in enumerate(union.items()):
        has = [(name, content) in {(n, r.sha256 or r.url or "") for n, r in cast} for cast in casts]
        only = "" if all(has) else "in " + ", ".join(f"run {n + 1}" for n, one in enumerate(has) if one)
        seen.append(
            Seen(
                name=name,
                colour=reference_colour(index),
                data=_kept(reference, job),
                caption=only or reference.role,
            )
        )
    return seen


def _kept(reference: Reference, job: Job) -> bytes | None:
    """The picture of a job's reference; a run can be looked at without it."""
    with suppress(BadReferenceError):
        return _picture(reference, job._session.media.read)  # noqa: SLF001 - a job is how its session is reached
    return None


def _given(references: Mapping[str, Any] | Iterable[Any]) -> list[Seen]:
    """References that somebody names here, read now."""
    loaded = _load(named_sources(references))
    return [
        Seen(name=f"@{one.named.name}", colour=reference_colour(index), data=_picture(*_as_reference(one)))
        for index, one in enumerate(loaded)
    ]


def _load(named: list[Named]) -> list[Loaded]:
    """Read the sources; in a thread of its own, since the kernel's own loop is running."""

    async def all_of_them() -> list[Loaded]:
        return [await load(one) for one in named]

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, all_of_them()).result()


def _as_reference(one: Loaded) -> tuple[Reference, Callable[[Reference], bytes]]:
    kind = "image" if is_image(one.data) else "video"
    name = one.named.name
    reference = Reference(name=name, kind=kind, sha256="", media_type="", nbytes=len(one.data))  # type: ignore[arg-type]
    return reference, lambda _: one.data


def _picture(reference: Reference, read: Callable[[Reference], bytes | None]) -> bytes | None:
    """A picture that can be laid over frames; None for sound and for what is gone."""
    try:
        picture = reference_picture(reference, read)
        return prepare(picture, name=reference.name, limits=_PICTURE).data if picture else None
    except BadReferenceError:
        raise
    except RefVideoError:
        raise BadReferenceError(
            f"reference {reference.name!r} is neither a picture nor a video: give an image, or a path to one",
            field="references",
            value=reference.name,
        ) from None
