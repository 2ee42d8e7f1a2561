"""Choosing a model: every one that the API lists, ranked, narrowed to what is needed, with the reason for its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.core.pricing import about
from refvideo_nb.core.ranking import By, Need, Ranked, rank
from refvideo_nb.display import words
from refvideo_nb.display.form import messages_html, model_html
from refvideo_nb.errors import one_line
from refvideo_nb.notebook.jobcard import guarded
from refvideo_nb.notebook.table import Table, column, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from refvideo_nb.core.catalogue import Model

__all__ = ["ModelTable"]

_BY: tuple[tuple[str, By], ...] = (("cost", "cost"), ("quality", "quality"), ("speed", "speed"), ("name", "name"))
_PRICE = column("price", "price of a clip", sortable=True, wide=150)
_COLUMNS = [
    column("model", "model", sortable=True),
    column("why", "why here", wide=220),
    column("references", "references", sortable=True, wide=120),
    column("seconds", "seconds", sortable=True),
    column("resolutions", "resolutions", sortable=True),
    column("audio", "sound", sortable=True),
    column("seed", "seed", sortable=True),
]
_MOST_REFERENCES = 30
_WRAP = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "4px 12px"}


class ModelTable:
    """All models in a live table.

    Parameters
    ----------
    models : iterable of Model
    by : {"cost", "quality", "speed", "name"}
        The ranking to begin with.
    need : Need, optional
        What is needed to begin with.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    table : Table
        The rows.
    """

    def __init__(self, models: Iterable[Model], *, by: By = "cost", need: Need | None = None) -> None:
        self._models = tuple(models)
        self._callbacks: list[Callable[[str], None]] = []
        self._ranked: dict[str, Ranked] = {}
        need = need or Need()
        self._ranking = by
        self._search = ipywidgets.Text(placeholder="name or id", **_labelled("Search", "220px"))
        self._by = ipywidgets.Dropdown(options=_BY, value=by, **_labelled("Rank by", "150px"))
        self._references = ipywidgets.BoundedIntText(
            value=need.references, min=0, max=_MOST_REFERENCES, **_labelled("References", "140px")
        )
        durations = {s for m in self._models for s in m.durations or ()}
        self._duration = _choice("Seconds", sorted(durations), need.duration, "140px")
        resolutions = {r for m in self._models for r in m.resolutions or ()}
        by_size = sorted(resolutions, key=lambda r: (len(r), r))
        self._resolution = _choice("Resolution", by_size, need.resolution, "160px")
        self._audio, self._seed = _tick("Sound", need.audio), _tick("Seed", need.seed)
        self._all = _tick("Also those that do not do", False)
        self.table = Table(label="Video models", empty="No model does all that: need less")
        self._facts = ipywidgets.HTML(layout={"margin": "4px 8px"})
        self._said = ipywidgets.HTML()
        controls = [
            *(self._search, self._by, self._references, self._duration, self._resolution),
            *(self._audio, self._seed, self._all),
        ]
        for control in controls:
            control.observe(lambda _: guarded(self._draw, self._tell), "value")
        self.table.observe(lambda _: self._show_facts(), "selected")
        # Not its change: whoever chooses the same model again means it.
        self.table.observe(lambda _: guarded(self._chosen, self._tell), "choices")
        row_of_controls = ipywidgets.HBox(controls, layout=ipywidgets.Layout(**_WRAP))
        self.box = ipywidgets.VBox([row_of_controls, self.table, self._facts, self._said])
        self._draw()

    @property
    def selected(self) -> str | None:
        """The id of the chosen model; it stays while other models are shown."""
        chosen = self.table.selected
        return chosen if chosen in self._ranked else None

    @property
    def need(self) -> Need:
        """What is needed, as the controls have it."""
        return Need(
            references=self._references.value,
            audio=self._audio.value,
            seed=self._seed.value,
            duration=self._duration.value or None,
            resolution=self._resolution.value or None,
        )

    def observe(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with the id of each model that is chosen."""
        self._callbacks.append(callback)

    def _draw(self) -> None:
        self._tell("")
        by = self._by.value
        ranked = rank(self._models, by=by, need=self.need)
        self._ranked = {r.model.id: r for r in ranked}
        asked = " ".join(self._search.value.casefold().split())
        found = [r for r in ranked if asked in f"{r.model.id} {r.model.name}".casefold()]
        fit = [r for r in found if not r.excluded_because]
        shown = found if self._all.value else fit
        with self.table.hold_sync():
            # Another ranking is another order: the one of a heading is given up.
            if self._ranking != by:
                self._ranking, self.table.sort = by, {}
            # By cost, the reason is the price.
            self.table.columns = _COLUMNS if by == "cost" else [*_COLUMNS[:2], _PRICE, *_COLUMNS[2:]]
            self.table.rows = [_row(r) for r in shown]
            self.table.total = _total(len(fit), len(self._models), hidden=len(found) - len(shown))
        self._show_facts()

    def _chosen(self) -> None:
        if (chosen := self.selected) is not None:
            for callback in self._callbacks:
                callback(chosen)

    def _show_facts(self) -> None:
        ranked = self._ranked.get(self.table.selected or "")
        if ranked is None:
            self._facts.value = ""
            return
        facts = model_html(ranked.model, price=ranked.price, clip_words=ranked.clip)
        self._facts.value = messages_html([], [f"--model {ranked.model.id}"]) + facts

    def _tell(self, problem: str) -> None:
        self._said.value = messages_html([problem] if problem else [])


def _row(ranked: Ranked) -> dict[str, Any]:
    model, support, price = ranked.model, ranked.model.references, ranked.price
    why = f"{ranked.reason}; not known: {'; '.join(ranked.unsure)}" if ranked.unsure else ranked.reason
    if ranked.excluded_because:
        why = f"does not do: {'; '.join(ranked.excluded_because)}"
    none = support.status == "none"
    cells = {
        "model": model.id,
        "price": f"{about(price)} for {ranked.clip}" if price else about(price),
        "why": why,
        "references": "none" if none else f"{words.kinds(support)} · {support.status}",
        "seconds": words.ranges(model.durations),
        "resolutions": ", ".join(one_line(r, limit=20) for r in model.resolutions or ()),
        "audio": _yes(model.audio),
        "seed": _yes(model.seed),
    }
    sort = {
        "price": float(price.high) if price else None,
        "references": None if none else float(support.max_images or 0),
        "seconds": float(max(model.durations)) if model.durations else None,
    }
    return row(model.id, cells, sort=sort, second=bool(ranked.excluded_because))


def _total(fit: int, all_: int, *, hidden: int) -> str:
    said = f"{all_} models" if fit == all_ else f"{fit} of {all_} models"
    return f"{said}, {hidden} more do not do" if hidden else said


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _labelled(label: str, width: str) -> dict[str, Any]:
    return {
        "description": label,
        "style": {"description_width": "initial"},
        "layout": {"width": width, "max_width": "100%"},
    }


def _choice(label: str, offered: Iterable[Any], value: Any, width: str) -> Any:
    # Not None for "any": a Dropdown shows nothing at all for it.
    options = [("any", ""), *((one_line(o, limit=20), o) for o in offered)]
    known = value if any(value == o for _, o in options) else ""
    return ipywidgets.Dropdown(options=options, value=known, **_labelled(label, width))


def _tick(label: str, value: bool) -> Any:
    return ipywidgets.Checkbox(value=value, description=label, indent=False, layout={"width": "auto"})
