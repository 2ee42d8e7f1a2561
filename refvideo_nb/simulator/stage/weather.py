"""What falls or floats before everything else: rain, snow, or a little dust in the light."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from refvideo_nb.simulator.stage.mood import Mood, Weather

    Stamp = npt.NDArray[np.uint8]

# How many, how fast downwards and sideways (frame heights a second), how bright.
_KINDS: dict[Weather, tuple[int, float, float, float]] = {
    "rain": (70, 1.5, -0.1, 0.2),
    "snow": (60, 0.13, 0.05, 0.7),
    "clear": (16, -0.012, 0.02, 0.22),
}
_SHEETS = 3  # sizes: nearer drops and flakes are larger and faster


class Sky:
    """The particles of one film; each has a fixed way, so any frame can be asked for."""

    def __init__(self, mood: Mood, width: int, height: int, rng: np.random.Generator) -> None:
        count, self._down, self._aside, bright = _KINDS[mood.weather]
        self._width, self._height = width, height
        self._start = rng.random((count, 2))
        self._near = rng.integers(0, _SHEETS, count)
        self._stamps = [_stamp(mood.weather, height, 0.6 + 0.4 * sheet, bright) for sheet in range(_SHEETS)]

    def draw(self, frame: npt.NDArray[np.uint8], seconds: float) -> None:
        """Draw into a frame, (height, width, 4) uint8."""
        for (x, y), near in zip(self._start, self._near, strict=True):
            stamp = self._stamps[near]
            speed = 0.7 + 0.3 * near
            high, wide = stamp.shape[0], stamp.shape[1] // 4
            # They come back at the top (or bottom) a little outside, so that none appears in mid-air.
            top = int((y + seconds * self._down * speed) % 1 * (self._height + high)) - high
            left = (
                int((x + seconds * self._aside * speed * self._height / self._width) % 1 * (self._width + wide)) - wide
            )
            y0, x0 = max(0, top), max(0, left)
            y1, x1 = min(self._height, top + high), min(self._width, left + wide)
            if y0 < y1 and x0 < x1:
                part = frame[y0:y1].reshape(y1 - y0, -1)[:, x0 * 4 : x1 * 4]
                light = stamp[y0 - top : y1 - top, (x0 - left) * 4 : (x1 - left) * 4]
                part += ((255 - part).astype(np.uint16) * light >> 8).astype(np.uint8)


def _stamp(kind: Weather, height: int, scale: float, bright: float) -> Stamp:
    """One drop, flake or mote as light to add, (high, wide x 4)."""
    if kind == "rain":
        high, wide = max(8, round(height * 0.055 * scale)), max(1, round(height / 720))
        light = np.sin(np.linspace(0, np.pi, high, dtype=np.float32))[:, None] * np.ones((1, wide), np.float32)
    else:
        side = max(3, round(height * (0.011 if kind == "snow" else 0.016) * scale))
        ramp = np.linspace(-1, 1, side, dtype=np.float32)
        light = np.clip(1 - (ramp[:, None] ** 2 + ramp[None] ** 2), 0, 1)
        if kind == "clear":
            light **= 2
    return np.repeat((light * bright * 255).astype(np.uint8), 4, axis=1)
