"""The exact JSON of a request, for reading."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from refvideo_nb.display import words
from refvideo_nb.display.page import clip

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["exact_json"]

_MOST = 40_000  # characters
_MOST_URL = 200


def exact_json(body: Mapping[str, Any]) -> str:
    r"""What ``POST /videos`` carries; only data URLs are cut behind their type, and their size is said.

    Parameters
    ----------
    body : mapping
        The exact body.

    Examples
    --------
    >>> print(exact_json({"model": "a/b", "prompt": "caf\u00e9 \u202e"}))
    {
      "model": "a/b",
      "prompt": "café \u202e"
    }
    """
    text = json.dumps(_shorten(body), indent=2, ensure_ascii=False)
    # What cannot be seen is written in JSON's own escapes, so that the text stays exact, and harmless.
    return clip("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text), _MOST)


def _shorten(value: Any) -> Any:
    """The same structure with data URLs cut behind their type, and their size said."""
    if isinstance(value, str):
        head, comma, data = value.partition(";base64,")
        if comma and head.startswith("data:") and len(value) > _MOST_URL:
            return f"{head};base64,… ({words.nbytes(len(data) * 3 // 4)})"
        return value
    if isinstance(value, dict):
        return {k: _shorten(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_shorten(v) for v in value]
    return value
