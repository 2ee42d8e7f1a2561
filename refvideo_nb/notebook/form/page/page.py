"""The part of the form that is never seen."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

__all__ = ["Page"]


class Page(anywidget.AnyWidget):
    """Brings the form's style, and tells on which page the form is shown.

    Attributes
    ----------
    mark : str
        Set by the page itself, another one on each: a page that was loaded anew gets no
        more updates of a cell's outputs, only of its widgets.
    instead : str
        A class: elements of it are hidden for as long as the form is on their page.
    """

    _esm = Path(__file__).with_name("page.js")
    _css = Path(__file__).with_name("form.css")

    mark = traitlets.Unicode().tag(sync=True)
    instead = traitlets.Unicode().tag(sync=True)
