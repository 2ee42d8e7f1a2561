"""The painter of streets: houses in rows, their windows, lamps out of focus, and streaks of light on the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refvideo_nb.simulator.stage import brush

if TYPE_CHECKING:
    from refvideo_nb.simulator.stage.plan import Plan

_LAYERS = 3


def city(plan: Plan) -> None:
    """Paint a street."""
    height, width = plan.shape
    for layer in range(_LAYERS):
        _houses(plan, layer)
        reach = (3, 2, 1)[layer]
        sky = plan.canvas[: plan.horizon]
        sky[:] = brush.smear(brush.smear(sky, reach, axis=0), reach, axis=1)
    if plan.mood.time != "day":
        haze = brush.glow((height, width), width / 2, plan.horizon, width * 0.7, height * 0.16)
        brush.shine(plan.canvas, haze * 0.22, plan.light())
    lamps = {"night": 46, "sunset": 26, "day": 9}[plan.mood.time]
    for _ in range(lamps):
        _lamp(plan)


def _houses(plan: Plan, layer: int) -> None:
    width = plan.shape[1]
    share = (layer + 1) / _LAYERS
    colour = plan.colours.far + (plan.colours.near - plan.colours.far) * share
    # A street opens in the middle: houses are taller towards both sides, and nearer ones more so.
    x = -plan.rng.uniform(0, 30)
    while x < width:
        wide = plan.rng.uniform(0.035, 0.085) * width * (0.7 + 0.5 * share)
        middle = abs((x + wide / 2) / width - 0.5) * 2
        tall = plan.horizon * (0.2 + 0.25 * plan.rng.random() + 0.5 * middle ** (1 + layer) * (0.5 + 0.3 * layer))
        if middle > 0.16 * (layer + 1):
            left, right = max(0, int(x)), min(width, int(x + wide))
            top = max(0, int(plan.horizon - tall))
            shade = plan.rng.uniform(0.88, 1.1)
            plan.canvas[top : plan.horizon, left:right] = colour * shade
            if plan.mood.time != "day":
                _windows(plan, (left, right), (top, plan.horizon), share)
        x += wide * plan.rng.uniform(1.0, 1.25)


def _windows(plan: Plan, across: tuple[int, int], down: tuple[int, int], share: float) -> None:
    step = max(5, round(4 + 4 * share))
    lit = 0.32 if plan.mood.time == "night" else 0.14
    warm = plan.colours.lights[2 % len(plan.colours.lights)]
    for top in range(down[0] + 3, down[1] - step, step + 1):
        for left in range(across[0] + 2, across[1] - step // 2, step):
            if plan.rng.random() < lit:
                colour = warm if plan.rng.random() < 0.8 else plan.light()  # noqa: PLR2004 - most homes are warm
                pane = plan.canvas[top : top + step // 2 + 1, left : left + step // 2]
                pane += (colour - pane) * plan.rng.uniform(0.2, 0.65)


def _lamp(plan: Plan) -> None:
    """A lamp out of focus, and the streak that it draws on a glossy ground."""
    height, width = plan.shape
    colour = plan.light()
    side = plan.rng.choice((-1, 1))
    x = width * (0.5 + side * 0.5 * plan.rng.beta(1.6, 1.1))
    y = plan.horizon - height * abs(plan.rng.normal(0.05, 0.12))
    radius = height * plan.rng.uniform(0.008, 0.034)
    strength = plan.rng.uniform(0.18, 0.6)
    brush.spot(plan.canvas, (x, y), (radius * 4, radius * 4), colour, strength * 0.28)
    brush.disc(plan.canvas, (x, y), radius, colour, strength)
    length = height * plan.rng.uniform(0.08, 0.2)
    middle = (plan.horizon - y) * 0.6 + length * 0.6
    ground = plan.canvas[plan.horizon :]
    for _ in range(3):  # the ground is not flat: a streak is a few pieces, each a little beside the one before
        at = (x + plan.rng.normal(0, radius * 0.3), middle + plan.rng.normal(0, length * 0.4))
        reach = (radius * plan.rng.uniform(0.9, 1.5), length * plan.rng.uniform(0.3, 0.8))
        brush.spot(ground, at, reach, colour, strength * plan.mood.gloss * 0.55)
