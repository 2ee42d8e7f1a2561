"""A video and its references in, a report out: the one entry of this room."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from refvideo_nb.core.adherence import Measured, Report, Score
from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.measure import verdicts
from refvideo_nb.measure.calibration import Calibrated, calibrate, grouped
from refvideo_nb.measure.copies import POINTS, Original, copied_share, first_frame_copy
from refvideo_nb.measure.course import Binding, binding, presence, sameness, stability
from refvideo_nb.measure.embedders import DEFAULT, Embedder, find_embedder
from refvideo_nb.measure.intervals import mean_interval, theil_sen
from refvideo_nb.measure.observe import Observed, Target, observe
from refvideo_nb.measure.pool import ENOUGH, Pool, bundled
from refvideo_nb.measure.search import MOST_OVERLAP, SHORT_SIDE, TOP
from refvideo_nb.measure.targets import Given, embedded, read
from refvideo_nb.measure.windows import SMALLEST

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["SAME_SUBJECT", "measure_video"]

SAME_SUBJECT = 0.5
"""Cosine with a reference from which on a negative counts as the same subject, and is left out."""


def measure_video(
    path: Path,
    references: Sequence[Given],
    *,
    embedder: str | os.PathLike[str] | Embedder = DEFAULT,
    frames: int | None = 32,
    every: float | None = None,
    negatives: Sequence[Given] = (),
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    video: str | None = None,
) -> Report:
    """Measure how well a video followed its references.

    Needs no ledger, key or network (but for embedders that must be fetched once), and
    everything that it takes can be sent to another process.

    Parameters
    ----------
    path : pathlib.Path
        A film of any kind that PyAV reads.
    references : sequence of Given
        One or more, of different names. A subject is looked for in every part of the frame;
        a style or a scene is compared with whole frames: a look has no place, and a place is
        what is around the subjects, while a search would be content with a poster of it.
    embedder : str, path or Embedder
        As of `refvideo_nb.measure.embedders.find_embedder`.
    frames : int or None
        How many, at equal distances in time; None (with no `every`) takes all.
    every : float, optional
        Seconds between frames, instead.
    negatives : sequence of Given
        Further unrelated pictures, such as other jobs' references. Of what is alike to a
        reference all is left out.
    seed : int
        Of everything random: the same arguments give the same report.
    threads : int, optional
        All cores by default; a worker of several should have cores / workers.
    progress : callable, optional
        Called with the number of frames that are done.
    video : str, optional
        What the report calls it; the file's name by default.

    Returns
    -------
    Report

    Raises
    ------
    InvalidRequestError
        Where a setting cannot be used.
    BadReferenceError
        Where a picture cannot be read.
    DownloadError
        Where the file cannot be decoded.
    MissingDependencyError
        With the command that installs what is missing.
    """
    _check(references)
    network = find_embedder(embedder, threads=threads)
    measured, targets = _targets(references, network)
    pool = _pool(negatives, targets, network)
    observed = observe(
        path, targets, pool, embedder=network, frames=frames, every=every, threads=threads, seen=progress
    )
    calibrated = [
        calibrate(
            observed.similarity[:, column],
            grouped(observed.searched if target.searched else observed.whole, len(target.vectors), seed=seed),
            names=pool.names,
        )
        for column, target in enumerate(targets)
    ]
    limits = np.array([c.negatives.threshold for c in calibrated], dtype=np.float32)
    covered = observed.similarity > limits
    bound, confusion = _binding(observed, covered, measured)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Report(
        video=video or path.name,
        video_sha256=digest,
        seconds=observed.seconds,
        width=observed.width,
        height=observed.height,
        references=measured,
        times=observed.times,
        similarity=observed.similarity,
        z=np.stack([c.z for c in calibrated], axis=1),
        boxes=observed.boxes,
        copies=observed.copies,
        negatives={one.name: c.negatives for one, c in zip(measured, calibrated, strict=True)},
        confusion=confusion,
        scores=tuple(
            _score(
                column,
                observed=observed,
                covered=covered[:, column],
                calibrated=calibrated[column],
                reference=measured[column],
                bound=bound.get(column),
                seed=seed,
            )
            for column in range(len(measured))
        ),
        settings=_settings(network, pool, frames=frames, every=every, seed=seed),
        notes=_notes(measured, pool),
    )


def _check(references: Sequence[Given]) -> None:
    names = [reference.name for reference in references]
    if not names:
        raise InvalidRequestError("there is no reference to measure: give one or more", field="references", value=())
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidRequestError(
            f"two references are called {one_line(repr(twice), limit=80)}: give each its own name, "
            "or several pictures of one subject as one reference",
            field="references",
            value=twice,
        )


def _targets(references: Sequence[Given], network: Embedder) -> tuple[tuple[Measured, ...], list[Target]]:
    measured, targets = [], []
    for reference in references:
        facts, images = read(reference)
        measured.append(facts)
        targets.append(
            Target(searched=facts.role == "subject", vectors=embedded(images, network), original=Original.of(images))
        )
    return tuple(measured), targets


def _pool(given: Sequence[Given], targets: Sequence[Target], network: Embedder) -> Pool:
    """The negatives, without those that are a reference's own subject: they would be in the video."""
    pool = bundled(network)
    for reference in given:
        facts, images = read(reference)
        names = tuple(f"{facts.name}: {digest[:8]}" for digest in facts.sha256)
        pool += Pool(names=names, groups=(facts.name,) * len(names), vectors=embedded(images, network))
    wanted = np.concatenate([target.vectors.fine for target in targets])
    same = (pool.vectors.fine @ wanted.T >= SAME_SUBJECT).any(axis=1)
    return pool.without({group for group, is_same in zip(pool.groups, same, strict=True) if is_same})


