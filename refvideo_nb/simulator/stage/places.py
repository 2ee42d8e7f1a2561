"""A painter for each place: what stands above the horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from refvideo_nb.simulator.stage import brush
from refvideo_nb.simulator.stage.indoors import room, studio
from refvideo_nb.simulator.stage.town import city

if TYPE_CHECKING:
    from collections.abc import Callable

    from refvideo_nb.simulator.stage.mood import Place
    from refvideo_nb.simulator.stage.plan import Plan


def _sun(plan: Plan, *, low: bool = True) -> None:
    """A sun or a moon, and the haze around it."""
    height, width = plan.shape
    x, colour = width * plan.rng.uniform(0.2, 0.8), plan.colours.lights[0]
    y = plan.horizon * (plan.rng.uniform(0.6, 0.8) if low else plan.rng.uniform(0.2, 0.35))
    sky = slice(0, plan.horizon)
    area = (plan.horizon, width)
    brush.shine(plan.canvas[sky], brush.glow(area, x, y, width * 0.3, height * 0.35) * 0.55, colour)
    if plan.mood.time != "day":
        brush.disc(plan.canvas[sky], (x, y), height * 0.045, colour, 0.75)


def _ridges(plan: Plan, lines: list[tuple[float, brush.Mask]]) -> None:
    """Rows of hills: how near each is (0 in the haze, 1 before us), and its height in pixels above the horizon."""
    height, width = plan.shape
    ground = brush.below(height, np.full(width, plan.horizon + 1.0))
    for share, line in lines:
        haze = plan.colours.low + (plan.colours.far - plan.colours.low) * (0.35 + 0.65 * share)
        colour = haze + (plan.colours.near - haze) * share**2 * 0.8
        brush.lay(plan.canvas, brush.below(height, plan.horizon - line) * (1 - ground), colour)


def _snow_caps(plan: Plan, line: brush.Mask, tall: float) -> None:
    """Snow on the farthest ridge: all of its tops, and down along the sides that the light falls on."""
    height, width = plan.shape
    tops = plan.horizon - line
    ys = np.arange(height, dtype=np.float32)[:, None]
    lit = brush.smear(np.gradient(line).astype(np.float32)[None], 2, axis=1)
    depth = tall * (0.16 + 0.14 * np.clip(lit, -1, 1)) + tall * 0.12 * brush.clouds((height, width), plan.rng, grain=24)
    snow = np.clip(1 - (ys - tops[None]) / depth, 0, 1) * brush.below(height, tops)
    low = np.clip((line / tall - 0.35) / 0.2, 0, 1)[None]
    brush.lay(plan.canvas, (np.clip(snow * 2, 0, 1) * low * 0.8).astype(np.float32), plan.colours.lights[0] * 0.97)


def _sea(plan: Plan) -> None:
    height, width = plan.shape
    _sun(plan)
    shore = plan.horizon + (height - plan.horizon) * 0.42
    water = brush.gradient(height, width, plan.colours.far, plan.colours.near)
    waves = brush.clouds((height, width), plan.rng, grain=6)
    waves = brush.smear(waves, width // 30, axis=1)
    line = shore + height * 0.012 * brush.ridge(width, plan.rng, rough=0.4, waves=2)
    mask = brush.below(height, np.full(width, float(plan.horizon))) * (1 - brush.below(height, line, soft=4))
    canvas = plan.canvas
    canvas += (water + (waves[..., None] - 0.5) * 60 - canvas) * mask[..., None]
    foam = np.exp(-(((np.arange(height)[:, None] - line[None]) / (height * 0.008)) ** 2)).astype(np.float32)
    brush.shine(plan.canvas, foam * 0.5, plan.colours.lights[0])
    for _ in range(90):
        depth = plan.rng.random()
        y, x = plan.horizon + 2 + depth * (shore - plan.horizon - 6), plan.rng.uniform(0, width)
        brush.spot(plan.canvas, (x, y), (3 + 9 * depth, 0.9 + depth), plan.colours.lights[0], 0.3)


def _forest(plan: Plan) -> None:
    height, width = plan.shape
    _sun(plan, low=False)
    for layer in range(4):
        share = (layer + 1) / 4
        leaves = brush.clouds((height, width), plan.rng, grain=5 + 3 * layer)
        reach = plan.horizon * (0.75 + 0.1 * layer)
        from_horizon = (plan.horizon - np.arange(height, dtype=np.float32))[:, None] / reach
        edge = 0.36 + 0.34 * np.abs(from_horizon) ** 2 + 0.08 * layer
        mask = np.clip((leaves - edge) * 12, 0, 1) * 0.8
        mask[plan.horizon :] = 0
        colour = plan.colours.far + (plan.colours.near - plan.colours.far) * share
        for _ in range(3 + 2 * layer):
            x, thick = plan.rng.uniform(0, width), (1.5 + 2.4 * layer) * plan.rng.uniform(0.7, 1.3)
            trunk = np.clip(thick - np.abs(np.arange(width, dtype=np.float32) - x), 0, 1)
            mask[: plan.horizon] = np.maximum(mask[: plan.horizon], trunk[None] * 0.85)
        brush.lay(plan.canvas, mask.astype(np.float32), colour)
        plan.canvas[: plan.horizon] = brush.smear(
            brush.smear(plan.canvas[: plan.horizon], 3 - min(layer, 2), axis=0), 3 - min(layer, 2), axis=1
        )
    _bokeh(plan, 26, 0.16)


def _mountain(plan: Plan) -> None:
    height, width = plan.shape
    _sun(plan, low=plan.mood.time == "sunset")
    tall = min(height * 0.4, width * 0.26)  # a tall frame must not turn mountains into needles
    far = tall * (0.25 + 0.75 * brush.peaks(width, plan.rng, count=1.7))
    _ridges(plan, [(0.35, far)])
    _snow_caps(plan, far, tall)
    hills = [(0.7, 0.3, 2), (1.0, 0.17, 4)]
    _ridges(
        plan,
        [
            (near, tall * high * (0.5 + 0.5 * brush.ridge(width, plan.rng, rough=0.4, waves=waves)))
            for near, high, waves in hills
        ],
    )
    drifts = brush.smear(brush.clouds((height - plan.horizon, width), plan.rng, grain=5), width // 20, axis=1)
    plan.canvas[plan.horizon :] *= (1 + 0.3 * (drifts - drifts.mean()))[..., None]


def _desert(plan: Plan) -> None:
    height, width = plan.shape
    _sun(plan)
    lines = [
        (
            layer / 4,
            height
            * 0.2
            * (1.15 - 0.19 * layer)
            * (0.55 + 0.45 * brush.ridge(width, plan.rng, rough=0.22, waves=layer)),
        )
        for layer in range(1, 5)
    ]
    _ridges(plan, lines)


def _space(plan: Plan) -> None:
    height, width = plan.shape
    for colour in plan.colours.lights[1:]:
        nebula = np.clip(brush.clouds((height, width), plan.rng, grain=2) * 2.2 - 0.95, 0, 1) ** 1.5
        brush.shine(plan.canvas, (nebula * 0.3).astype(np.float32), colour)
    for _ in range(260):
        strength = plan.rng.random() ** 3
        disc_at = (plan.rng.uniform(0, width), plan.rng.uniform(0, height))
        brush.disc(plan.canvas, disc_at, 0.5 + strength, plan.light(), 0.2 + 0.7 * strength)
    x, y, radius = width * plan.rng.uniform(0.3, 0.7), height * 2.0, height * 1.22
    ys, xs = np.arange(height, dtype=np.float32)[:, None] - y, np.arange(width, dtype=np.float32)[None] - x
    distance = np.sqrt(ys * ys + xs * xs * 0.5)
    brush.lay(plan.canvas, np.clip((radius - distance) / 2, 0, 1), plan.colours.ground)
    brush.shine(
        plan.canvas,
        (np.exp(-np.abs(distance - radius) / (height * 0.03)) * 0.45).astype(np.float32),
        plan.colours.lights[1],
    )


def _bokeh(plan: Plan, count: int, strength: float) -> None:
    """Light that falls through leaves, out of focus."""
    height, width = plan.shape
    for _ in range(count):
        at = (plan.rng.uniform(0, width), plan.rng.uniform(0, plan.horizon))
        brush.disc(plan.canvas, at, height * plan.rng.uniform(0.012, 0.04), plan.light(), strength)


PLACES: dict[Place, Callable[[Plan], None]] = {
    "city": city,
    "sea": _sea,
    "forest": _forest,
    "mountain": _mountain,
    "desert": _desert,
    "room": room,
    "space": _space,
    "studio": studio,
}
