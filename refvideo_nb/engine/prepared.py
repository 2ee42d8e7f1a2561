"""What a picture was made into, remembered: another version of Pillow encodes the same pixels otherwise.

Without this, a notebook whose pictures are arrays, or had to be made smaller, would be
another request after an upgrade, and Run All would pay again.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated

import msgspec

from refvideo_nb.ledger.media import write_atomically
from refvideo_nb.media.images import Prepared, pixels_of, prepare

if TYPE_CHECKING:
    from refvideo_nb.core.catalogue import ImageLimits
    from refvideo_nb.ledger.media import MediaStore

__all__ = ["prepared_before_or_now"]


class _Told(msgspec.Struct, frozen=True):
    """A picture that was prepared; its bytes are in the media store."""

    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    media_type: str
    width: Annotated[int, msgspec.Meta(ge=1)]
    height: Annotated[int, msgspec.Meta(ge=1)]
    note: str


_TOLD = msgspec.json.Decoder(_Told)
_SMALL = 2_000_000  # bytes
_MOST = 8  # pictures
_as_they_came: dict[str, Prepared] = {}  # the same few guide many jobs of a process; what is encoded anew is kept apart


def prepared_before_or_now(
    data: bytes, media: MediaStore, *, name: str, limits: ImageLimits | None, drawn: bool
) -> Prepared:
    """Make an image fit, into the same bytes as the last time.

    Parameters
    ----------
    data : bytes
        The file as it came.
    media : MediaStore
    name : str
        What the messages call it.
    limits : ImageLimits, optional
        The provider's.
    drawn : bool
        Whether `data` was encoded here, from pixels: then those are what counts.

    Raises
    ------
    BadReferenceError
    LedgerError
    """
    given = pixels_of(data) if drawn else data
    bounds = None if limits is None else (limits.max_side, limits.max_bytes)
    path = media.note(hashlib.sha256(repr(bounds).encode() + hashlib.sha256(given).digest()).hexdigest())
    try:
        told = _TOLD.decode(path.read_bytes())
    except (OSError, ValueError):  # never yet, or not by us
        pass
    else:
        kept = media.bytes_of(told.sha256, told.media_type)
        if kept is not None:
            return Prepared(kept, told.media_type, told.width, told.height, told.note)
    if (seen := _as_they_came.get(path.name)) is not None:
        return seen
    made = prepare(data, name=name, limits=limits)
    if drawn or made.note:  # what is sent as it came needs no memory
        sha256 = media.put(made.data, made.media_type)
        told = _Told(sha256, made.media_type, made.width, made.height, made.note)
        write_atomically(path, msgspec.json.encode(told))
    elif len(data) <= _SMALL:
        for oldest in list(_as_they_came)[: 1 - _MOST]:
            _as_they_came.pop(oldest, None)
        _as_they_came[path.name] = made
    return made
