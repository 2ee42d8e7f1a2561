"""Writing the MP4: H.264 with the index in front, sound beside it, grain on top."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

import av
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    import numpy.typing as npt

FPS = 24
# A film of soft light holds little detail; with its grain this quality comes to about 2 MB for 4 s of 720p.
_VIDEO_OPTIONS = {"preset": "ultrafast", "crf": "21"}
_THREADS = 2  # fixed: x264's output depends on it, and the same request must give the same film everywhere
_RATE = 48_000
_AHEAD = 3  # frames that may wait for the encoder
_GRAINS = 4
_GRAIN_SIGMA = 1.6  # steps of 8-bit brightness


class Film:
    """A film being written; it stands at ``path`` when the block ends well, and nowhere when it does not.

    Parameters
    ----------
    sound
        (samples,) float32 in -1..1 at 48 kHz, or None for a film without a track.
    """

    def __init__(
        self, path: Path, width: int, height: int, *, sound: npt.NDArray[np.float32] | None, rng: np.random.Generator
    ) -> None:
        self._path = path
        self._half = path.with_name(f".{path.name}.half")
        self._sound = sound
        self._frames = 0
        self._heard = 0
        self._encoder = ThreadPoolExecutor(1, "simulator-encode")
        self._waiting: deque[Future[None]] = deque()
        self._grain = _grain(height, width, rng)
        self._container = av.open(str(self._half), "w", format="mp4", options={"movflags": "+faststart"})
        self._video: Any = self._container.add_stream("libx264", rate=FPS, options=dict(_VIDEO_OPTIONS))
        self._video.width, self._video.height, self._video.pix_fmt = width, height, "yuv420p"
        self._video.codec_context.thread_count = _THREADS
        self._video.codec_context.thread_type = "FRAME"  # slices would keep the caller waiting for each frame
        self._audio: Any = None
        if sound is not None:
            self._audio = self._container.add_stream("aac", rate=_RATE, layout="mono")
            self._audio.bit_rate = 96_000

    def __enter__(self) -> Self:
        return self

    def write(self, picture: npt.NDArray[np.uint8]) -> None:
        """Append one frame, (height, width, 4) uint8; the caller must not touch it afterwards.

        It is encoded beside the drawing of the next ones: that is what the second core is for.
        """
        self._waiting.append(self._encoder.submit(self._append, picture))
        if len(self._waiting) > _AHEAD:
            self._waiting.popleft().result()

    def _append(self, picture: npt.NDArray[np.uint8]) -> None:
        raw = av.VideoFrame.from_numpy_buffer(picture, format="rgba")
        frame = raw.reformat(format="yuv420p", interpolation="FAST_BILINEAR")
        _add_grain(frame, self._grain[self._frames % _GRAINS])
        frame.pts, frame.time_base = self._frames, Fraction(1, FPS)
        self._container.mux(self._video.encode(frame))
        self._frames += 1
        self._hear(self._frames * _RATE // FPS)

    def _hear(self, until: int) -> None:
        """Append sound up to a sample, so that both tracks lie side by side in the file."""
        if self._sound is None or until <= self._heard:
            return
        chunk = self._sound[self._heard : until]
        frame = av.AudioFrame.from_ndarray(chunk[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = _RATE, self._heard, Fraction(1, _RATE)
        self._container.mux(self._audio.encode(frame))
        self._heard = until

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._encoder.shutdown(wait=True)
            if kind is None:
                for one in self._waiting:
                    one.result()
                self._finish()
        finally:
            self._container.close()
            self._half.unlink(missing_ok=True)

    def _finish(self) -> None:
        self._container.mux(self._video.encode(None))
        if self._audio is not None:
            self._container.mux(self._audio.encode(None))
        self._container.close()
        self._half.replace(self._path)


def _grain(height: int, width: int, rng: np.random.Generator) -> list[npt.NDArray[np.uint8]]:
    """A few sheets of noise, cut from one; modulo 256, so that adding is subtracting where it has to be."""
    noise = np.clip(np.rint(rng.normal(0, _GRAIN_SIGMA, (height + 64, width + 64))), -4, 4).astype(np.int8)
    corners = rng.integers(0, 64, (_GRAINS, 2))
    return [np.ascontiguousarray(noise[y : y + height, x : x + width]).view(np.uint8) for y, x in corners]


def _add_grain(frame: av.VideoFrame, grain: npt.NDArray[np.uint8]) -> None:
    """Add grain to the brightness alone, in place; 8-bit video keeps 16..235, so nothing wraps around."""
    height, width = grain.shape
    plane = frame.planes[0]
    luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:height, :width]
    np.add(luma, grain, out=luma)
