"""Frames of a film for measuring: in sequence, small, a few at a time.

The file is read twice. First its packets, which tell when each frame is shown and cost
next to nothing; then the frames, of which only the chosen ones are converted and made
small, in libswscale. What is held at once does not grow with the film.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import av
import msgspec
import numpy as np
from numpy.typing import NDArray

from refvideo_nb.errors import DownloadError, InvalidRequestError, one_line
from refvideo_nb.media.video import decode, open_media

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["FrameBatch", "frames_shown", "sample_frames"]

_CLOSE = 2e-3  # seconds; Matroska rounds each time to a millisecond
_WIDEST = 4  # sides; a film that is wider yet is made smaller, since memory follows its area


class FrameBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Some frames of a film, in the order in which they are shown.

    Attributes
    ----------
    images : ndarray
        ``(n, height, width, 3)`` uint8, RGB, upright and with square pixels.
    times : ndarray
        ``(n,)`` float64, seconds since the first frame of the film.
    width, height : int
        Pixels of the film itself as these frames show it, with the same ratio.
    seconds : float
        How long the film is, from its first frame to the end of its last.
    """

    images: NDArray[np.uint8]
    times: NDArray[np.float64]
    width: int
    height: int
    seconds: float


def sample_frames(
    path: Path,
    *,
    count: int | None = 32,
    every: float | None = None,
    short_side: int = 512,
    batch: int = 8,
) -> Iterator[FrameBatch]:
    """Frames of a film, spread over its whole length.

    Parameters
    ----------
    path : pathlib.Path
    count : int or None
        How many, at equal distances in time from the first frame on; a film with fewer
        gives all that it has. None with no `every` gives every frame.
    every : float, optional
        Seconds between frames, instead of `count`.
    short_side : int
        Pixels of the shorter side of what is returned, whatever the film has; the longer
        one follows the ratio, up to 4 times.
    batch : int
        The most frames that are returned at once.

    Yields
    ------
    FrameBatch
        No frame comes twice. A moment is that of the frame that is shown then, so where
        the rate varies the distances are as equal as its frames allow.

    Raises
    ------
    InvalidRequestError
        Where a number cannot be used.
    DownloadError
        Where the file has no video track, or cannot be decoded.
    """
    for field, number in (("count", count), ("every", every), ("short_side", short_side), ("batch", batch)):
        if number is not None and not 0 < number < float("inf"):
            raise InvalidRequestError(f"{field}={number!r} cannot be used: give more than 0", field=field, value=number)
    return _batches(path, count, every, short_side, batch)


def frames_shown(path: Path, times: Sequence[float], *, short_side: int) -> list[NDArray[np.uint8]]:
    """The frames that are shown at some of the moments of `sample_frames`, in the order in which they are given.

    Parameters
    ----------
    path : pathlib.Path
    times : sequence of float
        Seconds since the first frame, in any order; what lies behind the end gives the last frame.
    short_side : int
        Pixels of the shorter side, as for `sample_frames`.

    Returns
    -------
    list of ndarray
        One ``(height, width, 3)`` uint8 each, upright and with square pixels.
    """
    span = _span(path)
    order = np.argsort(times, kind="stable")
    found: dict[int, NDArray[np.uint8]] = {}
    held: av.VideoFrame | None = None
    for frame in decode(path):
        begins = (frame.time if frame.pts is not None else 0.0) - span.first
        while held is not None and len(found) < len(times) and begins > times[order[len(found)]] + _CLOSE:
            found[int(order[len(found)])] = _converted(held, span.ratio, short_side)
        if len(found) == len(times):
            break
        held = frame
    if held is None:
        raise DownloadError(f"{path.name} has no frame that can be decoded")
    for place in order[len(found) :]:
        found[int(place)] = _converted(held, span.ratio, short_side)
    return [found[place] for place in range(len(times))]


