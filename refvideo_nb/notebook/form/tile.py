"""One reference of the strip: its picture, its name and role, its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.core.references import Reference
from refvideo_nb.display.asked import Given
from refvideo_nb.display.form import messages_html
from refvideo_nb.engine.intake import Loaded
from refvideo_nb.notebook.jobcard import button

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


__all__ = ["Item", "tile"]

_WIDTH = "164px"
_LABEL = {"description_width": "44px"}


@dataclass(eq=False)
class Item:
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


def tile(
    item: Item,
    *,
    picture: str,
    roles: Mapping[str, str],
    rename: Callable[[str], None],
    give_role: Callable[[str], None],
    earlier: Callable[[], None] | None,
    later: Callable[[], None] | None,
    remove: Callable[[], None],
) -> Any:
    """The widgets of one reference.

    Parameters
    ----------
    item : Item
    picture : str
        HTML.
    roles : mapping of str to str
        What may be chosen, and what it says.
    rename, give_role, earlier, later, remove : callable
        What its controls do; None where there is no place to move to.
    """
    name = item.reference.name
    word = ipywidgets.Text(
        value=name, description="Name", continuous_update=False, style=_LABEL, layout={"width": "auto"}
    )
    word.observe(lambda change: rename(change["new"]), "value")
    role = ipywidgets.Dropdown(
        options=[("any", ""), *((r, r) for r in roles)],
        value=item.role if item.role in roles else "",
        description="Role",
        tooltip="; ".join(f"{r}: {why}" for r, why in roles.items()),
        style=_LABEL,
        layout={"width": "auto"},
    )
    role.observe(lambda change: give_role(change["new"]), "value")
    moves = [_arrow("left", f"Move {name} earlier", earlier), _arrow("right", f"Move {name} later", later)]
    row = ipywidgets.HBox([*moves, button("Remove", remove, tip=f"Remove {name}")])
    said = ipywidgets.HTML(messages_html([item.problem] if item.problem else []))
    return ipywidgets.VBox([ipywidgets.HTML(picture), said, word, role, row], layout={"width": _WIDTH})


def _arrow(side: str, tip: str, does: Callable[[], None] | None) -> Any:
    made = ipywidgets.Button(icon=f"arrow-{side}", tooltip=tip, disabled=does is None, layout={"width": "34px"})
    if does is not None:
        made.on_click(lambda _: does())
    return made
