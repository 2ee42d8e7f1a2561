"""A sweep in a person's hands: its start, its end, and ways to wait for it."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from refvideo_nb.core.pricing import about, limit_of, usd
from refvideo_nb.core.sweep import Plan, SweepRecord, SweepState
from refvideo_nb.errors import (
    InvalidRequestError,
    PlanError,
    RefVideoError,
    SweepStoppedError,
    TakenOverError,
    WaitTimeoutError,
    one_line,
)
from refvideo_nb.notebook.environment import Place, place
from refvideo_nb.notebook.sweep_results import SweepResults

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from refvideo_nb.notebook.session import Session

__all__ = ["AT_ONCE", "Sweep"]

_PATIENCE = 0.2  # seconds; an interrupt is noticed after no more than this
_SLACK = Decimal("1.25")  # bills have been seen up to 5 % above estimates; a quarter more is another price list
AT_ONCE = 8


class Sweep(SweepResults):
    """Settings that are compared, one job for each combination.

    Made by :func:`refvideo_nb.sweep`, ``%%refvideo_sweep`` and :func:`refvideo_nb.sweeps`. One that
    was only planned is not kept; from its start on it is in the ledger, where any later session finds it.
    """

    def __init__(
        self, session: Session, *, plan: Plan | None = None, sweep_id: str | None = None, at_once: int = AT_ONCE
    ) -> None:
        super().__init__(session, plan=plan, sweep_id=sweep_id)
        self._at_once = at_once
        self._begun: list[Callable[[], None]] = []
        self.called: str | None = "sweep"  # the variable that holds it, as far as anybody knows

    # --- starting, stopping, going on ----------------------------------------------------------------------

    def start(self, *, max_cost: float | str | Decimal | None = None) -> Sweep:
        """Confirm the plan: from here on its jobs are sent, and paid.

        Cells that their model refuses are left out; every other one is sent once.

        Parameters
        ----------
        max_cost : float or str, optional
            USD that the jobs of this sweep may cost in all. Without it, the upper estimate of the
            plan and a quarter more; no limit where a cell has no estimate.

        Returns
        -------
        Sweep
            This one, at once; ``sweep.wait()`` or ``await sweep`` waits for it.

        Raises
        ------
        PlanError
            The plan is not covered by `max_cost`, or a cell has no estimate to compare with it.
        """
        if self._id is not None:
            raise RefVideoError(f"sweep {self._id} was started already: resume() goes on with it")
        plan = self._plan
        assert plan is not None
        limit = limit_of(max_cost)
        if limit is not None:
            self.check_limit(limit)
        elif not plan.unestimated:
            limit = plan.cost.high * _SLACK
        from refvideo_nb.ledger.store import new_id  # noqa: PLC0415 - importing the package stays light

        session, now = self._session, time.time()
        record = SweepRecord(
            id=new_id(now, "sw"),
            state=SweepState.RUNNING,
            design=plan.design,
            created=now,
            updated=now,
            max_cost=limit,
            at_once=self._at_once,
            fresh=plan.fresh,
            base_url=session.address,
            simulated=session.simulated,
        )
        self._id = record.id  # before it is written: an interrupt in between must not let it be started twice
        try:
            session.ledger.sweeps.add(record, plan.cells)
        except RefVideoError:
            self._id = None
            raise
        session.sweeper.run(record.id)
        self._tell()
        return self

    def check_limit(self, limit: Decimal) -> None:
        """Whether a limit covers the plan.

        Raises
        ------
        PlanError
            Where it does not; nothing was sent.
        """
        plan = self._plan
        assert plan is not None
        if bare := plan.unestimated:
            more = f" and {len(bare) - 1} more have" if len(bare) > 1 else " has"
            raise PlanError(
                f"cell {bare[0].number}{more} no estimate to compare with max_cost {usd(limit)}: set duration and "
                "resolution, or start() without max_cost; nothing was sent",
                plan=plan,
                value=limit,
            )
        if plan.cost.high > limit:
            raise PlanError(
                f"{len(plan.to_pay)} jobs, {about(plan.cost)}, are more than max_cost {usd(limit)}: raise it, or "
                "compare less; nothing was sent",
                plan=plan,
                value=limit,
            )

    def stop(self) -> None:
        """Send nothing more. What is in flight is paid already, and is watched until it ends.

        Raises
        ------
        TakenOverError
            Where another kernel runs it.
        """
        sweep_id = self._started()
        run = self._session.sweeper.get(sweep_id)
        if run is not None and not run.done.done() and not run.elsewhere:
            self._session.sweeper.stop(sweep_id, "it was stopped by hand")
        elif self._session.ledger.sweeps.running(sweep_id):
            raise TakenOverError(f"sweep {sweep_id} is run by another kernel: stop it there")

    def resume(self, *, max_cost: float | str | Decimal | None = None, again: str | Iterable[str] = ()) -> Sweep:
        """Go on where it stands: after a stop, a restart of the kernel, or a crash.

        Jobs in flight are watched again, cells without a job are sent, and so are those that the API
        did not accept, for which nothing was paid. Nothing that was sent is sent again.

        Parameters
        ----------
        max_cost : float or str, optional
            USD, another limit on what it may cost in all, also for what is spent already.
        again : str or iterable of str, optional
            ``"failed"``, ``"unknown"``: cells of these states get a new job, which is paid. One of
            unknown outcome may have been paid already; look at the account's activity page first.

        Raises
        ------
        TakenOverError
            Where another kernel runs it and another limit is given.
        """
        session, sweep_id = self._session, self._started()
        record = self.record
        if record.base_url != session.address:
            there, here = (a or "the embedded simulator" for a in (record.base_url, session.address))
            raise InvalidRequestError(f"sweep {sweep_id} belongs to {there} and cannot go on at {here}", field="sweep")
        changes: dict[str, Any] = {} if max_cost is None else {"max_cost": limit_of(max_cost)}
        anew = self._to_replace(again)
        run = session.sweeper.get(sweep_id)
        if run is not None and not run.done.done() and not run.elsewhere:
            if changes or anew:
                raise RefVideoError(f"sweep {sweep_id} is running: stop() it, then resume(…) with what is to change")
            return self
        sweeps = session.ledger.sweeps
        if sweeps.claim(sweep_id):
            sweeps.set_free(sweep_id, anew)
            sweeps.advance(sweep_id, state=SweepState.RUNNING, reason="", **changes)
        elif changes or anew:
            raise TakenOverError(f"sweep {sweep_id} is run by another kernel: stop it there")
        session.sweeper.run(sweep_id, anew=anew)
        self._tell()
        return self

    def _to_replace(self, again: str | Iterable[str]) -> list[int]:
        states = {again} if isinstance(again, str) else set(again)
        for state in states - {"failed", "unknown"}:
            raise InvalidRequestError(
                f"again {one_line(state, limit=40)!r} cannot be used; allowed: failed, unknown",
                field="again",
                value=state,
                allowed=("failed", "unknown"),
            )
        return [cell.number for cell in self.cells if cell.state in states] if states else []

    def when_begun(self, does: Callable[[], None]) -> None:
        """Call `does` whenever it was started or goes on, from wherever that was asked for."""
        self._begun.append(does)

    def _tell(self) -> None:
        for does in self._begun:
            does()

    # --- waiting -------------------------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> Sweep:
        """Wait here until every cell has ended.

        A cell that failed raises nothing: it is a cell with its error.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Returns
        -------
        Sweep
            This one.

        Raises
        ------
        SweepStoppedError
            It stopped before its end (no credits, its limit, by hand); it says why.
        WaitTimeoutError
            The time is over; the sweep goes on.
        KeyboardInterrupt
            An interrupt ends the wait within 0.2 s; the sweep goes on.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        run = self._running()
        while run is not None and not run.done.done():
            left = _PATIENCE if deadline is None else min(_PATIENCE, deadline - time.monotonic())
            if left <= 0:
                raise WaitTimeoutError(
                    f"sweep {self._id} is not finished after {timeout:g} s and goes on: wait() again",
                    job_id=self._started(),
                    status=self.state,
                )
            try:
                run.done.result(left)
            except TimeoutError:
                continue
        return self._ended()

    def __await__(self) -> Generator[Any, None, Sweep]:
        return self._wait_async().__await__()

    async def _wait_async(self) -> Sweep:
        import asyncio  # noqa: PLC0415 - importing the package stays light

        run = self._running()
        if run is not None:
            done = asyncio.wrap_future(run.done)
            while not done.done():
                await asyncio.wait({done}, timeout=_PATIENCE)  # short waits can be interrupted
        return self._ended()

    def _running(self) -> Any:
        """The run to wait for; one that was interrupted is taken up again."""
        sweep_id = self._started()
        run = self._session.sweeper.get(sweep_id)
        if self.record.state is not SweepState.RUNNING:
            return run if run is not None and not run.done.done() else None
        return self._session.sweeper.run(sweep_id)

    def _ended(self) -> Sweep:
        record = self.record
        if record.state is SweepState.FINISHED:
            return self
        run = self._session.sweeper.get(record.id)
        why = record.reason or (one_line(run.trouble) if run is not None and run.trouble else "its run has ended")
        raise SweepStoppedError(
            f"sweep {record.id} stopped before its end: {why}. Everything so far is kept; resume() or "
            f"%refvideo resume {record.id} goes on, and nothing is paid twice",
            sweep_id=record.id,
        )

    # --- showing -------------------------------------------------------------------------------------------

    def bundle(self) -> dict[str, str]:
        """The plan, or how it stands, as a MIME bundle."""
        from refvideo_nb.display.sweep import plan_bundle, sweep_bundle  # noqa: PLC0415 - drawing loads the templates

        if self._id is None:
            assert self._plan is not None
            how = (
                f"{self.called}.start() confirms"
                if self.called
                else "-o NAME, then NAME.start(), or --max-cost confirms"
            )
            return plan_bundle(self._plan, how=[f"Nothing was sent. {how} this plan and pays."])
        return sweep_bundle(self.record, self.tally(), state=self.state)

    def show(self) -> None:
        """Show the plan or how it stands: alive in a notebook that somebody watches."""
        where = place()
        if where in {Place.SCRIPT, Place.TERMINAL}:
            print(self.bundle()["text/plain"])  # noqa: T201 - there is nothing else to show it on
        elif where is Place.NOTEBOOK:
            from refvideo_nb.notebook.sweepcard import show_sweep  # noqa: PLC0415 - widgets load only where they show

            show_sweep(self._session, self)
        else:
            from IPython.display import display  # noqa: PLC0415 - only in a notebook

            display(self.bundle(), raw=True)  # type: ignore[no-untyped-call]

    def _ipython_display_(self) -> None:
        self.show()

    def __repr__(self) -> str:
        return f"<Sweep {self._id or 'not started'} {self.state} {len(self)} cells>"