def _batches(path: Path, count: int | None, every: float | None, short_side: int, batch: int) -> Iterator[FrameBatch]:
    span = _span(path)
    step = every if every is not None else (span.seconds / count if count is not None else 0.0)
    images: list[NDArray[np.uint8]] = []
    times: list[float] = []
    shown = (0, 0)

    def some() -> FrameBatch:
        width, height = shown
        return FrameBatch(
            images=np.stack(images), times=np.array(times), width=width, height=height, seconds=span.seconds
        )

    for frame, time in _chosen(path, step, span):
        image = _converted(frame, span.ratio, short_side)
        size = _shown(frame, span.ratio)
        # A film may change its size on the way; what is returned together has one.
        if len(images) == batch or (images and (image.shape != images[0].shape or size != shown)):
            yield some()
            images, times = [], []
        shown = size
        images.append(image)
        times.append(time)
    if not images:
        raise DownloadError(f"{path.name} has no frame that can be decoded")
    yield some()


class _Span(msgspec.Struct, frozen=True):
    first: float  # seconds at which the first frame is shown
    seconds: float  # from there to the end of the last
    ratio: float  # how much wider than high a pixel is


def _span(path: Path) -> _Span:
    """What must be known of a film before its frames are chosen."""
    try:
        with open_media(path) as container:
            if not container.streams.video:
                raise DownloadError(f"{path.name} has no video track: give a film")
            stream = container.streams.video[0]
            base, ratio = stream.time_base, float(stream.sample_aspect_ratio or 1)
            packets = [p for p in container.demux(stream) if p.size and not p.is_discard]
            moments = sorted(float(p.pts * base) for p in packets if p.pts is not None and base is not None)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise DownloadError(f"{path.name} cannot be decoded as a video ({one_line(error, limit=120)})") from None
    if not moments or len(moments) < len(packets):
        # Old containers leave it to the decoder to say when its frames are shown.
        moments = [frame.time for frame in decode(path) if frame.pts is not None]
    if not moments:
        return _Span(0.0, 0.0, ratio)
    seconds = moments[-1] - moments[0]
    # The last frame is taken to stand as long as the others do on average.
    return _Span(moments[0], seconds + seconds / max(1, len(moments) - 1), ratio)


def _chosen(path: Path, step: float, span: _Span) -> Iterator[tuple[av.VideoFrame, float]]:
    """The frames that are shown at 0, step, 2 step … seconds, each once, with the times at which they begin."""
    wanted = 0.0
    held: tuple[av.VideoFrame, float] | None = None
    for frame in decode(path):
        time = (held[1] if held else 0.0) if frame.pts is None else frame.time - span.first
        # A frame is shown until the next one comes, so only then it is known which moments it answers.
        if held is not None and time > wanted + _CLOSE:
            yield held
            wanted = step * math.ceil((time - _CLOSE) / step) if step else time
        held = (frame, time)
    if held is not None and (wanted < span.seconds - _CLOSE or not span.seconds):
        yield held


def _shown(frame: av.VideoFrame, ratio: float) -> tuple[int, int]:
    """Width and height with square pixels, upright."""
    size = (round(frame.width * ratio), frame.height)
    return size[::-1] if round(frame.rotation / 90) % 2 else size


def _converted(frame: av.VideoFrame, ratio: float, short_side: int) -> NDArray[np.uint8]:
    """A frame as it is shown: with square pixels, upright, and of the size asked for."""
    width, height = frame.width * ratio, float(frame.height)
    long_side = min(max(width, height) / min(width, height), _WIDEST) * short_side
    sides = (long_side, short_side) if width >= height else (short_side, long_side)
    small = frame.reformat(width=round(sides[0]), height=round(sides[1]), format="rgb24").to_ndarray()
    turns = round(frame.rotation / 90)  # counter-clockwise, as numpy turns
    return np.ascontiguousarray(np.rot90(small, turns), dtype=np.uint8)
