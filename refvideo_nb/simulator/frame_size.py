"""Which frame, in pixels, a resolution and an aspect ratio stand for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from refvideo_nb.simulator.catalogue import Model

_SHORT_SIDES = {"1K": 1024, "2K": 1440, "4K": 2160}
# Listed sizes are rounded (752x560 is offered as 4:3), so ratios agree within this share.
_RATIO_TOLERANCE = 0.03


def short_side(resolution: str) -> int:
    """Pixels of the shorter side that a resolution's name stands for."""
    return _SHORT_SIDES.get(resolution) or int(resolution.removesuffix("p"))


def ratio(aspect_ratio: str) -> float:
    """``"16:9"`` as width over height."""
    across, down = aspect_ratio.split(":")
    return int(across) / int(down)


def parse_size(size: str) -> tuple[int, int]:
    """``"1280x720"`` as (width, height); a ValueError for anything else."""
    width, height = (int(part) for part in size.split("x"))
    return width, height


def even(pixels: float) -> int:
    """The next even number: H.264 with halved colour planes has no odd sides, and 16:9 at 480p is called 854."""
    return 2 * math.ceil(pixels / 2)


def frame_size(model: Model, resolution: str, aspect_ratio: str) -> tuple[int, int]:
    """The frame for a resolution and an aspect ratio: a listed size if one fits, computed otherwise.

    Two families of lists exist: those that keep the short side (720x720, 1280x720) and those that keep the number
    of pixels (960x960, 1280x720). A listed short side is decisive; else the nearest number of pixels is.
    """
    side, want = short_side(resolution), ratio(aspect_ratio)
    listed = [parse_size(size) for size in model.sizes]
    fitting = [(w, h) for w, h in listed if abs(w / h / want - 1) <= _RATIO_TOLERANCE]
    exact = [(w, h) for w, h in fitting if min(w, h) == side]
    if exact:
        width, height = exact[0]
    elif fitting:
        pixels = side * side * 16 / 9
        width, height = min(fitting, key=lambda wh: abs(math.log(wh[0] * wh[1] / pixels)))
    else:
        width, height = (even(side * want), side) if want >= 1 else (side, even(side / want))
    return even(width), even(height)


def every_size(model: Model) -> dict[str, tuple[str, str]]:
    """Every size that the model makes, by its name, with the resolution and aspect ratio that it belongs to."""
    sizes: dict[str, tuple[str, str]] = {}
    for resolution in model.resolutions:
        for aspect_ratio in model.aspect_ratios:
            width, height = frame_size(model, resolution, aspect_ratio)
            sizes.setdefault(f"{width}x{height}", (resolution, aspect_ratio))
    return sizes
