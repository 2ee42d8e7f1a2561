"""Small pictures for a card: thumbnails of the references, and the poster of the video.

The sanitiser drops `object-fit` and `aspect-ratio`, so that pictures are cropped
here to one ratio for all references of a card, the one that cuts least. Sizes in
bytes are bounded: a notebook is read, compared and mailed.
"""

from __future__ import annotations

import io
import sys
import tempfile
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from refvideo_nb.display.shelf import Shelf
from refvideo_nb.media.images import encode_array, thumbnail
from refvideo_nb.media.video import frames_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from refvideo_nb.core.references import Reference

__all__ = ["Box", "box_for", "data_url", "jpeg", "reference_picture", "thumbnail_url"]

_SHELF = Shelf(16_000_000)
_ALL_THUMBNAILS = 120_000  # bytes, before base64, of one card
_FEW = 3
# Up to so many references, so wide each, in a column so wide: one, two, three or four side by side.
_WIDTHS = ((_FEW, 200, 200), (8, 128, 264), (15, 82, 264), (sys.maxsize, 60, 264))
_SHARP = 2  # pixels of the picture for one of the page
_QUALITIES = (82, 70, 55, 35)


class Box(msgspec.Struct, frozen=True):
    """The room that each reference has on the page, in pixels, and the most bytes of its picture.

    `side` is the width of the column in which they stand.
    """

    width: int
    height: int
    side: int
    most_bytes: int


def box_for(references: Sequence[Reference], *, few: bool = True) -> Box:
    """One box for all references of a card: larger where there are few, of the shape that cuts least.

    Parameters
    ----------
    references : sequence of Reference
    few : bool
        Whether a few may be shown large.
    """
    count = max(len(references), 1)
    width, side = next((w, s) for most, w, s in _WIDTHS if count <= most and (few or most > _FEW))
    ratios = sorted(r.width / r.height for r in references if r.width and r.height)
    middle = ratios[len(ratios) // 2] if ratios else 4 / 3
    ratio = 4 / 3 if middle > 1.15 else 1.0 if middle > 0.87 else 3 / 4  # noqa: PLR2004 - geometric means between the three
    return Box(width, round(width / ratio), side, min(36_000, _ALL_THUMBNAILS // count))


def data_url(data: bytes, media_type: str) -> Markup:
    """A data URL; Markup, since base64 needs no escaping and may be megabytes long."""
    return Markup(f"data:{media_type};base64,{b64encode(data).decode('ascii')}")  # noqa: S704 - base64 and our own type


def thumbnail_url(reference: Reference, box: Box, read: Callable[[Reference], bytes | None]) -> Markup | None:
    """The picture of a reference as a data URL; None where there is nothing to show."""

    def make() -> bytes | None:
        picture = reference_picture(reference, read)
        if picture is None:
            return None
        return _within(
            box.most_bytes,
            lambda quality: thumbnail(picture, width=box.width * _SHARP, height=box.height * _SHARP, quality=quality),
        )

    try:
        made = _SHELF.get((reference.sha256, box), make) if reference.sha256 else make()
    except Exception:  # noqa: BLE001 - a picture that cannot be drawn must not cost the card, whatever Pillow raises
        return None
    return None if made is None else data_url(made, "image/jpeg")


def reference_picture(reference: Reference, read: Callable[[Reference], bytes | None]) -> bytes | None:
    """An encoded picture that stands for the reference; None for sound and for missing bytes."""
    if reference.kind == "audio":
        return None
    data = read(reference)
    if not data:
        return None
    return data if reference.kind == "image" else _frame_of(data, reference)


def _frame_of(data: bytes, reference: Reference) -> bytes:
    """A frame from the first second: the very first is often black."""
    with tempfile.TemporaryDirectory(prefix="refvideo-") as folder:
        path = Path(folder) / "reference"
        path.write_bytes(data)
        at = min(1.0, (reference.seconds or 0.0) / 3)
        return encode_array(frames_at(path, [at], width=640)[0], name=reference.name)


def jpeg(frame: Any, *, most_bytes: int) -> bytes:
    """A frame, ``(height, width, 3) uint8``, as JPEG of about `most_bytes` at the most."""
    from PIL import Image  # noqa: PLC0415 - a progress line must not wait for Pillow

    def encode(quality: int) -> bytes:
        out = io.BytesIO()
        Image.fromarray(frame).save(out, "JPEG", quality=quality, optimize=True, progressive=True)
        return out.getvalue()

    return _within(most_bytes, encode)


def _within(most_bytes: int, encode: Callable[[int], bytes]) -> bytes:
    """The best quality that fits; the least one where none does."""
    made = b""
    for quality in _QUALITIES:
        made = encode(quality)
        if len(made) <= most_bytes:
            break
    return made
