"""From fetched bytes to pictures, judged by their content as a provider judges them."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from refvideo_nb.simulator.fetch import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refvideo_nb.simulator.order import Material, Order

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
# Titles that are no UTF-8 must not cost a reference; PyAV 19 reads over them by itself, and takes no word of it.
_MAJOR = int(av.__version__.partition(".")[0])
_LENIENT: dict[str, Any] = {"metadata_errors": "replace"} if _MAJOR < 19 else {}  # noqa: PLR2004 - as said
_MOST_PIXELS = 50_000_000
_WORKING_SIDE = 1280  # pixels: more than a cut-out ever shows
_LEAST_SIDE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a film is made from.

    Parameters
    ----------
    images
        The image references in order, upright, RGBA.
    frames
        "first_frame" and "last_frame", RGBA.
    video_seconds
        The length of all video references together.
    digest
        Of all the bytes: the same references make the same film.
    """

    images: tuple[Image.Image, ...]
    frames: dict[str, Image.Image]
    video_seconds: float
    digest: str


def load_sources(order: Order, data: Mapping[str, bytes]) -> Sources:
    """Decode everything that an order needs.

    Raises
    ------
    Unusable
        Naming the reference that is not what it is said to be.
    """
    digest = hashlib.sha256()
    for name in sorted(data):
        digest.update(hashlib.sha256(data[name]).digest())
    timed = {each: _length(each, data[each.name]) for each in order.references if each.kind != "image"}
    return Sources(
        images=tuple(_picture(each, data[each.name]) for each in order.images),
        frames={frame_type: _picture(each, data[each.name]) for frame_type, each in order.frames},
        video_seconds=sum(length for each, length in timed.items() if each.kind == "video"),
        digest=digest.hexdigest(),
    )


def _picture(material: Material, data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's warning about size comes before our own limit
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                if image.width * image.height > _MOST_PIXELS:
                    raise Unusable(f"{material.name} has {image.width}x{image.height} pixels, which is too many")
                image.draft("RGB", (_WORKING_SIDE, _WORKING_SIDE))
                upright = _eight_bit(ImageOps.exif_transpose(image)).convert("RGBA")
    except UnidentifiedImageError:
        raise Unusable(f"{material.name} is not an image that can be read") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Unusable(f"{material.name} is a broken image") from None
    upright.thumbnail((_WORKING_SIDE, _WORKING_SIDE))
    if min(upright.size) < _LEAST_SIDE:  # a strip or a dot: stretched, so that there is something to cut out
        upright = upright.resize((max(upright.width, _LEAST_SIDE), max(upright.height, _LEAST_SIDE)))
    return upright


def _eight_bit(image: Image.Image) -> Image.Image:
    """An image whose colours have 8 bits; Pillow itself would cut 16 bits off at white."""
    if image.mode == "CMYK":
        return image.convert("RGB")
    if image.mode[0] not in "IF":
        return image
    values = np.asarray(image, np.float32)
    most = 65535 if image.mode.startswith("I") else max(float(values.max()), 1e-6)
    return Image.fromarray(np.clip(values * (255 / most), 0, 255).astype(np.uint8))


def _length(material: Material, data: bytes) -> float:
    """Seconds of a video or audio reference, decoded to its first frame so that a broken one is found."""
    try:
        with av.open(io.BytesIO(data), "r", **_LENIENT) as container:
            streams = container.streams.video if material.kind == "video" else container.streams.audio
            if not streams or next(container.decode(streams[0]), None) is None:
                raise Unusable(f"{material.name} holds no {material.kind}")
            return (container.duration or 0) / 1_000_000
    except (av.FFmpegError, ValueError):
        raise Unusable(f"{material.name} is not {material.kind} that can be read") from None
