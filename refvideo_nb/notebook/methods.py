"""The methods paragraph for a paper: what was done, from what the ledger knows, and nothing else."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from refvideo_nb.core.job import FAILED, State
from refvideo_nb.core.version import __version__
from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from refvideo_nb.core.job import JobRecord

__all__ = ["methods"]

_MOST = 6  # of a kind that are told one by one
_HASH = 12  # characters


def methods(sweep_or_jobs: Sweep | Job | Iterable[Job]) -> str:
    """The methods paragraph of a sweep or of jobs, in plain words, to be put into a paper.

    It tells models, settings, seeds and references, how the clips were measured (the network and
    its hash, frames, negatives, versions), what came of the jobs, and a hash of all of it that
    another run can be compared by. Where clips are simulated, it says so first.

    Parameters
    ----------
    sweep_or_jobs : Sweep, Job or iterable of Job

    Returns
    -------
    str

    Raises
    ------
    InvalidRequestError
        Where there is no job in it yet.
    """
    sweep = sweep_or_jobs if isinstance(sweep_or_jobs, Sweep) else None
    jobs = sweep.jobs if sweep else [sweep_or_jobs] if isinstance(sweep_or_jobs, Job) else list(sweep_or_jobs)  # type: ignore[arg-type]
    if not jobs or not all(isinstance(job, Job) for job in jobs):
        raise InvalidRequestError(
            "there is nothing to describe: give a sweep that was started, or jobs", field="sweep_or_jobs"
        )
    records = [job.record for job in jobs]
    settings = sweep.table().attrs["settings"] if sweep else _measured(jobs)
    simulated = sum(r.simulated for r in records)
    lines = []
    if simulated:
        which = "All clips" if simulated == len(records) else f"{simulated} of {len(records)} clips"
        lines.append(f"{which} are SIMULATED: no model made them, and they say nothing about any model.")
    lines += [_generated(records), *([_design(sweep)] if sweep else []), _asked(records), _references(records)]
    lines += [_came_of(records), _how(settings)]
    lines.append(f"Settings: sha256 {_settings_hash(records, settings)}.")
    return " ".join(line for line in lines if line)


def _generated(records: Sequence[JobRecord]) -> str:
    days = sorted({time.strftime("%Y-%m-%d", time.gmtime(r.submitted or r.created)) for r in records})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    where = sorted({r.base_url or "an embedded simulator" for r in records})
    models = _several("model", {r.request.model for r in records})
    return (
        f"Clips were requested on {when} (UTC) with refvideo_nb {__version__} from {', '.join(where)}, of the {models}."
    )


def _design(sweep: Sweep) -> str:
    dimensions = sweep.design.dimensions
    told = [f"{' with '.join(one_line(a.name, limit=40) for a in d)} ({len(d[0].labels)} levels)" for d in dimensions]
    shape = " × ".join(told)
    return f"The design crossed {shape} ({len(sweep):,} cells, sweep {sweep.id})." if shape else ""


def _asked(records: Sequence[JobRecord]) -> str:
    def of(name: str) -> list[Any]:
        return sorted({getattr(r.request, name) for r in records} - {None}, key=str)

    said = [f"{_some(of('duration'))} s long"] if of("duration") else []
    said += [_some(of(name)) for name in ("resolution", "aspect_ratio") if of(name)]
    said += ["×".join(map(str, size)) + " pixels" for size in of("size")]
    said += [{True: "with sound", False: "without sound"}[a] for a in of("generate_audio")]
    seeds = of("seed")
    seeded = f"Seeds: {_some(seeds)}." if seeds else "No seed was set."
    return (f"Clips were asked for as {', '.join(said)}. " if said else "") + seeded


def _references(records: Sequence[JobRecord]) -> str:
    found = {(r.name, r.role, r.kind, r.sha256) for record in records for r in record.request.references}
    if not found:
        return "No references were given."
    told = [
        f"{one_line(name, limit=40)} ({role or 'subject'}, {kind}, sha256 {digest[:_HASH]})"
        for name, role, kind, digest in sorted(found)
    ]
    more = f", and {len(told) - _MOST} more" if len(told) > _MOST else ""
    return f"References: {', '.join(told[:_MOST])}{more}."


def _came_of(records: Sequence[JobRecord]) -> str:
    clips = sum(r.state is State.DOWNLOADED for r in records)
    failed = sum(r.state in FAILED for r in records)
    lost = sum(r.state is State.OUTCOME_UNKNOWN for r in records)
    said = f"Of {len(records):,} jobs {clips:,} gave a clip and {failed:,} failed"
    return f"{said}; the outcome of {lost:,} is unknown." if lost else f"{said}."


def _how(settings: Mapping[str, Any]) -> str:
    if not settings:
        return "Adherence was not measured."
    every, frames = settings.get("every"), settings.get("frames")
    sampled = f"{frames} frames at equal distances" if frames else "all frames"
    if every:
        sampled = f"one frame each {every:g} s"
    counts = {len(names) for names in settings.get("negatives", {}).values()}
    chance = f"{_some(sorted(counts))} unrelated pictures" if counts else "unrelated pictures"
    versions = ", ".join(f"{name} {version}" for name, version in settings.get("versions", {}).items())
    return (
        f"Adherence was measured in {sampled} of each clip with {settings.get('embedder')} "
        f"(sha256 {str(settings.get('embedder_sha256'))[:_HASH]}): the mean over frames of the cosine between the "
        "embeddings of a reference and of the part of the frame most alike to it, found by a search of windows at two "
        f"stages (style and scene: the whole frame; faces: their own network). {chance} passed the same search; a "
        "frame is covered above their 95th percentile. Copying is told apart from adherence, by matching corners (ORB "
        f"with RANSAC, at least {settings.get('copy_points')} points). Intervals over jobs draw prompts anew (a "
        "studentised cluster bootstrap; Student's distribution below 8 prompts), and differences are paired by prompt "
        "and seed where the design allows. "
        f"No metric was validated by people's judgement. Versions: {versions}; bootstrap seed {settings.get('seed')}."
    )


def _measured(jobs: Sequence[Job]) -> dict[str, Any]:
    """How the clips of these jobs were measured: as most of them."""
    ways: Counter[str] = Counter()
    for job in jobs:
        film = job.record.video
        kept = job._session.ledger.reports.of(film.sha256) if film else []  # noqa: SLF001 - a job is how its session is reached
        ways.update(json.dumps(dict(r.settings), sort_keys=True) for r in kept[:1])
    return dict(json.loads(ways.most_common(1)[0][0])) if ways else {}


def _settings_hash(records: Sequence[JobRecord], settings: Mapping[str, Any]) -> str:
    """The same for the same requests, measured in the same way, whoever ran them and when."""
    from hashlib import sha256  # noqa: PLC0415 - it loads OpenSSL, and only here is it needed

    asked = sorted(
        json.dumps(
            [
                r.request.prompt, r.request.model, r.request.duration, r.request.resolution, r.request.aspect_ratio,
                r.request.size, r.request.seed, r.request.generate_audio, r.request.provider,
                [(one.name, one.role, one.kind, one.sha256) for one in r.request.references],
                [(f.position, f.image.sha256) for f in r.request.frames],
            ],
            sort_keys=True,
        )
        for r in records
    )  # fmt: skip
    return sha256(json.dumps([asked, settings], sort_keys=True).encode()).hexdigest()


def _several(word: str, values: Iterable[Any]) -> str:
    found = sorted(map(str, values))
    return f"{word} {found[0]}" if len(found) == 1 else f"{word}s {_some(found)}"


def _some(values: Sequence[Any]) -> str:
    """All of a few; of many numbers in a row the first and the last, else how many more there are."""
    texts = [one_line(v, limit=60) for v in values]
    if len(texts) <= _MOST:
        return ", ".join(texts)
    if all(isinstance(v, int) for v in values) and values[-1] - values[0] == len(values) - 1:
        return f"{texts[0]} to {texts[-1]}"
    return f"{', '.join(texts[:_MOST])} and {len(texts) - _MOST} more"
