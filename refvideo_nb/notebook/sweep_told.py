"""Progress under the cell for as long as a sweep is measured; what could not be measured stays there."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Self

from refvideo_nb.display.words import clock
from refvideo_nb.errors import one_line
from refvideo_nb.notebook.adherence import line_of_cell
from refvideo_nb.notebook.environment import Place, place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from refvideo_nb.notebook.sweep_scores import Scoring

__all__ = ["ScoringTold", "scoring_line"]

_OFTEN = 0.5  # seconds between two words of progress


class ScoringTold:
    """Tells how a scoring stands: under the cell of a notebook, and on the sweep's card.

    Parameters
    ----------
    listeners : sequence of callable
        Called with the line, besides.
    """

    def __init__(self, listeners: Sequence[Callable[[str], None]] = ()) -> None:
        self._began = time.monotonic()
        self._last = 0.0
        self._say = list(listeners)
        self._found: Scoring | None = None

    def __enter__(self) -> Self:
        if place() is Place.NOTEBOOK:
            self._say.append(line_of_cell())
        return self

    def __call__(self, found: Scoring) -> None:
        now = time.monotonic()
        self._found = found
        if now - self._last >= _OFTEN:
            self._last = now
            self._tell(found)

    def __exit__(self, *_: object) -> None:
        if self._found is not None:
            self._tell(self._found)

    def _tell(self, found: Scoring) -> None:
        line = scoring_line(found, seconds=time.monotonic() - self._began)
        for say in self._say:
            say(line)


def scoring_line(found: Scoring, *, seconds: float) -> str:
    """How a scoring stands, in one line.

    Examples
    --------
    >>> from refvideo_nb.notebook.sweep_scores import Scoring
    >>> scoring_line(Scoring(clips=40, kept=3, done=12), seconds=65)
    'measured 15 of 40 clips, 3 of them before · 1:05'
    """
    said = f"measured {found.done + found.kept:,} of {found.clips:,} clips"
    if found.kept:
        said += f", {found.kept:,} of them before"
    said += f" · {clock(seconds)}"
    if found.troubles:
        why, count = Counter(found.troubles.values()).most_common(1)[0]
        more = f" ({count:,} of them)" if count < len(found.troubles) else ""
        said += f" · {len(found.troubles):,} could not be measured: {one_line(why, limit=160)}{more}"
    return said
