"""What is seen in a video, frame by frame: arrays that every number is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from refvideo_nb.measure.copies import Original, copy_points
from refvideo_nb.measure.search import SHORT_SIDE, search
from refvideo_nb.measure.targets import Vectors
from refvideo_nb.media.sampling import FrameBatch, sample_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from refvideo_nb.measure.embedders import Embedder, FeatureMap
    from refvideo_nb.measure.pool import Pool

__all__ = ["Observed", "Target", "observe"]

_BATCH = 4  # frames at once; a map of 1280 channels has 2.4 MB
_CUT = 0.5  # cosine of whole neighbouring frames, below which a cut lies between them


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A reference as it is looked for.

    Attributes
    ----------
    searched : bool
        Whether anywhere in the frame; otherwise whole frames are compared.
    vectors : Vectors
        Of its pictures.
    original : Original
        Their corners, by which copies are found.
    """

    searched: bool
    vectors: Vectors
    original: Original


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A video's frames against R references and K negatives.

    Attributes
    ----------
    times : ndarray
        ``(frames,)`` float64, seconds.
    similarity : ndarray
        ``(frames, R)`` float32.
    boxes : ndarray
        ``(frames, R, 4)`` float32, pixels of the video.
    copies : ndarray
        ``(frames, R)`` int32: matching corners where the reference fills the frame.
    alike : ndarray
        ``(frames, R, R)`` float32: of the row's winning place to the column's reference.
    neighbours : ndarray
        ``(frames - 1, R)`` float32: of a winning place to that of the next frame.
    cuts : ndarray
        ``(frames - 1,)`` bool.
    searched, whole : ndarray
        ``(frames, K)`` float32: the negatives' similarity by the search, and to whole frames.
    crops : int
        Places that the network looked at.
    width, height : int
        Pixels of the video.
    seconds : float
        Its length.
    """

    times: NDArray[np.float64]
    similarity: NDArray[np.float32]
    boxes: NDArray[np.float32]
    copies: NDArray[np.int32]
    alike: NDArray[np.float32]
    neighbours: NDArray[np.float32]
    cuts: NDArray[np.bool_]
    searched: NDArray[np.float32]
    whole: NDArray[np.float32]
    crops: int
    width: int
    height: int
    seconds: float


@dataclass(slots=True)
class _Row:
    """One frame."""

    similarity: NDArray[np.float32]
    boxes: NDArray[np.float32]
    vectors: NDArray[np.float32]
    searched: NDArray[np.float32]
    crops: int


@dataclass(slots=True)
class _Rows:
    """What is kept of the frames that were seen; nothing of their pixels, so that memory is that of the numbers."""

    similarity: list[NDArray[np.float32]] = field(default_factory=list)
    boxes: list[NDArray[np.float32]] = field(default_factory=list)
    copies: list[list[int]] = field(default_factory=list)
    alike: list[NDArray[np.float32]] = field(default_factory=list)
    neighbours: list[NDArray[np.float32]] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    searched: list[NDArray[np.float32]] = field(default_factory=list)
    whole: list[NDArray[np.float32]] = field(default_factory=list)
    crops: int = 0


def observe(
    path: Path,
    targets: Sequence[Target],
    pool: Pool,
    *,
    embedder: Embedder,
    frames: int | None,
    every: float | None,
    threads: int | None = None,
    seen: Callable[[int], None] | None = None,
) -> Observed:
    """Look at a video's frames, each once and in order.

    Parameters
    ----------
    path : pathlib.Path
    targets : sequence of Target
    pool : Pool
    embedder : Embedder
    frames, every
        As `count` and `every` of `refvideo_nb.media.sampling.sample_frames`.
    threads : int, optional
    seen : callable, optional
        Called with the number of frames that are done.
    """
    looking = _Looking(targets, pool, embedder, threads)
    rows, times = _Rows(), np.empty(0)
    before: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
    originals = [target.original for target in targets]
    width = height = 0
    seconds = 0.0
    for batch in sample_frames(path, count=frames, every=every, short_side=SHORT_SIDE, batch=_BATCH):
        width, height, seconds = width or batch.width, height or batch.height, batch.seconds
        scale = np.array([width, height] * 2, np.float32) / np.array([*batch.images.shape[2:0:-1]] * 2, np.float32)
        features = embedder.features(batch.images) if looking.searches else None
        for number, whole in enumerate(embedder.embed(batch.images)):
            row = looking.look(batch, number, features, whole)
            rows.similarity.append(row.similarity)
            rows.boxes.append(np.asarray(row.boxes * scale, dtype=np.float32))
            rows.copies.append(copy_points(batch.images[number], originals))
            rows.alike.append(looking.alike(row.vectors))
            rows.searched.append(row.searched)
            rows.whole.append(pool.vectors.fine @ whole)
            rows.crops += row.crops
            if before is not None:
                rows.neighbours.append((before[0] * row.vectors).sum(axis=1))
                rows.steps.append(float(before[1] @ whole))
            before = (row.vectors, whole)
            if seen is not None:
                seen(len(rows.similarity))
        times = np.concatenate([times, batch.times])
    return Observed(
        times=times,
        similarity=np.stack(rows.similarity),
        boxes=np.stack(rows.boxes),
        copies=np.array(rows.copies, dtype=np.int32),
        alike=np.stack(rows.alike),
        neighbours=np.reshape(rows.neighbours, (-1, len(targets))).astype(np.float32),
        cuts=np.array(rows.steps) < _CUT,
        searched=np.stack(rows.searched),
        whole=np.stack(rows.whole),
        crops=rows.crops,
        width=width,
        height=height,
        seconds=seconds,
    )


class _Looking:
    """The targets with their pictures in one list, negatives behind them."""

    def __init__(self, targets: Sequence[Target], pool: Pool, embedder: Embedder, threads: int | None) -> None:
        self._targets, self._embedder, self._threads = targets, embedder, threads
        self.searches = any(target.searched for target in targets)
        sought = [target.vectors for target in targets if target.searched]
        self._coarse = np.concatenate([v.coarse for v in (*sought, pool.vectors)])
        self._fine = np.concatenate([v.fine for v in (*sought, pool.vectors)])
        self._negatives = len(pool)

    def look(self, batch: FrameBatch, number: int, features: FeatureMap | None, whole: NDArray[np.float32]) -> _Row:
        """One frame of a batch, of which the map is asked for only where something is searched."""
        high, wide = batch.images.shape[1:3]
        count = len(self._targets)
        row = _Row(
            similarity=np.empty(count, np.float32),
            boxes=np.tile(np.array([0, 0, wide, high], np.float32), (count, 1)),
            vectors=np.tile(whole, (count, 1)),
            searched=np.zeros(self._negatives, np.float32),
            crops=0,
        )
        found = None
        if features is not None:
            found = search(
                batch.images[number],
                features,
                coarse=self._coarse,
                fine=self._fine,
                embedder=self._embedder,
                number=number,
                threads=self._threads,
            )
            row.searched, row.crops = found.similarity[len(self._fine) - self._negatives :], found.crops
        at = 0
        for place, target in enumerate(self._targets):
            if found is None or not target.searched:
                row.similarity[place] = (target.vectors.fine @ whole).max()
                continue
            best = at + int(found.similarity[at : at + len(target.vectors)].argmax())
            at += len(target.vectors)
            row.similarity[place] = found.similarity[best]
            row.boxes[place], row.vectors[place] = found.boxes[best], found.vectors[best]
        return row

    def alike(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(R, R)``: of each winning place to each reference, by its best picture."""
        return np.stack([(vectors @ target.vectors.fine.T).max(axis=1) for target in self._targets], axis=1)
