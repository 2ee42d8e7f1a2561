"""The scene painted once, and a camera that drifts slowly along it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from refvideo_nb.simulator.stage.backdrop import paint
from refvideo_nb.simulator.stage.mood import read_mood
from refvideo_nb.simulator.stage.palette import palette
from refvideo_nb.simulator.stage.weather import Sky

if TYPE_CHECKING:
    import numpy.typing as npt

    from refvideo_nb.simulator.order import Order

_TRAVEL = 0.06  # of the frame's width
_PHASES = 4  # positions between two pixels: a drift in whole pixels would be seen to step
_LARGE = 1_500_000  # pixels; above it a whole pixel is too small to be seen stepping, and memory counts


class Camera:
    """A slow drift along a painted scene."""

    def __init__(self, order: Order, rng: np.random.Generator) -> None:
        self._width, self._duration = order.width, order.duration
        self._travel = round(order.width * _TRAVEL)
        mood = read_mood(order.prompt)
        painted = paint(mood, palette(mood, rng), order.width + self._travel + 1, order.height, rng)
        scene, self.light = painted.canvas, painted.light
        self._phases = 1 if order.width * order.height > _LARGE else _PHASES
        grain = rng.uniform(0, 1, (*scene.shape[:2], 1)).astype(np.float32)  # dither: soft gradients must not band
        self._prints = [
            _print(scene[:, :-1] * (1 - part) + scene[:, 1:] * part + grain[:, :-1])
            for part in np.arange(self._phases, dtype=np.float32) / self._phases
        ]
        self._sky = Sky(mood, order.width, order.height, rng)
        self._forward = bool(rng.integers(2))

    def shoot(self, seconds: float) -> npt.NDArray[np.uint8]:
        """The scene at a time, (height, width, 4) uint8, for the caller to draw on."""
        share = 0.5 - 0.5 * math.cos(math.pi * seconds / self._duration)  # eases in and out
        place = (share if self._forward else 1 - share) * (self._travel - 1)
        step = round(place * self._phases)
        left = step // self._phases
        return self._prints[step % self._phases][:, left : left + self._width].copy()

    def weather(self, frame: npt.NDArray[np.uint8], seconds: float) -> None:
        """Draw what falls or floats before everything else."""
        self._sky.draw(frame, seconds)


def _print(scene: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """A scene with 8 bits a colour and a fourth channel: pixels of four bytes are quicker for everybody."""
    made = np.full((*scene.shape[:2], 4), 255, np.uint8)
    np.clip(scene, 0, 255, out=scene)
    made[:, :, :3] = scene
    return made
