"""What a person names as a source: an address, a path, a variable of the notebook, or a picture as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from refvideo_nb.core.references import check_name
from refvideo_nb.display.asked import Given
from refvideo_nb.engine.intake import Named, named_sources
from refvideo_nb.errors import BadReferenceError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Told", "offered", "short", "told", "variable_of"]

_PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
_MOST_OFFERED = 60
_LEAST_SIDE = 16  # pixels; what is smaller is no picture


class Told(NamedTuple):
    """A source as it was told.

    Attributes
    ----------
    named : Named
        What is to be read, and what the prompt calls it.
    given : Given or None
        How code would name it; None for what has no name, such as an upload.
    label : str
        What people are told while it is read.
    """

    named: Named
    given: Given | None
    label: str


def told(source: Any, namespace: Mapping[str, Any], *, name: str | None = None, label: str = "") -> Told:
    """What is to be read for a source.

    Parameters
    ----------
    source : object
        As `generate` takes it; a text that is the name of a variable stands for its value.
    namespace : mapping
        The notebook's variables.
    name : str, optional
        What the prompt calls it.
    label : str
        Where it came from, for people.

    Raises
    ------
    BadReferenceError
        For a name that a prompt cannot say.
    """
    given: Given | None = None
    variable = None if isinstance(source, str | bytes) else variable_of(source, namespace)
    if variable is not None:
        given, label = Given(name or "", variable, variable=True), label or f"variable {variable}"
    elif isinstance(source, str):
        given = Given(name or "", source, variable=source.isidentifier() and source in namespace)
        if given.variable:
            variable, label, source = source, label or f"variable {source}", namespace[source]
        elif source.isidentifier() and not Path(source).exists():
            raise BadReferenceError(
                f"{source!r} is neither a variable of the notebook nor a file in {Path.cwd()}",
                field="references",
                value=source,
            )
    elif isinstance(source, Path):
        given = Given(name or "", str(source))
    if name is not None:
        check_name(name)
    word = name or _word(variable or (label if given is None else ""))
    (named,) = named_sources([Named(word, source, given=bool(word), label=label)])
    return Told(named, given, label or (given.source if given else "a picture"))


def variable_of(value: Any, namespace: Mapping[str, Any]) -> str | None:
    """What the notebook calls this very object, if it has a name there."""
    return next((n for n, v in list(namespace.items()) if v is value and n.isidentifier() and n[0] != "_"), None)


def offered(namespace: Mapping[str, Any]) -> tuple[str, ...]:
    """The notebook's pictures and those of its folder, for choosing instead of typing."""
    names = [n for n, v in list(namespace.items()) if not n.startswith("_") and _is_picture(v)]
    try:
        files = [p.name for p in sorted(Path.cwd().iterdir()) if p.suffix.lower() in _PICTURES]
    except OSError:
        files = []
    return tuple([*names, *files][:_MOST_OFFERED])


def _is_picture(value: Any) -> bool:
    """Whether a variable can be a reference picture; imports nothing, and asks only what looks like one."""
    # Of the class, and not of the object: some objects do work, or raise, for any attribute that they are asked for.
    kind = type(value)
    if hasattr(kind, "getbands") and hasattr(kind, "save"):
        return True
    if not (hasattr(kind, "__array_interface__") and hasattr(kind, "dtype")):
        return False
    shape = value.shape
    return len(shape) in {2, 3} and str(value.dtype) == "uint8" and min(shape[:2]) >= _LEAST_SIDE


def short(path: Path) -> str:
    """A path as somebody in this folder would write it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _word(label: str) -> str:
    """A name for the prompt from the name of a file or a variable; "" where there is none to be had."""
    word = re.sub(r"[^A-Za-z0-9_]+", "_", Path(label).stem).strip("_")[:40]
    return word if word[:1].isalpha() else "image" if label else ""
