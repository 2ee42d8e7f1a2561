"""What a sweep may still spend: estimates count until the bills are there, and bills correct the estimates."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from refvideo_nb.core.sweep import charged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.core.sweep import Cell, Place

__all__ = ["Purse"]

_FEW = 2  # jobs of a model in flight before its first bill, where the limit would not bear
_DOUBT = 4  # times the estimates of all models that have no bill yet


class Purse:
    """The money of one sweep.

    A model whose bills have come above their estimates is counted at its highest ratio so far,
    also for the jobs that are still in flight. Before its first bill only a few of its jobs are in
    flight, unless the limit would bear that all such bills are four times their estimates.

    Parameters
    ----------
    limit : Decimal or None
        USD; None for no limit.
    spent : Decimal
        USD that are gone already, beside what the cells' jobs cost.
    """

    def __init__(self, limit: Decimal | None, *, spent: Decimal = Decimal(0)) -> None:
        self.limit = limit
        self._settled = spent
        self._flying: dict[int, tuple[str, Decimal]] = {}
        self._ratio: dict[str, Decimal] = {}

    def put(self, places: Iterable[Place]) -> None:
        """What earlier jobs of this sweep cost."""
        for place in places:
            if place.record is not None and not place.reused:
                self._learn(place.record)
                self._settled += place.charge

    def reserve(self, cell: Cell) -> None:
        """A job is begun."""
        assert cell.request is not None
        self._flying[cell.number] = (cell.request.model, cell.estimate.high if cell.estimate else Decimal(0))

    def settle(self, number: int, record: JobRecord | None) -> None:
        """A job has ended, or is no longer watched; None where nothing can have been paid."""
        if self._flying.pop(number, None) is not None and record is not None:
            self._learn(record)
            self._settled += charged(record)

    @property
    def committed(self) -> Decimal:
        """USD that are spent, or may be by what is in flight."""
        return self._settled + sum((high * self._of(model) for model, high in self._flying.values()), Decimal(0))

    def covers(self, cell: Cell) -> bool:
        """Whether one more job still fits."""
        if self.limit is None:
            return True
        if cell.estimate is None or cell.request is None:
            return False
        model, high = cell.request.model, cell.estimate.high
        committed = self.committed
        if committed + high * self._of(model) > self.limit:
            return False
        if model in self._ratio or sum(of == model for of, _ in self._flying.values()) < _FEW:
            return True
        unseen = sum((each for of, each in self._flying.values() if of not in self._ratio), high)
        return committed + high + unseen * (_DOUBT - 1) <= self.limit

    @property
    def waits(self) -> bool:
        """Whether something is in flight whose bill may come out lower than its estimate."""
        return bool(self._flying)

    def _of(self, model: str) -> Decimal:
        return self._ratio.get(model, Decimal(1))

    def _learn(self, record: JobRecord) -> None:
        if record.cost and record.estimate is not None and record.estimate.high > 0:  # a job that failed tells nothing
            model = record.request.model
            self._ratio[model] = max(self._of(model), record.cost / record.estimate.high)
