"""How a reference fares in the course of a video: where it is covered, how steady it is, whose place it takes."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = ["Binding", "Presence", "binding", "presence", "sameness", "stability"]


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """When a reference is covered.

    Attributes
    ----------
    coverage : float
        Share of frames, 0 to 1.
    onset : float or None
        Seconds of the first covered frame.
    longest_gap : float
        Seconds of the longest run of frames that are not; a frame lasts until the next one.
    """

    coverage: float
    onset: float | None
    longest_gap: float


def presence(covered: NDArray[np.bool_], times: NDArray[np.float64], seconds: float) -> Presence:
    """Coverage over all frames: one where nothing matches counts as not covered, and is never skipped.

    Parameters
    ----------
    covered : ndarray
        ``(frames,)`` bool.
    times : ndarray
        ``(frames,)`` float64, seconds, ascending.
    seconds : float
        Of the video, at which its last frame ends.

    Examples
    --------
    >>> presence(np.array([False, True, False, False]), np.array([0.0, 1.0, 2.0, 3.0]), 4.0)
    Presence(coverage=0.25, onset=1.0, longest_gap=2.0)
    """
    ends = [*times[1:].tolist(), max(seconds, float(times[-1]))]
    longest = began = 0.0
    before = True
    for here, time, end in zip(covered.tolist(), times.tolist(), ends, strict=True):
        if not here:
            began = time if before else began
            longest = max(longest, end - began)
        before = here
    first = np.flatnonzero(covered)
    return Presence(
        coverage=float(covered.mean()), onset=float(times[first[0]]) if len(first) else None, longest_gap=longest
    )


def stability(similarity: NDArray[np.float32], cuts: NDArray[np.bool_]) -> float | None:
    """Median |S[t + 1] - S[t]| within shots; None where no two frames are of one shot.

    Parameters
    ----------
    similarity : ndarray
        ``(frames,)``.
    cuts : ndarray
        ``(frames - 1,)`` bool: whether a cut lies between a frame and the next.
    """
    steps = np.abs(np.diff(similarity))[~cuts]
    return float(np.median(steps)) if len(steps) else None


def sameness(neighbours: NDArray[np.float32], covered: NDArray[np.bool_], cuts: NDArray[np.bool_]) -> float | None:
    """Mean ⟨e(b[t]), e(b[t + 1])⟩ over covered neighbours of one shot, b the winning box; None without any.

    Unlike VBench's subject_consistency it looks at the place that won and not at the whole
    frame, and only where the reference is.

    Parameters
    ----------
    neighbours : ndarray
        ``(frames - 1,)`` float32: the cosines.
    covered : ndarray
        ``(frames,)`` bool.
    cuts : ndarray
        ``(frames - 1,)`` bool.
    """
    both = covered[1:] & covered[:-1] & ~cuts
    return float(neighbours[both].mean()) if both.any() else None


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the places that references won are theirs.

    Attributes
    ----------
    confusion : ndarray
        ``(references, references)`` int64: covered frames of the row whose winning place is nearest to the column.
    share : tuple of float or None
        Of covered frames, that are on the diagonal; None where none is covered.
    margin : tuple of float or None
        Mean of own minus the nearest other's similarity, over covered frames.
    """

    confusion: NDArray[np.int64]
    share: tuple[float | None, ...]
    margin: tuple[float | None, ...]


def binding(alike: NDArray[np.float32], covered: NDArray[np.bool_]) -> Binding:
    """Of two or more subjects, whose each winning place is.

    Parameters
    ----------
    alike : ndarray
        ``(frames, references, references)`` float32: of the row's winning place to the column's reference.
    covered : ndarray
        ``(frames, references)`` bool.
    """
    count = covered.shape[1]
    nearest = alike.argmax(axis=2)
    own = np.eye(count, dtype=np.bool_)
    ahead = np.diagonal(alike, axis1=1, axis2=2) - np.where(own, -np.inf, alike).max(axis=2)
    confusion = np.zeros((count, count), dtype=np.int64)
    share: list[float | None] = []
    margin: list[float | None] = []
    for row in range(count):
        where = covered[:, row]
        confusion[row] = np.bincount(nearest[where, row], minlength=count)
        share.append(float(confusion[row, row] / where.sum()) if where.any() else None)
        margin.append(float(ahead[where, row].mean()) if where.any() else None)
    return Binding(confusion=confusion, share=tuple(share), margin=tuple(margin))
