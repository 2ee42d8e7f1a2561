"""A field of the form: a label, a value, and what is wrong with it, said right below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.display.form import messages_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["LABELS", "OWN", "Field"]

LABELS = {"description_width": "92px"}
OWN = "the model's own"
_WIDE = {"width": "auto", "max_width": "420px"}


class Field:
    """One setting: a list where the model says what it takes, else free text.

    Parameters
    ----------
    label : str
        What stands before it, and its accessible name.
    example : str
        What free text may look like.
    changed : callable
        Called without arguments when a person chose something else.
    """

    def __init__(self, label: str, *, example: str = "", changed: Callable[[], None]) -> None:
        self._label, self._example, self._changed = label, example, changed
        self._said = ipywidgets.HTML()
        self._quiet = False
        self._control: Any = None
        self.box = ipywidgets.VBox()
        self.offer(None)

    @property
    def value(self) -> Any:
        """What was chosen; None leaves it to the model."""
        value = self._control.value
        # An empty text, and not None: a list whose value is None shows no choice at all.
        return (value.strip() or None) if isinstance(value, str) else value

    def put(self, value: Any) -> None:
        """Choose something without telling anybody; what a list has not got becomes the model's own."""
        self._quiet = True
        try:
            if isinstance(self._control, ipywidgets.Dropdown):
                # By their text: what was typed while the field took any is the same number.
                fits = (v for _, v in self._control.options if str(v) == str(value))
                self._control.value = next(fits, "")
            else:
                self._control.value = "" if value is None else str(value)
        finally:
            self._quiet = False

    def offer(self, values: Sequence[tuple[str, Any]] | None, *, why: str = "") -> None:
        """What may be chosen: (text, value) pairs, or None for free text; the choice is kept where it fits.

        Parameters
        ----------
        values : sequence of (str, object), or None
        why : str
            Said when the pointer rests on the field.
        """
        before = self.value if self._control is not None else None
        options = None if values is None else [(OWN, ""), *values]
        if options is None:
            if not isinstance(self._control, ipywidgets.Text):
                self._take(
                    ipywidgets.Text(
                        description=self._label, placeholder=self._example or OWN, style=LABELS, layout=_WIDE
                    )
                )
        elif isinstance(self._control, ipywidgets.Dropdown):
            if tuple(options) != tuple(self._control.options):
                self._quiet = True
                self._control.options = options
                self._quiet = False
        else:
            self._take(ipywidgets.Dropdown(description=self._label, options=options, style=LABELS, layout=_WIDE))
        self._control.tooltip = why or self._label
        self._control.disabled = options is not None and len(options) == 1
        self.put(before)

    def _take(self, control: Any) -> None:
        old, self._control = self._control, control
        control.observe(self._on_value, "value")
        self.box.children = (control, self._said)
        if old is not None:
            old.close()

    def _on_value(self, _: Any) -> None:
        if not self._quiet:
            self._changed()

    def say(self, problems: Iterable[str], notes: Iterable[str] = ()) -> None:
        """What is wrong with the value, and what is merely worth knowing."""
        self._said.value = messages_html(problems, notes)
