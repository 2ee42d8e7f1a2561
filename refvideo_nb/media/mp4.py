"""Whether an H.264 or HEVC film in MP4 is whole, by its own tables: every frame is where it says, and has its parts.

Such a film lists its frames, and each of them is a row of units that say their lengths. A file that
was cut, shifted, overwritten or filled with zeros breaks that chain; all of it is followed here, for a
hundredth of what decoding costs. What this file does not know is left to the decoder.
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Tracks", "look"]

# What a track's entry is called, the box in it that sets the decoder up, where that says how long lengths are.
_CODECS = {
    b"avc1": ("h264", b"avcC", 4),
    b"avc3": ("h264", b"avcC", 4),
    b"hvc1": ("hevc", b"hvcC", 21),
    b"hev1": ("hevc", b"hvcC", 21),
}
_SAMPLE_ENTRY = 86  # bytes from the start of a video track's entry to the boxes inside it
_MOST = 2_000_000  # frames of a track that are followed; whoever says more is left to the decoder


class _UnknownError(Exception):
    """Something that is not followed here."""


class Tracks(msgspec.Struct, frozen=True):
    """What the tables say of the first video track.

    Attributes
    ----------
    codec : str
        ``"h264"`` or ``"hevc"``.
    config, first : bytes
        What the decoder is set up with, and the first frame.
    frames : int
    seconds : float
    audio : bool
        Whether there is a sound track.
    problem : str
        The first thing that does not fit; empty where all does.
    """

    codec: str
    config: bytes
    first: bytes
    frames: int
    seconds: float
    audio: bool
    problem: str = ""

    def __repr__(self) -> str:
        return f"Tracks({self.codec!r}, {self.frames} frames, {self.seconds:g} s, {self.problem!r})"


def look(path: Path) -> Tracks | None:
    """Follow the tables of a film through the whole file; None where it is of another kind.

    Raises
    ------
    OSError
    """
    with path.open("rb") as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _look(data)
        except (_UnknownError, struct.error, ValueError):  # an empty file cannot be mapped
            return None


def _look(data: mmap.mmap) -> Tracks:
    top = dict(_boxes(data, 0, len(data)))
    if b"ftyp" not in top or b"moov" not in top or b"moof" in top:
        raise _UnknownError
    tracks: dict[bytes, tuple[int, int]] = {}
    problem = ""
    for kind, (start, end) in _boxes(data, *top[b"moov"]):
        if kind == b"mvex":
            raise _UnknownError  # a film in fragments keeps its tables elsewhere
        if kind != b"trak":
            continue
        track = _within(data, start, end, b"mdia")
        handler = _within(data, *track, b"hdlr")[0]
        tracks.setdefault(data[handler + 8 : handler + 12], track)
    if b"vide" not in tracks:
        raise _UnknownError
    head, table = (_within(data, *tracks[b"vide"], *names) for names in ((b"mdhd",), (b"minf", b"stbl")))
    codec, config, length = _codec(data, *_within(data, *table, b"stsd"))
    frames = list(_samples(data, *table))
    sounds = list(_samples(data, *_within(data, *tracks[b"soun"], b"minf", b"stbl"))) if b"soun" in tracks else []
    if any(at + size > len(data) for at, size in (*frames, *sounds)):
        problem = "its end is missing"
    else:
        broken = (n for n, (at, size) in enumerate(frames, 1) if not _is_chain(data, at, at + size, length))
        if number := next(broken, 0):
            problem = f"frame {number} of {len(frames)} is damaged"
    at, size = frames[0]
    return Tracks(
        codec, config, data[at : at + size], len(frames), _seconds(data, head[0], *table), bool(sounds), problem=problem
    )


def _boxes(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Each box between two places: its name, and where its content begins and ends."""
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, start + 8), 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            raise _UnknownError
        yield name, (start + head, start + size)
        start += size


def _within(data: mmap.mmap, start: int, end: int, *names: bytes) -> tuple[int, int]:
    """The content of the first box of this name, or along a path of names."""
    for name in names:
        for kind, found in _boxes(data, start, end):
            if kind == name:
                start, end = found
                break
        else:
            raise _UnknownError
    return start, end


def _seconds(data: mmap.mmap, head: int, start: int, end: int) -> float:
    """How long all frames stand; what the head of a track announces may count the delay of reordering in."""
    (scale,) = struct.unpack_from(">20xI" if data[head] else ">12xI", data, head)
    at, _ = _within(data, start, end, b"stts")
    (runs,) = struct.unpack_from(">4xI", data, at)
    ticks = sum(count * each for count, each in struct.iter_unpack(">II", data[at + 8 : at + 8 + 8 * runs]))
    if not scale or not ticks:
        raise _UnknownError
    return float(ticks / scale)


def _samples(data: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where each frame begins, and its length."""
    table = dict(_boxes(data, start, end))
    if b"stsz" not in table or b"stsc" not in table or not (b"stco" in table or b"co64" in table):
        raise _UnknownError
    at = table[b"stsz"][0]
    same, count = struct.unpack_from(">II", data, at + 4)
    if not 0 < count <= _MOST:
        raise _UnknownError
    sizes = (same,) * count if same else struct.unpack_from(f">{count}I", data, at + 12)
    name, kind = (b"stco", "I") if b"stco" in table else (b"co64", "Q")
    at = table[name][0]
    (chunks,) = struct.unpack_from(">I", data, at + 4)
    offsets = struct.unpack_from(f">{min(chunks, _MOST)}{kind}", data, at + 8)
    at = table[b"stsc"][0]
    (rows,) = struct.unpack_from(">I", data, at + 4)
    flat = struct.unpack_from(f">{min(rows, _MOST) * 3}I", data, at + 8)
    firsts, each = flat[0::3], flat[1::3]
    sample = 0
    for row, (first, many) in enumerate(zip(firsts, each, strict=True)):
        until = firsts[row + 1] if row + 1 < len(firsts) else len(offsets) + 1
        for place in offsets[first - 1 : until - 1]:
            at = place
            for size in sizes[sample : sample + many]:
                yield at, size
                at += size
            sample += many
    if sample < count:
        raise _UnknownError


def _codec(data: mmap.mmap, start: int, end: int) -> tuple[str, bytes, int]:
    """The codec, what its decoder is set up with, and in how many bytes each unit of a frame says its length."""
    entries, _, kind = struct.unpack_from(">4xII4s", data, start)
    if entries != 1 or kind not in _CODECS:
        raise _UnknownError
    codec, box, place = _CODECS[kind]
    at, until = _within(data, start + 8 + _SAMPLE_ENTRY, end, box)
    return codec, data[at:until], (data[at + place] & 3) + 1


def _is_chain(data: mmap.mmap, at: int, end: int, length: int) -> bool:
    """Whether the units between two places fill them, and none holds what no unit can."""
    if at == end:
        return False
    while at < end:
        size = int.from_bytes(data[at : at + length], "big")
        at += length
        # Three zeros stand in no unit: the standard puts a 3 between. They are what a lost block leaves.
        if not 0 < size <= end - at or data[at] & 0x80 or data.find(b"\0\0\0", at, at + size) >= 0:
            return False
        at += size
    return True
