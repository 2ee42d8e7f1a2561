"""One run of a sweep to its end: so many jobs at once, fair between models, within its limit, and never a cell twice.

A cell and its job are one transaction in the ledger, and every job goes the way that a
single one goes. Whatever becomes of a job is its cell's affair; a sweep itself stops only
where going on would be of no use: no credits, a wrong key, no connection, no money left.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

from refvideo_nb.core.job import SETTLED, JobRecord, State
from refvideo_nb.core.pricing import usd
from refvideo_nb.core.sweep import Place, SweepRecord, SweepState
from refvideo_nb.engine.purse import Purse
from refvideo_nb.engine.queues import Queues, model_of
from refvideo_nb.errors import NetworkError, RateLimitError, RefVideoError, TakenOverError, one_line
from refvideo_nb.ledger.store import new_id

if TYPE_CHECKING:
    from refvideo_nb.core.sweep import Cell
    from refvideo_nb.engine.sweeper import Run, Sweeper

__all__ = ["Course"]


class Course:
    """The course of one run, from claiming the sweep to its end."""

    def __init__(self, sweeper: Sweeper, run: Run, record: SweepRecord) -> None:
        self._engine, self._ledger, self._media = sweeper.engine, sweeper.ledger, sweeper.media
        self._settings, self._allow = sweeper.settings, sweeper.allow
        self._clock, self._sleep = sweeper.clock, sweeper.sleep
        self._run, self._record = run, record
        self._queues = Queues(self._clock)
        self._purse = Purse(record.max_cost, spent=record.replaced)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()
        self._left = 0

    async def go(self) -> None:
        """Run it until nothing is left to do, or it has to stop."""
        sweeps, record = self._ledger.sweeps, self._record
        if record.state is not SweepState.RUNNING or record.reason:
            record = sweeps.advance(record.id, state=SweepState.RUNNING, reason="")
        try:
            await self._take_stock()
            while await self._fill():
                await self._next_event()
        except BaseException:
            for task in self._tasks.values():
                task.cancel()
            raise
        waiting, why = len(self._queues), self._run.stopping
        if waiting or self._left:
            if not why:
                why = f"{_jobs(self._left)} went on at the API and could not be watched to the end"
            sweeps.advance(record.id, state=SweepState.STOPPED, reason=why)
        else:
            sweeps.advance(record.id, state=SweepState.FINISHED, reason="")

    async def _take_stock(self) -> None:
        """See what became of each cell before this run."""
        sweeps, sweep_id = self._ledger.sweeps, self._record.id
        await asyncio.to_thread(self._ledger.settle_abandoned)
        cells = {c.number: c for c in await asyncio.to_thread(sweeps.cells, sweep_id) if not c.refused}
        places = await asyncio.to_thread(sweeps.places, sweep_id)
        if not self._record.fresh:
            open_ = [p.number for p in places if p.number in cells and p.job_id is None]
            bare = {number: cells[number].fingerprint for number in open_ if number not in self._run.anew}
            given = {p.number: p for p in await asyncio.to_thread(sweeps.give_back, sweep_id, bare)}
            places = [given.get(p.number, p) for p in places]
        waiting = []
        for place in places:
            cell = cells.get(place.number)
            if cell is None:
                continue
            # Nothing was paid for what was not accepted: it is tried again.
            if place.job_id is None or (place.record is not None and place.record.state is State.REJECTED):
                waiting.append(cell)
            elif place.record is not None and not self._at_rest(place.record):
                self._follow(cell, place)
            else:
                self._purse.put([place])
        self._queues.put(waiting)

    def _at_rest(self, record: JobRecord) -> bool:
        """Whether nothing more is to be done for a job: also its file is there."""
        if record.state is State.DOWNLOADED and not self._media.video(record.id).exists():
            self._ledger.advance(record.id, State.COMPLETED)  # its file was deleted: fetch it again
            return False
        return record.state in SETTLED

    async def _fill(self) -> bool:
        """Begin as many jobs as may be; whether anything is left to wait for."""
        while not self._run.stopping and len(self._tasks) < self._record.at_once:
            cell = self._queues.peek()
            if cell is None:
                break
            if not self._purse.covers(cell):
                if not self._purse.waits:
                    self._run.stopping = self._no_money(cell)
                break
            self._queues.take(cell)
            self._begin(cell)
            await asyncio.sleep(0)  # many that are there already must not hold up the others
        return bool(self._tasks) or (bool(len(self._queues)) and not self._run.stopping)

    def _no_money(self, cell: Cell) -> str:
        limit = usd(self._purse.limit or Decimal(0))
        high = usd(cell.estimate.high) if cell.estimate else "a job without an estimate"
        return (
            f"{usd(self._purse.committed)} of max_cost {limit} are spent, and the next job may cost {high}: "
            f"{_jobs(len(self._queues))} were not sent; resume(max_cost=…) or "
            f"%refvideo resume {self._record.id} --max-cost USD goes on with more"
        )

    async def _next_event(self) -> None:
        """Wait until a job has ended, a rest is over or somebody wants to stop."""
        self._run.wake.clear()
        if self._run.stopping and not self._tasks:
            return
        end = None if self._run.stopping else self._queues.next_end()
        resting = end is not None and len(self._tasks) < self._record.at_once and self._queues.peek() is None
        waits: set[asyncio.Future[object]] = {asyncio.ensure_future(self._run.wake.wait())}
        if resting and end is not None:
            waits.add(asyncio.ensure_future(self._sleep(max(end - self._clock(), 0.0) + 0.01)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    def _begin(self, cell: Cell) -> None:
        assert cell.request is not None
        now = self._clock()
        drafted = JobRecord(
            id=new_id(now), state=State.DRAFTED, request=cell.request, sent_prompt=cell.sent_prompt,
            created=now, updated=now, estimate=cell.estimate, simulated=self._record.simulated,
            base_url=self._record.base_url, notes=cell.notes,
        )  # fmt: skip
        try:
            place = self._ledger.sweeps.begin(
                self._record.id, cell.number, drafted,
                fingerprint=cell.fingerprint, allow=self._allow,
                reuse=not self._record.fresh and cell.number not in self._run.anew,
            )  # fmt: skip
        except TakenOverError:
            raise
        except RefVideoError as error:  # the session has no more to spend, or the ledger cannot be written
            self._queues.put_back(cell)
            self._run.stopping = one_line(error)
            return
        if place.record is None or self._at_rest(place.record):
            self._purse.put([place])
            return
        self._follow(cell, place)

    def _follow(self, cell: Cell, place: Place) -> None:
        if not place.reused:
            self._purse.reserve(cell)
        task = self._tasks[cell.number] = asyncio.ensure_future(self._see_through(cell, place))
        task.add_done_callback(lambda _: self._over(cell.number))

    def _over(self, number: int) -> None:
        task = self._tasks.pop(number, None)
        if task is not None and not task.cancelled() and (error := task.exception()) is not None:
            # The ledger itself failed: the sweep stops, and everything stays as it stands there.
            self._run.stopping = self._run.stopping or one_line(error)
        self._run.wake.set()

    async def _see_through(self, cell: Cell, place: Place) -> None:
        """Watch one job to its end, and see what that means for the sweep."""
        assert place.job_id is not None
        watch = self._engine.look_after(place.job_id, patient=False)
        await asyncio.wait({asyncio.wrap_future(watch.done)})
        record = self._ledger.get(place.job_id)
        model, trouble = model_of(cell), watch.trouble
        if record.state is not State.REJECTED:
            self._queues.accepted(model)
            self._purse.settle(cell.number, record)
            self._left += record.state not in SETTLED
            return
        self._purse.settle(cell.number, None)
        if isinstance(trouble, RateLimitError):
            self._rest(model, trouble.retry_after, cell, trouble)
        elif isinstance(trouble, NetworkError):
            self._rest(model, None, cell, trouble)
        elif trouble is not None:
            # No credits, a wrong key, no API at all: the next cell would fare no better.
            self._queues.put_back(cell)
            self._run.stopping = self._run.stopping or one_line(trouble)
        elif record.submitted is None and cell.number not in self._again:
            self._again.add(cell.number)
            self._queues.put_back(cell)

    def _rest(self, model: str, asked: float | None, cell: Cell, trouble: RefVideoError) -> None:
        self._queues.put_back(cell)
        if self._queues.rest(model, asked) > self._settings.timeout:
            self._run.stopping = self._run.stopping or (
                f"{model} was not to be had for {self._settings.timeout:g} s: {one_line(trouble)}"
            )


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"