@dataclass(frozen=True, slots=True)
class _Bound:
    share: float | None
    margin: float | None
    taken: str | None  # the other reference that most of its places are nearer to


def _binding(
    observed: Observed, covered: NDArray[np.bool_], measured: Sequence[Measured]
) -> tuple[dict[int, _Bound], NDArray[np.int64]]:
    """By column, of subjects where there are at least two; and the confusion matrix of all columns."""
    confusion = np.zeros((len(measured),) * 2, dtype=np.int64)
    columns = [column for column, one in enumerate(measured) if one.role == "subject"]
    if len(columns) < 2:  # noqa: PLR2004 - one has nobody to be taken for
        return {}, confusion
    found: Binding = binding(observed.alike[:, columns][:, :, columns], covered[:, columns])
    confusion[np.ix_(columns, columns)] = found.confusion
    bound = {}
    for place, column in enumerate(columns):
        nearest = int(found.confusion[place].argmax())
        taken = measured[columns[nearest]].name if found.confusion[place].any() and nearest != place else None
        bound[column] = _Bound(found.share[place], found.margin[place], taken)
    return bound, confusion


def _score(
    column: int,
    *,
    observed: Observed,
    covered: NDArray[np.bool_],
    calibrated: Calibrated,
    reference: Measured,
    bound: _Bound | None,
    seed: int,
) -> Score:
    similarity = observed.similarity[:, column]
    seen = presence(covered, observed.times, observed.seconds)
    box = observed.boxes[:, column]
    areas = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]) / (observed.width * observed.height)
    area = float(np.median(areas[covered])) if covered.any() else None
    z, p = float(calibrated.z.mean()), calibrated.p
    strength = float(calibrated.z[covered].mean()) if covered.any() else None
    copies = observed.copies[:, column]
    copied, first = float(copied_share(copies)), bool(first_frame_copy(copies, observed.times))
    word = verdicts.verdict(
        role=reference.role,
        p=p,
        coverage=seen.coverage,
        strength=strength,
        copied=copied,
        area=area,
        binding=bound.share if bound else None,
    )
    low, high = mean_interval(similarity, seed=seed)
    return Score(
        reference=reference.name,
        role=reference.role,
        adherence=float(similarity.mean()),
        low=low,
        high=high,
        covered=float(similarity[covered].mean()) if covered.any() else None,
        z=z,
        p=p,
        coverage=seen.coverage,
        onset=seen.onset,
        longest_gap=seen.longest_gap,
        stability=stability(similarity, observed.cuts),
        drift=theil_sen(observed.times, similarity),
        sameness=sameness(observed.neighbours[:, column], covered, observed.cuts),
        copied=copied,
        first_frame_copy=first,
        binding=bound.share if bound else None,
        margin=bound.margin if bound else None,
        area=area,
        verdict=word,
        sentence=verdicts.sentence(
            name=reference.name,
            role=reference.role,
            verdict=word,
            z=z,
            strength=strength,
            coverage=seen.coverage,
            copied=copied,
            first=first,
            taken=bound.taken if bound else None,
        ),
    )


def _settings(network: Embedder, pool: Pool, *, frames: int | None, every: float | None, seed: int) -> dict[str, Any]:
    return {
        "embedder": network.name,
        "embedder_sha256": network.sha256,
        "preprocessing": network.preprocessing,
        "windows": {"short_side": SHORT_SIDE, "smallest": SMALLEST, "top": TOP, "most_overlap": MOST_OVERLAP},
        "frames": frames,
        "every": every,
        "negatives": list(pool.names),
        "same_subject": SAME_SUBJECT,
        "copy_points": POINTS,
        "seed": seed,
    }


def _notes(measured: Sequence[Measured], pool: Pool) -> tuple[str, ...]:
    notes = [
        "nothing here was validated by people's judgement",
        "a look-alike of the same kind scores nearly as high as the subject itself",
    ]
    if len(pool) < ENOUGH:
        notes.append(f"chance is told by {len(pool)} unrelated pictures only: give more as negatives")
    if any(one.role in {"style", "scene"} for one in measured):
        notes.append("style and scene are told by whole frames, a proxy that also answers to what is in them")
    if any(len(one.sha256) > 1 for one in measured):
        notes.append("several pictures of one subject are held against as many unrelated ones, the best of each")
    return tuple(notes)
