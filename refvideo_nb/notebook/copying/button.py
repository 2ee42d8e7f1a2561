"""The copy button."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

__all__ = ["CopyButton"]


class CopyButton(anywidget.AnyWidget):
    """Copies its text to the clipboard with one click.

    Parameters
    ----------
    text : str
        What is copied.
    label : str
        What the button says; also its accessible name.
    """

    _esm = Path(__file__).with_name("button.js")
    _css = Path(__file__).with_name("button.css")

    text = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode("Copy").tag(sync=True)
