"""What is varied in a sweep: which arguments are lists of levels, and what people call each level."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from refvideo_nb.core.design import Axis, Label
from refvideo_nb.core.fields import fields_in
from refvideo_nb.engine.naming import named_sources
from refvideo_nb.engine.wish import Wish
from refvideo_nb.errors import InvalidRequestError, one_line

__all__ = ["VARIED", "SweepWish", "axes_of", "check_fields", "levels_of", "plain", "sweep_wish"]

_BEFORE = ("prompt",)
_AFTER = (
    *("references", "frames", "model", "duration", "resolution", "aspect_ratio", "size", "generate_audio"),
    *("provider", "seed"),
)
VARIED = (*_BEFORE, *_AFTER)
"""Arguments of a request that may be lists; in a design the later ones vary faster.

Fields of the prompt come right after it.
"""

_MOST_LABEL = 80  # characters


class SweepWish(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep as it was asked for: nothing is checked yet.

    Attributes
    ----------
    wish : Wish
        What all cells have in common; of a varied argument, its first level.
    axes : mapping of str to tuple
        The levels of each varied argument, by its name.
    fields : mapping of str to tuple
        The levels of each ``{{field}}`` of the prompts.
    zipped : tuple of str
        Arguments and fields that are walked together.
    """

    wish: Wish
    axes: Mapping[str, tuple[Any, ...]]
    fields: Mapping[str, tuple[Any, ...]]
    zipped: tuple[str, ...] = ()


def sweep_wish(wish: Wish, *, fields: Mapping[str, Any] | None = None, zipped: str | Iterable[str] = ()) -> SweepWish:
    """Find out which arguments of a wish are lists of levels.

    Parameters
    ----------
    wish : Wish
        Its arguments may be lists. ``references`` and ``frames`` are varied where they are lists of
        mappings or of lists; ``size`` where it is a list of texts or pairs.
    fields : mapping, optional
        Levels of ``{{name}}`` in the prompts; a single value is one level.
    zipped : str or iterable of str

    Raises
    ------
    InvalidRequestError
    """
    axes = {name: levels for name in VARIED if (levels := _levels(name, getattr(wish, name))) is not None}
    first = {name: levels[0] for name, levels in axes.items() if levels}
    if fields is not None and not isinstance(fields, Mapping):
        raise InvalidRequestError("fields cannot be used: give {name: [value, …]}", field="fields")
    filled = {str(name): _several(value) for name, value in (fields or {}).items()}
    for name in filled:
        if name in VARIED:
            raise InvalidRequestError(
                f"the field {name!r} is called like an argument: give it another name", field="fields", value=name
            )
    tied = (zipped,) if isinstance(zipped, str) else tuple(zipped)
    return SweepWish(wish=msgspec.structs.replace(wish, **first), axes=axes, fields=filled, zipped=tied)


def _several(value: Any) -> tuple[Any, ...]:
    single = isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable)
    return (value,) if single else tuple(value)


def _levels(name: str, value: Any) -> tuple[Any, ...] | None:
    """The levels of an argument; None where it is one value."""
    if value is None or isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return None
    if name == "size" and isinstance(value, (list, tuple)) and all(isinstance(v, int) for v in value):
        return None  # (width, height)
    if name in {"references", "frames"}:
        if not isinstance(value, (list, tuple)):
            return None
        several = [v is None or isinstance(v, (Mapping, list, tuple)) for v in value]
        if not all(several):
            if any(isinstance(v, Mapping) for v in value):
                raise InvalidRequestError(
                    f"{name} mixes levels and sources: give a list of dicts, one dict for each level", field=name
                )
            return None  # the sources of one job, as for a single one
    return tuple(value)


def levels_of(asked: SweepWish) -> dict[str, tuple[Any, ...]]:
    """Every axis with its levels, slowest first."""
    varied = asked.axes
    return (
        {name: varied[name] for name in _BEFORE if name in varied}
        | dict(asked.fields)
        | {name: varied[name] for name in _AFTER if name in varied}
    )


def check_fields(asked: SweepWish) -> None:
    """Whether fields and prompts fit together.

    Raises
    ------
    InvalidRequestError
    """
    prompts = [p for p in asked.axes.get("prompt", (asked.wish.prompt,)) if isinstance(p, str)]
    there = {name for prompt in prompts for name in fields_in(prompt)}
    for name in asked.fields:
        if name not in there:
            raise InvalidRequestError(
                f"no prompt has the field {{{{{one_line(name, limit=40)}}}}}: write it where its value belongs",
                field="fields",
                value=name,
                allowed=sorted(there),
            )
    for name in sorted(there - set(asked.fields)):
        raise InvalidRequestError(
            f"the prompt has the field {{{{{name}}}}}, for which there is no value: "
            f"give fields={{{name!r}: [value, …]}}, or write \\{{{{{name}}}}} for those very characters",
            field="fields",
            value=name,
        )


def axes_of(levels: Mapping[str, tuple[Any, ...]]) -> list[Axis]:
    """The axes of these levels, each level by what people call it."""
    return [Axis(name, _labels(name, values)) for name, values in levels.items()]


def _labels(name: str, values: tuple[Any, ...]) -> tuple[Label, ...]:
    """What people call the levels of an axis; each has another name."""
    if name not in {"references", "frames", "provider", "size"}:
        return tuple(_label(plain(value)) for value in values)
    if name == "size":
        return tuple("x".join(map(str, v)) if isinstance(v, (list, tuple)) else str(v) for v in values)
    described = [one_line(_described(name, v), limit=_MOST_LABEL) or "none" for v in values]
    if name == "provider":
        return tuple(described)
    # Two arrays look the same here, and are not: they are told apart by their place.
    return tuple(d if described.count(d) == 1 else f"{d} ({n})" for n, d in enumerate(described, start=1))


def _label(value: Any) -> Label:
    return value if value is None or isinstance(value, (str, int, float)) else one_line(value, limit=_MOST_LABEL)


def plain(value: Any) -> Any:
    """A scalar of numpy as Python's own."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "shape", None) == () else value


def _described(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "provider" and isinstance(value, Mapping):
        return ", ".join(f"{s}.{k}={v}" for s, o in value.items() if isinstance(o, Mapping) for k, v in o.items())
    items = value.items() if isinstance(value, Mapping) else ((n.name, n.source) for n in named_sources(value))
    return ", ".join(f"{key}={source}" if (source := _source(each)) else str(key) for key, each in items)


def _source(source: Any) -> str:
    if not isinstance(source, (str, os.PathLike)) or str(source).startswith("data:"):
        return ""
    return str(source).partition("?")[0].rstrip("/").replace("\\", "/").rpartition("/")[2]
