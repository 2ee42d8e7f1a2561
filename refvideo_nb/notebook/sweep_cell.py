"""One cell of a sweep in a person's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from refvideo_nb.core.design import Design, Label
from refvideo_nb.core.job import JobRecord
from refvideo_nb.core.sweep import Cell, Place, standing

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["SweepCell"]


class SweepCell(msgspec.Struct, frozen=True):
    """One combination of a sweep and what became of it.

    Attributes
    ----------
    number : int
        Its place in the design, from 1; the same in every session.
    settings : dict
        What makes it differ from the others: each axis with its level.
    state : str
        ``waiting``, ``running``, ``done``, ``failed``, ``unknown`` (it may have been paid), ``refused``
        (by its model's limits) or ``forgotten``.
    error : str
        Why it was refused or failed; else empty.
    reused : bool
        Whether its job was there before, or is another cell's, so that nothing was paid for it.
    planned : Cell
        With its request, estimate and notes.
    record : JobRecord or None
        The job, once one was begun.
    """

    number: int
    settings: dict[str, Label]
    state: str
    error: str
    reused: bool
    planned: Cell
    record: JobRecord | None

    @property
    def cost(self) -> Decimal:
        """USD that it counts for in this sweep: as billed, else as estimated; 0 where it was reused."""
        return Place(self.number, reused=self.reused, record=self.record).charge

    @classmethod
    def of(cls, design: Design, cell: Cell, place: Place | None) -> SweepCell:
        """A cell as it was planned, and what became of it."""
        record = place.record if place is not None else None
        return cls(
            number=cell.number,
            settings=design.settings(cell.number),
            state=standing(cell, place),
            error="; ".join(cell.refused) or (record.error if record is not None else ""),
            reused=place is not None and place.reused,
            planned=cell,
            record=record,
        )
