"""The painters of rooms and studios."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from refvideo_nb.simulator.stage import brush

if TYPE_CHECKING:
    from refvideo_nb.simulator.stage.plan import Plan


def room(plan: Plan) -> None:
    """A wall with a window, things on shelves far out of focus, and a wooden table."""
    height, width = plan.shape
    wall = plan.canvas[: plan.horizon]
    _window(plan)
    for _ in range(9):
        tall, wide = plan.rng.uniform(0.08, 0.3) * height, plan.rng.uniform(0.03, 0.1) * width
        left = int(plan.rng.uniform(-0.05, 1) * width)
        colour = plan.colours.far + (plan.colours.near - plan.colours.far) * plan.rng.random()
        part = wall[int(plan.horizon - tall) :, max(0, left) : max(0, left + int(wide))]
        part += (colour - part) * 0.75
    wall[:] = brush.smear(brush.smear(wall, height // 45, axis=0), height // 45, axis=1)
    for _ in range({"night": 22, "sunset": 16, "day": 8}[plan.mood.time]):
        at = (plan.rng.uniform(0, width), plan.rng.uniform(0.1, 0.8) * plan.horizon)
        brush.disc(wall, at, height * plan.rng.uniform(0.012, 0.05), plan.light(), plan.rng.uniform(0.08, 0.35))
    _table(plan)


def studio(plan: Plan) -> None:
    """A seamless sweep of paper with one soft light."""
    height, width = plan.shape
    x = width * plan.rng.uniform(0.3, 0.7)
    brush.shine(
        plan.canvas, brush.glow((height, width), x, height * 0.38, width * 0.34, height * 0.42) * 0.5, plan.light()
    )
    for side in (-1, 1):
        flag = brush.glow((height, width), width * (0.5 + 0.62 * side), height * 0.3, width * 0.2, height * 0.9)
        brush.lay(plan.canvas, flag * 0.45, plan.colours.near)


def _window(plan: Plan) -> None:
    height, width = plan.shape
    x = width * (plan.rng.uniform(0.1, 0.3) if plan.rng.random() < 0.5 else plan.rng.uniform(0.7, 0.9))  # noqa: PLR2004
    wide, tall = width * 0.15, plan.horizon * 0.72
    ys = np.arange(plan.horizon, dtype=np.float32)[:, None] - plan.horizon * 0.42
    xs = np.arange(width, dtype=np.float32)[None] - x
    pane = np.clip((tall / 2 - np.abs(ys)) / 3, 0, 1) * np.clip((wide / 2 - np.abs(xs)) / 3, 0, 1)
    cross = np.clip(2.2 - np.abs(xs), 0, 1) + np.clip(2.2 - np.abs(ys), 0, 1)
    pane = pane * np.clip(1 - cross, 0.25, 1)
    strength = {"day": 0.8, "sunset": 0.6, "night": 0.12}[plan.mood.time]
    wall = plan.canvas[: plan.horizon]
    brush.shine(wall, pane * strength, plan.colours.lights[0])
    glow = brush.glow((plan.horizon, width), x, plan.horizon * 0.42, width * 0.35, height * 0.5)
    brush.shine(wall, glow * strength * 0.45, plan.colours.lights[0])


def _table(plan: Plan) -> None:
    """Wood: long grain, and boards that run towards the eye."""
    height, width = plan.shape
    rows = height - plan.horizon
    grain = brush.smear(brush.clouds((rows, width), plan.rng, grain=24), width // 24, axis=1)
    spread = float(grain.std()) or 1.0
    table = brush.gradient(rows, width, plan.colours.ground * 1.12, plan.colours.ground * 0.78)
    table *= (1 + 0.05 * (grain - grain.mean()) / spread)[..., None]
    depth = np.linspace(0.55, 1.6, rows, dtype=np.float32)[:, None]
    across = (np.arange(width, dtype=np.float32)[None] - width / 2) / depth
    board = width / 5
    distance = np.abs((across / board + plan.rng.random()) % 1 - 0.5)
    table *= (1 - 0.18 * np.exp(-(((0.5 - distance) * board / 1.6) ** 2)))[..., None]
    plan.canvas[plan.horizon :] = table
