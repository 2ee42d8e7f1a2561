"""Scripts and styles that stand in a page of its own, and the policy that lets these alone run."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from typing import Any

from markupsafe import Markup

__all__ = ["data_in_script", "inline", "policy"]


def inline(text: str) -> Markup:
    """A script or a style sheet of ours, in which nothing may end its element."""
    # In both languages a backslash before these signs changes nothing where they can stand at all.
    safe = text.replace("</", "<\\/").replace("<!--", "<\\!--").replace("\r", "")
    return Markup(safe)  # noqa: S704 - our own files


def data_in_script(value: Any) -> Markup:
    r"""JSON that can stand in a script element: nothing in it ends one, begins a comment, or is no ASCII.

    Examples
    --------
    >>> str(data_in_script("</script>&"))
    '"\\u003c/script\\u003e\\u0026"'
    """
    text = json.dumps(value, ensure_ascii=True, sort_keys=True)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - made harmless in the line above


def policy(*, script: str, style: str) -> str:
    """What the page may do: run this script and no other, look like this, show what it holds, load nothing."""
    rules = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "img-src": "data: blob:",
        "media-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
