"""Making pictures the size that a network looks at.

Pillow's bilinear filter, which looks at every pixel when it makes a picture smaller and gives
the same bytes on every machine. It lets go of the interpreter while it works, so that many
pictures are scaled on as many cores as there are.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["crops", "resized"]

_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def resized(
    images: NDArray[np.uint8], *, width: int, height: int, interpolation: str = "bilinear", threads: int | None = None
) -> NDArray[np.uint8]:
    """Pictures in another size.

    Parameters
    ----------
    images : ndarray
        ``(n, height, width, 3)`` uint8.
    width, height : int
        Pixels of what comes back; the ratio is not kept.
    interpolation : {"bilinear", "bicubic"}
    threads : int, optional
        As many as there are cores by default.

    Returns
    -------
    ndarray
        ``(n, height, width, 3)`` uint8; `images` itself where nothing changes.
    """
    if images.shape[1:3] == (height, width):
        return images
    filter_ = _FILTERS[interpolation]

    def one(number: int) -> Image.Image:
        return Image.fromarray(images[number]).resize((width, height), filter_)

    return _stacked(one, (len(images), height, width, 3), threads)


def crops(
    image: NDArray[np.uint8],
    boxes: NDArray[np.floating] | Sequence[Sequence[float]],
    *,
    side: int,
    threads: int | None = None,
) -> NDArray[np.uint8]:
    """Parts of one picture, each made a square.

    Parameters
    ----------
    image : ndarray
        ``(height, width, 3)`` uint8.
    boxes : array_like
        ``(n, 4)``: x0, y0, x1, y1 in pixels, which need not be whole; what reaches over the
        border is cut there.
    side : int
        Pixels of each square that comes back.

    Returns
    -------
    ndarray
        ``(n, side, side, 3)`` uint8.
    """
    picture = Image.fromarray(image)

    def one(number: int) -> Image.Image:
        box = boxes[number]
        x0, y0 = (max(0.0, float(box[0])), max(0.0, float(box[1])))
        x1, y1 = (min(float(picture.width), float(box[2])), min(float(picture.height), float(box[3])))
        return picture.resize((side, side), Image.Resampling.BILINEAR, box=(x0, y0, x1, y1))

    return _stacked(one, (len(boxes), side, side, 3), threads)


def _stacked(
    one: Callable[[int], Image.Image], shape: tuple[int, int, int, int], threads: int | None
) -> NDArray[np.uint8]:
    out = np.empty(shape, dtype=np.uint8)

    def put(number: int) -> None:
        out[number] = np.asarray(one(number))

    threads = min(threads or os.cpu_count() or 1, shape[0])
    if threads < 2:  # noqa: PLR2004 - one is no pool
        for number in range(shape[0]):
            put(number)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(put, range(shape[0])))  # the list asks for the errors
    return out
