"""Reading reference images safely, and making them fit what a provider takes."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import TYPE_CHECKING, Any

import msgspec
from PIL import Image, ImageOps, UnidentifiedImageError

from refvideo_nb.core.catalogue import ImageLimits
from refvideo_nb.errors import BadReferenceError, one_line
from refvideo_nb.media.metadata import without_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "MOST_PIXELS",
    "Prepared",
    "encode_array",
    "encode_image",
    "is_image",
    "pixels",
    "pixels_of",
    "prepare",
    "thumbnail",
]

MOST_PIXELS = 100_000_000
"""Larger pictures are refused unread: a small file can unfold to gigabytes."""

# Pillow knows many more, some of which start other programs (EPS) or read other files.
_READ = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF", "HEIF")
_DEEP = frozenset({"I;16", "I;16B", "I;16L", "I", "F"})  # modes with more than 8 bits
_SENT_AS_IS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_QUALITIES = (92, 85, 75, 60)
_SMALLEST_SHRINK = 0.5


class Prepared(msgspec.Struct, frozen=True):
    """An image as it will be sent.

    Attributes
    ----------
    data : bytes
        The encoded file.
    media_type : str
        ``image/jpeg``, ``image/png`` or ``image/webp``.
    width, height : int
        Pixels, after the EXIF orientation was applied.
    note : str
        What was changed, or "".
    """

    data: bytes
    media_type: str
    width: int
    height: int
    note: str


def _recognise(data: bytes) -> Image.Image:
    """The picture, unread but for its head."""
    Image.preinit()
    with contextlib.suppress(UnidentifiedImageError):  # the usual kinds: all of them take a while to load
        return Image.open(io.BytesIO(data), formats=[f for f in _READ if f in Image.OPEN])
    Image.init()
    return Image.open(io.BytesIO(data), formats=[f for f in _READ if f in Image.OPEN])


def is_image(data: bytes) -> bool:
    """Whether Pillow recognises the bytes as a picture (of whatever quality)."""
    try:
        with _quiet(), _recognise(data):
            return True
    except Exception:  # noqa: BLE001 - Pillow's plugins raise whatever they like on hostile bytes
        return False


def prepare(data: bytes, *, name: str, limits: ImageLimits | None = None) -> Prepared:
    """Check an image and make it fit, changing no more than it must.

    Parameters
    ----------
    data : bytes
        The file as it came.
    name : str
        What the messages call it.
    limits : ImageLimits, optional
        The provider's; only too large pictures are made to fit.

    Returns
    -------
    Prepared

    Raises
    ------
    BadReferenceError
        Where it is empty, no picture, cut off, or too large to be read.
    """
    limits = limits or ImageLimits()
    if not data:
        raise _bad(name, "is empty (0 bytes): give another file")
    if data[:256].lstrip().lower().startswith((b"<svg", b"<?xml")):
        raise _bad(name, "is an SVG drawing, which providers do not take: export it as PNG")
    image, kind, changes = _open(data, name)
    scale = min(1.0, limits.max_side / max(image.size)) if limits.max_side else 1.0
    if scale < 1:
        changes.append(f"{image.width}x{image.height} made smaller for the provider")
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    fits = limits.max_bytes is None or len(data) <= limits.max_bytes
    if not changes and fits and kind in _SENT_AS_IS and image.mode in {"RGB", "RGBA", "L", "P", "LA"}:
        # Nobody who sends a picture means to send where it was taken.
        return Prepared(without_metadata(data), _SENT_AS_IS[kind], image.width, image.height, "")
    if not changes and fits:
        changes.append(f"{kind} {image.mode} written as an ordinary picture")
    try:
        encoded, media_type, (width, height) = _encode(image, limits.max_bytes, lossless=kind not in {"JPEG", "MPO"})
    except ValueError:
        raise _bad(name, f"cannot be made as small as the provider's {limits.max_bytes} bytes") from None
    if not fits:
        changes.append(f"{len(encoded) / 1e6:.1f} MB instead of {len(data) / 1e6:.1f} MB")
    if (width, height) != image.size:
        changes.append(f"{width}x{height} instead of {image.width}x{image.height}")
    return Prepared(encoded, media_type, width, height, ", ".join(changes))


def pixels(data: bytes, *, name: str) -> NDArray[np.uint8]:
    """An image as an array, upright; what is transparent lies on white.

    Returns
    -------
    ndarray
        ``(height, width, 3)`` uint8, RGB.

    Raises
    ------
    BadReferenceError
        As of `prepare`.
    """
    import numpy as np  # noqa: PLC0415 - slow to import; who sends pictures does not need it

    return np.asarray(_flat(_open(data, name)[0]))


def pixels_of(data: bytes) -> bytes:
    """What the pixels of a file are, however they were compressed; for a file that was encoded here."""
    with _recognise(data) as image:
        what = repr((image.mode, image.size, image.info.get("icc_profile"), image.info.get("transparency")))
        return what.encode() + image.tobytes()


def _open(data: bytes, name: str) -> tuple[Image.Image, str, list[str]]:
    """The picture, upright and with 8 bits, its format, and what was done to it."""
    try:
        with _quiet():
            image = _recognise(data)
            if image.width * image.height > MOST_PIXELS:
                pixels = f"{image.width}x{image.height} pixels"
                raise _bad(name, f"has {pixels}; at most {MOST_PIXELS / 1e6:g} million are read")
            kind, animated = image.format or "?", bool(getattr(image, "is_animated", False))
            # A multi-picture JPEG from a phone is one photograph with a preview behind it.
            animated = animated and kind != "MPO"
            turned = image.getexif().get(0x0112) in range(2, 9)  # asked first: a TIFF is turned as it is loaded
            image.load()
            upright = ImageOps.exif_transpose(image)
            deep = upright.mode in _DEEP
            if deep:
                upright = _eight_bit(upright)
    except BadReferenceError:
        raise
    except UnidentifiedImageError:  # its own text names a Python object
        raise _bad(name, "is no picture that can be read: give a JPEG, PNG or WebP file") from None
    except Image.DecompressionBombError:
        raise _bad(name, f"unfolds to more than {MOST_PIXELS / 1e6:g} million pixels, which is refused") from None
    except Exception as error:  # noqa: BLE001 - Pillow's plugins raise whatever they like on hostile bytes
        raise _bad(
            name, f"is damaged or cut off ({one_line(error, limit=80)}): give a JPEG, PNG or WebP file"
        ) from None
    done = (("turned upright", turned), ("first frame of an animation", animated), ("made 8 bits deep", deep))
    return upright, kind, [what for what, on in done if on]


def _eight_bit(image: Image.Image) -> Image.Image:
    """Grey with more than 8 bits, scaled to 0…255 (Pillow's own conversion clips)."""
    import numpy as np  # noqa: PLC0415 - numpy is slow to import and rarely needed here

    values = np.asarray(image).astype(np.float64)
    values = np.nan_to_num(values)
    # Fractions from 0 to 1, bytes, or 16 bits: the largest value tells which.
    fractions = image.mode == "F" and values.max() <= 1
    top = 1.0 if fractions else 255.0 if values.max() <= 255 else 65535.0  # noqa: PLR2004 - as said
    return Image.fromarray((values.clip(0, top) * (255 / top)).round().astype(np.uint8))


def _encode(image: Image.Image, most: int | None, *, lossless: bool) -> tuple[bytes, str, tuple[int, int]]:
    """The file, its type, and the size that it came to."""
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    if lossless:
        data = encode_image(image.convert("RGBA" if has_alpha else "RGB"))
        if most is None or len(data) <= most:
            return data, "image/png", image.size
    flat = _flat(image)
    # Colours of a wide-gamut photograph are wrong without its profile; that of a CMYK one is not for RGB.
    profile = image.info.get("icc_profile") if image.mode in {"RGB", "RGBA"} else None
    while True:
        for quality in _QUALITIES:
            out = io.BytesIO()
            flat.save(out, "JPEG", quality=quality, optimize=True, icc_profile=profile)
            if most is None or out.tell() <= most:
                return out.getvalue(), "image/jpeg", flat.size
        if flat.size == (1, 1):
            raise ValueError(most)
        half = (max(1, int(flat.width * _SMALLEST_SHRINK)), max(1, int(flat.height * _SMALLEST_SHRINK)))
        flat = flat.resize(half, Image.Resampling.LANCZOS)


def _flat(image: Image.Image) -> Image.Image:
    """RGB, transparency laid on white."""
    if "A" in image.getbands() or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(ground, rgba).convert("RGB")
    return image.convert("RGB")


def encode_image(image: Image.Image) -> bytes:
    """A Pillow image as PNG bytes, upright and with 8 bits."""
    out = io.BytesIO()
    profile = image.info.get("icc_profile") if image.mode in {"RGB", "RGBA"} else None
    image = ImageOps.exif_transpose(image)
    if image.mode in _DEEP:
        image = _eight_bit(image)
    elif image.mode not in {"RGB", "RGBA", "L", "LA"}:
        image = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
    image.save(out, "PNG", compress_level=4, icc_profile=profile)
    return out.getvalue()


def encode_array(array: NDArray[np.uint8] | Any, *, name: str) -> bytes:
    """An array as PNG bytes.

    Parameters
    ----------
    array : array_like
        ``(height, width, 3)``, ``(height, width, 4)`` or ``(height, width)``, uint8.

    Raises
    ------
    BadReferenceError
        Naming the shape and type that it has instead.
    """
    import numpy as np  # noqa: PLC0415 - only who passes arrays pays for the import

    values = np.asarray(array)
    shape_ok = values.ndim == 2 or (values.ndim == 3 and values.shape[2] in {3, 4})  # noqa: PLR2004 - grey, RGB, RGBA
    if shape_ok and values.shape[0] * values.shape[1] > MOST_PIXELS:
        raise _bad(
            name, f"has {values.shape[1]}x{values.shape[0]} pixels; at most {MOST_PIXELS / 1e6:g} million are taken"
        )
    if values.dtype != np.uint8 or not shape_ok or 0 in values.shape:
        raise _bad(
            name,
            f"is an array of shape {values.shape} and type {values.dtype}; "
            "allowed: (height, width, 3) uint8, values 0 to 255",
        )
    return encode_image(Image.fromarray(np.ascontiguousarray(values)))


def thumbnail(data: bytes, *, width: int, height: int, quality: int = 82) -> bytes:
    """A JPEG that fills `width` x `height` pixels; what is cropped is cropped more below, since faces are above."""
    with _quiet():
        source = Image.open(io.BytesIO(data))
        source.draft("RGB", (width * 2, height * 2))
        image = _flat(ImageOps.exif_transpose(source))
    out = io.BytesIO()
    ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS, centering=(0.5, 0.25)).save(
        out, "JPEG", quality=quality, optimize=True, progressive=True
    )
    return out.getvalue()


def _bad(name: str, why: str) -> BadReferenceError:
    return BadReferenceError(f"reference {one_line(name, limit=80)!r} {why}", field="references", value=name)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Pillow's warnings about odd files are ours to judge, not the notebook's to print."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
