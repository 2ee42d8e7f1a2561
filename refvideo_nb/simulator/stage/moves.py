"""Where each subject is at each moment: smooth, seeded, and out of the others' way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

_ROW = 4  # subjects that stand side by side before a second row begins behind them


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """A subject at one moment: its middle in pixels, its scale, its turn in radians and its squeeze."""

    x: float
    y: float
    scale: float
    turn: float
    squeeze: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A smooth way through the frame.

    Parameters
    ----------
    home
        The middle of the way in pixels, (x, y).
    reach
        How far it goes from there, (x, y).
    depth
        The row: 0 in front. Rows behind are drawn first.
    """

    home: tuple[float, float]
    reach: tuple[float, float]
    depth: int
    hertz: float
    phase: float
    turn: float

    def at(self, seconds: float) -> Pose:
        """The pose at a time; every term is a slow sine, so nothing ever jumps."""
        swing = 2 * math.pi * self.hertz * seconds + self.phase
        return Pose(
            x=self.home[0] + self.reach[0] * math.sin(swing),
            y=self.home[1] + self.reach[1] * math.sin(1.9 * swing + 1),
            scale=1 + 0.025 * math.sin(1.3 * swing + 2),
            turn=self.turn * math.sin(1.1 * swing + 0.5),
            squeeze=1 - 0.05 * (0.5 + 0.5 * math.sin(0.8 * swing)),
        )


class Slot(NamedTuple):
    """A subject's place: its row (0 in front), where in the row, how many share the row, how many rows there are."""

    row: int
    place: int
    fellows: int
    rows: int


def slots(count: int) -> list[Slot]:
    """A place for each subject."""
    rows = max(1, math.ceil(count / max(_ROW, math.ceil(math.sqrt(1.78 * count)))))
    sizes = [count // rows + (row < count % rows) for row in range(rows)]
    return [Slot(row, place, size, rows) for row, size in enumerate(sizes) for place in range(size)]


def way(
    frame: tuple[int, int],
    size: tuple[float, float],
    slot: Slot,
    rng: np.random.Generator,
) -> Path:
    """The way of one subject.

    Parameters
    ----------
    frame
        (width, height) of the film in pixels.
    size
        (width, height) of the subject in pixels.
    """
    width, height = frame
    row, place, count, rows = slot
    lane = width / count
    shift = 0.25 * lane * (row % 2) * (1 if count == 1 else 0.6)
    room = max(0.0, width - size[0] * 1.08)
    # With company a subject stays in its lane; alone it crosses a good part of the frame.
    reach = min(room / 2, 0.2 * width) if count == 1 else min(room / 2, max(0.06 * lane, (lane - size[0]) / 2))
    middle = (place + 0.5) * lane + shift + rng.uniform(-0.04, 0.04) * lane
    x = min(max(middle, size[0] * 0.54 + reach), width - size[0] * 0.54 - reach)
    floor = height * (0.9 - min(0.3, 0.62 / max(1, rows - 1)) * row + rng.uniform(-0.015, 0.015))
    y = min(max(floor - size[1] / 2, size[1] * 0.54), height - size[1] * 0.54)
    return Path(
        home=(x, y),
        reach=(reach, min(0.012 * height, max(0.0, (height - size[1] * 1.08) / 2))),
        depth=row,
        hertz=rng.uniform(0.07, 0.12),
        phase=rng.uniform(0, 2 * math.pi),
        turn=rng.uniform(0.015, 0.045) * rng.choice((-1, 1)),
    )
