"""What a request will cost, from the price list of its model.

Prices come as text and are computed with `decimal.Decimal`. A price list with a
key that is not understood gives no estimate: a guess would be believed. What
the list leaves open (sound or ratio by default, which tier a reference job falls
into) gives a range, and a limit is compared with its upper end.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.catalogue import nominal_size
from refvideo_nb.errors import InvalidRequestError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from refvideo_nb.core.catalogue import Model
    from refvideo_nb.core.request import VideoRequest

__all__ = ["Estimate", "about", "estimate", "limit_of", "usd"]

_TOKENS_PER_PIXEL_SECOND = Decimal(24) / Decimal(1024)
_CENT = Decimal("0.01")
_ABSURD = Decimal("1e20")
_LEAST, _MOST = Decimal("1e-12"), Decimal("1e6")  # what is smaller or larger is no price


class Estimate(msgspec.Struct, frozen=True):
    """About what a job costs.

    Attributes
    ----------
    low, high : Decimal
        USD; equal where the price list leaves nothing open.
    working : str
        How it was computed, in one line.
    """

    low: Decimal
    high: Decimal
    working: str


class _Use(msgspec.Struct, frozen=True):
    """What of the request the price depends on."""

    seconds: Decimal
    resolution: str | None
    pixels: tuple[int, ...]  # of a frame; several where no ratio was asked for, none where it is not known
    audio: tuple[bool, ...]
    images: int
    videos: int
    video_seconds: Decimal | None
    frames: int


def estimate(request: VideoRequest, model: Model) -> Estimate | None:
    """About what the request costs, or None where the list does not tell.

    Parameters
    ----------
    request : VideoRequest
        Needs a duration; without one there is no estimate. Nor is there one for a job
        that extends another: what of the other is billed again is not published.
    model : Model
        With its price list.

    Returns
    -------
    Estimate or None
        USD.
    """
    if request.duration is None or request.previous_job_id is not None or not model.prices:
        return None
    try:
        prices = {k: Decimal(v) for k, v in model.prices.items()}
    except InvalidOperation:
        return None
    if not all(p.is_finite() and (p == 0 or _LEAST <= p < _MOST) for p in prices.values()):
        return None
    use = _use(request, model)
    if use.resolution is None and any(_PER_RESOLUTION.search(k) for k in prices):
        return None
    for rule in (_by_token, _by_cent, _by_second):
        if rule_keys := [k for k in prices if _FAMILIES[rule.__name__].match(k)]:
            if len(rule_keys) != len(prices):
                return None  # a key that no rule knows, or two rules at once
            return rule(prices, use)
    return None


def _use(request: VideoRequest, model: Model) -> _Use:
    size = request.size
    resolution = request.resolution
    if size is None and resolution is None and len(model.resolutions or ()) == 1:
        (resolution,) = model.resolutions or ()
    sizes = [] if size is None else [size]
    if size is None and resolution is not None:
        ratios = [request.aspect_ratio] if request.aspect_ratio else (model.aspect_ratios or ["16:9"])
        sizes = [s for r in ratios if (s := nominal_size(model, resolution, r)) is not None]
    if resolution is None and size is not None:
        short = min(size)
        resolution = {2160: "4K", 1440: "2K", 1024: "1K"}.get(short, f"{short}p")
    if request.generate_audio is not None:
        audio: tuple[bool, ...] = (request.generate_audio,)
    else:
        audio = (False,) if model.audio is False else (False, True)
    seconds = [r.seconds for r in request.references if r.kind == "video"]
    known = [s for s in seconds if s is not None]
    return _Use(
        seconds=Decimal(request.duration or 0),
        resolution=resolution.lower() if resolution else None,
        pixels=tuple(w * h for w, h in sizes),
        audio=audio,
        images=request.count("image"),
        videos=len(seconds),
        video_seconds=Decimal(str(sum(known))) if len(known) == len(seconds) else None,
        frames=len(request.frames),
    )


_RES = r"(?:_(?:\d+p|\d+k))?"
_PER_RESOLUTION = re.compile(r"_(?:\d+p|\d+k)(?:_|\Z)")
_FAMILIES = {
    "_by_token": re.compile(rf"video_tokens{_RES}(?:_without_audio)?(?:_with_video_input)?\Z"),
    "_by_cent": re.compile(
        rf"(?:cents_per_second_output{_RES}|cents_per_video_output_second{_RES}"
        r"|cents_per_image_input|minimum_cents_per_generation)\Z"
    ),
    "_by_second": re.compile(
        r"(?:(?:text_to_video_|image_to_video_|reference_)?duration_seconds"
        rf"(?:_with_audio|_without_audio)?{_RES}|reference_images)\Z"
    ),
}


def _first(prices: Mapping[str, Decimal], keys: Iterable[str]) -> tuple[str, Decimal] | None:
    return next(((k, prices[k]) for k in keys if k in prices), None)


def _range(found: Iterable[tuple[Decimal, str] | None]) -> Estimate | None:
    sums = list(found)
    if not sums or any(s is None for s in sums):
        return None
    ordered = sorted(s for s in sums if s is not None)
    (low, first), (high, last) = ordered[0], ordered[-1]
    return Estimate(low, high, last if low == high else f"{first}, up to {last}")


def _by_token(prices: Mapping[str, Decimal], use: _Use) -> Estimate | None:
    """Tokens = width x height x seconds x 24 / 1024; a video reference adds its own seconds."""
    if not use.pixels or (use.videos and use.video_seconds is None):
        return None
    seconds = use.seconds + (use.video_seconds or 0)
    tail = "_with_video_input" if use.videos else ""
    res = f"_{use.resolution}" if use.resolution else ""

    def cost(pixels: int, *, audio: bool) -> tuple[Decimal, str] | None:
        silent = () if audio else ("_without_audio",)
        found = _first(prices, [f"video_tokens{r}{s}{tail}" for r in (res, "") for s in (*silent, "")])
        if found is None:
            return None
        tokens = pixels * seconds * _TOKENS_PER_PIXEL_SECOND
        return tokens * found[1], f"{tokens:,.0f} tokens x USD {found[1].normalize():f}"

    return _range(cost(p, audio=a) for p in {min(use.pixels), max(use.pixels)} for a in use.audio)


def _by_cent(prices: Mapping[str, Decimal], use: _Use) -> Estimate | None:
    res = f"_{use.resolution}" if use.resolution else ""
    heads = ("cents_per_video_output_second", "cents_per_second_output")
    found = _first(prices, [f"{head}{r}" for r in (res, "") for head in heads])
    if found is None:
        return None
    cents, working = use.seconds * found[1], f"{use.seconds} s x {found[1].normalize():f} cents"
    per_image = prices.get("cents_per_image_input")
    if per_image and (use.images or use.frames):
        count = use.images + use.frames
        cents += count * per_image
        working += f" + {count} images x {per_image.normalize():f} cents"
    least = prices.get("minimum_cents_per_generation")
    if least is not None and cents < least:
        cents, working = least, f"the least charge, {least.normalize():f} cents"
    return Estimate(cents / 100, cents / 100, working)


def _by_second(prices: Mapping[str, Decimal], use: _Use) -> Estimate | None:
    res = f"_{use.resolution}" if use.resolution else ""
    priced_apart = bool(use.images or use.videos) and any(k.startswith("reference_d") for k in prices)
    if use.images or use.videos:
        # Which tier a reference job falls into is published only where a reference_ price exists.
        heads = ("reference_",) if priced_apart else ("image_to_video_", "text_to_video_")
    else:
        heads = ("image_to_video_",) if use.frames else ("text_to_video_",)

    def cost(head: str, *, audio: bool) -> tuple[Decimal, str] | None:
        sound = "_with_audio" if audio else "_without_audio"
        tails = (f"{sound}{res}", sound, res, "")
        # A reference price that is published apart is not replaced by the lower one without references.
        keys = [f"{h}duration_seconds{tail}" for h in ((head,) if priced_apart else (head, "")) for tail in tails]
        if not head.startswith("reference_") and audio:
            keys = [k for k in keys if "_with_audio" in k] + [k for k in keys if "_with_audio" not in k]
        found = _first(prices, keys)
        if found is None:
            return None
        total, working = use.seconds * found[1], f"{use.seconds} s x USD {found[1].normalize():f}"
        per_image = prices.get("reference_images")
        if per_image and use.images:
            total += use.images * per_image
            working += f" + {use.images} references x USD {per_image.normalize():f}"
        return total, working

    options = [cost(head, audio=audio) for head in heads for audio in use.audio]
    priced = [o for o in options if o is not None]
    return _range(priced or options)


def usd(amount: Decimal) -> str:
    """An amount for people; whole cents from one cent on, else two significant digits.

    Examples
    --------
    >>> usd(Decimal("0.36288"))
    'USD 0.36'
    >>> usd(Decimal("0.0042"))
    'USD 0.0042'
    """
    if amount and amount < _CENT:
        return f"USD {float(amount):.2g}" if amount >= Decimal("0.0001") else f"USD {amount:.2g}"
    if amount >= _ABSURD:
        return f"USD {amount:.3g}"
    return f"USD {amount.quantize(_CENT, ROUND_HALF_UP):f}"


def limit_of(max_cost: Any) -> Decimal | None:
    """A limit in USD from what a person gave; None for none.

    Raises
    ------
    InvalidRequestError
        Where it is no amount.

    Examples
    --------
    >>> limit_of("0.50")
    Decimal('0.50')
    """
    if max_cost is None:
        return None
    try:
        limit = Decimal(str(max_cost))
        if not limit.is_finite() or limit < 0:
            raise InvalidOperation
    except InvalidOperation:
        raise InvalidRequestError(
            f"max_cost {one_line(max_cost, limit=40)!r} cannot be used: give USD as a number, such as 0.50",
            field="max_cost",
            value=max_cost,
        ) from None
    return limit


def about(found: Estimate | None) -> str:
    """The estimate in words.

    Examples
    --------
    >>> about(Estimate(Decimal("0.2"), Decimal("0.4"), ""))
    'about USD 0.20 to 0.40'
    >>> about(None)
    'no estimate'
    """
    if found is None:
        return "no estimate"
    low, high = usd(found.low), usd(found.high)
    return f"about {low}" if low == high else f"about {low} to {high.removeprefix('USD ')}"
