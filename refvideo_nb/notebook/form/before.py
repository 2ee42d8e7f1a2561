"""Before paying: about what it costs and why, what is wrong, and the very request, to read and to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets

from refvideo_nb.display.form import cost_html, messages_html, text_html
from refvideo_nb.notebook.copying import CopyButton

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from refvideo_nb.core.pricing import Estimate
    from refvideo_nb.display.source import Source
    from refvideo_nb.notebook.form.turns import Turns

__all__ = ["FORMS", "Before"]

FORMS = ("Prompt as sent", "JSON", "Cell", "Python")
_NOTHING = "There is none yet: something above is missing or wrong"
_SEE, _HIDE = "See the request", "Hide the request"


class Before:
    """The last look before it costs something.

    Parameters
    ----------
    texts : callable
        Gives the request in each of its forms, by their names, as far as it can be written;
        asked only while somebody looks.
    turns : Turns
        The form's.
    tell : callable
        Told in one line what goes wrong.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    """

    def __init__(self, texts: Callable[[], dict[str, Source]], turns: Turns, tell: Callable[[str], None]) -> None:
        self._texts = texts
        self._cost, self._said = ipywidgets.HTML(), ipywidgets.HTML()
        # Buttons, and not an accordion with tabs: those cannot be reached with a keyboard.
        self._see = ipywidgets.ToggleButton(description=_SEE, layout={"width": "auto"})
        self._form = ipywidgets.ToggleButtons(options=FORMS, layout={"width": "auto"}, style={"button_width": "auto"})
        self._text, self._copy = ipywidgets.HTML(), CopyButton(label="Copy")
        self._shown = ipywidgets.VBox(
            [self._form, self._text, self._copy], layout=ipywidgets.Layout(display="none", grid_gap="6px")
        )
        self._shown.add_class("refvideo-request")
        draw = turns.handler(self.draw, tell)
        for each in (self._see, self._form):
            each.observe(lambda _: draw(), "value")
        see = ipywidgets.HBox([self._see])
        self.box = ipywidgets.VBox([self._cost, self._said, see, self._shown], layout={"grid_gap": "4px"})

    def say(
        self, prices: Estimate | None, *, simulated: bool, left: str, problems: Sequence[str], notes: Sequence[str]
    ) -> None:
        """What it costs, and what stands in its way.

        Parameters
        ----------
        prices : Estimate or None
        simulated : bool
            Whether nothing will be paid at all.
        left : str
            What the session's budget leaves, in words.
        problems, notes : sequence of str
        """
        self._cost.value = cost_html(prices, simulated=simulated, left=left)
        self._said.value = messages_html(problems, notes)
        self.draw()

    def draw(self) -> None:
        """The request, where somebody looks at it."""
        looked_at = self._see.value
        self._see.description = _HIDE if looked_at else _SEE
        self._shown.layout.display = "" if looked_at else "none"
        if not looked_at:
            return
        found = self._texts().get(self._form.value)
        text, reason = (found.text or "", found.reason) if found else ("", _NOTHING)
        self._text.value = messages_html([], [reason]) if reason else text_html(text)
        self._copy.text = text
