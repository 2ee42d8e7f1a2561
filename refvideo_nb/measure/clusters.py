"""How sure a mean over jobs is: jobs of one prompt are alike, so prompts are what is counted, and drawn anew.

Ten seeds of one prompt are not ten observations of how a model does in general. Each cluster
(a prompt, with what belongs to it) becomes one mean, and the interval is of the means. Percentiles
of a bootstrap promise too much where clusters are few; what is used instead, and how often each
holds the truth, stands in docs/sweeps.md.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from refvideo_nb.measure.intervals import LEVEL, student

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FEW", "cluster_means", "clusters_differ", "interval_of_means"]

FEW = 8
"""Clusters from which on they are drawn anew; of fewer, too few different draws can be made."""
_DRAWS = 2000
_MOST_DRAWS = 20_000
_PART = 250_000  # numbers of draws that are held as floats at once
_IN_TAIL = 40  # draws that a tail should hold
_DEGENERATE = 0.05  # share of draws without any spread from which on they tell nothing of it


def cluster_means(values: NDArray[np.float64], clusters: NDArray[np.intp]) -> NDArray[np.float64]:
    """The mean of each cluster, so that each counts the same, whatever number of values it has.

    Parameters
    ----------
    values : ndarray
        ``(n,)``; what is not a number is left out.
    clusters : ndarray
        ``(n,)`` integers from 0.

    Returns
    -------
    ndarray
        ``(clusters with a value,)`` float64.
    """
    there = np.isfinite(values)
    counts = np.bincount(clusters[there])
    sums = np.bincount(clusters[there], weights=values[there])
    return np.asarray(sums[counts > 0] / counts[counts > 0], dtype=np.float64)


def interval_of_means(means: NDArray[np.float64], *, level: float = LEVEL, seed: int = 0) -> tuple[float, float] | None:
    """The interval of the mean over clusters: a studentised cluster bootstrap (Efron 1982; Cameron et al. 2008).

    With m the mean of K cluster means and s its standard error, clusters are drawn anew, each draw
    gives t* = (m* - m) / s*, and the interval is m - q(t*) · s at both ends: so it follows a skewed
    distribution, and is as wide as so few clusters need. Below `FEW` clusters, and where draws have no
    spread of their own, Student's distribution with K - 1 degrees of freedom stands in.

    Parameters
    ----------
    means : ndarray
        ``(K,)``, finite.
    level : float
    seed : int

    Returns
    -------
    low, high : float
        None with fewer than two clusters, and where all are the same: neither says how others would be.

    Examples
    --------
    >>> low, high = interval_of_means(np.array([0.1, 0.2, 0.3]))
    >>> round(low, 3), round(high, 3)
    (-0.048, 0.448)
    """
    count = len(means)
    if count < 2 or not np.ptp(means) > 1e-9 * (1 + abs(float(means[0]))):  # noqa: PLR2004 - one is no sample
        return None
    tail = (1 - level) / 2
    middle, error = float(means.mean()), float(means.std(ddof=1)) / math.sqrt(count)
    few = abs(student(tail, count - 1))
    low, high = few, few  # in standard errors, below and above
    if count >= FEW:
        drawn = _drawn(count, min(_MOST_DRAWS, max(_DRAWS, math.ceil(_IN_TAIL / tail))), seed)
        away = means - middle
        moments = np.column_stack([away, away**2])
        # A part at a time: as floats, all draws of a thousand clusters would need hundreds of megabytes.
        off, squares = np.concatenate([part / count @ moments for part in drawn]).T
        spread = np.sqrt(np.maximum(squares - off**2, 0) / (count - 1))
        whole = spread > 1e-3 * error
        if np.mean(~whole) < _DEGENERATE:
            first, last = np.quantile(off[whole] / spread[whole], [tail, 1 - tail])
            low, high = float(last), float(-first)
    return middle - low * error, middle + high * error


@lru_cache(maxsize=2)  # of means and of their differences
def _drawn(count: int, draws: int, seed: int) -> tuple[NDArray[np.uint8], ...]:
    """``(draws, count)`` in parts of some draws: how often each one has every cluster, which is never 256 times."""
    generator, parts = np.random.default_rng(seed), []
    most = max(_PART // count, 1)
    for first in range(0, draws, most):
        size = min(most, draws - first)
        taken = generator.integers(count, size=(size, count))
        taken += np.arange(size)[:, None] * count
        parts.append(np.bincount(taken.ravel(), minlength=size * count).reshape(size, count).astype(np.uint8))
    return tuple(parts)


def clusters_differ(changes: NDArray[np.float64], interval: tuple[float, float] | None, *, level: float) -> bool:
    """Whether one may say that there is a difference: its interval leaves out zero.

    Where every cluster changed by exactly the same, there is no interval; then their signs decide, of
    which all K agree by chance with 2^(1 - K).
    """
    if interval is not None:
        return not interval[0] <= 0 <= interval[1]
    return bool(len(changes)) and changes[0] != 0 and 2.0 ** (1 - len(changes)) <= 1 - level
