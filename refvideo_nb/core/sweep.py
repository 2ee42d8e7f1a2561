"""A sweep: settings that are compared, one job for each cell of a design.

A plan says of every cell, before anything is paid, whether its model takes it, about
what it costs, and whether the ledger has its job already.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from refvideo_nb.core.design import Design
from refvideo_nb.core.job import FAILED, JobRecord, State
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.request import VideoRequest

__all__ = ["Cell", "Place", "Plan", "SweepRecord", "SweepState", "charged", "standing"]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One combination, as it was planned.

    Attributes
    ----------
    number : int
        Its place in the design, from 1.
    request : VideoRequest or None
        What would be sent; None where it cannot even be read.
    sent_prompt : str
        The prompt in the model's words.
    fingerprint : str
        The same for two requests that would generate the same; empty where it is refused.
    estimate : Estimate or None
        USD.
    notes : tuple of str
        What a person should know; nothing of it forbids sending.
    refused : tuple of str
        Why it is not sent, by its model's limits; empty where it may be.
    """

    number: int
    request: VideoRequest | None
    sent_prompt: str = ""
    fingerprint: str = ""
    estimate: Estimate | None = None
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep will do, told before it does it.

    Attributes
    ----------
    design : Design
    cells : tuple of Cell
        In the design's order.
    earlier : mapping of int to (str, State)
        Cells whose very request the ledger has a job of: its id and state. It is not paid again.
    fresh : bool
        Whether each cell is paid for anew.
    simulated : bool
        Whether the simulator will answer.
    """

    design: Design
    cells: tuple[Cell, ...]
    earlier: dict[int, tuple[str, State]] = msgspec.field(default_factory=dict)
    fresh: bool = False
    simulated: bool = False

    @property
    def refused(self) -> list[Cell]:
        """Cells that their model does not take."""
        return [c for c in self.cells if c.refused]

    @property
    def to_pay(self) -> list[Cell]:
        """Cells that will be sent, and paid."""
        return [c for c in self.cells if not c.refused and c.number not in self.earlier]

    @property
    def unestimated(self) -> list[Cell]:
        """Those of them that nobody can say the price of."""
        return [c for c in self.to_pay if c.estimate is None]

    @property
    def cost(self) -> Estimate:
        """About what it all costs, in USD, without the cells of which nobody can say it."""
        known = [c.estimate for c in self.to_pay if c.estimate is not None]
        low, high = sum((e.low for e in known), Decimal(0)), sum((e.high for e in known), Decimal(0))
        return Estimate(low, high, f"{len(known)} jobs")

    def reasons(self) -> list[tuple[str, list[int]]]:
        """Each reason for a refusal, with the numbers of its cells."""
        found: dict[str, list[int]] = {}
        for cell in self.refused:
            for reason in cell.refused:
                found.setdefault(reason, []).append(cell.number)
        return list(found.items())


class SweepState(StrEnum):
    """Where a sweep stands."""

    RUNNING = "running"  # or interrupted, where no living process runs it
    STOPPED = "stopped"
    FINISHED = "finished"


class SweepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep as the ledger knows it.

    Attributes
    ----------
    id : str
        Such as ``"sw-20261123-k3f9q2"``.
    state : SweepState
    design : Design
    created, updated : float
        Seconds since the epoch.
    max_cost : Decimal or None
        USD that its own jobs may cost in all; None for no limit.
    at_once : int
        The most jobs in flight.
    fresh : bool
        Whether each cell is paid for anew.
    base_url : str
        The API's address; empty for the embedded simulator.
    simulated : bool
    reason : str
        Why it stopped before its end, in words; else empty.
    replaced : Decimal
        USD that jobs cost, or may have, in whose place others were sent.
    """

    id: str
    state: SweepState
    design: Design
    created: float
    updated: float
    max_cost: Decimal | None = None
    at_once: int = 8
    fresh: bool = False
    base_url: str = ""
    simulated: bool = False
    reason: str = ""
    replaced: Decimal = Decimal(0)


class Place(msgspec.Struct, frozen=True):
    """What became of a cell so far.

    Attributes
    ----------
    number : int
    job_id : str or None
        None as long as no job was begun for it.
    reused : bool
        Whether the job was there before, or is another cell's: this cell paid nothing for it.
    record : JobRecord or None
        The job; None also where it was forgotten since.
    """

    number: int
    job_id: str | None = None
    reused: bool = False
    record: JobRecord | None = None

    @property
    def charge(self) -> Decimal:
        """USD that it counts for."""
        return Decimal(0) if self.reused or self.record is None else charged(self.record)


_WORDS = {
    State.DRAFTED: "running",
    State.SUBMITTING: "running",
    State.ACCEPTED: "running",
    State.RUNNING: "running",
    State.COMPLETED: "running",
    State.DOWNLOADED: "done",
    State.OUTCOME_UNKNOWN: "unknown",
}


def standing(cell: Cell, place: Place | None) -> str:
    """Where a cell stands: waiting, running, done, failed, unknown, refused or forgotten."""
    if cell.refused:
        return "refused"
    if place is None or place.job_id is None:
        return "waiting"
    if place.record is None:
        return "forgotten"
    return "failed" if place.record.state in FAILED else _WORDS[place.record.state]


def charged(record: JobRecord) -> Decimal:
    """USD that a job counts for against a limit: as billed, else as estimated, at the upper end.

    What failed without a bill counts for nothing; what may have been paid counts as paid.
    """
    if record.cost is not None:
        return record.cost
    if record.state in FAILED or record.estimate is None:
        return Decimal(0)
    return record.estimate.high
