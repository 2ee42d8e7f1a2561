"""The contact sheet as a figure for print: lengths in points, dark text on white, every colour kept.

`refvideo_nb.display.contact` draws much the same for a screen, in pixels and with few colours,
since a notebook must stay small; on paper its text would be three points high.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from PIL import Image, ImageDraw, ImageFont

from refvideo_nb.display.contact import frame_times
from refvideo_nb.display.page import harmless
from refvideo_nb.media.images import thumbnail
from refvideo_nb.media.video import frames_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from refvideo_nb.display.sides import Seen

__all__ = ["Strip", "figure"]

_GROUND, _TEXT, _QUIET, _BLANK = "#ffffff", "#18181b", "#52525b", "#e4e4e7"
_HEADING, _SIZE, _LINE = 6.5, 7.5, 12.0  # points: of small capitals, of other text, and from line to line
_GAP, _RULE = 4.0, 1.0
_WIDE, _ROW = 3, 6  # frames side by side: of a wide video that is alone, and of others
_SQUARE = 0.9  # width by height; what is narrower is upright
_FEW = 3  # references that stand under each other
_SHARES = (0.16, 0.26)  # of the width, for one and for two references in a row


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """A video in the figure.

    Attributes
    ----------
    video : pathlib.Path
    seconds : float
        How long it is.
    width, height : int
        Pixels of its frames.
    name : str
        Above its frames; a word of ours without it.
    caption : str
        One line under them.
    """

    video: Path
    seconds: float
    width: int
    height: int
    name: str = ""
    caption: str = ""


class _Grid(msgspec.Struct, frozen=True):
    """How the frames of a strip stand: `across` in a row, each `wide` × `tall`; `height` is with all lines of text."""

    across: int
    wide: int
    tall: int
    height: int


def figure(strips: Sequence[Strip], *, references: Sequence[Seen] = (), width: int, dpi: int) -> bytes:
    """References on the left, evenly spaced frames of each video with their times on the right.

    Parameters
    ----------
    strips : sequence of Strip
        At least one.
    references : sequence of Seen
    width : int
        Pixels; the height follows.
    dpi : int
        Dots per inch, which the file names too.

    Returns
    -------
    bytes
        A PNG, the same for the same input.
    """

    def px(points: float) -> int:
        return max(1, round(points * dpi / 72))

    gap, line = px(_GAP), px(_LINE)
    per_row = 1 if len(references) <= _FEW else 2
    side = round(width * _SHARES[per_row - 1]) if references else 0
    left = side + 2 * gap if references else 0
    small = (side - (per_row - 1) * gap) // per_row
    low = round(small * 3 / 4)
    shelf = -(-len(references) // per_row) * (low + line + gap)

    def grid(strip: Strip, across: int) -> _Grid:
        wide = max(1, (width - left - (across - 1) * gap) // across)
        tall = max(1, round(wide * strip.height / strip.width))
        rows = -(-_ROW // across)
        return _Grid(across, wide, tall, rows * (tall + line) + (2 if strip.caption else 1) * line)

    def best(strip: Strip) -> _Grid:
        few = grid(strip, _WIDE)
        alone = len(strips) == 1
        # Upright frames stand in one row, unless the references beside them leave room for more.
        fits = strip.width > _SQUARE * strip.height or few.height <= shelf
        return few if alone and fits else grid(strip, _ROW)

    grids = [best(strip) for strip in strips]
    height = max(line + shelf, sum(g.height for g in grids) + (len(grids) - 1) * gap)
    sheet = Image.new("RGB", (width, height), _GROUND)
    pen = _Pen(sheet, dpi)
    if references:
        pen.write((0, 0), "REFERENCES", most=side, points=_HEADING)
    for index, seen in enumerate(references):
        x, y = index % per_row * (small + gap), line + index // per_row * (low + line + gap)
        pen.picture(seen.data, (x, y, small, low))
        reach = pen.write((x, y + low + px(2)), seen.name, most=small, colour=_TEXT)
        pen.rule((x, y + low + line), reach, px(_RULE), seen.colour)
    y = 0
    for strip, shape in zip(strips, grids, strict=True):
        if strip.name:
            pen.write((left, y), strip.name, most=width - left, colour=_TEXT)
        else:
            pen.write((left, y), "RESULT", most=width - left, points=_HEADING)
        times = frame_times(strip.seconds, _ROW)
        for index, (frame, time) in enumerate(zip(frames_at(strip.video, times, width=shape.wide), times, strict=True)):
            x, top = left + index % shape.across * (shape.wide + gap), index // shape.across * (shape.tall + line)
            pen.frame(frame, (x, y + line + top, shape.wide, shape.tall))
            pen.write((x, y + line + top + shape.tall + px(2)), f"{time:.1f} s", most=shape.wide)
        if strip.caption:
            pen.write((left, y + shape.height - line + px(2)), strip.caption, most=width - left)
        y += shape.height + gap
    out = io.BytesIO()
    sheet.save(out, "PNG", dpi=(dpi, dpi), compress_level=9)
    return out.getvalue()


class _Pen:
    """What is drawn on a sheet of some resolution."""

    def __init__(self, sheet: Image.Image, dpi: int) -> None:
        self._sheet, self._draw, self._dpi = sheet, ImageDraw.Draw(sheet), dpi

    def write(self, at: tuple[int, int], text: str, *, most: int, points: float = _SIZE, colour: str = _QUIET) -> int:
        """Write one line, cut to `most` pixels; its width."""
        font: Any = ImageFont.load_default(size=points * self._dpi / 72)
        whole = shown = " ".join(harmless(text[:300]).split())
        while shown and self._draw.textlength(shown, font=font) > most:
            whole = whole[:-1]
            shown = f"{whole}…" if whole else ""
        self._draw.text(at, shown, font=font, fill=colour)
        return round(self._draw.textlength(shown, font=font))

    def rule(self, at: tuple[int, int], length: int, height: int, colour: str) -> None:
        """A line under a name."""
        self._draw.rectangle((*at, at[0] + length, at[1] + height - 1), fill=colour)

    def frame(self, frame: NDArray[np.uint8], box: tuple[int, int, int, int]) -> None:
        """A frame, ``(height, width, 3) uint8``, in a box of its ratio."""
        x, y, width, height = box
        self._sheet.paste(Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS), (x, y))

    def picture(self, data: bytes | None, box: tuple[int, int, int, int]) -> None:
        """A picture, cropped into a box; a blank where there is none."""
        x, y, width, height = box
        try:
            picture = Image.open(io.BytesIO(thumbnail(data or b"", width=width, height=height, quality=95)))
            self._sheet.paste(picture, (x, y))
        except Exception:  # noqa: BLE001 - one picture that cannot be read must not cost the sheet
            self._sheet.paste(_BLANK, (x, y, x + width, y + height))
