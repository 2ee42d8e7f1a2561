"""A comparison as one still picture: the references, and a row of frames for each video.

It is what a viewer shows that keeps no HTML, so that it carries names, times and settings
itself, on its own quiet ground.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image, ImageColor, ImageDraw, ImageFont

from refvideo_nb.display.page import harmless
from refvideo_nb.media.images import thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from refvideo_nb.display.differences import Phrase

__all__ = ["Row", "draw_comparison"]

_GROUND, _TEXT, _QUIET, _BLANK, _MARKED = "#18181b", "#f4f4f5", "#a1a1aa", "#27272a", "#1e40af"
_MARGIN, _GAP, _LINE = 16, 8, 22
_WIDTH = 960
_TILE = (108, 81)
_MOST_BYTES = 250_000
# Fewer colours first, then fewer pixels, until it fits.
_TRIES = ((256, 1.0), (128, 1.0), (64, 1.0), (64, 0.75), (64, 0.5), (32, 0.35))


class Row(NamedTuple):
    """A video.

    Attributes
    ----------
    letter, name : str
        What it is called.
    said, prompt : sequence of Phrase
        What is said of it, and its prompt where it has one of its own; what is marked stands out.
    frames : sequence of ndarray
        ``(height, width, 3)`` uint8 each.
    times : sequence of float
        Their seconds.
    """

    letter: str
    name: str
    said: Sequence[Phrase]
    prompt: Sequence[Phrase]
    frames: Sequence[NDArray[np.uint8]]
    times: Sequence[float]


def draw_comparison(
    rows: Sequence[Row],
    references: Sequence[tuple[str, str, bytes | None]] = (),
    *,
    prompt: Sequence[Phrase] = (),
) -> bytes:
    """Draw the sheet.

    Parameters
    ----------
    rows : sequence of Row
    references : sequence of (str, str, bytes or None)
        Name, colour and encoded picture.
    prompt : sequence of Phrase
        The prompt that all share.

    Returns
    -------
    bytes
        A PNG, 960 pixels wide or less, of about 250 kB at the most.
    """
    per_row = (_WIDTH - 2 * _MARGIN + _GAP) // (_TILE[0] + _GAP)
    shelf = _LINE + -(-len(references) // per_row) * (_TILE[1] + _LINE + _GAP) + _GAP if references else 0
    cells = [_cell(row) for row in rows]
    heights = [(3 if row.prompt else 2) * _LINE + tall + _GAP for row, (_, tall) in zip(rows, cells, strict=True)]
    head = _LINE + _GAP if prompt else 0
    sheet = Image.new("RGB", (_WIDTH, 2 * _MARGIN + shelf + head + sum(heights)), _GROUND)
    pen = ImageDraw.Draw(sheet)
    if references:
        _write(pen, (_MARGIN, _MARGIN), "REFERENCES", most=_WIDTH, size=11)
    for index, (name, colour, data) in enumerate(references):
        x = _MARGIN + index % per_row * (_TILE[0] + _GAP)
        y = _MARGIN + _LINE + index // per_row * (_TILE[1] + _LINE + _GAP)
        _paste(sheet, data, (x, y))
        reach = _write(pen, (x, y + _TILE[1] + 4), name, most=_TILE[0], colour=_TEXT)
        pen.rectangle((x, y + _TILE[1] + 20, x + reach, y + _TILE[1] + 21), fill=colour)
    _phrases(pen, (_MARGIN, _MARGIN + shelf), prompt, colour=_TEXT)
    top = _MARGIN + shelf + head
    for row, (wide, tall), height in zip(rows, cells, heights, strict=True):
        reach = _write(pen, (_MARGIN, top), f"{row.letter}  {row.name}", most=_WIDTH // 2, colour=_TEXT)
        left = _MARGIN + reach + 2 * _GAP
        _phrases(pen, (left, top), row.said)
        if row.prompt:
            _phrases(pen, (_MARGIN, top + _LINE), row.prompt, colour=_TEXT)
        under = top + (2 if row.prompt else 1) * _LINE
        for index, (frame, time) in enumerate(zip(row.frames, row.times, strict=True)):
            x = _MARGIN + index * (wide + _GAP)
            sheet.paste(Image.fromarray(frame).resize((wide, tall), Image.Resampling.LANCZOS), (x, under))
            _write(pen, (x, under + tall + 3), f"{time:.1f} s", most=wide)
        top += height
    return _encode(sheet, [colour for _, colour, _ in references])


def _cell(row: Row) -> tuple[int, int]:
    """Width and height of a frame in its row."""
    count = len(row.frames)
    wide = (_WIDTH - 2 * _MARGIN - (count - 1) * _GAP) // count
    height, width = row.frames[0].shape[:2]
    return wide, max(1, round(wide * height / width))


def _paste(sheet: Image.Image, data: bytes | None, at: tuple[int, int]) -> None:
    """A reference's picture; a blank where there is none."""
    try:
        picture = Image.open(io.BytesIO(thumbnail(data or b"", width=_TILE[0], height=_TILE[1], quality=90)))
    except Exception:  # noqa: BLE001 - one picture that cannot be read must not cost the sheet
        sheet.paste(_BLANK, (*at, at[0] + _TILE[0], at[1] + _TILE[1]))
    else:
        sheet.paste(picture, at)


