"""Looking for references anywhere in a frame, in two stages.

A whole frame's embedding is decided by its background: of a subject that covers a tenth of
it, whole-frame similarity is near chance. So first one pass of the network over the frame
tells where each reference might be, then those few places are looked at again as pictures
of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from refvideo_nb.measure.embedders.protocol import products
from refvideo_nb.measure.windows import likeness, overlaps, square_windows, strongest
from refvideo_nb.media.scaling import crops

if TYPE_CHECKING:
    from refvideo_nb.measure.embedders import Embedder

__all__ = ["CELL", "MOST_OVERLAP", "SHORT_SIDE", "SMALLEST", "TOP", "Found", "search"]

SHORT_SIDE = 512
"""Pixels of a frame's shorter side, as it is searched."""
CELL = 32
"""Pixels between windows, about; finer maps are made coarser, since windows are as many as their cells' third power."""
SMALLEST = 96
"""Pixels along the smallest window: 2 % of a 16:9 picture, less than what can be told from chance."""
TOP = 4
"""Windows that are looked at again, for each picture that is looked for."""
MOST_OVERLAP = 0.4
"""Intersection over union from which on two windows are one place."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Where some pictures are most likely in one frame, and how alike those places are.

    Attributes
    ----------
    similarity : ndarray
        ``(targets,)`` float32: the highest cosine of the places that were looked at for it.
    boxes : ndarray
        ``(targets, 4)`` float32: x0, y0, x1, y1 of that place, pixels of the frame as it was searched.
    vectors : ndarray
        ``(targets, d)`` float32, L2-normalised: the embedding of that place.
    crops : int
        How many places the network looked at; one that several targets share counts once.
    """

    similarity: NDArray[np.float32]
    boxes: NDArray[np.float32]
    vectors: NDArray[np.float32]
    crops: int


def search(
    frame: NDArray[np.uint8],
    *,
    coarse: NDArray[np.float32],
    fine: NDArray[np.float32],
    embedder: Embedder,
    threads: int | None = None,
) -> Found:
    """S[t, r] of one frame: max over windows w of ⟨e(w), e(r)⟩, the windows chosen by the frame's map.

    Every target is searched as if it were alone, so that what another one finds never
    changes its numbers; windows that several targets choose are embedded once.

    Parameters
    ----------
    frame : ndarray
        ``(height, width, 3)`` uint8.
    coarse : ndarray
        ``(targets, channels)`` float32: means of the targets' own maps.
    fine : ndarray
        ``(targets, d)`` float32: the targets' embeddings.
    embedder : Embedder
        Which made all of these.
    threads : int, optional

    Returns
    -------
    Found
    """
    features = embedder.features(frame[None])
    features = features.coarser(max(1, round(CELL / features.step_x)))
    smallest = max(1, round(SMALLEST / features.step_x))
    values = features.values[0]
    rows, columns = values.shape[:2]
    windows = square_windows(rows, columns, smallest)
    alike = likeness(values, coarse, smallest=smallest)
    chosen = strongest(alike, overlaps(rows, columns, MOST_OVERLAP, smallest), TOP)
    places, which = np.unique(chosen, return_inverse=True)
    which = which.reshape(chosen.shape)
    boxes = features.boxes(windows[places])
    vectors = embedder.embed(crops(frame, boxes, side=embedder.side, threads=threads))
    alike = np.take_along_axis(products(fine, vectors), which, axis=1)
    best = which[np.arange(len(which)), alike.argmax(axis=1)]
    return Found(similarity=alike.max(axis=1), boxes=boxes[best], vectors=vectors[best], crops=len(places))
