"""Templates, and the one place where text from outside is made harmless."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from secrets import token_hex
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

__all__ = ["Bundle", "Embedded", "clip", "harmless", "loaded", "render"]

Bundle = dict[str, str]
"""One output: MIME type to text, ``image/png`` as base64, as a notebook stores it."""

# Controls (terminal escapes begin with one), lone surrogates, which no file can hold,
# and the marks that reorder what a reader sees. Tabs and line breaks stay.
_HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    r"""The text without control characters; line breaks and tabs stay.

    Examples
    --------
    >>> harmless("red\x1b[31m alert\r\nnext") == "red\ufffd[31m alert\nnext"
    True
    """
    return _HARMFUL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, saying how many are left out: no output may grow without bound."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit:,} more characters)"


def _finalize(value: Any) -> Any:
    # Markup is ours (data URLs of megabytes): it is passed through uncopied.
    return harmless(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("refvideo_nb.display"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )


class Embedded:
    """A file that stands in the page as a data URL, put in after the template was rendered.

    A template would copy its megabytes at every step. So it writes a mark that no
    one outside can know, and the file takes its place in a single joining.

    Parameters
    ----------
    data : bytes
    media_type : str
    """

    def __init__(self, data: bytes, media_type: str) -> None:
        self._mark = token_hex(16)
        self._data, self._type = data, media_type

    def __str__(self) -> str:
        return self._mark

    def into(self, html: str) -> str:
        """The page with the file in the place of the mark."""
        head, _, tail = html.partition(self._mark)
        return "".join((head, "data:", self._type, ";base64,", b64encode(self._data).decode("ascii"), tail))


def loaded(name: str) -> Template:
    """A template from ``templates/``, read and compiled once."""
    return _environment().get_template(name)


def render(name: str, *, embedded: Embedded | None = None, **values: Any) -> str:
    """A template from ``templates/`` with its values, escaped; `embedded` is put in last."""
    html = loaded(name).render(embedded=embedded, **values)
    return html if embedded is None else embedded.into(html)
