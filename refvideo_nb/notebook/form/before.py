"""Before paying: about what it costs and why, what is wrong, and the very request, to read and to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets

from refvideo_nb.display.form import cost_html, messages_html, text_html
from refvideo_nb.notebook.copying import CopyButton

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from refvideo_nb.core.pricing import Estimate

__all__ = ["Before"]

_TABS = ("Prompt as sent", "JSON", "Cell", "Python")


class Before:
    """The last look before it costs something.

    Parameters
    ----------
    texts : callable
        Gives the texts of the tabs, by their titles; asked only while somebody looks.
    """

    def __init__(self, texts: Callable[[], dict[str, str]]) -> None:
        self._texts = texts
        self._cost, self._said = ipywidgets.HTML(), ipywidgets.HTML()
        self._shown = {title: ipywidgets.HTML() for title in _TABS}
        self.copy = {title: CopyButton(label=f"Copy {title.lower() if title != 'JSON' else title}") for title in _TABS}
        panes = [ipywidgets.VBox([self._shown[t], self.copy[t]]) for t in _TABS]
        self._tabs = ipywidgets.Tab(panes, titles=_TABS)
        self._more = ipywidgets.Accordion([self._tabs], titles=("The request, before it is sent",), selected_index=None)
        self._more.observe(lambda _: self.draw(), "selected_index")
        self.box = ipywidgets.VBox([self._cost, self._said, self._more])

    def say(
        self, prices: Estimate | None, *, simulated: bool, left: str, problems: Sequence[str], notes: Sequence[str]
    ) -> None:
        """What it costs, and what stands in its way; see `cost_html` and `messages_html`."""
        self._cost.value = cost_html(prices, simulated=simulated, left=left)
        self._said.value = messages_html(problems, notes)
        self.draw()

    def draw(self) -> None:
        """The texts, where somebody looks at them."""
        if self._more.selected_index is None:
            return
        texts = self._texts()
        for title in _TABS:
            text = texts.get(title, "")
            self._shown[title].value = text_html(text)
            self.copy[title].text = text
