"""A sweep in a person's hands: its plan, its start, its cells, and ways to wait for it."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from refvideo_nb.core.pricing import about, limit_of, usd
from refvideo_nb.core.sweep import Cell, Plan, SweepRecord, SweepState
from refvideo_nb.core.sweep import Place as CellPlace
from refvideo_nb.core.tally import Tally
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
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.sweep_cell import SweepCell

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from concurrent.futures import Executor

    import pandas as pd
    from matplotlib.figure import Figure

    from refvideo_nb.core.design import Design
    from refvideo_nb.notebook.comparing import Comparison
    from refvideo_nb.notebook.session import Session

__all__ = ["AT_ONCE", "Sweep"]

_PATIENCE = 0.2  # seconds; an interrupt is noticed after no more than this
_SLACK = Decimal("1.25")  # bills have been seen up to 5 % above estimates; a quarter more is another price list
AT_ONCE = 8


class Sweep:
    """Settings that are compared, one job for each combination.

    Made by :func:`refvideo_nb.sweep`, ``%%refvideo_sweep`` and :func:`refvideo_nb.sweeps`. One that
    was only planned is not kept; from its start on it is in the ledger, where any later session finds it.
    """

    def __init__(
        self, session: Session, *, plan: Plan | None = None, sweep_id: str | None = None, at_once: int = AT_ONCE
    ) -> None:
        self._session, self._plan, self._id, self._at_once = session, plan, sweep_id, at_once
        self._cells: tuple[Cell, ...] | None = plan.cells if plan is not None else None
        self._how: str | None = None  # the way of measuring that its table tells
        self._not_scored: dict[str, str] = {}  # why, by job
        self._measured: list[Callable[[str], None]] = []
        self._begun: list[Callable[[], None]] = []
        self.called: str | None = "sweep"  # the variable that holds it, as far as anybody knows

    # --- what it is ----------------------------------------------------------------------------------------

    @property
    def id(self) -> str | None:
        """Its id, such as ``"sw-20261123-k3f9q2"``; None before it was started."""
        return self._id

    @property
    def plan(self) -> Plan | None:
        """What it will do, as told before it was started; None for one that was found in the ledger."""
        return self._plan

    @property
    def record(self) -> SweepRecord:
        """All that the ledger knows of it as a whole."""
        return self._session.ledger.sweeps.get(self._started())

    @property
    def design(self) -> Design:
        """Its axes and their levels."""
        return self._plan.design if self._plan is not None else self.record.design

    @property
    def state(self) -> str:
        """``planned``, ``running``, ``interrupted`` (its process ended), ``stopped`` or ``finished``."""
        if self._id is None:
            return "planned"
        state = self.record.state
        if state is SweepState.RUNNING and not self._session.ledger.sweeps.running(self._id):
            return "interrupted"
        return state.value

    @property
    def cells(self) -> list[SweepCell]:
        """Every combination, in the design's order, with what became of it so far."""
        if self._cells is None:
            self._cells = self._session.ledger.sweeps.cells(self._started())
        places: dict[int, CellPlace] = {}
        if self._id is not None:
            places = {p.number: p for p in self._session.ledger.sweeps.places(self._id)}
        design = self.design
        return [SweepCell.of(design, cell, places.get(cell.number)) for cell in self._cells]

    @property
    def jobs(self) -> list[Job]:
        """The jobs that were begun or found for it, in the order of their cells, each once."""
        places = self._session.ledger.sweeps.places(self._id) if self._id else []
        ids = dict.fromkeys(p.record.id for p in places if p.record is not None)
        return [Job(self._session, job_id) for job_id in ids]

    @property
    def spent(self) -> Decimal:
        """USD that its own jobs cost: as billed, else as estimated; what was reused cost it nothing.

        Jobs in whose place others were sent count too.
        """
        if self._id is None:
            return Decimal(0)
        return sum((p.charge for p in self._session.ledger.sweeps.places(self._id)), self.record.replaced)

    def tally(self) -> Tally:
        """How its cells stand, and their sums."""
        if self._cells is None:
            self._cells = self._session.ledger.sweeps.cells(self._started())
        found = Tally(self.design, self._cells, spent=self.record.replaced if self._id else Decimal(0))
        if self._id is not None:
            found.take(self._session.ledger.sweeps.places(self._id))
        return found

    def __len__(self) -> int:
        return len(self.design)

    # --- what came of it -----------------------------------------------------------------------------------

    def table(self) -> pd.DataFrame:
        """All of it as a tidy table: a row for each cell and reference, also of cells that failed.

        Returns
        -------
        pandas.DataFrame
            ``cell``, ``job``, ``state``; every setting, those that were varied with their level; ``reference``,
            ``role``, and every number of its measurement, missing (NaN) where there is none; ``cost`` (USD
            as billed), ``charged`` (USD that it counts for in this sweep: nothing where its job was there
            before), ``seconds`` (from the submit to the end), ``error``, ``not_scored`` (why not) and
            ``sent_prompt``. What belongs to a job stands in each of its rows:
            ``table.drop_duplicates("cell")`` has one row a cell. ``attrs`` tell how it was measured: where
            there are several ways, as the last `score`, else as the newest. A column holds one type, so that
            ``table.to_parquet(path)`` and ``table.to_csv(path, index=False)`` write it.

        Raises
        ------
        MissingDependencyError
            Without pandas.
        """
        from refvideo_nb.notebook.sweep_table import table_of  # noqa: PLC0415 - pandas loads only where it is asked for

        return table_of(self, how=self._how, troubles=self._not_scored)

    def score(
        self,
        *,
        executor: Executor | None = None,
        embedder: Any = "efficientnet-lite0",
        frames: int | None = 32,
        every: float | None = None,
        negatives: Mapping[str, Any] | Iterable[Any] | None = None,
        seed: int = 0,
        threads: int | None = None,
        fresh: bool = False,
    ) -> Sweep:
        """Measure how well every clip followed its references; `table` and `summary` tell it.

        Each clip is measured once, and kept as soon as it is done: after an interrupt the next call
        goes on. One that cannot be measured is a row with its reason in ``not_scored``, never an error.

        Parameters
        ----------
        executor : concurrent.futures.Executor, optional
            Where it is done; by default processes of this machine, one a core. With Dask,
            ``client.get_executor()``: ``pip install "refvideo-nb[dask]"``. One clip is one task; a worker
            that does not see this machine's files is sent their bytes. The numbers are the same anywhere.
        embedder, frames, every, negatives, seed
            As of `refvideo_nb.adherence`, for all clips.
        threads : int, optional
            Of each task; by default 1, and of processes of this machine cores / workers.
        fresh : bool
            Measure again what the home folder has.

        Returns
        -------
        Sweep
            This one.

        Raises
        ------
        InvalidRequestError
            For a setting that cannot be used.
        MissingDependencyError
            With the command that installs what is missing.
        KeyboardInterrupt
            What is done by then is kept.
        """
        from refvideo_nb.notebook.measuring import How, check_frames, given_of  # noqa: PLC0415 - as above
        from refvideo_nb.notebook.sweep_scores import score_all  # noqa: PLC0415 - as above
        from refvideo_nb.notebook.sweep_told import ScoringTold  # noqa: PLC0415 - as above

        check_frames(frames, every)
        others = () if negatives is None else tuple(given_of(negatives))
        how = How(embedder=embedder, frames=frames, every=every, negatives=others, seed=seed)
        records = [p.record for p in self._session.ledger.sweeps.places(self._started()) if p.record is not None]
        with ScoringTold(self._measured) as told:
            found = score_all(self._session, records, how, executor=executor, threads=threads, fresh=fresh, told=told)
        self._how, self._not_scored = found.how, found.troubles
        return self

    def summary(
        self,
        by: str | Iterable[str] | None = None,
        *,
        metrics: str | Iterable[str] | None = None,
        baseline: Any = None,
        clusters: str | Iterable[str] | None = None,
        level: float = 0.95,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Means with intervals for each setting, and how each differs from a baseline.

        Jobs of one prompt are alike: prompts (with the references and fields that go with them) are
        counted and drawn anew, not jobs. Differences are taken between jobs of the same prompt and seed,
        and whatever else both sides share. Nothing is ranked: two settings are told apart only where the
        interval of their difference leaves out zero. docs/sweeps.md says what to trust.

        Parameters
        ----------
        by : str or iterable of str, optional
            What is compared: settings, or ``"reference"`` and ``"role"``; by default all that was varied
            beside prompts, references and seeds.
        metrics : str or iterable of str, optional
            Columns of `table`; by default adherence, coverage, copied, cost and seconds.
        baseline : level, or mapping of str to level, optional
            What the others are compared with; by default what comes first.
        clusters : str or iterable of str, optional
            What is drawn anew, instead of the prompts.
        level : float
            Of the intervals; those of all differences of a metric hold together.
        seed : int
            Of the bootstrap: the same call gives the same table.

        Returns
        -------
        pandas.DataFrame
            A row for each setting and metric: how many ``jobs`` there are, how many ``failed``, of how many
            the metric was ``measured``, the number of ``clusters``; ``mean``, ``low``, ``high``;
            ``difference``, ``difference_low``, ``difference_high``, the ``pairs`` it stands on; and
            ``told``: ``"baseline"``, ``"more"``, ``"less"`` or ``"not told apart"``. ``attrs["notes"]``
            say what the intervals speak for.

        Raises
        ------
        InvalidRequestError
            For what is no setting, metric or level.
        """
        from refvideo_nb.notebook.sweep_summary import summary_of  # noqa: PLC0415 - as above

        return summary_of(
            self.table(), self.design,
            by=by, metrics=metrics, baseline=baseline, clusters=clusters, level=level, seed=seed,
        )  # fmt: skip

    def plot(
        self,
        by: str | Iterable[str] | None = None,
        *,
        metrics: str | Iterable[str] = ("adherence", "copied", "cost"),
        paper: bool = False,
        **more: Any,
    ) -> Figure:
        """Forest plots of `summary`: means, differences to the baseline, and adherence against copying and cost.

        What cannot be told apart from the baseline is drawn hollow.

        Parameters
        ----------
        by, metrics
            As of `summary`; adherence, copied and cost by default.
        paper : bool
            Dark on white for print, instead of grey on nothing, which suits a light page and a dark one.
        **more
            ``baseline``, ``clusters``, ``level`` and ``seed``, as of `summary`.

        Returns
        -------
        matplotlib.figure.Figure
            As the last line of a cell it shows itself; ``savefig(path, dpi=300)`` writes it.
        """
        from refvideo_nb.core.optional import needed  # noqa: PLC0415 - as above

        needed("matplotlib", what="a figure of a sweep")
        from refvideo_nb.display.effects import effects_figure  # noqa: PLC0415 - drawing loads matplotlib
        from refvideo_nb.display.plots import INK, PAPER  # noqa: PLC0415 - as above

        return effects_figure(self.summary(by, metrics=metrics, **more), ink=PAPER if paper else INK)

    def compare(self, *, title: str = "", **levels: Any) -> Comparison:
        """The clips of some cells side by side on one clock.

        Parameters
        ----------
        title : str
        **levels : level or list of levels
            Which cells: an axis with its level, such as ``seed=0`` or ``model=["a/b", "c/d"]``.

        Returns
        -------
        Comparison
            See `refvideo_nb.compare`.

        Raises
        ------
        InvalidRequestError
            For what is no axis or level, no clip, or more than nine.
        """
        from refvideo_nb.notebook.sweep_slice import compare_slice  # noqa: PLC0415 - as above

        return compare_slice(self, levels, title=title)

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

    def when_measured(self, does: Callable[[str], None]) -> None:
        """Call `does` with a line that says how far it is, whenever its clips are measured."""
        self._measured.append(does)

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

    def _started(self) -> str:
        if self._id is None:
            raise RefVideoError("this sweep is only planned, and nothing was sent: start() confirms its plan")
        return self._id

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
