"""What a measurement needs of an embedder, and nothing more."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

from refvideo_nb.errors import InvalidRequestError

__all__ = ["Embedder", "FeatureMap", "checked", "normalised", "products"]


def normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors ``(n, d)`` of length 1; a vector of zeros stays one, and is like nothing."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, np.finfo(np.float32).tiny), dtype=np.float32)


def products(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.float32]:
    """⟨a, b⟩ of all vectors of two sets: ``(..., d)`` and ``(m, d)`` give ``(..., m)``.

    On one thread and without BLAS, whose other threads go on turning for some 20 ms after each
    product: of matrices as small as these a call took 43 to 48 ms of the processor, this one 1 to 5.
    """
    return np.asarray(np.einsum("...d,md->...m", ours, theirs), dtype=np.float32)


def checked(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The images, if they are what an embedder takes.

    Raises
    ------
    InvalidRequestError
        Naming the shape and type that they have instead.
    """
    shape = images.shape
    if images.dtype != np.uint8 or images.ndim != 4 or shape[3] != 3 or 0 in shape:  # noqa: PLR2004 - RGB pictures
        raise InvalidRequestError(
            f"images have the shape {shape} and the type {images.dtype}: give (n, height, width, 3) uint8, "
            "with at least one picture",
            field="images",
            value=shape,
        )
    return images


class FeatureMap(msgspec.Struct, frozen=True, kw_only=True):
    """What a network sees where, for a batch of images of one size.

    A window's vector is the mean of its cells; it is compared with the mean over all
    cells of a reference's own map (:meth:`mean`), never with an embedding: only for
    some networks the two live in one space.

    Attributes
    ----------
    values : ndarray
        ``(n, rows, columns, channels)`` float32, not normalised, so that means over
        windows are means of what the network pools itself.
    left, top : float
        Pixels of the given image at which the first cell is centred, from its left and
        upper border.
    step_x, step_y : float
        Pixels between the centres of neighbouring cells.
    width, height : int
        Pixels of the images.
    """

    values: NDArray[np.float32]
    left: float
    top: float
    step_x: float
    step_y: float
    width: int
    height: int

    def mean(self) -> NDArray[np.float32]:
        """The mean over all cells, ``(n, channels)`` float32, L2-normalised."""
        return normalised(self.values.mean(axis=(1, 2)))

    def coarser(self, factor: int) -> FeatureMap:
        """The same in blocks of `factor` x `factor` cells, which hold their mean; what is left over at the end is cut.

        Examples
        --------
        >>> cells = np.arange(15, dtype=np.float32).reshape(1, 3, 5, 1)
        >>> fine = FeatureMap(values=cells, left=4, top=4, step_x=8, step_y=8, width=40, height=24)
        >>> fine.coarser(2).values[0, :, :, 0].tolist(), fine.coarser(2).left
        ([[3.0, 5.0]], 8.0)
        """
        n, rows, columns, channels = self.values.shape
        high, wide = max(1, rows // factor), max(1, columns // factor)
        down, across = min(factor, rows), min(factor, columns)
        blocks = self.values[:, : high * down, : wide * across].reshape(n, high, down, wide, across, channels)
        return msgspec.structs.replace(
            self,
            values=blocks.mean(axis=(2, 4)),
            left=self.left + self.step_x * (across - 1) / 2,
            top=self.top + self.step_y * (down - 1) / 2,
            step_x=self.step_x * across,
            step_y=self.step_y * down,
        )

    def boxes(self, windows: NDArray[np.integer]) -> NDArray[np.float32]:
        """The pixels that windows of cells stand for.

        Parameters
        ----------
        windows : ndarray
            ``(..., 4)`` integers: first column, first row, and the column and the row
            behind the last (``x0, y0, x1, y1`` in cells).

        Returns
        -------
        ndarray
            ``(..., 4)`` float32: ``x0, y0, x1, y1`` in pixels of the given image, cut
            at its borders.
        """
        cells = np.asarray(windows, dtype=np.float32) - 0.5
        start = np.array([self.left, self.top, self.left, self.top], dtype=np.float32)
        step = np.array([self.step_x, self.step_y, self.step_x, self.step_y], dtype=np.float32)
        most = np.array([self.width, self.height, self.width, self.height], dtype=np.float32)
        return np.clip(start + cells * step, np.float32(0), most)


@runtime_checkable
class Embedder(Protocol):
    """A network with its preprocessing.

    Attributes
    ----------
    name : str
        As it is chosen and reported: ``"efficientnet-lite0"``.
    sha256 : str
        Hexadecimal; the same for the same weights and preprocessing, and only then.
    preprocessing : str
        What is done to pixels before the network, in one line for people.
    side : int
        Pixels of the square that the network was trained on: square crops of this
        side are embedded without being resized.
    """

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def preprocessing(self) -> str: ...

    @property
    def side(self) -> int: ...

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Whole pictures as vectors.

        Parameters
        ----------
        images : ndarray
            ``(n, height, width, 3)`` uint8, RGB, of any size; resized here. ``n`` may be
            large: it is worked through in batches, so that memory does not grow with it.

        Returns
        -------
        ndarray
            ``(n, d)`` float32, L2-normalised.
        """

    def features(self, images: NDArray[np.uint8]) -> FeatureMap:
        """Pictures as maps, at the size that they have (not resized to :attr:`side`).

        Parameters
        ----------
        images : ndarray
            ``(n, height, width, 3)`` uint8, RGB; the region search gives a few frames whose
            short side is 512 pixels.

        Returns
        -------
        FeatureMap
            Of all the images: its memory grows with ``n``, unlike that of :meth:`embed`
            (2.4 MB for a frame of 910 x 512 pixels by EfficientNet-Lite0).
        """
