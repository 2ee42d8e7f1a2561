"""One reference of the strip: its picture, its name and role, its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets
import msgspec

from refvideo_nb.core.references import Reference
from refvideo_nb.core.roles import Role
from refvideo_nb.display.asked import Given
from refvideo_nb.display.form import messages_html, tile_html
from refvideo_nb.engine.intake import Loaded
from refvideo_nb.notebook.jobcard import button

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Item", "Tile"]

_WIDTH = "164px"
_LABEL = {"description_width": "40px"}
_UNSAID = "not said"


class Item(msgspec.Struct, eq=False):
    """One reference of the form, with what it was made from.

    Attributes
    ----------
    loaded : Loaded
        Its bytes, read once; each model may make something else of them.
    reference : Reference
        As it would be sent to the model that is chosen now.
    said : Given
        How it would be named in code: an address, a path, or a variable.
    turn : int
        When it was given: the order at first, whichever is read sooner.
    role : str
        What it is for, or "" where nobody said.
    problem : str
        Why the model that is chosen now cannot take it, or "".
    """

    loaded: Loaded
    reference: Reference
    said: Given
    turn: int
    role: str = ""
    problem: str = ""


class Tile:
    """The widgets of one reference, which stay the same while it changes.

    Parameters
    ----------
    item : Item
    does : mapping of str to callable
        What its controls do: ``rename`` and ``give_role`` with the new text, ``earlier``,
        ``later`` and ``remove`` without any.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    """

    def __init__(self, item: Item, does: Mapping[str, Callable[..., Any]]) -> None:
        self._item = item
        self._picture, self._said = ipywidgets.HTML(), ipywidgets.HTML()
        wide = {"width": "auto", "margin": "2px 0"}
        self._name = ipywidgets.Text(
            value=item.reference.name, description="Name", continuous_update=False, style=_LABEL, layout=wide
        )
        self._role = ipywidgets.Dropdown(
            options=[(_UNSAID, ""), *((r.value, r.value) for r in Role)],
            value=item.role if item.role in list(Role) else "",
            description="Role",
            tooltip="; ".join(f"{r.value}: {r.meaning}" for r in Role),
            style=_LABEL,
            layout=wide,
        )
        self._name.observe(lambda change: does["rename"](change["new"]), "value")
        self._role.observe(lambda change: does["give_role"](change["new"]), "value")
        self._earlier, self._later = _arrow("left", does["earlier"]), _arrow("right", does["later"])
        self._remove = button("", does["remove"])
        row = ipywidgets.HBox([self._earlier, self._later, self._remove], layout={"grid_gap": "2px"})
        row.add_class("refvideo-tight")
        self.box = ipywidgets.VBox(
            [self._picture, self._said, self._name, self._role, row], layout={"width": _WIDTH, "overflow": "visible"}
        )

    def draw(self, index: int, *, last: bool, read: Callable[[Reference], bytes | None]) -> None:
        """As its item is now, in this place.

        Parameters
        ----------
        index : int
            From 0.
        last : bool
            Whether nothing comes after it.
        read : callable
            Gives the bytes of a reference, or None.
        """
        item, name = self._item, self._item.reference.name
        self._picture.value = tile_html(item.reference, index, read)
        self._said.value = messages_html([item.problem] if item.problem else [])
        self._name.value = name
        self._earlier.disabled, self._later.disabled = index == 0, last
        self._earlier.tooltip, self._later.tooltip = f"Move {name} earlier", f"Move {name} later"
        # With its name, which tells it from the others to whoever hears it; a long one is cut off for the eye.
        self._remove.description = self._remove.tooltip = f"Remove {name}"

    def close(self) -> None:
        """Take it off the page."""
        self.box.close()


def _arrow(side: str, does: Callable[[], Any]) -> Any:
    made = ipywidgets.Button(icon=f"arrow-{side}", layout={"width": "28px"})
    made.on_click(lambda _: does())
    return made
