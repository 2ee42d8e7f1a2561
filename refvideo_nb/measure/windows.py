"""The square windows of a network's map: which there are, what they hold, and which of them are one place."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from refvideo_nb.measure.embedders.protocol import products

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["likeness", "overlaps", "square_windows", "strongest"]


@lru_cache(maxsize=8)
def square_windows(rows: int, columns: int, smallest: int) -> NDArray[np.int32]:
    """Every square of whole cells, from the smallest to the largest.

    Parameters
    ----------
    rows, columns : int
        Of the map.
    smallest : int
        Cells along the side of the smallest square; a smaller map is one square of its shorter side.

    Returns
    -------
    ndarray
        ``(n, 4)`` int32: x0, y0, x1, y1 in cells, the last two behind the window.

    Examples
    --------
    >>> square_windows(3, 4, 3).tolist()
    [[0, 0, 3, 3], [1, 0, 4, 3]]
    """
    short = min(rows, columns)
    found = [
        (x, y, x + side, y + side)
        for side in range(min(smallest, short), short + 1)
        for y in range(rows - side + 1)
        for x in range(columns - side + 1)
    ]
    return np.array(found, dtype=np.int32)


@lru_cache(maxsize=8)
def overlaps(rows: int, columns: int, most: float, smallest: int) -> NDArray[np.bool_]:
    """Which of `square_windows` are one place: ``(n, n)`` bool, true where IoU is at least `most`."""
    x0, y0, x1, y1 = square_windows(rows, columns, smallest).T.astype(np.float32)
    wide = np.maximum(0, np.minimum(x1[:, None], x1) - np.maximum(x0[:, None], x0))
    wide *= np.maximum(0, np.minimum(y1[:, None], y1) - np.maximum(y0[:, None], y0))
    area = (x1 - x0) * (y1 - y0)
    return np.asarray(wide >= most * (area[:, None] + area - wide), dtype=np.bool_)


def likeness(values: NDArray[np.float32], targets: NDArray[np.float32], *, smallest: int) -> NDArray[np.float32]:
    """How alike every window of a map is to some vectors, by an integral image (Viola and Jones, 2001).

    With v the cells' values, the likeness of window w to target q is the cosine of the
    window's mean and q: ⟨Σ v, q⟩ / (‖Σ v‖ ‖q‖), the sums over the cells of w.

    Parameters
    ----------
    values : ndarray
        ``(rows, columns, channels)`` float32, one picture of a `FeatureMap`.
    targets : ndarray
        ``(targets, channels)`` float32, L2-normalised.
    smallest : int
        As of `square_windows`.

    Returns
    -------
    ndarray
        ``(windows, targets)`` float32, in the order of `square_windows`.
    """
    rows, columns, _ = values.shape
    short = min(rows, columns)
    # The sums themselves are needed for their lengths alone; their products with targets are sums of products.
    sums, alike = _integral(values), _integral(products(values, targets))
    parts = []
    for side in range(min(smallest, short), short + 1):
        inside = _inside(sums, side)
        lengths = np.sqrt(np.einsum("nd,nd->n", inside, inside))
        parts.append(_inside(alike, side) / np.maximum(lengths, np.finfo(np.float32).tiny)[:, None])
    return np.concatenate(parts)


def _integral(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums over everything above and to the left, ``(rows + 1, columns + 1, channels)``."""
    rows, columns, channels = values.shape
    sums = np.zeros((rows + 1, columns + 1, channels), dtype=np.float32)
    # As np.cumsum adds, which would go through memory channel by channel and take ten times as long.
    for row in range(rows):
        np.add(sums[row, 1:], values[row], out=sums[row + 1, 1:])
    for column in range(1, columns):
        sums[1:, column + 1] += sums[1:, column]
    return sums


def _inside(sums: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Sums over the windows of one side, ``(n, channels)``."""
    bands = sums[side:] - sums[:-side]
    inside = bands[:, side:] - bands[:, :-side]
    return inside.reshape(-1, inside.shape[2])


def strongest(scores: NDArray[np.float32], same: NDArray[np.bool_], top: int) -> NDArray[np.intp]:
    """The best windows for each target, no two of which are one place (greedy non-maximum suppression).

    Parameters
    ----------
    scores : ndarray
        ``(windows, targets)``.
    same : ndarray
        ``(windows, windows)`` bool, of `overlaps`.
    top : int
        How many windows a target gets; where fewer places are left, its best comes again.

    Returns
    -------
    ndarray
        ``(targets, top)`` numbers of windows, the best first.
    """
    left = np.array(scores.T)
    chosen = np.empty((len(left), top), dtype=np.intp)
    targets = np.arange(len(left))
    for place in range(top):
        best = left.argmax(axis=1)
        # -inf everywhere: every place is taken.
        chosen[:, place] = best if place == 0 else np.where(np.isneginf(left[targets, best]), chosen[:, 0], best)
        left[same[best]] = -np.inf
    return chosen
