"""The scene behind the subjects: sky, what stands at the horizon, ground, what the ground reflects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from refvideo_nb.simulator.stage import brush
from refvideo_nb.simulator.stage.places import PLACES
from refvideo_nb.simulator.stage.plan import Plan

if TYPE_CHECKING:
    from refvideo_nb.simulator.stage.mood import Mood
    from refvideo_nb.simulator.stage.palette import Palette

_DETAIL = 360  # pixels of height in which a scene is painted: it lies behind the subjects, out of focus
_HORIZON = {"room": 0.66, "studio": 0.7, "space": 0.86, "sea": 0.5}


@dataclass(frozen=True, slots=True)
class Scene:
    """A painted scene, (height, width, 3) float32 in 0..255, and the colour of its light, (3,) in 0..1."""

    canvas: npt.NDArray[np.float32]
    light: npt.NDArray[np.float32]


def paint(mood: Mood, colours: Palette, width: int, height: int, rng: np.random.Generator) -> Scene:
    """Paint a scene.

    Parameters
    ----------
    width, height
        Pixels of the canvas, which is wider than the frame by what the camera drifts.
    """
    rows = min(height, _DETAIL)
    columns = round(width * rows / height)
    horizon = round(rows * (_HORIZON.get(mood.place, 0.62) + rng.uniform(-0.02, 0.02)))
    plan = Plan(canvas=_sky(colours, rows, columns, horizon), horizon=horizon, mood=mood, colours=colours, rng=rng)
    PLACES[mood.place](plan)
    _ground(plan)
    _finish(plan)
    return Scene(_enlarged(plan.canvas, width, height), _light(plan.canvas))


def _sky(colours: Palette, rows: int, columns: int, horizon: int) -> brush.Canvas:
    canvas = np.empty((rows, columns, 3), np.float32)
    canvas[:horizon] = brush.gradient(horizon, columns, colours.top, colours.low, bend=1.4)
    # What lies under the horizon is painted over later; until then it is the ground, for shapes that reach down.
    canvas[horizon:] = brush.gradient(
        rows - horizon, columns, (colours.ground + colours.low) * np.float32(0.5), colours.ground
    )
    return canvas


def _ground(plan: Plan) -> None:
    """Let the ground mirror what stands above it, stretched downwards and broken up, as wet stone does."""
    canvas, horizon = plan.canvas, plan.horizon
    rows = canvas.shape[0] - horizon
    if plan.mood.place == "space" or rows < 2:  # noqa: PLR2004 - nothing to see
        return
    source = np.clip(horizon - 1 - (np.arange(rows) * 1.15).astype(int), 0, horizon - 1)
    mirrored = brush.smear(brush.smear(canvas[source], rows // 6, axis=0), 2, axis=1)
    depth = np.linspace(1, 0.35, rows, dtype=np.float32)[:, None]
    ripple = 0.75 + 0.5 * brush.clouds((rows, canvas.shape[1]), plan.rng, grain=10)
    if plan.mood.place == "room":
        ripple = np.ones_like(ripple)
    mask = np.clip(plan.mood.gloss * depth * ripple, 0, 0.92)
    canvas[horizon:] += (mirrored - canvas[horizon:]) * mask[..., None]
    # The edge between ground and background would be the one hard line in the picture.
    edge = max(2, rows // 14)
    band = slice(max(0, horizon - edge), horizon + edge)
    if plan.mood.place in {"studio", "sea", "room"}:
        reach = edge * 3 if plan.mood.place == "studio" else 1
        wide = slice(max(0, horizon - 4 * edge), horizon + 4 * edge)
        canvas[wide] = brush.smear(canvas[wide], reach, axis=0)
    else:
        canvas[band] = brush.smear(canvas[band], 2, axis=0)


def _finish(plan: Plan) -> None:
    """A pool of light where the subjects stand, and corners that fall away."""
    canvas = plan.canvas
    rows, columns = canvas.shape[:2]
    pool = brush.glow((rows, columns), columns / 2, rows * 0.8, columns * 0.4, rows * 0.28)
    brush.shine(canvas, pool * (0.12 if plan.mood.time == "night" else 0.16), plan.colours.lights[-1])
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, columns, dtype=np.float32)[None]
    corners = np.clip((x * x + y * y * 0.8 - 0.45) / 1.35, 0, 1)
    canvas *= (1 - 0.38 * corners)[..., None]


def _enlarged(canvas: brush.Canvas, width: int, height: int) -> brush.Canvas:
    """The canvas at its final size; as floats, so that gradients stay smooth until they are dithered."""
    large = np.empty((height, width, 3), np.float32)
    for channel in range(3):
        plane = Image.fromarray(np.ascontiguousarray(canvas[:, :, channel]))
        large[:, :, channel] = np.asarray(plane.resize((width, height), Image.Resampling.BICUBIC))
    return large


def _light(canvas: brush.Canvas) -> npt.NDArray[np.float32]:
    """The scene's colour as a light: its mean, halfway to white, as bright as the brightest of three."""
    mean = canvas.reshape(-1, 3).mean(axis=0)
    tint = mean / max(float(mean.max()), 1.0)
    # A dark scene lights its subjects less, but never so little that they cannot be judged.
    bright = 0.72 + 0.28 * min(1.0, float(mean.mean()) / 140)
    return np.asarray((0.45 + 0.55 * tint) * bright, np.float32)
