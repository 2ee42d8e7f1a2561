"""The grid of cells: what it shows is set here, how it is drawn stands in ``grid.js``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from refvideo_nb.core.tally import Tally

__all__ = ["Grid"]

_MOST = 160  # characters of a label


class Grid(anywidget.AnyWidget):
    """One small square for each cell, in rows, which a mouse, a keyboard and a screen reader can use.

    Attributes
    ----------
    label : str
        What the grid is, for those who cannot see it.
    rows : list of dict
        ``label``, the number of its first cell, ``first``, and how many it has, ``count``.
    dimensions : list of list of dict
        The design, slowest first: of each dimension its axes, ``name`` and ``labels``.
    stands : str
        One letter for each cell; `words` says what it means.
    words : dict
        What each letter means.
    chosen : int
        The number of the cell that was chosen last, 0 for none.
    instead : str
        The class of the still picture that it stands in for.
    """

    _esm = Path(__file__).with_name("grid.js")
    _css = Path(__file__).with_name("grid.css")

    label = traitlets.Unicode("Cells").tag(sync=True)
    rows: Any = traitlets.List().tag(sync=True)
    dimensions: Any = traitlets.List().tag(sync=True)
    stands = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)
    instead = traitlets.Unicode().tag(sync=True)

    def draw(self, tally: Tally) -> None:
        """Show how the cells stand."""
        self.stands = "".join(_LETTERS[s] for s in tally.stands())

    @classmethod
    def of(cls, tally: Tally) -> Grid:
        """The grid of a sweep."""
        made = cls(
            words={letter: word for word, letter in _LETTERS.items()},
            rows=[
                {"label": one_line(label, limit=_MOST), "first": numbers[0], "count": len(numbers)}
                for label, numbers in tally.rows()
            ],
            dimensions=[
                [{"name": a.name, "labels": [one_line(v, limit=_MOST) for v in a.labels]} for a in axes]
                for axes in tally.design.dimensions
            ],
        )
        made.draw(tally)
        return made


_LETTERS = {
    "done": "d",
    "running": "r",
    "waiting": "w",
    "failed": "f",
    "unknown": "u",
    "refused": "n",
    "forgotten": "o",
}
