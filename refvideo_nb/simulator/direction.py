"""The simulator's own passthrough keys, ``provider.options.simulator.parameters``: the truth for measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from refvideo_nb.simulator.envelope import Refusal
from refvideo_nb.simulator.order import Direction, Intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = ("presence", "area", "strength", "copy_first_frame")
_AREA = (0.005, 0.6)


def read_direction(parameters: Mapping[str, Any], *, images: int, duration: int) -> Direction:
    """Check the parameters against the job that they are for.

    Parameters
    ----------
    images
        How many image references the job has.
    duration
        The film's length in seconds.

    Raises
    ------
    Refusal
        400, naming the key and what it allows.
    """
    for key in parameters:
        if key not in KEYS:
            _refuse(key, "is unknown", f"keys {', '.join(KEYS)}")
    return Direction(
        presence=_presence(parameters.get("presence"), images, duration),
        area=_area(parameters.get("area"), images),
        strength=_strength(parameters.get("strength", Direction().strength)),
        copy_first_frame=_copy(parameters.get("copy_first_frame", False), images),
    )


def _refuse(key: str, trouble: str, allowed: str) -> NoReturn:
    raise Refusal(400, f"Simulator parameter {key} {trouble}. Allowed: {allowed}")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _presence(value: object, images: int, duration: int) -> tuple[Intervals, ...] | None:
    if value is None:
        return None
    allowed = (
        f"one list of [start, end] pairs for each of the {images} image references, in seconds from 0 to {duration}"
    )
    if not isinstance(value, list) or len(value) != images:
        _refuse("presence", "has the wrong length or type", allowed)
    return tuple(_intervals(each, duration, allowed) for each in value)


def _intervals(value: object, duration: int, allowed: str) -> Intervals:
    pairs: list[tuple[float, float]] = []
    for pair in value if isinstance(value, list) else [None]:
        if not isinstance(pair, list) or len(pair) != 2 or not all(map(_number, pair)):  # noqa: PLR2004 - a pair
            _refuse("presence", f"holds {pair!r}", allowed)
        start, end = pair
        if not 0 <= start < end <= duration:
            _refuse("presence", f"holds [{start}, {end}]", allowed)
        pairs.append((float(start), float(end)))
    return tuple(pairs)


def _area(value: Any, images: int) -> tuple[float, ...] | None:
    if value is None:
        return None
    low, high = _AREA
    allowed = f"a number from {low} to {high}, or a list of {images} of them"
    shares = value if isinstance(value, list) else [value] * images
    if len(shares) != images:
        _refuse("area", f"has {len(shares)} entries", allowed)
    for share in shares if images else [value]:
        if not _number(share) or not low <= share <= high:
            _refuse("area", f"holds {share!r}", allowed)
    return tuple(float(share) for share in shares)


def _strength(value: Any) -> float:
    if not _number(value) or not 0 <= value <= 1:
        _refuse("strength", f"is {value!r}", "a number from 0 to 1")
    return float(value)


def _copy(value: object, images: int) -> int | None:
    if value is False or value is None:
        return None
    index = 0 if value is True else value
    if not isinstance(index, int) or not 0 <= index < images:
        _refuse("copy_first_frame", f"is {value!r}", f"true, false or an image reference's index below {images}")
    return index
