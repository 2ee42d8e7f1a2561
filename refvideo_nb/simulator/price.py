"""What a job costs, from a model's ``pricing_skus``: written for this room alone.

The client has an implementation of its own. Two readings of one price list that agree on every shape are worth
more than one that is asked twice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from refvideo_nb.simulator.order import Order

_FRAMES_PER_SECOND = 24
_PIXELS_PER_TOKEN = 1024
_CENT = Decimal("0.01")


def cost(order: Order, skus: Mapping[str, str], *, video_input_seconds: Decimal = Decimal(0)) -> Decimal | None:
    """The bill in USD, or None where the list has a shape that is not known.

    Parameters
    ----------
    video_input_seconds
        The length of all video references together; Seedance bills it beside the film's own.
    """
    images = len(order.images)
    seconds = Decimal(order.duration)
    tier = order.resolution.lower()
    rates = {name: Decimal(rate) for name, rate in skus.items()}
    if "video_tokens" in rates:
        total = _by_tokens(order, rates, tier, video_input_seconds)
    elif (cents := _first(rates, _cent_names(tier))) is not None:
        total = cents * _CENT * seconds
    elif (rate := _first(rates, _second_names(order, tier))) is not None:
        total = rate * seconds
    else:
        return None
    total += rates.get("reference_images", Decimal(0)) * images
    total += rates.get("cents_per_image_input", Decimal(0)) * _CENT * (images + len(order.frames))
    return max(total, rates.get("minimum_cents_per_generation", Decimal(0)) * _CENT)


def _by_tokens(order: Order, rates: Mapping[str, Decimal], tier: str, input_seconds: Decimal) -> Decimal:
    tokens = order.width * order.height * (order.duration + input_seconds) * _FRAMES_PER_SECOND / _PIXELS_PER_TOKEN
    tails = ["_with_video_input"] if input_seconds else [] if order.audio else ["_without_audio"]
    names = [f"video_tokens{size}{tail}" for tail in [*tails, ""] for size in (f"_{tier}", "")]
    if not input_seconds and not order.audio and f"video_tokens_{tier}" in rates:
        # A price for the resolution weighs more than the general one for silence, which is for the usual sizes.
        names.insert(1, f"video_tokens_{tier}")
    rate = _first(rates, names)
    assert rate is not None  # the plain name is always among them
    return rate * tokens


def _cent_names(tier: str) -> list[str]:
    return [
        f"cents_per_video_output_second_{tier}",
        f"cents_per_second_output_{tier}",
        "cents_per_second_output",
    ]


def _second_names(order: Order, tier: str) -> list[str]:
    """Names of rates for a second, the most special first."""
    modes = ["image_to_video_" if order.frames or order.images else "text_to_video_", ""]
    if order.images:
        modes.insert(0, "reference_")
    sound = "_with_audio" if order.audio else "_without_audio"
    tails = (f"{sound}_{tier}", sound, f"_{tier}", "")
    # Sound weighs more than mode: one list has both, and bills a clip with sound by the sound.
    heard = [f"{mode}duration_seconds{tail}" for tail in tails[:2] for mode in modes]
    plain = [f"{mode}duration_seconds{tail}" for mode in modes for tail in tails[2:]]
    return heard + plain


def _first(rates: Mapping[str, Decimal], names: Iterable[str]) -> Decimal | None:
    return next((rates[name] for name in names if name in rates), None)
