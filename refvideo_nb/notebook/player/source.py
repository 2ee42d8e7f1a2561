"""The player's JavaScript and CSS as text, for a widget and for a page that has no kernel.

The script is written in several ES modules. A notebook loads a widget's script as one
text, from which nothing can be imported: so the modules are put one after another, with
their imports taken out.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

__all__ = ["script", "style"]

# Each after those that it imports.
_MODULES = ("elements", "sources", "clock", "stage", "curves", "bar", "words", "player", "widget")
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./\w+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const|function|async)", re.MULTILINE)


@cache
def script() -> str:
    """The player as one ES module, which exports ``mount(element, data)`` and a widget's ``render``.

    Examples
    --------
    >>> "export { mount };" in script()
    True
    """
    texts = [Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8") for name in _MODULES]
    joined = "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)
    return f"{joined}\nexport {{ mount }};\n"


@cache
def style() -> str:
    """The player's style sheet; every rule is for its root and what is in it."""
    return Path(__file__).with_name("player.css").read_text(encoding="utf-8")
