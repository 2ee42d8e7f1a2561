"""The model: chosen by its id, with what it takes, or from a table of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.core.ranking import Need, rank
from refvideo_nb.display.form import messages_html, model_html
from refvideo_nb.notebook.form.fields import labelled
from refvideo_nb.notebook.jobcard import button

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from refvideo_nb.core.catalogue import Model
    from refvideo_nb.notebook.form.turns import Turns

__all__ = ["ModelField"]

_COMPARE, _HIDE = "Compare models", "Hide the table"


class ModelField:
    """Which model makes the clip.

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
    references : int
        So many there are: the table begins with the models that take as many.
    """

    def __init__(self, turns: Turns, tell: Callable[[str], None]) -> None:
        self._turns, self._tell = turns, tell
        self._models: tuple[Model, ...] = ()
        self.references = 0
        self._id = labelled(ipywidgets.Combobox, "Model", continuous_update=False, flex="0 1 420px")
        self._id.observe(lambda _: turns.changed(), "value")
        self._said = ipywidgets.HTML()
        self._table = ipywidgets.VBox()
        self._compare = button(
            _COMPARE, turns.handler(self._toggle, tell), tip="All models in a table, by need, cost and quality"
        )
        row = ipywidgets.HBox(
            [self._id, self._compare],
            layout=ipywidgets.Layout(flex_flow="row wrap", align_items="flex-end", grid_gap="4px 8px"),
        )
        self.box = ipywidgets.VBox([row, self._table, self._said])

    @property
    def value(self) -> str:
        """The id."""
        return str(self._id.value).strip()

    @value.setter
    def value(self, model_id: str) -> None:
        self._id.value = model_id

    def offer(self, models: Iterable[Model]) -> None:
        """The models that there are."""
        self._models = tuple(models)
        self._id.options = tuple(m.id for m in self._models)

    def say(self, problems: Sequence[str]) -> None:
        """Why this model cannot be used."""
        self._said.value = messages_html(problems)

    def show(self, model: Model, notes: Sequence[str]) -> None:
        """What a model takes, and what was taken out of the other fields because it does not take it."""
        (ranked,) = rank([model], by="cost")
        facts = model_html(model, price=ranked.price, clip_words=ranked.clip)
        self._said.value = messages_html([], notes) + facts

    def _toggle(self) -> None:
        shown: Any = self._table.children
        if shown:
            self._table.children = ()
            for each in shown:
                each.close()
        else:
            from refvideo_nb.notebook.chooser import ModelTable  # noqa: PLC0415 - only where somebody looks

            table = ModelTable(self._models, need=Need(references=self.references))
            table.observe(self._turns.handler(self._choose, self._tell))
            self._table.children = (table.box,)
        self._compare.description = _COMPARE if shown else _HIDE

    def _choose(self, model_id: str) -> None:
        self._id.value = model_id
