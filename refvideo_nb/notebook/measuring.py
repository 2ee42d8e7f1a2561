"""What is measured: a video and references as people name them, found and read; and the measurement, made once."""

from __future__ import annotations

import math
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.adherence import ROLES
from refvideo_nb.core.job import VideoFacts
from refvideo_nb.core.references import check_name
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.display.pictures import reference_picture
from refvideo_nb.display.sides import Seen
from refvideo_nb.engine.intake import Named, named_sources
from refvideo_nb.errors import BadReferenceError, InvalidRequestError, LedgerError, RefVideoError, one_line
from refvideo_nb.measure.embedders import find_embedder
from refvideo_nb.measure.targets import Given
from refvideo_nb.measure.video import VERSION, measure_video
from refvideo_nb.media.video import probe
from refvideo_nb.notebook.compared import as_reference, find_video, load_all
from refvideo_nb.notebook.current import current_session
from refvideo_nb.notebook.job import Job
from refvideo_nb.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from refvideo_nb.core.adherence import Report
    from refvideo_nb.core.references import Reference
    from refvideo_nb.ledger.store import Ledger

__all__ = [
    "How",
    "Wanted",
    "asked_of",
    "check_frames",
    "frames_planned",
    "given_of",
    "measured",
    "own_references",
    "wanted",
]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A video, and what it is measured against.

    Attributes
    ----------
    path : pathlib.Path
    name : str
        What the report calls the video: the job's id, or the file's name.
    facts : VideoFacts
    given : tuple of Given
        The references for the measurement.
    seen : tuple of Seen
        The same for the eye.
    job : Job or None
    """

    path: Path
    name: str
    facts: VideoFacts
    given: tuple[Given, ...]
    seen: tuple[Seen, ...]
    job: Job | None

    @property
    def simulated(self) -> bool:
        """Whether the clip is the simulator's."""
        return self.job is not None and self.job.record.simulated


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How it is measured; see `refvideo_nb.adherence`."""

    embedder: Any = "efficientnet-lite0"
    frames: int | None = 32
    every: float | None = None
    negatives: tuple[Given, ...] = ()
    seed: int = 0


def wanted(
    job_or_path: Any,
    references: Mapping[str, Any] | Iterable[Any] | None = None,
    *,
    roles: Mapping[str, str] | None = None,
) -> Wanted:
    """Find the video and read the references.

    Raises
    ------
    InvalidRequestError
        For a job without a video, no references, or a role that is none.
    BadReferenceError
        For a reference that cannot be read.
    DownloadError
        For a file that is no video.
    """
    path, job = find_video(job_or_path)
    record = job.record if job else None
    facts = record.video if record and record.video else probe(path)
    if references is not None:
        placed = list(enumerate(given_of(references)))
    elif job is not None:
        placed = _of_job(job)
    else:
        raise InvalidRequestError(
            f"{one_line(path.name, limit=80)} is a file and comes without references: "
            'give references={"name": source}, or a job',
            field="references",
        )
    given = _with_roles([one for _, one in placed], roles or {})
    return Wanted(
        path=path,
        name=job.id if job else path.name,
        facts=facts,
        given=given,
        seen=tuple(
            Seen(name=f"@{one.name}", colour=reference_colour(place), data=_first(one))
            for (place, _), one in zip(placed, given, strict=True)
        ),
        job=job,
    )


def own_references(job: Job) -> tuple[Given, ...]:
    """The pictures that a job was given, in their roles, ready to be measured against.

    Raises
    ------
    InvalidRequestError
        Where it has none.
    BadReferenceError
        For one that cannot be read.
    """
    return _with_roles([one for _, one in _of_job(job)], {})


def _first(given: Given) -> bytes | None:
    picture = given.pictures[0] if given.pictures else None
    return picture if isinstance(picture, bytes) else None


def _of_job(job: Job) -> list[tuple[int, Given]]:
    """The pictures and films among a job's references, each with its place, which has its colour."""
    references = job.record.request.references
    found = [
        (place, Given(name=r.name, pictures=(_kept(r, job),), role=r.role or ROLES[0]))
        for place, r in enumerate(references)
        if r.kind != "audio"
    ]
    if not found:
        sound = "sound alone as its references" if references else "no references"
        raise InvalidRequestError(
            f'job {job.id} has {sound}: give references={{"name": source}} to measure it against others',
            field="references",
            value=job.id,
        )
    return found


def _kept(reference: Reference, job: Job) -> bytes:
    try:
        picture = reference_picture(reference, job._session.media.read)  # noqa: SLF001 - a job is how its session is reached
    except RefVideoError as error:
        raise _lost(reference.name, one_line(error, limit=120)) from None
    if not picture:
        raise _lost(reference.name, "its bytes are no longer in the home folder")
    return picture


def _lost(name: str, why: str) -> BadReferenceError:
    return BadReferenceError(
        f'reference {name!r} cannot be measured against: {why}; give it again as references={{"{name}": source}}',
        field="references",
        value=name,
    )