def _write(
    pen: ImageDraw.ImageDraw, at: tuple[int, int], text: str, *, most: int, size: int = 13, colour: str = _QUIET
) -> int:
    """Write one line, cut to `most` pixels; its width."""
    font: Any = ImageFont.load_default(size=size)
    whole = shown = " ".join(harmless(text[:300]).splitlines())
    while shown and pen.textlength(shown, font=font) > most:
        whole = whole[:-1]
        shown = f"{whole}…" if whole else ""
    pen.text(at, shown, font=font, fill=colour)
    return round(pen.textlength(shown, font=font))


def _phrases(pen: ImageDraw.ImageDraw, at: tuple[int, int], phrases: Sequence[Phrase], *, colour: str = _QUIET) -> None:
    """Write one line of phrases up to the margin; the marked ones on a ground of their own."""
    x, y = at
    font: Any = ImageFont.load_default(size=13)
    for phrase in phrases:
        most = _WIDTH - _MARGIN - x
        text = harmless(phrase.text).replace("\n", " ")
        if most < _LINE or not text:
            return
        if phrase.marked:
            reach = min(most, pen.textlength(text[:300], font=font))
            pen.rounded_rectangle((x - 2, y - 1, x + reach + 2, y + 17), radius=3, fill=_MARKED)
        # A space at an end has its width, too.
        wide = pen.textlength(text[:300], font=font)
        reach = _write(pen, (x, y), text, most=most, colour=_TEXT if phrase.marked else colour)
        x += round(wide) if wide <= most else reach
        if wide > most:
            return


def _encode(sheet: Image.Image, colours: Sequence[str]) -> bytes:
    """A PNG with as many colours and pixels as fit."""
    kept = [ImageColor.getrgb(c)[:3] for c in dict.fromkeys((_GROUND, _TEXT, _MARKED, *colours))]
    data = b""
    for count, scale in _TRIES:
        size = (round(sheet.width * scale), round(sheet.height * scale))
        full = sheet if scale == 1 else sheet.resize(size, Image.Resampling.LANCZOS)
        few = full.resize((max(1, full.width // 4), max(1, full.height // 4)), Image.Resampling.NEAREST)
        palette = few.quantize(count - len(kept), method=Image.Quantize.FASTOCTREE)
        # Thin lines vanish in the small copy: their colours are kept by name.
        chosen = (palette.getpalette() or [])[: 3 * (count - len(kept))]
        palette.putpalette([*chosen, *(c for rgb in kept for c in rgb)])
        out = io.BytesIO()
        full.quantize(palette=palette, dither=Image.Dither.NONE).save(out, "PNG")
        data = out.getvalue()
        if len(data) <= _MOST_BYTES:
            break
    return data
