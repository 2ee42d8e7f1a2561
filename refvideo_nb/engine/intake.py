"""Taking in references: whatever a person names becomes bytes in the media store.

An https address, a local path, an image object, an array or bytes: each is read
now, checked, and kept, before anything is paid.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.client.fetch import fetch
from refvideo_nb.core.references import Kind, Reference
from refvideo_nb.engine.naming import Named, named_sources
from refvideo_nb.engine.prepared import prepared_before_or_now
from refvideo_nb.errors import BadReferenceError, RefVideoError, one_line
from refvideo_nb.media.images import encode_array, encode_image, is_image

if TYPE_CHECKING:
    from refvideo_nb.core.catalogue import ImageLimits
    from refvideo_nb.ledger.media import MediaStore

__all__ = ["Loaded", "Named", "data_url", "keep", "load", "named_sources", "take_in"]

_LARGEST_FILE = 200_000_000


class Loaded(msgspec.Struct, frozen=True):
    """The bytes of a source, read once: each model may make something else of them."""

    named: Named
    data: bytes
    url: str | None
    label: str
    drawn: bool = False  # whether the bytes were encoded here, from an array or an image object


async def take_in(
    named: Named, media: MediaStore, *, limits: ImageLimits | None = None, allow_loopback: bool = False
) -> Reference:
    """Read, check and keep one reference.

    Parameters
    ----------
    named : Named
        The source: https address, data URL, path, PIL image, ``(height, width, 3)`` uint8 array, or bytes.
    media : MediaStore
        Where the bytes are kept.
    limits : ImageLimits, optional
        Of the model's provider; larger pictures are made to fit.
    allow_loopback : bool
        Whether http addresses of this machine are taken, which only the simulator can fetch.

    Raises
    ------
    BadReferenceError
        Naming the source and saying what would be taken.
    """
    return await keep(await load(named, allow_loopback=allow_loopback), media, limits=limits)


async def load(named: Named, *, allow_loopback: bool = False) -> Loaded:
    """Read one source; see `take_in`."""
    source: Any = named.source
    url: str | None = None
    if isinstance(source, str) and "://" in source and not source.startswith("data:"):
        source, url = await fetch(source, allow_loopback=allow_loopback), source
    data, label = await asyncio.to_thread(_read, source, named.name)
    drawn = not isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview))
    return Loaded(named, data, url, named.label or url or label, drawn)


async def keep(loaded: Loaded, media: MediaStore, *, limits: ImageLimits | None = None) -> Reference:
    """Check what was loaded, make it fit and put it into the media store; see `take_in`."""
    # Decoding takes a while, in which the polls of other jobs must go on.
    return await asyncio.to_thread(_keep, loaded, media, limits)


def _keep(loaded: Loaded, media: MediaStore, limits: ImageLimits | None) -> Reference:
    named, data, url, label = loaded.named, loaded.data, loaded.url, loaded.label
    if not is_image(data) and (heard := _moving(data)) is not None:
        kind, media_type, seconds = heard
        sha256 = media.put(data, media_type)
        return Reference(
            name=named.name, kind=kind, sha256=sha256, media_type=media_type, nbytes=len(data),
            seconds=seconds, url=url, source=label, named=named.given,
        )  # fmt: skip
    prepared = prepared_before_or_now(data, media, name=named.name, limits=limits, drawn=loaded.drawn)
    note = prepared.note
    if url is not None and note:
        # The provider would fetch the file as it is; what we made fit goes as bytes instead.
        url, note = None, f"{note}; sent as bytes instead of its address"
    return Reference(
        name=named.name, kind="image", sha256=media.put(prepared.data, prepared.media_type),
        media_type=prepared.media_type, nbytes=len(prepared.data), width=prepared.width, height=prepared.height,
        url=url, source=label, note=note, named=named.given,
    )  # fmt: skip


def _read(source: Any, name: str) -> tuple[bytes, str]:
    """Bytes, and what to call them."""
    if isinstance(source, str) and source.startswith("data:"):
        return _from_data_url(source, name), "data URL"
    if isinstance(source, (str, os.PathLike)):
        return _from_file(Path(os.fspath(source)).expanduser(), name), str(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), "bytes"
    if hasattr(source, "__array_interface__") and not hasattr(source, "getbands"):
        return encode_array(source, name=name), "array"
    if hasattr(source, "getbands") and hasattr(source, "save"):
        return encode_image(source), str(getattr(source, "filename", "") or "image")
    raise BadReferenceError(
        f"reference {name!r} is of type {type(source).__name__}, which is no source; allowed: an https address, "
        "a path, a PIL image, a (height, width, 3) uint8 array or bytes",
        field="references",
        value=type(source).__name__,
    )


def _from_file(path: Path, name: str) -> bytes:
    try:
        if path.is_dir():
            raise BadReferenceError(f"reference {name!r}: {path} is a folder: give a file", field="references")
        if path.stat().st_size > _LARGEST_FILE:
            raise BadReferenceError(
                f"reference {name!r}: {path} is larger than {_LARGEST_FILE / 1e6:g} MB: give a smaller file",
                field="references",
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a usable path"
        raise BadReferenceError(
            f"reference {name!r}: {one_line(path, limit=160)} cannot be read ({why}); it is looked for in {Path.cwd()}",
            field="references",
            value=str(path),
        ) from None


def _from_data_url(url: str, name: str) -> bytes:
    head, _, body = url.partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError(head)
        return base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error):
        raise BadReferenceError(
            f"reference {name!r} is no base64 data URL: use data:image/png;base64,…", field="references"
        ) from None


def _moving(data: bytes) -> tuple[Kind, str, float | None] | None:
    """What a video or sound is; None where it is neither."""
    from refvideo_nb.media.video import length, probe  # noqa: PLC0415 - PyAV is slow to import; images do not need it

    if data[:64].lstrip()[:1] == b"<":
        return None
    with NamedTemporaryFile(suffix=".media") as file:
        file.write(data)
        file.flush()
        path = Path(file.name)
        try:
            facts = probe(path)
        except RefVideoError:
            seconds = length(path)
            if seconds is None:
                return None
            return "audio", "audio/wav" if data[:4] == b"RIFF" else "audio/mpeg", seconds
        return "video", "video/mp4", facts.seconds


def data_url(data: bytes, media_type: str) -> str:
    """Bytes as a data URL, as the API takes them."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"
