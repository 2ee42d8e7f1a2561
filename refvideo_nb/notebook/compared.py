"""What is compared: videos and references as people name them, found and read."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.catalogue import ImageLimits
from refvideo_nb.core.references import Reference
from refvideo_nb.display.differences import differences_of
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.display.pictures import reference_picture
from refvideo_nb.display.sides import LETTERS, Seen, Side
from refvideo_nb.engine.intake import Loaded, Named, load, named_sources
from refvideo_nb.errors import BadReferenceError, InvalidRequestError, LedgerError, RefVideoError, one_line
from refvideo_nb.media.images import is_image, prepare
from refvideo_nb.media.video import probe
from refvideo_nb.notebook.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from refvideo_nb.core.adherence import Measured, Report
    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.notebook.adherence import AdherenceReport

__all__ = ["as_reference", "find_video", "load_all", "references_of", "sides_of", "with_scores"]

_MOST = 9
_LONGEST_LABEL = 48  # characters
# A picture is laid over frames: it need not be sharper than they are.
_PICTURE = ImageLimits(max_side=1280, max_bytes=600_000)


# --- the videos ---------------------------------------------------------------------------------------------------


def sides_of(
    jobs_or_paths: Sequence[Any], *, labels: Sequence[str] | None = None
) -> tuple[list[Side], list[tuple[str, Job]]]:
    """The videos, looked into, and the jobs among what was given, with their letters.

    Raises
    ------
    InvalidRequestError
        For no video, too many, a job without one, or another number of labels.
    DownloadError
        For a file that is no video, or not whole.
    """
    count = len(jobs_or_paths)
    if not 1 <= count <= _MOST:
        raise InvalidRequestError(
            f"{count} videos cannot be compared: give one to {_MOST} jobs, ids of jobs or paths", field="jobs_or_paths"
        )
    given = _checked(labels, count)
    found = [find_video(one) for one in jobs_or_paths]
    sides = []
    for label, (path, job) in zip(given or _labels(found), found, strict=True):
        record = job.record if job else None
        facts = record.video if record and record.video else probe(path)
        report = _report_of(job, facts.sha256) if job else None
        sides.append(Side(label=label, video=path, facts=facts, record=record, report=report))
    return sides, [(letter, job) for letter, (_, job) in zip(LETTERS, found, strict=False) if job]


def _report_of(job: Job, video_sha256: str) -> Report | None:
    """What is kept of how a job followed its own references: of most of them, and then the newest."""
    own = {r.name: r for r in job.record.request.references}
    with suppress(LedgerError):
        kept = job._session.ledger.reports.of(video_sha256)  # noqa: SLF001 - a job is how its session is reached
        fits = [r for r in kept if all(_is_own(one, own.get(one.name)) for one in r.references)]
        return max(fits, key=lambda report: len(report.references), default=None)
    return None


def _is_own(measured: Measured, reference: Reference | None) -> bool:
    # Of a film a frame was measured, which has a hash of its own.
    return reference is not None and (reference.kind != "image" or measured.sha256 == (reference.sha256,))


def with_scores(sides: Sequence[Side], scores: Sequence[AdherenceReport | None]) -> list[Side]:
    """The same videos, each with what was measured of it.

    Raises
    ------
    InvalidRequestError
        For another number of reports, or one of another video.
    """
    given = [scores] if hasattr(scores, "report") else list(scores)
    if len(given) != len(sides):
        raise InvalidRequestError(
            f"{len(given)} scores for {len(sides)} videos: give one for each, or None", field="scores"
        )
    found = []
    for side, score in zip(sides, given, strict=True):
        report = getattr(score, "report", None)
        if score is not None and report is None:
            raise InvalidRequestError(
                f"{type(score).__name__} is no score: give what refvideo_nb.adherence returned, or None",
                field="scores",
                value=score,
            )
        if report is not None and report.video_sha256 != side.facts.sha256:
            raise InvalidRequestError(
                f"the score of {one_line(report.video, limit=60)} is not of {one_line(side.label, limit=60)}: "
                "give the scores in the order of the videos",
                field="scores",
                value=report.video,
            )
        found.append(msgspec.structs.replace(side, report=report))
    return found


def find_video(given: Any) -> tuple[Path, Job | None]:
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
    found = differences_of(records)
    said = []
    for line, prompt in zip(found.settings, found.prompts or [()] * len(records), strict=True):
        words = [f"“{one_line(p.text)}”" for p in prompt if p.marked]
        said.append(" · ".join([*words, *(p.text for p in line if p.marked)]))
    short = all(0 < len(text) <= _LONGEST_LABEL for text in said)
    return said if short and len(set(said)) == len(said) else [record.id for record in records]


# --- the references -----------------------------------------------------------------------------------------------


def references_of(
    jobs: Sequence[tuple[str, Job]], *, instead: Mapping[str, Any] | Iterable[Any] | None = None
) -> list[Seen]:
    """The references of jobs, or others in their place.

    Raises
    ------
    BadReferenceError
        For one of the others that cannot be read.
    """
    return _of_jobs(jobs) if instead is None else _given(instead)


def _of_jobs(jobs: Sequence[tuple[str, Job]]) -> list[Seen]:
    """The references of all jobs, each once, in the order of their first run."""
    casts = [
        [(f"@{r.name}", r) for r in job.record.request.references]
        + [(f"{f.position} frame", f.image) for f in job.record.request.frames]
        for _, job in jobs
    ]
    union: dict[tuple[str, str], tuple[Job, Reference]] = {}
    for (_, job), cast in zip(jobs, casts, strict=True):
        for name, reference in cast:
            union.setdefault((name, reference.sha256 or reference.url or ""), (job, reference))
    seen = []
    for index, ((name, content), (job, reference)) in enumerate(union.items()):
        has = [(name, content) in {(n, r.sha256 or r.url or "") for n, r in cast} for cast in casts]
        only = "" if all(has) else "in " + ", ".join(letter for (letter, _), one in zip(jobs, has, strict=True) if one)
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
    loaded = load_all(named_sources(references))
    return [
        Seen(name=f"@{one.named.name}", colour=reference_colour(index), data=_picture(*as_reference(one)))
        for index, one in enumerate(loaded)
    ]


def load_all(named: list[Named]) -> list[Loaded]:
    """Read the sources; in a thread of its own, since the kernel's own loop is running."""

    async def all_of_them() -> list[Loaded]:
        return [await load(one) for one in named]

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, all_of_them()).result()


def as_reference(one: Loaded) -> tuple[Reference, Callable[[Reference], bytes]]:
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
