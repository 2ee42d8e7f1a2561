r"""``{{name}}`` in a prompt: a field that something is put into; ``\{{name}}`` stays as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["escaped", "fields_in", "fill", "fill_but"]

_FIELD = re.compile(r"(\\?)(\{\{\s*([A-Za-z_]\w*)\s*\}\})")


def fields_in(text: str) -> list[str]:
    r"""The names of its fields, each once.

    Examples
    --------
    >>> fields_in(r"a {{colour}} cat, a {{ colour }} hat, \{{this}} {not}")
    ['colour']
    """
    return list(dict.fromkeys(match[3] for match in _FIELD.finditer(text) if not match[1]))


def fill(text: str, value: Callable[[str], str]) -> str:
    r"""Put what `value` says of each name where ``{{name}}`` stands; single braces pass untouched.

    Examples
    --------
    >>> fill("a {{colour}} cat {x}", {"colour": "red"}.__getitem__)
    'a red cat {x}'
    """
    return _FIELD.sub(lambda match: match[2] if match[1] else value(match[3]), text)


def escaped(text: str) -> str:
    r"""The text so that `fill` gives it back as it is.

    Examples
    --------
    >>> escaped("{{this}} {not}") == r"\{{this}} {not}"
    True
    """
    return _FIELD.sub(lambda match: "\\" + match[2] if not match[1] else match[0], text)


def fill_but(text: str, later: Collection[str], value: Callable[[str], str]) -> str:
    r"""As `fill`, but some fields stay for a later `fill`, and so do those that are escaped.

    Examples
    --------
    >>> fill_but("a {{colour}} {{animal}}", {"animal"}, {"colour": "red"}.__getitem__)
    'a red {{animal}}'
    """
    return _FIELD.sub(lambda match: match[0] if match[1] or match[3] in later else escaped(value(match[3])), text)
