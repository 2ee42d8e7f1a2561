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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    _Still = Mapping[str, str] | Callable[[], Mapping[str, str]]

__all__ = ["Shown", "show_alive"]

VIEW = "application/vnd.jupyter.widget-view+json"
_NOTHING = {"text/plain": "", "text/html": "<span></span>"}

# In JupyterLab and Notebook 7 an output whose widget is not there, or not yet, holds nothing but a text that says so.
# Elsewhere, and in a notebook that is not trusted, this finds nothing.
_NO_MODEL = (
    ".jp-OutputArea-child:has(+ .jp-OutputArea-child .{mark}) > .jp-OutputArea-output:not(:has(*)) {{ display: none }}"
)


class _Hides(Protocol):
    """What hides the elements of a class for as long as it is on their page."""

    instead: str


def view_of(box: object) -> dict[str, object]:
    """What stands for a widget in a MIME bundle."""
    return {VIEW: {"version_major": 2, "version_minor": 0, "model_id": getattr(box, "model_id", "")}}


class Shown:
    """The two outputs, as they stand under their cell.

    Parameters
    ----------
    live : ipywidgets.Widget
    still : mapping of str to str, or callable
        The MIME bundle of the still one, or what draws it: asked when the live one is on its way
        to the page, which need not wait for that.
    mark : str
        The class that the live one hides.
    """

    def __init__(self, live: Any, still: _Still, mark: str) -> None:
        self._mark = mark
        self._live, self._still = uuid4().hex, uuid4().hex
        _put({**view_of(live), **_NOTHING}, self._live)
        try:
            _put(self._marked(still() if callable(still) else still), self._still)
        except BaseException:  # an interrupt too: alone, the live one would leave "model not found" in the notebook
            _put(_NOTHING, self._live, update=True)
            raise

    def put(self, bundle: Mapping[str, str]) -> None:
        """Another bundle in the place of the still one, where the page takes it."""
        _put(self._marked(bundle), self._still, update=True)

    def end(self, bundle: Mapping[str, str]) -> None:
        """Nothing but a last bundle; what was live is gone."""
        _put(_NOTHING, self._live, update=True)
        _put(bundle, self._still, update=True)

    def _marked(self, bundle: Mapping[str, str]) -> dict[str, str]:
        style = _NO_MODEL.format(mark=self._mark) + Path(__file__).with_suffix(".css").read_text("utf-8")
        return {**bundle, "text/html": f'<div class="{self._mark}"><style>{style}</style>{bundle["text/html"]}</div>'}


def show_alive(live: Any, still: _Still, *, hides: _Hides) -> Shown:
    """Show a live part under the current cell.

    Parameters
    ----------
    live : ipywidgets.Widget
    still : mapping of str to str, or callable
        See `Shown`.
    hides : object
        The part of the live one that hides the still one; its `instead` is set here.

    Returns
    -------
    Shown
    """
    mark = f"refvideo-still-{token_hex(8)}"
    hides.instead = mark
    live.add_class("refvideo-live")
    return Shown(live, still, mark)


def _put(bundle: Mapping[str, Any], display_id: str, *, update: bool = False) -> None:
    display(dict(bundle), raw=True, display_id=display_id, update=update)  # type: ignore[no-untyped-call]
