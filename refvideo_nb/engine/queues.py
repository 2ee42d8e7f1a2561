"""Which cell comes next: one queue a model, taken in turns, and a model that was told to wait is left out."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from refvideo_nb.core.sweep import Cell

__all__ = ["Queues"]

_FIRST_REST = 1.0  # seconds, where the API does not say how long
_LONGEST_REST = 120.0


class Queues:
    """Cells that wait, fair between their models.

    Parameters
    ----------
    clock : callable
        Seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: dict[str, deque[Cell]] = {}
        self._order: deque[str] = deque()  # the model whose turn it is comes first
        self._until: dict[str, float] = {}
        self._rests: dict[str, int] = {}
        self._since: dict[str, float] = {}

    def __len__(self) -> int:
        return sum(len(cells) for cells in self._waiting.values())

    def put(self, cells: Iterable[Cell]) -> None:
        """More cells, behind those that wait."""
        for cell in cells:
            self._of(cell).append(cell)

    def put_back(self, cell: Cell) -> None:
        """A cell that was taken too early, before those that wait."""
        self._of(cell).appendleft(cell)

    def _of(self, cell: Cell) -> deque[Cell]:
        model = model_of(cell)
        if model not in self._waiting:
            self._waiting[model] = deque()
            self._order.append(model)
        return self._waiting[model]

    def peek(self) -> Cell | None:
        """The cell whose turn it is; None where all that wait have to rest."""
        now = self._clock()
        for model in self._order:
            if self._waiting[model] and self._rest_of(model) <= now:
                return self._waiting[model][0]
        return None

    def take(self, cell: Cell) -> None:
        """Take the cell that `peek` gave; its model is the last to have another turn."""
        model = model_of(cell)
        self._waiting[model].popleft()
        self._order.remove(model)
        self._order.append(model)

    def rest(self, model: str, asked: float | None = None) -> float:
        """Give a model a rest; for how many seconds in a row it has only had rests by now.

        Parameters
        ----------
        model : str
        asked : float, optional
            Seconds that the API asked to wait, already clamped; without, each rest in a row is
            twice as long.
        """
        now = self._clock()
        until = self._until.get(model, 0.0)
        if until <= now:  # several jobs that were on their way together are one refusal
            self._rests[model] = self._rests.get(model, 0) + 1
        own = min(_FIRST_REST * 2.0 ** (self._rests[model] - 1), _LONGEST_REST)
        self._until[model] = max(until, now + max(asked or 0.0, own if asked is None else 0.0))
        return now - self._since.setdefault(model, now)

    def accepted(self, model: str) -> None:
        """A job of this model was accepted: the next rest is a short one again."""
        self._rests.pop(model, None)
        self._since.pop(model, None)

    def next_end(self) -> float | None:
        """When the first rest of a model with cells ends, seconds since the epoch."""
        return min((self._rest_of(model) for model, cells in self._waiting.items() if cells), default=None)

    def _rest_of(self, model: str) -> float:
        """When a model's rest ends; a clock that was set back makes none longer than it may be."""
        self._until[model] = min(self._until.get(model, 0.0), self._clock() + _LONGEST_REST)
        return self._until[model]


def model_of(cell: Cell) -> str:
    """The model of a cell that may be sent."""
    assert cell.request is not None
    return cell.request.model
