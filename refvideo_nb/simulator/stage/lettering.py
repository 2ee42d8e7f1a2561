"""The badge that every frame carries, so that no still of a simulated film passes for a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    import numpy.typing as npt

_TEXT = "SIMULATED"
_SIZE = 0.026  # of the frame's shorter side; never below what can be read
_LEAST = 11  # pixels


class Badge:
    """SIMULATED, in the frame's upper left corner: a player's controls cover the lower one."""

    def __init__(self, width: int, height: int) -> None:
        size = max(_LEAST, round(min(width, height) * _SIZE))
        margin, pad = round(size * 0.9), round(size * 0.5)
        font = ImageFont.load_default(size)
        text_width = sum(font.getlength(letter) + size * 0.12 for letter in _TEXT)
        box = Image.new("L", (round(text_width) + 2 * pad, round(size * 1.25) + pad), 0)
        plate = Image.new("L", box.size, 0)
        ImageDraw.Draw(plate).rounded_rectangle((0, 0, box.width - 1, box.height - 1), radius=size * 0.4, fill=105)
        pen, x = ImageDraw.Draw(box), float(pad)
        for letter in _TEXT:  # letter by letter, since small capitals want air between them
            pen.text((x, box.height / 2), letter, fill=225, font=font, anchor="lm")
            x += font.getlength(letter) + size * 0.12
        ink, dark = np.asarray(box, np.uint16)[:, :, None], np.asarray(plate, np.uint16)[:, :, None]
        self._keep = (255 - dark) * (255 - ink) // 255
        self._add = ink
        self._at = (slice(margin, margin + box.height), slice(margin, margin + box.width))

    def draw(self, frame: npt.NDArray[np.uint8]) -> None:
        """Draw it into a frame, (height, width, 4) uint8."""
        into = frame[self._at]
        into[:] = np.minimum(into * self._keep // 255 + self._add, 255)
