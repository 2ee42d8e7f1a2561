"""The table widget: what it shows is set here, how it is drawn stands in ``table.js``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import anywidget
import traitlets

from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Picture", "Table", "column", "row"]

_MOST = 400  # characters of a cell; a table is looked over, not read


class Picture(NamedTuple):
    """A small picture in a cell.

    Attributes
    ----------
    key : str
        Where its data URL is found in the table's `pictures`; until it is there, its room stays empty.
    alt : str
        What it shows, in words.
    """

    key: str
    alt: str


def column(
    key: str, label: str, *, numeric: bool = False, sortable: bool = False, pictures: bool = False, wide: int = 0
) -> dict[str, Any]:
    """One column.

    Parameters
    ----------
    key : str
        The name of its cells.
    label : str
        Its heading.
    numeric : bool
        Whether figures stand under each other.
    sortable : bool
        Whether its heading is a button that sorts.
    pictures : bool
        Whether its cells hold small pictures.
    wide : int
        Pixels below which its text is not squeezed, but breaks into lines above; 0 keeps it in one line.
    """
    kind = "pictures" if pictures else "text"
    return {"key": key, "label": label, "numeric": numeric, "sortable": sortable, "kind": kind, "wide": wide}


def row(
    row_id: str,
    cells: Mapping[str, str | Sequence[Picture]],
    *,
    sort: Mapping[str, float | str | None] | None = None,
    second: bool = False,
) -> dict[str, Any]:
    """One row.

    Parameters
    ----------
    row_id : str
        What `Table.selected` holds when it is chosen.
    cells : mapping
        Text, or a sequence of `Picture`, by the column's key. Control characters become spaces.
    sort : mapping, optional
        What the front end sorts a column by, where that is not its text; None comes last.
    second : bool
        Whether it is second choice: shown fainter, and after the others however they are sorted.

    Examples
    --------
    >>> row("a/b", {"model": "a/b", "price": "USD 0.20"}, sort={"price": 0.2})["cells"]["price"]
    'USD 0.20'
    """
    return {
        "id": row_id,
        "cells": {key: _cell(value) for key, value in cells.items()},
        "sort": dict(sort or {}),
        "second": second,
    }


def _cell(value: str | Sequence[Picture]) -> str | list[dict[str, str]]:
    if isinstance(value, str):
        return one_line(value, limit=_MOST)
    return [{"key": p.key, "alt": one_line(p.alt, limit=80)} for p in value]


class Table(anywidget.AnyWidget):
    """A table of a page: real rows and headings, which a keyboard and a screen reader can use.

    Where `remote` is set, sorting and paging are only asked for: whoever observes `sort`
    and `page` sets the rows. Else the front end sorts what it has.

    Attributes
    ----------
    label : str
        What the table is, for those who cannot see it.
    columns, rows : list of dict
        Made by `column` and `row`.
    pictures : dict of str to str
        Data URLs by key; the front end takes PNG, JPEG, WebP and GIF.
    sort : dict
        ``{"key": …, "descending": …}``, or empty for the order of `rows`.
    selected : str or None
        The id of the chosen row; it stays while other rows are shown.
    choices : int
        How often somebody has chosen a row, the same one again too.
    page, pages : int
        From 1.
    total : str
        How many rows there are, in words.
    busy, empty : str
        What is said while rows are fetched, and where there are none.
    remote : bool
    instead : str
        A class: elements of it are hidden for as long as the table is on their page.
    """

    _esm = Path(__file__).with_name("table.js")
    _css = Path(__file__).with_name("table.css")

    label = traitlets.Unicode().tag(sync=True)
    columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    pictures = traitlets.Dict().tag(sync=True)
    sort = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    choices = traitlets.Int(0).tag(sync=True)
    page = traitlets.Int(1).tag(sync=True)
    pages = traitlets.Int(1).tag(sync=True)
    total = traitlets.Unicode().tag(sync=True)
    busy = traitlets.Unicode().tag(sync=True)
    empty = traitlets.Unicode("Nothing to show").tag(sync=True)
    remote = traitlets.Bool(default_value=False).tag(sync=True)
    instead = traitlets.Unicode().tag(sync=True)

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._views: set[str] = set()
        self._looks: list[Callable[[], None]] = []
        self.on_msg(self._heard)

    @property
    def seen(self) -> bool:
        """Whether somebody has it on the screen now, as far as its pages have told."""
        return bool(self._views)

    def on_look(self, callback: Callable[[], None]) -> None:
        """Call `callback` whenever the table comes into somebody's view."""
        self._looks.append(callback)

    def _heard(self, _: Any, content: Any, __: Any) -> None:
        view = content.get("view") if isinstance(content, dict) else None
        if not isinstance(view, str):
            return
        if not content.get("seen"):
            self._views.discard(view)
            return
        # A page that was closed says no goodbye: only the latest few can be in view.
        self._views = {view, *list(self._views)[:3]}
        for callback in self._looks:
            callback()
