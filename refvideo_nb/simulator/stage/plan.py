"""A scene being painted: what every place's painter is given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refvideo_nb.simulator.stage.brush import Canvas
from refvideo_nb.simulator.stage.mood import Mood
from refvideo_nb.simulator.stage.palette import Palette


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The canvas, which is painted in place, and what to paint.

    Parameters
    ----------
    horizon
        The row at which the ground begins.
    """

    canvas: Canvas
    horizon: int
    mood: Mood
    colours: Palette
    rng: np.random.Generator

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the canvas."""
        return self.canvas.shape[0], self.canvas.shape[1]

    def light(self) -> Canvas:
        """One of the palette's lights."""
        return self.colours.lights[int(self.rng.integers(len(self.colours.lights)))]
