"""A live part in an output, and the still one that takes its place where its kernel is gone.

One MIME bundle with both would do in a notebook that is not trusted. In one's own,
which is, JupyterLab takes the widget's part and says "model not found" once the kernel
is gone. So these are two outputs: the live one hides the still one for as long as it
is on the page, and the still one hides what the front end puts where the live one was.
"""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from IPython.display import display

from refvideo_nb.notebook.progress import view_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["show_alive"]

# In JupyterLab and Notebook 7 an output whose widget is not there, or not yet, holds nothing but a text that says so.
# Elsewhere, and in a notebook that is not trusted, this finds nothing.
_NO_MODEL = (
    ".jp-OutputArea-child:has(+ .jp-OutputArea-child .{mark}) > .jp-OutputArea-output:not(:has(*)) {{ display: none }}"
)


class _Hides(Protocol):
    """What hides the elements of a class for as long as it is on their page."""

    instead: str


def show_alive(live: Any, still: Mapping[str, str], *, hides: _Hides) -> Callable[[Mapping[str, str]], None]:
    """Show a live part under the current cell.

    Parameters
    ----------
    live : ipywidgets.Widget
    still : mapping of str to str
        The MIME bundle of the still one.
    hides : object
        The part of the live one that hides the still one; its `instead` is set here.

    Returns
    -------
    callable
        Puts another bundle in the place of the still one, where the page takes it.
    """
    mark = f"refvideo-still-{token_hex(8)}"
    hides.instead = mark
    live.add_class("refvideo-live")
    nothing = {"text/plain": "", "text/html": "<span></span>"}
    display({**view_of(live), **nothing}, raw=True)  # type: ignore[no-untyped-call]
    style = _NO_MODEL.format(mark=mark) + Path(__file__).with_suffix(".css").read_text("utf-8")
    handle = uuid4().hex

    def put(bundle: Mapping[str, str], *, update: bool = True) -> None:
        html = f'<div class="{mark}"><style>{style}</style>{bundle["text/html"]}</div>'
        display({**bundle, "text/html": html}, raw=True, display_id=handle, update=update)  # type: ignore[no-untyped-call]

    put(still, update=False)
    return put
