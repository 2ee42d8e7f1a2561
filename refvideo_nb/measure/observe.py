"""What is seen in a video, frame by frame: arrays that every number is made of.

Frames are looked at side by side, each by one thread, which wastes less than one frame on
several cores; what is held at once is a few frames, however long the film is.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from refvideo_nb.measure.copies import Original, copy_points
from refvideo_nb.measure.looks import Frame, Look, Seen
from refvideo_nb.measure.search import SHORT_SIDE
from refvideo_nb.media.sampling import sample_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from refvideo_nb.measure.embedders import Embedder

__all__ = ["CUT", "HOLD", "STILL", "Observed", "observe"]

CUT = 0.7
"""Cosine of whole neighbouring frames below which a cut lies between them."""
STILL = 0.85
"""Cosine of a whole frame with the last one in which unrelated pictures were looked for, from which on they keep
what they had there: a picture that is the same is as alike to them as before. In five films of 32 frames, looked for
in 4 to 7 of them instead of all, z moved by 0.11 at most, p by one rank, and coverage by nothing."""
HOLD = 8
"""Frames after which they are looked for again in any case."""

_BATCH = 4  # frames that are decoded at once


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """A video's frames against R references, and what is alike to unrelated pictures.

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
        ``(frames, R, R)`` float32: of the row's winning place to the column's reference; zero
        between references that are looked for in different ways.
    neighbours : ndarray
        ``(frames - 1, R)`` float32: of a winning place to that of the next frame.
    cuts : ndarray
        ``(frames - 1,)`` bool.
    chance : tuple of ndarray
        R of them, ``(frames, K)`` float32: of unrelated pictures that are looked for in the same way.
    crops : int
        Places that networks looked at.
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
    chance: tuple[NDArray[np.float32], ...]
    crops: int
    width: int
    height: int
    seconds: float


def observe(
    path: Path,
    looks: Sequence[Look],
    originals: Sequence[Original],
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
    looks : sequence of Look
        Which together look for each of R references once.
    originals : sequence of Original
        R of them, by which copies are found.
    embedder : Embedder
        Of whole frames; best one that keeps to a single thread.
    frames, every
        As `count` and `every` of `refvideo_nb.media.sampling.sample_frames`.
    threads : int, optional
        Frames that are looked at side by side; as many as there are cores by default.
    seen : callable, optional
        Called with the number of frames that are done.
    """
    rows = _Rows(looks, len(originals))
    waiting: deque[Future[_Row]] = deque()
    stillness = _Stillness()
    width = height = 0
    seconds = 0.0
    pool = ThreadPoolExecutor(threads or os.cpu_count() or 1)

    def take(left: int) -> None:
        while len(waiting) > left:
            rows.add(waiting.popleft().result())
            if seen is not None:
                seen(len(rows.times))

    try:
        for batch in sample_frames(path, count=frames, every=every, short_side=SHORT_SIDE, batch=_BATCH):
            width, height, seconds = width or batch.width, height or batch.height, batch.seconds
            high, wide = batch.images.shape[1:3]
            scale = np.array([width / wide, height / high] * 2, dtype=np.float32)
            for image, time, whole in zip(batch.images, batch.times, embedder.embed(batch.images), strict=True):
                frame = Frame(image=image, whole=whole, fresh=stillness.ends(whole))
                waiting.append(pool.submit(_look, frame, float(time), scale, looks, originals))
            take(_BATCH)  # while these are looked at, the next ones are decoded
        take(0)
    finally:
        pool.shutdown(cancel_futures=True)
    return Observed(
        times=np.array(rows.times),
        similarity=np.stack(rows.similarity),
        boxes=np.stack(rows.boxes),
        copies=np.array(rows.copies, dtype=np.int32),
        alike=np.stack(rows.alike),
        neighbours=np.reshape(rows.neighbours, (-1, len(originals))).astype(np.float32),
        cuts=np.array(rows.steps) < CUT,
        chance=rows.chance(),
        crops=rows.crops,
        width=width,
        height=height,
        seconds=seconds,
    )


class _Stillness:
    """Tells when a picture has become another one; by whole frames alone, so that no reference has a say in it."""

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None
        self._held = 0

    def ends(self, whole: NDArray[np.float32]) -> bool:
        """Whether a frame, the next one, must be looked at anew."""
        self._held += 1
        if self._last is not None and self._held < HOLD and float(self._last @ whole) >= STILL:
            return False
        self._last, self._held = whole, 0
        return True


class _Row(msgspec.Struct, frozen=True):
    """One frame."""

    time: float
    whole: NDArray[np.float32]
    seen: tuple[Seen, ...]  # by each look
    boxes: NDArray[np.float32]  # pixels of the video
    copies: list[int]


def _look(
    frame: Frame, time: float, scale: NDArray[np.float32], looks: Sequence[Look], originals: Sequence[Original]
) -> _Row:
    seen = tuple(look.see(frame) for look in looks)
    boxes = np.empty((len(originals), 4), dtype=np.float32)
    for look, one in zip(looks, seen, strict=True):
        boxes[list(look.columns)] = one.boxes
    return _Row(
        time, frame.whole, seen, np.asarray(boxes * scale, dtype=np.float32), copy_points(frame.image, originals)
    )


class _Rows:
    """What is kept of frames: numbers, and of the last one its vectors."""

    def __init__(self, looks: Sequence[Look], references: int) -> None:
        self._looks, self._references = looks, references
        self._last: _Row | None = None
        self._chance: list[list[NDArray[np.float32]]] = [[] for _ in looks]
        self.times: list[float] = []
        self.similarity: list[NDArray[np.float32]] = []
        self.boxes: list[NDArray[np.float32]] = []
        self.copies: list[list[int]] = []
        self.alike: list[NDArray[np.float32]] = []
        self.neighbours: list[NDArray[np.float32]] = []
        self.steps: list[float] = []
        self.crops = 0

    def add(self, row: _Row) -> None:
        """The next frame."""
        similarity, neighbours = (np.empty(self._references, dtype=np.float32) for _ in range(2))
        alike = np.zeros((self._references,) * 2, dtype=np.float32)
        for number, (look, seen) in enumerate(zip(self._looks, row.seen, strict=True)):
            columns = list(look.columns)
            similarity[columns] = seen.similarity
            alike[np.ix_(columns, columns)] = look.alike(seen.vectors)
            if self._last is not None:
                neighbours[columns] = look.near(self._last.seen[number].vectors, seen.vectors)
            chance = self._chance[number]
            chance.append(chance[-1] if seen.chance is None else seen.chance)
            self.crops += seen.crops
        if self._last is not None:
            self.neighbours.append(neighbours)
            self.steps.append(float(self._last.whole @ row.whole))
        self._last = row
        self.times.append(row.time)
        self.similarity.append(similarity)
        self.boxes.append(row.boxes)
        self.copies.append(row.copies)
        self.alike.append(alike)

    def chance(self) -> tuple[NDArray[np.float32], ...]:
        """By reference."""
        by_column = {column: n for n, look in enumerate(self._looks) for column in look.columns}
        stacked = [np.stack(chance) for chance in self._chance]
        return tuple(stacked[by_column[column]] for column in range(self._references))
