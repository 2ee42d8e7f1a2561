"""Soft shapes on a float canvas, (height, width, 3) in 0..255: all that the scenes are painted with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Canvas = npt.NDArray[np.float32]
Mask = npt.NDArray[np.float32]


def gradient(height: int, width: int, top: Canvas, low: Canvas, *, bend: float = 1.0) -> Canvas:
    """A vertical gradient; ``bend`` above 1 keeps the top's colour for longer."""
    share = (np.linspace(0, 1, height, dtype=np.float32) ** bend)[:, None, None]
    return np.broadcast_to(top + (low - top) * share, (height, width, 3)).copy()


def lay(canvas: Canvas, mask: Mask, colour: Canvas) -> None:
    """Cover the canvas with a colour, as far as the mask says, in place."""
    canvas += (colour - canvas) * mask[..., None]


def shine(canvas: Canvas, mask: Mask, colour: Canvas) -> None:
    """Add light, in place; bright places take less of it, so that nothing burns out."""
    canvas += (255 - canvas) * (mask[..., None] * (colour / 255))


def glow(shape: tuple[int, int], x: float, y: float, across: float, down: float | None = None) -> Mask:
    """A round (or oval) light that fades away: the middle and the reach in pixels."""
    height, width = shape
    ys = ((np.arange(height, dtype=np.float32) - y) / (down or across))[:, None]
    xs = ((np.arange(width, dtype=np.float32) - x) / across)[None]
    return np.asarray(np.exp(-(ys * ys + xs * xs) * 2), np.float32)


def spot(canvas: Canvas, at: tuple[float, float], reach: tuple[float, float], colour: Canvas, strength: float) -> None:
    """A small `glow` added in place, worked out only where it can be seen."""
    (x, y), (across, down) = at, reach
    left, top = max(0, int(x - 1.8 * across)), max(0, int(y - 1.8 * down))
    part = canvas[top : max(0, int(y + 1.8 * down) + 1), left : max(0, int(x + 1.8 * across) + 1)]
    if part.size:
        shine(part, glow((part.shape[0], part.shape[1]), x - left, y - top, across, down) * strength, colour)


def disc(canvas: Canvas, at: tuple[float, float], radius: float, colour: Canvas, strength: float) -> None:
    """A lamp out of focus: a disc with a slightly brighter rim, added in place."""
    x, y = at
    left, top = max(0, int(x - radius - 2)), max(0, int(y - radius - 2))
    part = canvas[top : int(y + radius + 3), left : int(x + radius + 3)]
    if not part.size:
        return
    ys = (np.arange(part.shape[0], dtype=np.float32) + top - y)[:, None]
    xs = (np.arange(part.shape[1], dtype=np.float32) + left - x)[None]
    distance = np.sqrt(ys * ys + xs * xs)
    inside = np.clip(radius - distance + 0.8, 0, 1) * (0.75 + 0.25 * np.clip(distance / radius, 0, 1) ** 4)
    shine(part, inside * strength, colour)


def ridge(width: int, rng: np.random.Generator, *, rough: float, waves: int) -> Mask:
    """A skyline, (width,) in about -1..1, from a few sines; ``rough`` keeps more of the fine ones."""
    x = np.linspace(0, 1, width, dtype=np.float32)
    line = np.zeros(width, np.float32)
    for octave in range(7):
        line += np.sin(2 * np.pi * (waves * 2**octave * x * rng.uniform(0.7, 1.3) + rng.uniform())) * rough**octave
    return line / max(float(np.abs(line).max()), 1e-6)


def peaks(width: int, rng: np.random.Generator, *, count: float) -> Mask:
    """A line of sharp tops and round valleys, (width,) in 0..1: sines folded at their zeros."""
    x = np.linspace(0, 1, width, dtype=np.float32)
    line = np.zeros(width, np.float32)
    for octave in range(6):
        folded = 1 - np.abs(np.sin(np.pi * (count * 2**octave * x * rng.uniform(0.8, 1.2) + rng.uniform())))
        line += folded * 0.42**octave
    line -= line.min()
    return line / float(line.max())


def below(height: int, line: Mask, *, soft: float = 1.2) -> Mask:
    """Everything below a line of y positions, (width,), as a mask; ``soft`` pixels of edge."""
    ys = np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(np.clip((ys - line[None]) / soft + 0.5, 0, 1), np.float32)


def smear(canvas: Canvas, reach: int, axis: int) -> Canvas:
    """A blur along one axis: two running means, which come close enough to a Gaussian."""
    reach = max(1, reach)
    width = 2 * reach + 1
    turned = np.moveaxis(canvas, axis, 0)
    for _ in range(2):
        pad = [(reach + 1, reach)] + [(0, 0)] * (canvas.ndim - 1)
        total = np.cumsum(np.pad(turned, pad, mode="edge"), axis=0, dtype=np.float32)
        turned = (total[width:] - total[:-width]) / np.float32(width)
    return np.moveaxis(turned, 0, axis)


def clouds(shape: tuple[int, int], rng: np.random.Generator, *, grain: int = 4) -> Mask:
    """Soft noise in 0..1, largest at ``grain`` cells across the height, twice finer four times over."""
    height, width = shape
    total = np.zeros(shape, np.float32)
    for octave in range(4):
        cells = grain * 2**octave
        noise = rng.random((cells + 2, cells * max(1, width // height + 1) + 2)).astype(np.float32)
        ys = np.linspace(0, noise.shape[0] - 1.001, height)
        xs = np.linspace(0, noise.shape[1] - 1.001, width)
        y, x = ys.astype(int), xs.astype(int)
        fy, fx = _eased(ys - y)[:, None], _eased(xs - x)[None]
        upper = noise[y][:, x] * (1 - fx) + noise[y][:, x + 1] * fx
        lower = noise[y + 1][:, x] * (1 - fx) + noise[y + 1][:, x + 1] * fx
        total += (upper * (1 - fy) + lower * fy).astype(np.float32) / 2**octave
    return total / 1.875


def _eased(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return share * share * (3 - 2 * share)
