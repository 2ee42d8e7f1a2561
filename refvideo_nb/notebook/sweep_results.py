"""What a sweep is, and what came of it: its cells, its numbers, and the ways to look at them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from refvideo_nb.core.sweep import Cell, Plan, SweepRecord, SweepState
from refvideo_nb.core.sweep import Place as CellPlace
from refvideo_nb.core.tally import Tally
from refvideo_nb.errors import RefVideoError
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.sweep_cell import SweepCell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Executor

    import pandas as pd
    from matplotlib.figure import Figure

    from refvideo_nb.core.design import Design
    from refvideo_nb.notebook.comparing import Comparison
    from refvideo_nb.notebook.session import Session

__all__ = ["SweepResults"]


class SweepResults:
    """The part of a :class:`~refvideo_nb.notebook.sweep.Sweep` that sends nothing and pays nothing."""

    def __init__(self, session: Session, *, plan: Plan | None = None, sweep_id: str | None = None) -> None:
        self._session, self._plan, self._id = session, plan, sweep_id
        self._cells: tuple[Cell, ...] | None = plan.cells if plan is not None else None
        self._how: str | None = None  # the way of measuring that its table tells
        self._not_scored: dict[str, str] = {}  # why, by job
        self._measured: list[Callable[[str], None]] = []

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
    ) -> Self:
        """Measure how well every clip followed its references; `table` and `summary` tell it.

        Each clip is measured once, and kept as soon as it is done: after an interrupt the next call
        goes on. One that cannot be measured is a row with its reason in ``not_scored``, never an error.

        Parameters
        ----------
        executor : concurrent.futures.Executor, optional
            Where it is done; by default processes of this machine, one a core. With Dask,
            ``client.get_executor()``: ``pip install "refvideo-nb[dask]"``. One clip is one task; a worker
            that does not see this machine's files is sent their bytes. The numbers are the same
            for any number of processes and threads of one kind of machine and the same packages.
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

    def when_measured(self, does: Callable[[str], None]) -> None:
        """Call `does` with a line that says how far it is, whenever its clips are measured."""
        self._measured.append(does)

    def _started(self) -> str:
        if self._id is None:
            raise RefVideoError("this sweep is only planned, and nothing was sent: start() confirms its plan")
        return self._id
