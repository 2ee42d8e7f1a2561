"""The contact sheet: references and frames of the video as one still picture.

It is what a viewer shows that keeps no HTML (a repository's web page, a mail), so
that it carries names, times and settings itself, on its own quiet ground.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from refvideo_nb.display.page import harmless
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.media.images import thumbnail
from refvideo_nb.media.video import frames_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image, ImageDraw

__all__ = ["CELL", "contact_sheet", "draw_sheet", "frame_times"]

CELL = 320  # pixels; no frame of a sheet of the usual width is drawn wider

_GROUND, _TEXT, _QUIET = "#18181b", "#f4f4f5", "#a1a1aa"
_MARGIN, _GAP, _LINE = 16, 8, 22
_FRAMES = 6
_WIDTH = 960
_MOST_BYTES = 130_000  # of a sheet of that width; a wider one may be larger
# Fewer colours first, then fewer pixels, until it fits: only noise gets to the end.
_TRIES = ((256, 1.0), (128, 1.0), (64, 1.0), (64, 0.75), (64, 0.5))


def frame_times(seconds: float, count: int = _FRAMES) -> list[float]:
    """Evenly spaced times, each in the middle of its share of the clip.

    Examples
    --------
    >>> frame_times(4, 2)
    [1.0, 3.0]
    """
    return [seconds * (n + 0.5) / count for n in range(count)]


def contact_sheet(
    video: Path,
    *,
    seconds: float,
    references: Sequence[tuple[str, bytes]] = (),
    columns: int | None = None,
    width: int = _WIDTH,
    caption: str = "",
) -> bytes:
    """References on the left, evenly spaced frames with their times on the right.

    Parameters
    ----------
    video : pathlib.Path
    seconds : float
        How long it is.
    references : sequence of (str, bytes)
        Name and encoded picture, in the order of the request.
    columns : int, optional
        Frames in a row; without it as many as suit their shape.
    width : int
        Of the sheet, in pixels; the height follows.
    caption : str
        One line under it.

    Returns
    -------
    bytes
        A PNG.
    """
    times = frame_times(seconds)
    frames = frames_at(video, times, width=480)
    return draw_sheet(frames, times, references=references, columns=columns, width=width, caption=caption)


def draw_sheet(
    frames: Sequence[NDArray[np.uint8]],
    times: Sequence[float],
    *,
    references: Sequence[tuple[str, bytes]] = (),
    columns: int | None = None,
    width: int = _WIDTH,
    caption: str = "",
) -> bytes:
    """The same from frames, ``(height, width, 3) uint8`` each, that are there already."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - a progress line must not wait for Pillow

    ratio = frames[0].shape[1] / frames[0].shape[0]
    across = max(1, min(columns or (3 if ratio > 0.9 else 6), len(frames)))  # noqa: PLR2004 - upright frames are narrow
    side = 0 if not references else min(180 if len(references) <= 2 else 240, width // 4)  # noqa: PLR2004 - as below
    left = _MARGIN + (side + 2 * _GAP if side else 0)
    cell = (width - left - _MARGIN - (across - 1) * _GAP) // across
    tall = max(1, round(cell / ratio))
    rows = -(-len(frames) // across)
    top = _MARGIN + _LINE
    bottom = top + rows * (tall + _LINE + _GAP) - _GAP
    per_row = 1 if len(references) <= 2 else 2 if len(references) <= 6 else 3  # noqa: PLR2004 - what fits beside two rows of frames
    small = (side - (per_row - 1) * _GAP) // per_row if side else 0
    small_tall = round(small * 3 / 4)
    shelf = top + -(-len(references) // per_row) * (small_tall + _LINE + _GAP) - _GAP
    height = max(bottom, shelf) + (_LINE + _GAP if caption else 0) + _MARGIN
    sheet = Image.new("RGB", (width, height), _GROUND)
    draw = ImageDraw.Draw(sheet)
    if references:
        _write(draw, (_MARGIN, _MARGIN), "REFERENCES", most=side, size=11)
    _write(draw, (left, _MARGIN), "RESULT", most=width - left, size=11)
    for index, (name, data) in enumerate(references):
        x = _MARGIN + index % per_row * (small + _GAP)
        y = top + index // per_row * (small_tall + _LINE + _GAP)
        if not _paste(sheet, data, (x, y, small, small_tall)):
            _write(draw, (x + 8, y + small_tall // 2 - 8), "no picture", most=small - 8)
        reach = _write(draw, (x, y + small_tall + 4), name, most=small, colour=_TEXT)
        draw.rectangle((x, y + small_tall + 20, x + reach, y + small_tall + 21), fill=reference_colour(index))
    for index, (frame, time) in enumerate(zip(frames, times, strict=True)):
        x, y = left + index % across * (cell + _GAP), top + index // across * (tall + _LINE + _GAP)
        sheet.paste(Image.fromarray(frame).resize((cell, tall), Image.Resampling.LANCZOS), (x, y))
        _write(draw, (x, y + tall + 4), f"{time:.1f} s", most=cell)
    if caption:
        _write(draw, (left, height - _MARGIN - 14), caption, most=width - left - _MARGIN, colour=_TEXT)
    return _encode(sheet, [reference_colour(n) for n in range(len(references))])


def _paste(sheet: Image.Image, data: bytes, box: tuple[int, int, int, int]) -> bool:
    """Put a picture, cropped, into a box; False leaves a blank."""
    from PIL import Image  # noqa: PLC0415 - see above

    x, y, width, height = box
    try:
        picture = thumbnail(data, width=width, height=height, quality=90)
    except Exception:  # noqa: BLE001 - one picture that cannot be read must not cost the sheet
        sheet.paste("#27272a", (x, y, x + width, y + height))
        return False
    sheet.paste(Image.open(io.BytesIO(picture)), (x, y))
    return True


def _write(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, *, most: int, size: int = 13, colour: str = _QUIET
) -> int:
    """Write one line, cut to `most` pixels; its width."""
    from PIL import ImageFont  # noqa: PLC0415 - see above

    font: Any = ImageFont.load_default(size=size)
    text = " ".join(harmless(text[:300]).split())
    whole = text
    while text and draw.textlength(text if text == whole else text + "…", font=font) > most:
        text = text[:-1]
    shown = text if text == whole else text + "…"
    draw.text(at, shown, font=font, fill=colour)
    return round(draw.textlength(shown, font=font))


def _encode(sheet: Image.Image, lines: Sequence[str]) -> bytes:
    """A PNG with as many colours as its room in bytes allows."""
    from PIL import Image, ImageColor  # noqa: PLC0415 - see above

    kept = [ImageColor.getrgb(c)[:3] for c in dict.fromkeys((_GROUND, _TEXT, *lines))]
    most = _MOST_BYTES * max(1.0, sheet.width / _WIDTH) ** 2
    data = b""
    for colours, scale in _TRIES:
        size = (round(sheet.width * scale), round(sheet.height * scale))
        full = sheet if scale == 1 else sheet.resize(size, Image.Resampling.LANCZOS)
        # The palette is chosen on a small copy and every pixel mapped to its nearest colour:
        # as good as the slow methods (an error of 3 in 255) in a fiftieth of their time.
        few = full.resize((max(1, full.width // 6), max(1, full.height // 6)), Image.Resampling.NEAREST)
        palette = few.quantize(colours - len(kept), method=Image.Quantize.FASTOCTREE)
        chosen = palette.getpalette() or []
        # Thin lines vanish in the small copy: their colours are kept by name.
        palette.putpalette([*chosen[: 3 * (colours - len(kept))], *(c for rgb in kept for c in rgb)])
        out = io.BytesIO()
        full.quantize(palette=palette, dither=Image.Dither.NONE).save(out, "PNG")
        data = out.getvalue()
        if len(data) <= most:
            break
    return data
