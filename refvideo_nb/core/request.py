"""A request: everything that decides what is generated, as one value.

It is complete and checked before anything is sent, and it is what the ledger keeps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from refvideo_nb.core.references import Reference

__all__ = ["DEFAULT_MODEL", "Frame", "VideoRequest", "parse_size"]

_SIDE = re.compile(r"[0-9]{1,6}\Z")
DEFAULT_MODEL = "bytedance/seedance-2.0-fast"


class Frame(msgspec.Struct, frozen=True):
    """An image that fixes the first or the last frame."""

    position: Literal["first", "last"]
    image: Reference


class VideoRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    Attributes
    ----------
    prompt : str
        As the person wrote it, with ``@names``.
    model : str
        Model id, such as ``"bytedance/seedance-2.0-fast"``.
    references : tuple of Reference
        They guide subject, identity or style, in the order in which they are sent.
    frames : tuple of Frame
        They fix frames; never together with references.
    duration : int or None
        Seconds; None leaves it to the model, as for every setting below.
    resolution : str or None
        Such as ``"720p"``.
    aspect_ratio : str or None
        Such as ``"16:9"``.
    size : tuple of int or None
        (width, height) in pixels, instead of resolution and aspect ratio.
    seed : int or None
        Repeats a result, as far as the model honours it.
    generate_audio : bool or None
        Whether there is sound.
    provider : mapping
        ``{provider slug: {parameter: value}}``, passed through.
    previous_job_id : str or None
        The API's id of a job that this one extends.
    """

    prompt: str
    model: str = DEFAULT_MODEL
    references: tuple[Reference, ...] = ()
    frames: tuple[Frame, ...] = ()
    duration: int | None = None
    resolution: str | None = None
    aspect_ratio: str | None = None
    size: tuple[int, int] | None = None
    seed: int | None = None
    generate_audio: bool | None = None
    provider: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    previous_job_id: str | None = None

    def count(self, kind: str) -> int:
        """How many references are of this kind."""
        return sum(reference.kind == kind for reference in self.references)


def parse_size(text: str) -> tuple[int, int] | None:
    """(width, height) in pixels from ``"1280x720"``; None where the text is no size.

    Examples
    --------
    >>> parse_size("1280x720")
    (1280, 720)
    >>> parse_size("720p") is None
    True
    """
    width, cross, height = text.lower().replace("×", "x").partition("x")
    if not (cross and _SIDE.match(width) and _SIDE.match(height)):
        return None
    return (int(width), int(height)) if int(width) and int(height) else None