def given_of(references: Mapping[str, Any] | Iterable[Any]) -> list[Given]:
    """References as a person names them; a list of sources under one name is several pictures of one subject."""
    if isinstance(references, dict) or hasattr(references, "items"):
        named = [
            Named(check_name(str(name)), source, given=True)
            for name, sources in references.items()
            for source in (sources if isinstance(sources, list | tuple) else [sources])
        ]
    else:
        named = named_sources(references)
    if not named:
        raise InvalidRequestError('references is empty: give {"name": source}', field="references", value=references)
    pictures: dict[str, list[bytes]] = {}
    for one in load_all(named):
        try:
            picture = reference_picture(*as_reference(one))
        except RefVideoError:
            picture = None
        if not picture:
            raise BadReferenceError(
                f"reference {one.named.name!r} is neither a picture nor a video: give an image, or a path to one",
                field="references",
                value=one.named.name,
            )
        pictures.setdefault(one.named.name, []).append(picture)
    return [Given(name=name, pictures=tuple(found)) for name, found in pictures.items()]


def _with_roles(given: list[Given], roles: Mapping[str, str]) -> tuple[Given, ...]:
    names = [one.name for one in given]
    for name, role in roles.items():
        if name not in names:
            raise InvalidRequestError(
                f"roles names {one_line(name, limit=40)!r}, which is no reference; there are {', '.join(names)}",
                field="roles",
                value=name,
                allowed=names,
            )
        if role not in ROLES:
            raise InvalidRequestError(
                f"role {one_line(role, limit=40)!r} of {name!r} cannot be measured; allowed: {', '.join(ROLES)}",
                field="roles",
                value=role,
                allowed=ROLES,
            )
    return tuple(Given(name=g.name, pictures=g.pictures, role=str(roles.get(g.name, g.role))) for g in given)


def check_frames(frames: int | None, every: float | None) -> None:
    """Whether so many frames can be measured.

    Raises
    ------
    InvalidRequestError
    """
    for name, value in (("frames", frames), ("every", every)):
        if value is not None and not (isinstance(value, int | float) and 0 < value < float("inf")):
            raise InvalidRequestError(
                f"{name}={one_line(repr(value), limit=40)} cannot be used: give more than 0, or None",
                field=name,
                value=value,
            )
    if every is not None and frames not in {32, None}:
        raise InvalidRequestError(
            f"frames={frames} and every={every:g} cannot both be kept: give one of them", field="every", value=every
        )


def frames_planned(facts: VideoFacts, how: How) -> int:
    """How many frames will be measured, as far as the file's own words go."""
    if how.every is not None and how.every > 0:
        return min(facts.frames, max(1, math.ceil(facts.seconds / how.every)))
    return facts.frames if how.frames is None else min(facts.frames, how.frames)


def measured(what: Wanted, how: How, *, told: Callable[[int], None] | None = None, fresh: bool = False) -> Report:
    """The measurement: the one that is kept where the very same was made before, else a new one, which is kept.

    Parameters
    ----------
    what : Wanted
    how : How
    told : callable, optional
        Called with the number of frames that are done.
    fresh : bool
        Whether to measure even where one is kept.
    """
    ledger = _ledger(what.job)
    asked = asked_of(what.given, how) if ledger else {}
    kept = ledger.reports.find(what.facts.sha256, asked=asked) if ledger and not fresh else None
    if kept is not None:
        return msgspec.structs.replace(kept, video=what.name)
    report = measure_video(
        what.path,
        what.given,
        embedder=how.embedder,
        frames=how.frames,
        every=how.every,
        negatives=how.negatives,
        seed=how.seed,
        progress=told,
        video=what.name,
    )
    if ledger:
        with suppress(LedgerError):  # what was measured is worth more than that it is kept
            ledger.reports.keep(report, asked=asked)
    return report


def _ledger(job: Job | None) -> Ledger | None:
    """Where reports are kept: the job's ledger, or that of the home folder where there is one already."""
    if job is not None:
        return job._session.ledger  # noqa: SLF001 - as above
    home = Settings.from_environment().home
    return current_session().ledger if (home / "ledger.sqlite").exists() else None


def asked_of(given: Sequence[Given], how: How) -> dict[str, Any]:
    """All that the numbers depend on beside the film."""
    return {
        "version": VERSION,
        "references": [_told(one) for one in given],
        "embedder_sha256": find_embedder(how.embedder, threads=1).sha256,  # as it measures, so it is loaded once
        "frames": None if how.every is not None else how.frames,
        "every": how.every,
        "negatives": [_told(one) for one in how.negatives],
        "seed": how.seed,
    }


def _told(given: Given) -> dict[str, Any]:
    digests = [sha256(p if isinstance(p, bytes) else repr(p).encode()).hexdigest() for p in given.pictures]
    return {"name": given.name, "role": given.role, "pictures": digests}
