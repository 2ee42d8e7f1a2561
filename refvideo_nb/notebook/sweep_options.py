"""The options of ``%%refvideo_sweep``: those of ``%%refvideo``, and what is varied."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from IPython.core.error import UsageError

from refvideo_nb.core.fields import fill_but
from refvideo_nb.engine.sweep_wish import VARIED, SweepWish, sweep_wish
from refvideo_nb.errors import one_line
from refvideo_nb.notebook.options import filled_words, parser, refuse_keys, split, value_of, wish_of
from refvideo_nb.notebook.sweep import AT_ONCE

if TYPE_CHECKING:
    import argparse


__all__ = ["NAME", "SweepOptions", "parse_sweep", "sweep_parser"]

NAME = "%%refvideo_sweep"
_CALLED = {"audio": "generate_audio", "ref": "references", "refs": "references", "frame": "frames"}
_NUMBERS = {"seed", "duration"}
_SWITCH = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_RANGE = re.compile(r"(-?[0-9]{1,9})\.\.(-?[0-9]{1,9})\Z")
_MOST = 100_000  # levels of a range; the design has its own limit


class SweepOptions(msgspec.Struct, frozen=True):
    """What a cell asked for."""

    asked: SweepWish
    out: str | None
    wait: bool | None
    dry_run: bool
    fresh: bool
    max_cost: Any
    at_once: Any


def sweep_parser() -> argparse.ArgumentParser:
    """The options, as `argparse` knows them."""
    made = parser(NAME)
    add = made.add_argument
    add(
        *("-g", "--grid"),
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="varied and crossed: an argument or a {{field}} of the prompt; values as a,b,c, as 0..3,\n"
        "or a Python variable that holds them; repeatable",
    )
    add(
        *("-z", "--zip"),
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="varied together with the other --zip, level by level; repeatable",
    )
    add("--at-once", metavar="N", default=AT_ONCE, help=f"the most jobs in flight (default {AT_ONCE})")
    return made


def parse_sweep(
    line: str, cell: str | None, *, namespace: Mapping[str, Any], model: str, max_cost: float | None
) -> SweepOptions:
    """A cell as a sweep.

    Parameters
    ----------
    line : str
        The magic's line.
    cell : str or None
        The cell's text; None for the magic of a line, whose prompts are varied.
    namespace, model, max_cost
        See `refvideo_nb.notebook.options.parse`.

    Raises
    ------
    UsageError
    """
    line, cell = split(line, cell or "")
    said = filled_words(line, namespace)
    given = sweep_parser().parse_args(said)
    if given.extend is not None:
        raise UsageError(f"{NAME}: --extend belongs to a single job")
    crossed = [_axis(text, "--grid", namespace) for text in given.grid]
    tied = [_axis(text, "--zip", namespace) for text in given.zip]
    axes: dict[str, tuple[Any, ...]] = {}
    for name, levels in (*crossed, *tied):
        if name in axes:
            raise UsageError(f"{NAME}: {name} is varied twice: give all its values at once")
        axes[name] = levels
    fields = {name: levels for name, levels in axes.items() if name not in VARIED}
    prompt = fill_but(cell, fields, lambda name: value_of(name, namespace))
    refuse_keys(prompt, *said, *(v for levels in axes.values() for v in levels if isinstance(v, str)))
    if "prompt" in axes and prompt.strip():
        raise UsageError(f"{NAME}: the cell holds a prompt, and prompt is varied too: leave one of the two out")
    wish = wish_of(given, prompt, namespace=namespace, model=model, max_cost=max_cost)
    limit = wish.max_cost
    varied: dict[str, Any] = {name: list(levels) for name, levels in axes.items() if name in VARIED}
    for name in varied:
        if getattr(given, _option(name), None) and name != "prompt":
            raise UsageError(f"{NAME}: {name} is varied and given as an option too: leave one of the two out")
    wish = msgspec.structs.replace(wish, max_cost=None, **varied)
    return SweepOptions(
        asked=sweep_wish(wish, fields=fields, zipped=[name for name, _ in tied]),
        out=given.out,
        wait=given.wait,
        dry_run=given.dry_run,
        fresh=given.fresh,
        max_cost=limit,
        at_once=given.at_once,
    )


def _option(name: str) -> str:
    return {"references": "ref", "frames": "frame", "generate_audio": "audio"}.get(name, name)


def _axis(text: str, option: str, namespace: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    name, equals, values = text.partition("=")
    name = name.strip().replace("-", "_")
    name = _CALLED.get(name, name)
    if not (equals and name.isidentifier() and values.strip()):
        raise UsageError(
            f"{NAME}: {option} {one_line(text, limit=60)!r} cannot be used: give NAME=VALUES, such as seed=0..3"
        )
    levels = _levels(values.strip(), namespace)
    if name in _NUMBERS:
        levels = tuple(int(v) if isinstance(v, str) and re.fullmatch(r"-?[0-9]{1,18}", v) else v for v in levels)
    if name == "generate_audio":
        levels = tuple(_SWITCH.get(v.lower(), v) if isinstance(v, str) else v for v in levels)
    return name, levels


def _levels(values: str, namespace: Mapping[str, Any]) -> tuple[Any, ...]:
    held = namespace.get(values) if values.isidentifier() else None
    if held is not None and not isinstance(held, (str, bytes, Mapping)) and isinstance(held, Iterable):
        return tuple(held)
    found: list[Any] = []
    for value in (v.strip() for v in values.split(",")):
        if match := _RANGE.match(value):
            first, last = int(match[1]), int(match[2])
            if not 0 <= last - first < _MOST:
                raise UsageError(
                    f"{NAME}: the range {one_line(value, limit=40)} is none: give the smaller number first"
                )
            found += range(first, last + 1)
        elif value:
            found.append(value)
    return tuple(found)
