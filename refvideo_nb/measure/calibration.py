"""What a similarity is worth: held against unrelated pictures that went through the same search.

The best of thousands of windows is alike to anything: with this search unrelated pictures
reach more than they do with a window at random. So nothing is said of a similarity alone,
only of its place among those of pictures that are not in the video.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from refvideo_nb.core.adherence import Negatives

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Calibrated", "calibrate", "grouped"]

_LEAST = 1e-6  # of a standard deviation: pictures that all score the same tell of no spread


class Calibrated(msgspec.Struct, frozen=True, kw_only=True):
    """A reference's similarities among those of unrelated pictures.

    Attributes
    ----------
    negatives : Negatives
    z : ndarray
        ``(frames,)`` float32: (S[t] - μ[t]) / σ.
    p : float
        (1 + number of negatives whose mean is at least the reference's) / (1 + K).
    """

    negatives: Negatives
    z: NDArray[np.float32]
    p: float


def calibrate(
    similarity: NDArray[np.float32],
    negatives: NDArray[np.float32],
    *,
    names: Sequence[str],
    limit: tuple[float, float] | None = None,
) -> Calibrated:
    """Place a reference among negatives.

    μ[t] is the negatives' mean in frame t; σ their standard deviation around it, pooled over
    frames, since K of one frame are too few for a spread; the threshold is the 95th
    percentile of all of them, so that a picture which is not there is above it in 1 frame
    of 20. p is the rank of the mean over frames, as of a permutation test (Phipson and
    Smyth, 2010): for a reference that is no more in the video than the negatives are, and
    could have been one of them, it is uniform on 1 / (1 + K) … 1, whatever the frames'
    dependence. What makes a reference unlike the negatives as a picture, such as a texture
    among portraits, breaks that, and no number of frames mends it. Seen with the bundled
    pool: nine photographs of other sources, each absent from frames of 13 others, had
    p up to 0.05 in 5.1 % and up to 0.1 in 11 % of 117 cases, and 2.8 % and 6.5 % without
    those where one animal was looked for in pictures of another.

    Parameters
    ----------
    similarity : ndarray
        ``(frames,)`` float32.
    negatives : ndarray
        ``(frames, K)`` float32.
    names : sequence of str
        Of the K.
    limit : (float, float), optional
        A threshold that is known from elsewhere, and how many σ lie between μ and it, for
        networks whose negatives are too few here to tell; K may then be 0.

    Returns
    -------
    Calibrated

    Examples
    --------
    >>> chance = np.array([[0.1, 0.2, 0.3], [0.2, 0.3, 0.1]], dtype=np.float32)
    >>> found = calibrate(np.array([0.6, 0.1], dtype=np.float32), chance, names="abc")
    >>> found.z.round(2).tolist(), found.p
    ([4.0, -1.0], 0.25)
    """
    count = negatives.shape[1]
    if not count:
        negatives = np.zeros((len(similarity), 1), dtype=np.float32)
    mean = negatives.mean(axis=1)
    if limit is None:
        freedom = max(1, negatives.size - len(negatives))
        sigma = float(np.sqrt(((negatives - mean[:, None]) ** 2).sum(dtype=np.float64) / freedom))
        threshold = float(np.percentile(negatives, 95))
    else:
        threshold = limit[0]
        sigma = (threshold - float(mean.mean())) / limit[1]
    sigma = max(_LEAST, sigma)
    as_much = int((negatives.mean(axis=0) >= similarity.mean()).sum()) if count else 0
    return Calibrated(
        negatives=Negatives(
            names=tuple(names),
            mean=mean,
            low=np.percentile(negatives, 5, axis=1).astype(np.float32),
            high=np.percentile(negatives, 95, axis=1).astype(np.float32),
            sigma=sigma,
            threshold=threshold,
        ),
        z=((similarity - mean) / np.float32(sigma)).astype(np.float32),
        p=(1 + as_much) / (1 + count),
    )


def grouped(negatives: NDArray[np.float32], size: int, *, seed: int) -> NDArray[np.float32]:
    """The same for references of several pictures, of which the best decides: groups of as many negatives.

    Parameters
    ----------
    negatives : ndarray
        ``(frames, K)`` float32.
    size : int
        Pictures of the reference. Negatives of one group are different things, those of a
        reference one: they reach more, so that the comparison errs towards "not found".
    seed : int

    Returns
    -------
    ndarray
        ``(frames, K)`` float32: each negative with ``size - 1`` others.
    """
    if size < 2:  # noqa: PLR2004 - one picture is no group
        return negatives
    order = np.random.default_rng(seed).permutation(negatives.shape[1])
    best = negatives
    for step in range(1, min(size, len(order))):
        other = np.empty_like(order)
        other[order] = np.roll(order, -step)
        best = np.maximum(best, negatives[:, other])
    return best
