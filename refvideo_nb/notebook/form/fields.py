"""A field of the form: a label, a value, and what is wrong with it, said right below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.display.form import messages_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["OWN", "Field", "labelled"]

OWN = "the model's own"


def labelled(kind: Callable[..., Any], label: str, *, flex: str = "", **more: Any) -> Any:
    """A control below its label, which is also its accessible name.

    Parameters
    ----------
    kind : callable
        The class of the widget.
    label : str
    flex : str
        How it shares its row, as CSS has it.
    more
        For the widget itself.
    """
    made = kind(description=label, layout={"width": "auto", "min_width": "0"}, **more)
    # Where the form's own style is missing, the label stands before the control, and fits all the same.
    made.style.description_width = "92px"
    made.add_class("refvideo-field")
    if flex:
        made.layout.flex = flex
    return made


class Field:
    """One setting: a list where the model says what it takes, else free text.

    Parameters
    ----------
    label : str
        What stands above it, and its accessible name.
    example : str
        What free text may look like.
    offered : sequence of (str, object), optional
        What may be chosen; see `offer`.
    changed : callable
        Called without arguments when its value has changed.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    """

    def __init__(
        self,
        label: str,
        *,
        example: str = "",
        offered: Sequence[tuple[str, Any]] | None = None,
        changed: Callable[[], None],
    ) -> None:
        self._label, self._example, self._changed = label, example, changed
        self._said = ipywidgets.HTML()
        self._control: Any = None
        self.box = ipywidgets.VBox(layout={"min_width": "0"})
        self.offer(offered)

    @property
    def value(self) -> Any:
        """What was chosen; None leaves it to the model."""
        value = self._control.value
        # An empty text, and not None: a list whose value is None shows no choice at all.
        return (value.strip() or None) if isinstance(value, str) else value

    def put(self, value: Any) -> None:
        """Choose something; what a list has not got becomes the model's own."""
        if isinstance(self._control, ipywidgets.Dropdown):
            # By their text: what was typed while the field took any is the same number.
            fits = (v for _, v in self._control.options if str(v) == str(value))
            self._control.value = next(fits, "")
        else:
            self._control.value = "" if value is None else str(value)

    def offer(self, values: Sequence[tuple[str, Any]] | None, *, why: str = "") -> None:
        """What may be chosen; the choice is kept where it fits.

        Parameters
        ----------
        values : sequence of (str, object), or None
            Text and value; None for free text.
        why : str
            What narrows it; shown in its place where nothing can be chosen at all.
        """
        before = self.value if self._control is not None else None
        if values is None:
            if not isinstance(self._control, ipywidgets.Text):
                self._take(labelled(ipywidgets.Text, self._label, placeholder=self._example or OWN))
        else:
            options = ((OWN if values else why or OWN, ""), *values)
            if not isinstance(self._control, ipywidgets.Dropdown):
                self._take(labelled(ipywidgets.Dropdown, self._label, options=options))
            elif options != tuple(self._control.options):
                self._control.options = options
        self._control.tooltip = why or self._label
        self._control.disabled = values is not None and not values
        self.put(before)

    def _take(self, control: Any) -> None:
        old, self._control = self._control, control
        control.observe(lambda _: self._changed(), "value")
        self.box.children = (control, self._said)
        if old is not None:
            old.close()

    def say(self, problems: Iterable[str]) -> None:
        """What is wrong with the value."""
        self._said.value = messages_html(problems)
