"""What a person asked for, in values that can be written down, and whether every form of writing can say it."""

from __future__ import annotations

import json
import keyword
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.references import check_name
from refvideo_nb.errors import InvalidRequestError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Asked", "Given", "check_asked", "options_of", "texts_in", "unsayable"]


class Given(msgspec.Struct, frozen=True):
    """A reference or a frame, as a person would write it.

    Attributes
    ----------
    name : str
        What the prompt calls it; for a frame ``"first"`` or ``"last"``.
    source : str
        An https address, a path, or the name of a variable of the notebook.
    variable : bool
        Whether `source` is the name of a variable.
    role : str
        What a reference is there for, such as ``"subject"``; empty where nobody said.
    """

    name: str
    source: str
    variable: bool = False
    role: str = ""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked for; None leaves a setting to the model.

    Attributes
    ----------
    prompt, model : str
    references, frames : tuple of Given
    duration : int or None
        Seconds.
    resolution, aspect_ratio : str or None
    size : tuple of int or None
        (width, height) in pixels.
    seed : int or None
    generate_audio : bool or None
    provider : mapping
        ``{provider slug: {parameter: value}}``.
    previous_job_id : str or None
    max_cost : Decimal, float, int, str or None
        USD.
    fresh : bool
    out : str or None
        The variable that holds the job.
    """

    prompt: str
    model: str
    references: tuple[Given, ...] = ()
    frames: tuple[Given, ...] = ()
    duration: int | None = None
    resolution: str | None = None
    aspect_ratio: str | None = None
    size: tuple[int, int] | None = None
    seed: int | None = None
    generate_audio: bool | None = None
    provider: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    previous_job_id: str | None = None
    max_cost: Decimal | float | str | None = None
    fresh: bool = False
    out: str | None = None


_MOST_SOURCE = 8_000  # characters; longer addresses are data, and belong in a file


def unsayable(field: str, message: str) -> InvalidRequestError:
    """The error that says what a form of writing cannot say."""
    return InvalidRequestError(message, field=field)


def texts_in(value: Any) -> Iterator[str]:
    """Every text in it, however deep."""
    if isinstance(value, Given):
        yield from (value.name, value.source, value.role)
    elif isinstance(value, Asked):
        yield from texts_in([getattr(value, name) for name in Asked.__struct_fields__])
    elif isinstance(value, Mapping):
        yield from texts_in([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, str):
        yield value


def options_of(asked: Asked) -> Iterator[tuple[str, str, Any]]:
    """The provider options as (slug, parameter, value)."""
    return ((slug, key, value) for slug, options in asked.provider.items() for key, value in options.items())


def check_asked(asked: Asked) -> None:
    """Refuse what no form of writing could say.

    Raises
    ------
    InvalidRequestError
        The first such thing.
    """
    names = [check_name(g.name) for g in asked.references]
    for name in names:
        if names.count(name) > 1:
            raise unsayable("references", f"two references are called {name!r}: give each its own name")
    for frame in asked.frames:
        if frame.name not in {"first", "last"}:
            raise unsayable("frames", f"frame {one_line(frame.name, limit=40)!r} is no position; allowed: first, last")
    sources = (*asked.references, *asked.frames)
    _check_sources(sources)
    _check_variables([g.source for g in sources if g.variable] + ([] if asked.out is None else [asked.out]))
    if not asked.model:
        raise unsayable("model", "no model is chosen: choose one")
    if not _is_number(asked.max_cost):
        raise unsayable("max_cost", f"max_cost {one_line(asked.max_cost, limit=40)!r} is no number: give USD")
    for slug, key, value in options_of(asked):
        if not _has_json(value):
            shown = one_line(f"{slug}.{key}", limit=60)
            raise unsayable("provider", f"the value of provider option {shown!r} has no form in JSON")


def _check_sources(given: Iterable[Given]) -> None:
    for one in given:
        if not one.source:
            raise unsayable("references", f"{one.name!r} has no source: give an address, a path or a variable")
        if len(one.source) > _MOST_SOURCE:
            raise unsayable(
                "references", f"{one.name!r} has a source of {len(one.source)} characters: save it as a file"
            )


def _check_variables(names: Iterable[str]) -> None:
    for name in names:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise unsayable("references", f"{one_line(name, limit=40)!r} is no name for a variable")


def _is_number(cost: Decimal | float | str | None) -> bool:
    try:
        return cost is None or Decimal(str(cost)).is_finite()
    except InvalidOperation:
        return False


def _has_json(value: Any) -> bool:
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == _lists(value))
    except (TypeError, ValueError, RecursionError):
        return False


def _lists(value: Any) -> Any:
    """The value with lists for tuples, as JSON has it."""
    if isinstance(value, list | tuple):
        return [_lists(v) for v in value]
    return {k: _lists(v) for k, v in value.items()} if isinstance(value, dict) else value
