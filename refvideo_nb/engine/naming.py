"""How references are called: by whoever gives them, else by their file or their place.

Apart from taking them in, so that a cell's options are read without the HTTP stack.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec

from refvideo_nb.core.references import check_name
from refvideo_nb.errors import BadReferenceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Named", "named_sources"]

_NOT_WORD = re.compile(r"[^A-Za-z0-9_]+")


class Named(msgspec.Struct, frozen=True):
    """A source with the name that the prompt uses; `given` where a person chose it."""

    name: str
    source: Any
    given: bool
    label: str = ""


def named_sources(references: Mapping[str, Any] | Iterable[Any] | None) -> list[Named]:
    """References as a person gives them, each with a name.

    Parameters
    ----------
    references : mapping of str to source, or iterable of source (or Named), or None

    Raises
    ------
    BadReferenceError
        For a name that a prompt cannot say, or one that is there twice.
    """
    if references is None:
        return []
    found: list[Named] = []
    if hasattr(references, "items"):
        found = [Named(check_name(str(name)), source, given=True) for name, source in references.items()]
    elif (
        isinstance(references, (str, bytes, Path))
        or hasattr(references, "__array_interface__")
        or not hasattr(references, "__iter__")
    ):
        raise BadReferenceError(
            "references is a single source: give a dict {name: source} or a list [source]", field="references"
        )
    else:
        for number, item in enumerate(references, start=1):
            named = item if isinstance(item, Named) else Named("", item, given=False)
            name = check_name(named.name) if named.given else (named.name or _stem(named.source) or f"image{number}")
            found.append(Named(name, named.source, named.given, named.label))
    seen: set[str] = set()
    unique: list[Named] = []
    for named in found:
        name, count = named.name, 2
        while name in seen:
            if named.given:
                raise BadReferenceError(
                    f"two references are called {name!r}: give each its own name", field="references", value=name
                )
            name, count = f"{named.name}_{count}", count + 1
        seen.add(name)
        unique.append(Named(name, named.source, named.given, named.label))
    return unique


def _stem(source: Any) -> str:
    """A name from a file's name or an address, or "" where there is none to be had."""
    if isinstance(source, str) and source.startswith("data:"):
        return ""
    if not isinstance(source, (str, os.PathLike)):
        return ""
    text = os.fspath(source)
    path = unquote(urlsplit(text).path) if isinstance(text, str) and "://" in text else str(text)
    word = _NOT_WORD.sub("_", Path(path).stem).strip("_")[:40]
    return word if word[:1].isalpha() else ""
