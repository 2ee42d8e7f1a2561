"""The prompt, with the names of the references at hand, and what it leaves unsaid of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import ipywidgets

from refvideo_nb.display.form import messages_html
from refvideo_nb.notebook.form.fields import labelled
from refvideo_nb.notebook.jobcard import button

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from refvideo_nb.notebook.form.turns import Turns

__all__ = ["PromptField"]


class PromptField:
    """What the clip shows.

    Parameters
    ----------
    turns : Turns
        The form's.
    tell : callable
        Told in one line what goes wrong.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    """

    def __init__(self, turns: Turns, tell: Callable[[str], None]) -> None:
        self._turns, self._tell = turns, tell
        self._text = labelled(
            ipywidgets.Textarea, "Prompt", placeholder="What the clip shows. @name stands for a reference", rows=5
        )
        self._text.add_class("refvideo-prose")
        self._text.observe(lambda _: turns.changed(), "value")
        self._names = ipywidgets.HBox(layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="4px"))
        self._said = ipywidgets.HTML()
        self.box = ipywidgets.VBox([self._text, self._names, self._said])

    @property
    def value(self) -> str:
        """As it was written."""
        return str(self._text.value)

    @value.setter
    def value(self, text: str) -> None:
        self._text.value = text

    def offer(self, names: Sequence[str]) -> None:
        """The references that it can name."""
        wanted = [f"@{name}" for name in names]
        if [b.description for b in self._names.children] == wanted:
            return
        old = self._names.children
        put = self._turns.handler(self._put, self._tell)
        self._names.children = [button(w, partial(put, w), tip=f"Put {w} at the end of the prompt") for w in wanted]
        for each in old:
            each.close()

    def say(self, problems: Sequence[str], hints: Sequence[str]) -> None:
        """What is wrong with it, and what it leaves unsaid."""
        self._said.value = messages_html(problems, hints)

    def _put(self, word: str) -> None:
        text = self.value
        self._text.value = f"{text}{'' if not text or text[-1].isspace() else ' '}{word} "
