"""Taking out of an image file what is no picture: where and when it was taken, with what, and by whom.

The picture itself is not encoded anew: the same bytes stay, without the parts that
hold EXIF (GPS among it), XMP, IPTC, comments, previews and whatever stands behind the
end. Colour profiles stay. The parts are those of ITU-T T.81 (JPEG), of the PNG
specification (3rd edition) and of the WebP container specification.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["without_metadata"]

_SOI, _EOI, _SOS, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_RESTARTS = range(0xD0, 0xD8)
_APPLICATION = range(0xE0, 0xF0)
_TEXT_CHUNKS = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"}
_WEBP_METADATA = {b"EXIF", b"XMP "}
_WEBP_FLAGS = 0x08 | 0x04  # that there is EXIF, and XMP
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def without_metadata(data: bytes) -> bytes:
    """The same picture, of the same encoding, without metadata.

    Parameters
    ----------
    data : bytes
        A JPEG, PNG or WebP file. What is none of them, or not built as such a file is,
        comes back unchanged.
    """
    try:
        if data.startswith(b"\xff\xd8"):
            return b"".join(_jpeg(data))
        if data.startswith(_PNG_HEAD):
            return b"".join(_png(data))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError, ValueError):
        pass  # readers forgive more than is written here: the picture matters more
    return data


def _jpeg(data: bytes) -> Iterator[bytes]:
    yield data[:2]
    at = 2
    while True:
        if data[at] != 0xFF:  # noqa: PLR2004 - what every marker begins with
            raise ValueError(at)
        while data[at + 1] == 0xFF:  # noqa: PLR2004 - markers may be padded with it
            at += 1
        marker = data[at + 1]
        if marker == _EOI:
            yield data[at : at + 2]
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        end = at + 2 + length
        if length < 2 or end > len(data):  # noqa: PLR2004 - the length counts itself
            raise ValueError(at)
        if marker == _SOS:
            end = _scan_end(data, end)
        if _shows(marker, data[at + 4 : at + 18]):
            yield data[at:end]
        at = end


def _scan_end(data: bytes, at: int) -> int:
    """Where the next marker stands behind compressed data."""
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] and data[at + 1] not in _RESTARTS:
            return at
        at += 2


def _shows(marker: int, start: bytes) -> bool:
    """Whether a segment has to do with what is seen."""
    if marker == _COMMENT:
        return False
    if marker in _APPLICATION:
        # JFIF, a colour profile, Adobe's colour transform.
        return marker == 0xE0 or start.startswith((b"ICC_PROFILE\0", b"Adobe"))  # noqa: PLR2004 - APP0
    return True


def _png(data: bytes) -> Iterator[bytes]:
    yield _PNG_HEAD
    at, kind = len(_PNG_HEAD), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ValueError(at)
        if kind not in _TEXT_CHUNKS:
            yield data[at:end]
        at = end


def _webp(data: bytes) -> bytes:
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise ValueError(size)
    kept, at = [], 12
    while at < size + 8:
        kind, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        if end > size + 8:
            raise ValueError(at)
        chunk = data[at:end]
        if kind == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_FLAGS & 0xFF]) + chunk[9:]
        if kind not in _WEBP_METADATA:
            kept.append(chunk)
        at = end
    body = b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
