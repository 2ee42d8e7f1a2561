"""A small card that asks a person how well a clip follows each of its references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.core.adherence import UNVALIDATED
from refvideo_nb.core.rating import Rating
from refvideo_nb.display.form import messages_html
from refvideo_nb.display.measured import note_words
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.errors import one_line
from refvideo_nb.notebook.jobcard import guarded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refvideo_nb.ledger.ratings import Ratings

__all__ = ["RatingCard"]

_SCALE = (("1 not at all", 1), ("2", 2), ("3 partly", 3), ("4", 4), ("5 entirely", 5))
_NOBODY = 0


class RatingCard:
    """One row for each reference, from 1 to 5; every choice is kept at once.

    Parameters
    ----------
    ratings : Ratings
    video_sha256, called : str
        The clip, and what it is called.
    references : sequence of str
        Their names; without any the clip as a whole is asked about.
    criterion, rater : str

    Attributes
    ----------
    box : ipywidgets.VBox
    """

    def __init__(
        self,
        ratings: Ratings,
        video_sha256: str,
        called: str,
        references: Sequence[str],
        *,
        criterion: str,
        rater: str,
    ) -> None:
        self._ratings, self._video, self._criterion = ratings, video_sha256, criterion
        self._filling = False
        self._rater = ipywidgets.Text(
            value=rater, description="Your name", placeholder="may stay empty", layout={"width": "280px"}
        )
        self._said = ipywidgets.HTML()
        asked = f"{called}: “{criterion}”, from 1 (not at all) to 5 (entirely); each answer is kept at once"
        head = ipywidgets.HTML(messages_html([], [asked, note_words(UNVALIDATED)]))
        self._choices = {name: self._choice(name, place) for place, name in enumerate(references or [""])}
        self.box = ipywidgets.VBox([head, self._rater, *self._choices.values(), self._said])
        self._fill()
        self._rater.observe(lambda _: self._fill(), "value")

    def _choice(self, name: str, place: int) -> Any:
        made = ipywidgets.ToggleButtons(
            options=[("no answer", _NOBODY), *_SCALE],
            description=f"@{one_line(name, limit=40)}" if name else "The clip",
            style={"button_width": "auto", "description_width": "120px"},
        )
        made.layout.padding, made.layout.margin = "0 0 0 8px", "4px 0"
        made.layout.border_left = f"3px solid {reference_colour(place)}"
        made.observe(lambda change: guarded(lambda: self._keep(name, change["new"]), self._tell), "value")
        return made

    def _fill(self) -> None:
        """What this person has said already."""
        self._filling = True
        try:
            said = {
                r.reference: r.value
                for r in self._ratings.of([self._video])
                if r.criterion == self._criterion and r.rater == self._rater.value.strip()
            }
            for name, choice in self._choices.items():
                value = said.get(name, _NOBODY)
                choice.value = value if value in dict(_SCALE).values() else _NOBODY
        finally:
            self._filling = False

    def _keep(self, name: str, value: int) -> None:
        if self._filling:
            return
        rating = Rating(
            video_sha256=self._video,
            reference=name,
            criterion=self._criterion,
            value=float(value),
            rater=self._rater.value.strip(),
        )
        what = f"@{name}" if name else "the clip"
        if value == _NOBODY:
            self._ratings.take_back(rating)
            self._said.value = messages_html([], [f"{what}: taken back"])
            return
        self._ratings.keep([rating])
        self._said.value = messages_html([], [f"{what}: {value} of 5, kept"])

    def _tell(self, problem: str) -> None:
        self._said.value = messages_html([problem])

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415 - only in a notebook

        display(self.box)  # type: ignore[no-untyped-call]
