"""Reading single values out of a JSON body: the type errors that every field has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from refvideo_nb.simulator.envelope import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")

_NAMES = {str: "a string", int: "an integer", bool: "true or false", list: "an array", dict: "an object"}


def field(body: Mapping[str, Any], name: str, kind: type[T], *, where: str = "") -> T | None:
    """The value of a field, or None where it is missing or null.

    Raises
    ------
    Refusal
        400 where the value has another type; true is not an integer here, although Python thinks so.
    """
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Refusal(400, f"Invalid request parameters: {where}{name} must be {_NAMES[kind]}")
    return value


def required(body: Mapping[str, Any], name: str, kind: type[T], *, where: str = "") -> T:
    """As `field`, for one that has to be there."""
    value = field(body, name, kind, where=where)
    if value is None:
        raise Refusal(400, f"Invalid request parameters: {where}{name} is required")
    return value


def unsupported(what: str, plural: str, allowed: Iterable[object]) -> Refusal:
    """The API's way to refuse a value: what was asked for, then everything that would do."""
    listed = ", ".join(str(each) for each in allowed) or "none"
    return Refusal(400, f"{what} is not supported for this model. Supported {plural}: {listed}")
