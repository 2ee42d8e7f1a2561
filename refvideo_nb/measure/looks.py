"""Ways to look for references in a frame: anywhere in it, as a whole, or at its faces.

Each way has its own references and its own unrelated pictures, since a similarity says
something only among those that were found in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from refvideo_nb.measure.embedders.protocol import products
from refvideo_nb.measure.search import search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refvideo_nb.measure.embedders import Embedder
    from refvideo_nb.measure.faces import Faces
    from refvideo_nb.measure.targets import Vectors

__all__ = ["Anywhere", "AtFaces", "Frame", "Look", "Seen", "Whole"]


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame.

    Attributes
    ----------
    image : ndarray
        ``(height, width, 3)`` uint8.
    whole : ndarray
        ``(d,)`` float32: its embedding.
    fresh : bool
        Whether it differs so much from those before that unrelated pictures are looked for in it.
    """

    image: NDArray[np.uint8]
    whole: NDArray[np.float32]
    fresh: bool


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What r references and K unrelated pictures come to in one frame.

    Attributes
    ----------
    similarity : ndarray
        ``(r,)`` float32.
    boxes : ndarray
        ``(r, 4)`` float32: x0, y0, x1, y1 of the winning places, pixels of the frame as it was looked at.
    vectors : ndarray
        ``(r, d)`` float32: of those places.
    chance : ndarray or None
        ``(K,)`` float32: similarities of the unrelated pictures; None where they were not looked for.
    crops : int
        Places that a network looked at.
    """

    similarity: NDArray[np.float32]
    boxes: NDArray[np.float32]
    vectors: NDArray[np.float32]
    chance: NDArray[np.float32] | None
    crops: int = 0


class Look(Protocol):
    """A way to look.

    Attributes
    ----------
    columns : tuple of int
        Which of the report's references it looks for.
    """

    columns: tuple[int, ...]

    def see(self, frame: Frame) -> Seen:
        """One frame."""

    def alike(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(r, r)`` float32: of the places (rows) to the references (columns)."""

    def near(self, before: NDArray[np.float32], now: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(r,)`` float32: of the places in one frame to those in another."""


class _ByEmbedding:
    """What the first two ways share: places are embeddings, compared by their cosine."""

    def __init__(self, columns: Sequence[int], references: Sequence[Vectors], negatives: Vectors) -> None:
        self.columns = tuple(columns)
        self._references = references
        self._ends = np.cumsum([len(vectors) for vectors in references]).tolist()
        self._fine = np.concatenate([vectors.fine for vectors in (*references, negatives)])

    def alike(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """As of `Look`; of several pictures the most alike decides."""
        return np.stack([products(vectors, reference.fine).max(axis=1) for reference in self._references], axis=1)

    def near(self, before: NDArray[np.float32], now: NDArray[np.float32]) -> NDArray[np.float32]:
        """As of `Look`."""
        return np.asarray((before * now).sum(axis=1), dtype=np.float32)

    def _best(self, similarity: NDArray[np.float32]) -> NDArray[np.intp]:
        """For each reference, which of its pictures is the most alike."""
        parts = zip([0, *self._ends[:-1]], self._ends, strict=True)
        return np.array([start + similarity[start:end].argmax() for start, end in parts], dtype=np.intp)


class Anywhere(_ByEmbedding):
    """Every part of the frame is searched (`refvideo_nb.measure.search`)."""

    def __init__(
        self,
        columns: Sequence[int],
        references: Sequence[Vectors],
        negatives: Vectors,
        *,
        embedder: Embedder,
    ) -> None:
        super().__init__(columns, references, negatives)
        self._coarse = np.concatenate([vectors.coarse for vectors in (*references, negatives)])
        self._embedder = embedder

    def see(self, frame: Frame) -> Seen:
        """As of `Look`."""
        count = self._ends[-1] if not frame.fresh else len(self._fine)
        found = search(
            frame.image, coarse=self._coarse[:count], fine=self._fine[:count], embedder=self._embedder, threads=1
        )
        best = self._best(found.similarity)
        return Seen(
            similarity=found.similarity[best],
            boxes=found.boxes[best],
            vectors=found.vectors[best],
            chance=found.similarity[self._ends[-1] :] if frame.fresh else None,
            crops=found.crops,
        )


class Whole(_ByEmbedding):
    """The frame is one place."""

    def see(self, frame: Frame) -> Seen:
        """As of `Look`."""
        similarity = products(frame.whole, self._fine)
        count = len(self.columns)
        return Seen(
            similarity=similarity[self._best(similarity)],
            boxes=np.tile(_all_of(frame.image), (count, 1)),
            vectors=np.tile(frame.whole, (count, 1)),
            chance=similarity[self._ends[-1] :],
        )


class AtFaces:
    """The frame's faces are the places (`refvideo_nb.measure.faces`); one without faces is as unlike as can be.

    Parameters
    ----------
    columns : sequence of int
    references : sequence of ndarray
        ``(pictures, 128)`` float32 each.
    negatives : ndarray
        ``(K, 128)`` float32: other people's.
    faces : Faces
    """

    def __init__(
        self,
        columns: Sequence[int],
        references: Sequence[NDArray[np.float32]],
        negatives: NDArray[np.float32],
        *,
        faces: Faces,
    ) -> None:
        self.columns = tuple(columns)
        self._references, self._negatives, self._faces = references, negatives, faces

    def see(self, frame: Frame) -> Seen:
        """As of `Look`."""
        boxes, vectors = self._faces.find(frame.image)
        boxes = np.concatenate([boxes, _all_of(frame.image)[None]])
        # A vector of zeros stands for no face, and is like none.
        vectors = np.concatenate([vectors, np.zeros((1, vectors.shape[1]), np.float32)])
        alike = self.alike(vectors)
        best = alike.argmax(axis=0)
        return Seen(
            similarity=alike[best, np.arange(len(best))],
            boxes=boxes[best],
            vectors=vectors[best],
            chance=self._faces.alike(vectors, self._negatives).max(axis=0),
            crops=len(boxes) - 1,
        )

    def alike(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """As of `Look`."""
        return np.stack([self._faces.alike(vectors, reference).max(axis=1) for reference in self._references], axis=1)

    def near(self, before: NDArray[np.float32], now: NDArray[np.float32]) -> NDArray[np.float32]:
        """As of `Look`."""
        return np.diagonal(self._faces.alike(before, now)).copy()


def _all_of(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.array([0, 0, image.shape[1], image.shape[0]], dtype=np.float32)
