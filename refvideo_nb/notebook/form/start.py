"""What a form starts from: the arguments of `generate`, as far as they can be used."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refvideo_nb.engine.wish import Wish, roles_of, settings_of
from refvideo_nb.errors import BadReferenceError, InvalidRequestError, RefVideoError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refvideo_nb.core.catalogue import Model

__all__ = ["named", "usable_roles", "usable_settings"]

_SETTINGS = {"duration", "resolution", "aspect_ratio", "size", "seed", "generate_audio", "provider"}


def named(references: Any) -> list[tuple[str | None, Any]]:
    """References, each with the name that it was given, if any.

    Raises
    ------
    BadReferenceError
        For a single one, as `generate` does.
    """
    if references is None:
        return []
    if hasattr(references, "items"):
        return [(str(name), source) for name, source in references.items()]
    single = isinstance(references, str | bytes | Path) or hasattr(references, "__array_interface__")
    if single or not isinstance(references, Iterable):
        raise BadReferenceError(
            "references is a single source: give a dict {name: source} or a list [source]", field="references"
        )
    return [(None, source) for source in references]


def usable_roles(roles: Mapping[str, Any] | None) -> tuple[dict[str, str], list[str]]:
    """The roles that there are, and what is wrong with the others."""
    kept: dict[str, str] = {}
    problems = []
    for name, role in (roles or {}).items():
        try:
            kept |= roles_of({name: role}, [name])
        except InvalidRequestError as error:
            problems.append(str(error))
    return kept, problems


def usable_settings(given: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """Each setting in its right type; what has none stays a text, which is complained of beside its field.

    Parameters
    ----------
    given : mapping
        By the names of `generate`'s arguments.
    model : Model
    """
    kept: dict[str, Any] = {}
    for name, value in given.items():
        try:
            if name in _SETTINGS:
                kept[name] = getattr(settings_of(Wish(prompt="any", model=model.id, **{name: value}), model), name)
            else:
                kept[name] = value
            json.dumps(kept[name])
        except (RefVideoError, TypeError, ValueError, RecursionError):
            kept[name] = one_line(value, limit=200)
    return kept
