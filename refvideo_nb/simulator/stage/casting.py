"""How large each subject is, when it is there, and how it comes and goes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from refvideo_nb.simulator.stage.actor import Actor
from refvideo_nb.simulator.stage.moves import slots, way
from refvideo_nb.simulator.stage.subject import cameo, cut_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from PIL import Image

    from refvideo_nb.simulator.order import Direction, Intervals

_USUAL_AREA = (0.12, 0.18)  # share of the frame
_TOGETHER = 0.55  # the share that all subjects may fill when nobody set it
_MOST = (0.92, 0.9)  # of the frame's width and height
_STRETCH = 0.02  # a change of proportions that nobody sees
_ARRIVAL = 0.12  # seconds in which it comes, or goes
_FIRST = 0.75  # how far it is there at once: enough to be seen for what it is


def cast(
    pictures: Sequence[Image.Image],
    direction: Direction,
    frame: tuple[int, int],
    light: npt.NDArray[np.float32],
    rng: np.random.Generator,
) -> list[Actor]:
    """An actor for each picture, in order.

    Parameters
    ----------
    frame
        (width, height) in pixels.
    light
        The scene's colour, (3,) in 0..1.
    """
    places = slots(len(pictures))
    order = rng.permutation(len(places))
    actors = []
    for index, picture in enumerate(pictures):
        slot = places[order[index]]
        if direction.area is None:
            share, widest = min(rng.uniform(*_USUAL_AREA), _TOGETHER / len(pictures)), frame[0] / slot.fellows
        else:
            share, widest = direction.area[index], float(frame[0])
        cut = cut_out(picture)
        size = _size(cut, share, frame, widest)
        if abs(size[0] * cut.height / (size[1] * cut.width) - 1) > _STRETCH:
            cut = cameo(picture, size[0] / size[1])
            size = _size(cut, share, frame, widest)
        path = way(frame, size, slot, rng)
        actors.append(Actor(cut, size=size, path=path, light=light, strength=direction.strength))
    return actors


def fade(intervals: Intervals | None, seconds: float) -> float:
    """How far a subject is there at a time, 0 to 1; it comes and goes within its own intervals."""
    if intervals is None:
        return 1.0
    for start, end in intervals:
        if start <= seconds < end:
            inside = min(seconds - start, end - seconds)
            return min(1.0, _FIRST + (1 - _FIRST) * inside / _ARRIVAL) if (end - start) > 4 * _ARRIVAL else 1.0
    return 0.0


def _size(cut: Image.Image, share: float, frame: tuple[int, int], widest: float) -> tuple[float, float]:
    """Width and height in pixels at which a cut-out fills a share of the frame.

    Its own proportions are kept as long as it fits; else the size is made flatter or narrower.
    """
    filled = float(np.asarray(cut.getchannel("A"), np.float32).mean()) / 255
    # Scale and squeeze of the poses average out a little below 1.
    box = share * frame[0] * frame[1] / (filled * 0.975)
    height = min(math.sqrt(box * cut.height / cut.width), frame[1] * _MOST[1])
    width = min(box / height, frame[0] * _MOST[0])
    height = min(box / width, frame[1] * _MOST[1])
    if width > widest:
        # Nobody asked for this size, so the neighbours' room weighs more.
        width, height = widest, height * widest / width
    return max(4.0, width), max(4.0, height)
