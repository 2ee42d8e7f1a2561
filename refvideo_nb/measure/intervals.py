"""How sure a number of one clip is: intervals that know that frames of a video are alike.

Written out in numpy instead of taken from scipy, whose statistics take longer to import than to
run here; the tests hold them against scipy and against data whose truth is known.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from refvideo_nb.errors import InvalidRequestError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["LEVEL", "block_length", "mean_interval", "spearman", "student", "theil_sen"]

LEVEL = 0.95
_DRAWS = 2000
_MOST_POINTS = 1000
_FEW = 4  # pairs from which on a rank correlation has an interval


def block_length(values: ArrayLike) -> int:
    """Frames that stay together when a video is drawn anew: the rule of Politis and White (2004; corrected 2009).

    Where autocorrelation is still seen at lag m, b = (2 G² / D)^(1/3) · n^(1/3), with
    G = Σ λ(k/2m) |k| R(k), D = 4/3 · (Σ λ(k/2m) R(k))², and λ the flat-top window; not less than
    n^(1/3), since a few frames show little of their correlation, and not more than n / 3.

    Parameters
    ----------
    values : array_like
        ``(n,)``, in the order of time.

    Returns
    -------
    int
        1 to n.
    """
    x = np.asarray(values, dtype=np.float64)
    n = len(x)
    most = max(1, n // 3)
    least: int = max(1, min(most, round(math.cbrt(n))))
    x = x - x.mean() if n else x
    if n < _FEW or not np.any(np.abs(x) > np.finfo(np.float32).eps):
        return least
    covariance = np.array([x[: n - k] @ x[k:] / n for k in range(n)])
    limit = 2 * math.sqrt(math.log10(n) / n)
    quiet = max(3, math.ceil(math.sqrt(math.log10(n))))  # lags in a row that must be silent
    loud = np.flatnonzero(np.abs(covariance[1:] / covariance[0]) > limit)
    m = next((k for k in range(n - quiet) if not np.any((loud >= k) & (loud < k + quiet))), n - quiet)
    lags = np.arange(1, min(2 * max(m, 1), n - 1) + 1)
    window = np.clip(2 * (1 - lags / (2 * max(m, 1))), 0, 1)
    g = 2 * float(np.sum(window * lags * covariance[lags]))
    spectrum = covariance[0] + 2 * float(np.sum(window * covariance[lags]))
    if spectrum <= 0:
        return least
    best: float = (2 * g**2 / (4 / 3 * spectrum**2)) ** (1 / 3) * math.cbrt(n)
    return max(least, min(most, math.ceil(best)))


def mean_interval(
    values: ArrayLike, *, seed: int = 0, level: float = LEVEL, draws: int = _DRAWS
) -> tuple[float, float]:
    """Interval of a mean over frames, by a moving-block bootstrap (Künsch 1989) on a circle.

    Frames resemble their neighbours, so runs of :func:`block_length` frames are drawn together;
    drawn one by one the interval would be far too narrow. Percentiles are widened as Hesterberg (2015)
    does for small samples, by the number of blocks.

    Parameters
    ----------
    values : array_like
        ``(frames,)``, in the order of time.
    seed : int
    level : float
    draws : int

    Returns
    -------
    low, high : float
        Both the mean itself where nothing varies.
    """
    x = _finite(values, "values")
    n, b = len(x), block_length(x)
    starts = np.random.default_rng(seed).integers(n, size=(draws, math.ceil(n / b)))
    # A run's sum is a difference of running sums, so that long films take no more memory; the last run is cut.
    sums = np.concatenate([[0.0], np.cumsum(np.concatenate([x, x]))])
    lengths = np.full(starts.shape[1], b)
    lengths[-1] = n - b * (len(lengths) - 1)
    means = (sums[starts + lengths] - sums[starts]).sum(axis=1) / n
    return _percentiles(means, n / b, level)


def theil_sen(times: ArrayLike, values: ArrayLike) -> float | None:
    """Median slope over all pairs of points, per unit of time (Theil 1950, Sen 1968).

    Up to 29 % of the points may be anything without moving it far. Of more than a thousand,
    a thousand at equal distances are taken, since pairs are as many as their square.

    Parameters
    ----------
    times, values : array_like
        ``(n,)``.

    Returns
    -------
    float or None
        None where no two points differ in time.
    """
    t, x = _finite(times, "times"), _finite(values, "values")
    step = -(-len(t) // _MOST_POINTS) or 1
    t, x = t[::step], x[::step]
    i, j = np.triu_indices(len(t), 1)
    apart = t[j] != t[i]
    if not np.any(apart):
        return None
    return float(np.median((x[j] - x[i])[apart] / (t[j] - t[i])[apart]))


def spearman(a: ArrayLike, b: ArrayLike, *, level: float = LEVEL) -> tuple[float, float, float] | None:
    """Rank correlation with its interval (Bonett and Wright 2000).

    ρ is Pearson's correlation of ranks, ties sharing their mean rank; the interval is
    tanh(artanh ρ ± z · √((1 + ρ²/2) / (n − 3))). Where all ranks agree it begins from the next
    lower ρ that n can have, since a few pairs in order prove little.

    Parameters
    ----------
    a, b : array_like
        ``(n,)``: a metric and people's ratings, say. Pairs in which one is not a number are left out.
    level : float

    Returns
    -------
    rho, low, high : float
        None with fewer than 4 pairs, or where all values of one side are the same.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    whole = np.isfinite(x) & np.isfinite(y)
    n = int(whole.sum())
    if n < _FEW:
        return None
    a_ranks, b_ranks = _ranks(x[whole]), _ranks(y[whole])
    if not np.ptp(a_ranks) or not np.ptp(b_ranks):
        return None
    rho = float(np.clip(np.corrcoef(a_ranks, b_ranks)[0, 1], -1, 1))
    most = 1 - 12 / (n * (n**2 - 1))  # two neighbours changed places
    inner = max(-most, min(most, rho))
    half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt((1 + inner**2 / 2) / (n - 3))
    low, high = math.tanh(math.atanh(inner) - half), math.tanh(math.atanh(inner) + half)
    return rho, min(low, rho), max(high, rho)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[places], dtype=np.float64)


def _finite(values: ArrayLike, field: str) -> NDArray[np.float64]:
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or not len(x) or not np.all(np.isfinite(x)):
        raise InvalidRequestError(
            f"{field} of shape {x.shape} cannot be used: give one row of at least one finite number", field=field
        )
    return x


def _percentiles(drawn: NDArray[np.float64], n: float, level: float) -> tuple[float, float]:
    """Percentiles of a bootstrap, as much further out as a sample of `n` needs (Hesterberg 2015)."""
    n = max(n, 2.0)
    tail = NormalDist().cdf(student((1 - level) / 2, n - 1) * math.sqrt(n / (n - 1)))
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def student(p: float, freedom: float) -> float:
    """Quantile of Student's distribution at `p`: exact for 1 and 2, else an expansion (Hill 1970)."""
    freedom = max(freedom, 1.0)
    if freedom < 2:  # noqa: PLR2004 - of degrees of freedom
        return math.tan(math.pi * (p - 0.5))
    if freedom < 3:  # noqa: PLR2004 - of degrees of freedom
        return (2 * p - 1) / math.sqrt(2 * p * (1 - p))
    z = NormalDist().inv_cdf(p)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**k for k, term in enumerate(terms, start=1))
