"""References as they are given, and as a network sees them."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from refvideo_nb.core.adherence import ROLES, Measured
from refvideo_nb.errors import BadReferenceError, InvalidRequestError, one_line
from refvideo_nb.media.images import encode_array, pixels
from refvideo_nb.media.scaling import resized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refvideo_nb.measure.embedders import Embedder

__all__ = ["Given", "Images", "Picture", "Vectors", "embedded", "read", "whole"]

Picture = bytes | Path | NDArray[np.uint8]
"""An encoded file, where one is, or ``(height, width, 3)`` uint8."""
Images = list[NDArray[np.uint8]]
"""Pictures of any sizes, ``(height, width, 3)`` uint8 each."""
_SMALLEST = 32  # pixels of a side: less than one cell of a network's map


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A reference that a video is to be measured against; it can be sent to another process.

    Attributes
    ----------
    name : str
        What the report calls it.
    pictures : tuple of bytes, pathlib.Path or ndarray
        Of one subject: several count as one reference, and the one that is most alike decides in each frame.
    role : str
        One of `refvideo_nb.core.adherence.ROLES`: what is measured of it.
    """

    name: str
    pictures: tuple[Picture, ...]
    role: str = ROLES[0]


class Vectors(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures as a network sees them.

    Attributes
    ----------
    coarse : ndarray
        ``(pictures, channels)`` float32, L2-normalised: means of their maps, for the search.
    fine : ndarray
        ``(pictures, d)`` float32, L2-normalised: their embeddings.
    """

    coarse: NDArray[np.float32]
    fine: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.fine)


def read(reference: Given) -> tuple[Measured, Images]:
    """A reference's facts and its pictures, ``(height, width, 3)`` uint8 each.

    Raises
    ------
    InvalidRequestError
        Where it has no picture, or its role is unknown.
    BadReferenceError
        Where a picture cannot be read, or is smaller than what a network can see.
    """
    name = one_line(reference.name, limit=80)
    if reference.role not in ROLES:
        raise InvalidRequestError(
            f"reference {name!r} has the role {one_line(repr(reference.role), limit=80)}: "
            f"give one of {', '.join(ROLES)}",
            field="references",
            value=reference.role,
            allowed=ROLES,
        )
    if not reference.pictures:
        raise InvalidRequestError(
            f"reference {name!r} has no picture: give one or more", field="references", value=reference.pictures
        )
    files = [_bytes(picture, reference.name) for picture in reference.pictures]
    images = [pixels(file, name=reference.name) for file in files]
    for image in images:
        if min(image.shape[:2]) < _SMALLEST:
            raise BadReferenceError(
                f"reference {name!r} has {image.shape[1]}x{image.shape[0]} pixels; "
                f"less than {_SMALLEST} on a side cannot be recognised: give a larger picture",
                field="references",
                value=reference.name,
            )
    height, width = images[0].shape[:2]
    digests = tuple(sha256(file).hexdigest() for file in files)
    return Measured(name=reference.name, role=reference.role, sha256=digests, width=width, height=height), images


def _bytes(picture: Picture, name: str) -> bytes:
    if isinstance(picture, bytes):
        return picture
    if not isinstance(picture, Path):
        return encode_array(picture, name=name)
    try:
        return picture.read_bytes()
    except OSError as error:
        raise BadReferenceError(
            f"reference {one_line(name, limit=80)!r}: {picture} cannot be read ({error.strerror})",
            field="references",
            value=name,
        ) from None


def embedded(images: Sequence[NDArray[np.uint8]], embedder: Embedder) -> Vectors:
    """Pictures of any sizes as vectors, each seen whole."""
    coarse = [embedder.features(_as_large_as_a_crop(image, embedder.side)).mean() for image in images]
    return Vectors(coarse=np.concatenate(coarse), fine=whole(images, embedder))


def whole(images: Sequence[NDArray[np.uint8]], embedder: Embedder) -> NDArray[np.float32]:
    """The embeddings of pictures of any sizes, ``(n, d)`` float32."""
    return np.concatenate([embedder.embed(image[None]) for image in images])


def _as_large_as_a_crop(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """``(1, height, width, 3)``: the ratio kept, the area that of the network's square, as windows are seen."""
    ratio = (image.shape[1] / image.shape[0]) ** 0.5
    return resized(image[None], width=max(_SMALLEST, round(side * ratio)), height=max(_SMALLEST, round(side / ratio)))
