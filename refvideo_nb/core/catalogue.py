"""What a model takes, and whether a request fits it.

The API's model list says durations, sizes, sound and seed. It has no field for
references: that part comes from an overlay, each entry with its evidence, and
where nothing is known the request may go ahead with a warning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from refvideo_nb.core.references import Kind, Naming

__all__ = ["UNKNOWN_SUPPORT", "ImageLimits", "Model", "ReferenceSupport", "nominal_size"]

Status = Literal["documented", "priced", "provider-only", "unclear", "unknown", "none"]


class ImageLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider takes as a reference image; None where nothing is published.

    Attributes
    ----------
    min_side, max_side : int or None
        Pixels of the shorter and of the longer side.
    max_bytes : int or None
        Bytes of the encoded file.
    min_ratio, max_ratio : float or None
        Width divided by height.
    """

    min_side: int | None = None
    max_side: int | None = None
    max_bytes: int | None = None
    min_ratio: float | None = None
    max_ratio: float | None = None


class ReferenceSupport(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model's references, from outside the API.

    Attributes
    ----------
    status : str
        ``documented`` by OpenRouter, only ``priced`` there, known from the provider
        only (``provider-only``), ``unclear``, ``unknown`` or ``none``.
    evidence : str
        Where that comes from, in one line.
    max_images, max_total : int or None
        The most images, and references of any kind; None where not published.
    kinds : tuple of str
        The kinds that the model honours; providers drop the others silently.
    naming : Naming
        How the prompt names them.
    max_seconds : int or None
        The longest clip with references, where it is shorter than without.
    resolutions : tuple of str
        The resolutions with references, where they are fewer; else empty.
    images : ImageLimits
        What a reference image may be.
    notes : tuple of str
        What else a person should know.
    sources : tuple of str
        Where the facts were read.
    """

    status: Status = "unknown"
    evidence: str = ""
    max_images: int | None = None
    max_total: int | None = None
    kinds: tuple[Kind, ...] = ("image",)
    naming: Naming = Naming.SPACED
    max_seconds: int | None = None
    resolutions: tuple[str, ...] = ()
    images: ImageLimits = msgspec.field(default_factory=ImageLimits)
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


UNKNOWN_SUPPORT = ReferenceSupport(evidence="nothing is known of this model's references")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model of the list; None always means "the list does not say".

    Attributes
    ----------
    id : str
        Such as ``"bytedance/seedance-2.0-fast"``.
    name, description : str
        For people.
    durations : tuple of int or None
        Seconds.
    resolutions, aspect_ratios, frame_types : tuple of str or None
        As the API spells them.
    sizes : tuple of (int, int) or None
        (width, height) in pixels.
    audio, seed : bool or None
        Whether the model makes sound, and honours a seed.
    passthrough : tuple of str
        Allowed keys of provider options.
    prices : mapping or None
        The API's ``pricing_skus``: name to decimal USD or cents, as text.
    references : ReferenceSupport
        From the overlay.
    """

    id: str
    name: str = ""
    description: str = ""
    durations: tuple[int, ...] | None = None
    resolutions: tuple[str, ...] | None = None
    aspect_ratios: tuple[str, ...] | None = None
    sizes: tuple[tuple[int, int], ...] | None = None
    frame_types: tuple[str, ...] | None = None
    audio: bool | None = None
    seed: bool | None = None
    passthrough: tuple[str, ...] = ()
    prices: Mapping[str, str] | None = None
    references: ReferenceSupport = UNKNOWN_SUPPORT


_NUMBER = re.compile(r"[0-9]{1,5}\Z")
_NOMINAL = {"1K": 1024, "2K": 1440, "4K": 2160}
_RATIO_SLACK = 0.04  # 854x480 and 16:9 differ by 0.1 %, 1470x630 and 21:9 by 0.01 %; 3:2 and 4:3 by 11 %


def nominal_size(model: Model, resolution: str, aspect_ratio: str) -> tuple[int, int] | None:
    """The frame that a resolution and an aspect ratio stand for, in pixels.

    Prefers what the model lists: the same ratio, then the short side that the
    name says, then the nearest area. Providers round: a real 480p frame came
    as 864x496 where 854x480 was listed.

    Examples
    --------
    >>> nominal_size(Model(id="a/b", sizes=((1280, 720), (720, 1280))), "720p", "9:16")
    (720, 1280)
    >>> nominal_size(Model(id="a/b"), "480p", "1:1")
    (480, 480)
    """
    name = resolution.upper()
    short = _NOMINAL.get(name) or (int(name[:-1]) if _NUMBER.match(name[:-1]) else 0)
    wide, _, high = aspect_ratio.partition(":")
    if not (short and _NUMBER.match(wide) and _NUMBER.match(high) and int(wide) and int(high)):
        return None
    ratio = int(wide) / int(high)
    listed = [s for s in model.sizes or () if abs(s[0] / s[1] / ratio - 1) <= _RATIO_SLACK]
    if listed:
        area = short * short * 16 / 9
        return min(listed, key=lambda s: (min(s) != short, abs(s[0] * s[1] / area - 1)))
    if ratio >= 1:
        return (round(short * ratio / 2) * 2, short)
    return (short, round(short / ratio / 2) * 2)
