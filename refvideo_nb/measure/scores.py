"""From what was seen to one row of numbers a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from refvideo_nb.core.adherence import Measured, Score
from refvideo_nb.measure import verdicts
from refvideo_nb.measure.copies import copied_share, first_frame_copy
from refvideo_nb.measure.course import binding, presence, sameness, stability
from refvideo_nb.measure.intervals import mean_interval, theil_sen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from refvideo_nb.measure.calibration import Calibrated
    from refvideo_nb.measure.observe import Observed

__all__ = ["scored"]

_PLACED = ("subject", "face")  # roles whose references have a place in the frame, which can be another's


def scored(
    observed: Observed, calibrated: Sequence[Calibrated], measured: Sequence[Measured], *, seed: int
) -> tuple[tuple[Score, ...], NDArray[np.int64]]:
    """The scores of R references and their confusion matrix, as `refvideo_nb.core.adherence.Report` has them.

    Parameters
    ----------
    observed : Observed
    calibrated : sequence of Calibrated
        R of them.
    measured : sequence of Measured
        R of them, in the same order.
    seed : int
        Of the bootstrap.
    """
    limits = np.array([one.negatives.threshold for one in calibrated], dtype=np.float32)
    covered = observed.similarity > limits
    bound, confusion = _binding(observed, covered, measured)
    scores = tuple(
        _score(
            column,
            observed=observed,
            covered=covered[:, column],
            calibrated=calibrated[column],
            reference=reference,
            bound=bound.get(column, _Bound()),
            seed=seed,
        )
        for column, reference in enumerate(measured)
    )
    return scores, confusion


class _Bound(msgspec.Struct, frozen=True):
    share: float | None = None
    margin: float | None = None
    taken: str | None = None  # the other reference that most of its places are nearer to


def _binding(
    observed: Observed, covered: NDArray[np.bool_], measured: Sequence[Measured]
) -> tuple[dict[int, _Bound], NDArray[np.int64]]:
    """By column, of subjects and of faces where there are at least two; and the confusion matrix of all columns."""
    confusion = np.zeros((len(measured),) * 2, dtype=np.int64)
    bound: dict[int, _Bound] = {}
    for role in _PLACED:
        columns = [column for column, one in enumerate(measured) if one.role == role]
        if len(columns) < 2:  # noqa: PLR2004 - one has nobody to be taken for
            continue
        found = binding(observed.alike[:, columns][:, :, columns], covered[:, columns])
        confusion[np.ix_(columns, columns)] = found.confusion
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
    bound: _Bound,
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
        binding=bound.share,
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
        binding=bound.share,
        margin=bound.margin,
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
            taken=bound.taken,
        ),
    )
