"""One reference's subject on stage: its picture made ready once, and drawn into each frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    from refvideo_nb.simulator.stage.moves import Path, Pose

_MOST_PIXELS = 1_500_000  # of a sprite that is kept larger than it is drawn
_OVERSAMPLING = 3
_SHADOW = 0.5  # the darkest part of a shadow


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn into one frame: the shape's alpha (h, w) uint8 without any fade, and where it begins."""

    alpha: npt.NDArray[np.uint8]
    left: int
    top: int


class Actor:
    """A subject that can be drawn.

    Parameters
    ----------
    cut
        The subject, RGBA.
    size
        (width, height) in pixels of the frame at scale 1.
    light
        The scene's colour, (3,) in 0..1.
    strength
        1 keeps the reference's colours; less takes on the scene's light and loses sharpness.
    """

    def __init__(
        self,
        cut: Image.Image,
        *,
        size: tuple[float, float],
        path: Path,
        light: npt.NDArray[np.float32],
        strength: float,
    ) -> None:
        self.path = path
        self._size = size
        # Drawn with the nearest pixel of a sprite that is three times too large: as smooth to the eye as bilinear
        # interpolation, at a quarter of its time.
        factor = min(_OVERSAMPLING, max(1.0, math.sqrt(_MOST_PIXELS / (size[0] * size[1]))))
        self._sprite = _sprite(cut, size, factor, light, strength)
        self._shadow = _shadow(round(size[0] * 1.15), max(4, round(size[1] * 0.13)))

    def draw(self, frame: npt.NDArray[np.uint8], seconds: float, fade: float) -> Drawn:
        """Draw into a frame, (height, width, 4) uint8, with ``fade`` 1 for fully there."""
        pose = self.path.at(seconds)
        self._draw_shadow(frame, pose, fade)
        left, top, right, bottom = self._bounds(frame, pose)
        region = np.asarray(
            self._sprite.transform(
                (right - left, bottom - top),
                Image.Transform.AFFINE,
                self._inverse(pose, left, top),
                Image.Resampling.NEAREST,
            )
        )
        alpha = np.ascontiguousarray(region[:, :, 3])
        colour = rows(region)
        cover = np.repeat(alpha, 4, axis=1)
        if fade < 1:
            weight = np.uint16(round(255 * fade))
            colour, cover = (scaled(each, weight) for each in (colour, cover))
        into = rows(frame)[top:bottom, left * 4 : right * 4]
        into[:] = scaled(into, 255 - cover) + colour
        return Drawn(alpha, left, top)

    def _bounds(self, frame: npt.NDArray[np.uint8], pose: Pose) -> tuple[int, int, int, int]:
        width, height = self._size[0] * pose.scale * pose.squeeze, self._size[1] * pose.scale
        cos, sin = abs(math.cos(pose.turn)), abs(math.sin(pose.turn))
        half_x, half_y = (width * cos + height * sin) / 2 + 1, (width * sin + height * cos) / 2 + 1
        return (
            max(0, math.floor(pose.x - half_x)),
            max(0, math.floor(pose.y - half_y)),
            min(frame.shape[1], math.ceil(pose.x + half_x)),
            min(frame.shape[0], math.ceil(pose.y + half_y)),
        )

    def _inverse(self, pose: Pose, left: int, top: int) -> tuple[float, float, float, float, float, float]:
        """From pixels of the region to pixels of the sprite, as Pillow wants it."""
        across = self._sprite.width / (self._size[0] * pose.scale * pose.squeeze)
        down = self._sprite.height / (self._size[1] * pose.scale)
        cos, sin = math.cos(pose.turn), math.sin(pose.turn)
        a, b, d, e = cos * across, sin * across, -sin * down, cos * down
        x, y = left - pose.x, top - pose.y
        return (a, b, a * x + b * y + self._sprite.width / 2, d, e, d * x + e * y + self._sprite.height / 2)

    def _draw_shadow(self, frame: npt.NDArray[np.uint8], pose: Pose, fade: float) -> None:
        height, width = self._shadow.shape
        left = round(pose.x - width / 2)
        top = round(pose.y + self._size[1] * pose.scale * 0.5 - height * 0.55)
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(frame.shape[1], left + width), min(frame.shape[0], top + height)
        if x0 >= x1 or y0 >= y1:
            return
        dark = np.repeat(self._shadow[y0 - top : y1 - top, x0 - left : x1 - left], 4, axis=1)
        into = rows(frame)[y0:y1, x0 * 4 : x1 * 4]
        into[:] = scaled(into, 255 - scaled(dark, np.uint16(round(255 * fade))))


def rows(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A frame as (height, width x 4): numpy is quick along long rows, and slow along four channels."""
    return frame.reshape(frame.shape[0], -1)


def scaled(values: npt.NDArray[np.uint8], by: npt.NDArray[np.uint8] | np.uint16) -> npt.NDArray[np.uint8]:
    """``values * by / 255`` for 8-bit values."""
    product = np.multiply(values, by, dtype=np.uint16)
    product //= np.uint16(255)
    return product.astype(np.uint8)


def _sprite(
    cut: Image.Image, size: tuple[float, float], factor: float, light: npt.NDArray[np.float32], strength: float
) -> Image.Image:
    """The subject larger than it is drawn, re-lit, its colours already multiplied by its alpha."""
    drawn = cut.resize((max(2, round(size[0])), max(2, round(size[1]))), Image.Resampling.BICUBIC)
    if strength < 1:
        drawn = _relit(drawn, light, 1 - strength)
    large = drawn.resize((round(drawn.width * factor), round(drawn.height * factor)), Image.Resampling.BICUBIC)
    pixels = np.array(large)
    for colour in range(3):
        pixels[:, :, colour] = scaled(pixels[:, :, colour], pixels[:, :, 3])
    return Image.fromarray(pixels)


def _relit(picture: Image.Image, light: npt.NDArray[np.float32], share: float) -> Image.Image:
    """A picture that has taken on a share of the scene's light, and lost some of its sharpness to it."""
    alpha = picture.getchannel("A")
    soft = picture.convert("RGB").filter(ImageFilter.GaussianBlur(share * max(picture.size) * 0.01))
    colour = np.asarray(soft, np.float32)
    grey = colour.mean(axis=2, keepdims=True)
    lit = (0.3 * grey + 0.55 * colour) * light * 1.3 + 38 * light
    # Light falls from above: the lower part of a subject is a little darker than its upper part.
    lit *= np.linspace(1.15, 0.75, picture.height, dtype=np.float32)[:, None, None]
    colour = np.clip(colour + (lit - colour) * share, 0, 255)
    relit = Image.fromarray(np.rint(colour).astype(np.uint8)).convert("RGBA")
    relit.putalpha(alpha)
    return relit


def _shadow(width: int, height: int) -> npt.NDArray[np.uint8]:
    """An oval that fades outwards, (height, width), 0..255 for none to black."""
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    inner = np.clip(1 - x * x - y * y, 0, 1)
    dark: npt.NDArray[np.uint8] = (inner * inner * (3 - 2 * inner) * 255 * _SHADOW).astype(np.uint8)
    return dark
