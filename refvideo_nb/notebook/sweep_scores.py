"""Measuring every clip of a sweep, on this machine or on many: each once, whatever becomes of the others."""

from __future__ import annotations

import pickle
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.job import State
from refvideo_nb.errors import InvalidRequestError, LedgerError, RefVideoError, one_line
from refvideo_nb.measure.embedders import Embedder, find_embedder
from refvideo_nb.measure.tasks import Outcome, Task, carry_out
from refvideo_nb.measure.video import VERSION
from refvideo_nb.measure.workers import Workers, cores
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.measuring import asked_of, own_references
from refvideo_nb.notebook.sweep_table import how_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor, Future

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.measure.targets import Given
    from refvideo_nb.notebook.measuring import How
    from refvideo_nb.notebook.session import Session

__all__ = ["Scoring", "score_all"]

_PATIENCE = 0.2  # seconds; an interrupt is noticed after no more than this
_AHEAD = 2  # tasks of a worker: one that it is at, one that waits
_WINDOW = 64  # tasks that an executor of unknown size is given at once; each carries its references


class Scoring(msgspec.Struct):
    """How a scoring stands.

    Attributes
    ----------
    clips : int
        Of how many jobs there is a clip to be measured.
    kept : int
        How many of them were measured before in the very same way.
    done : int
        How many were measured now.
    troubles : dict of str to str
        Why jobs could not be measured, by their ids.
    how : str
        The way of measuring; see `.sweep_table.how_of`.
    """

    clips: int = 0
    kept: int = 0
    done: int = 0
    troubles: dict[str, str] = msgspec.field(default_factory=dict)
    how: str = ""


def score_all(
    session: Session,
    records: Sequence[JobRecord],
    how: How,
    *,
    executor: Executor | None = None,
    threads: int | None = None,
    fresh: bool = False,
    told: Callable[[Scoring], None] = lambda _: None,
) -> Scoring:
    """Measure the clips of these jobs; what is done is kept at once.

    Parameters
    ----------
    session : Session
    records : sequence of JobRecord
        Of which those with a clip are measured.
    how : How
    executor, threads, fresh
        See `.sweep.Sweep.score`.
    told : callable
        Called whenever one more is done.
    """
    embedder = find_embedder(how.embedder, threads=1)  # refused here, and not by every worker
    with_clip = {r.id: r for r in records if r.state is State.DOWNLOADED and r.video is not None}
    found = Scoring(clips=len(with_clip), how=how_of(asked_of((), how)))
    plan = _Plan(session, how, found)
    work = plan.tasks(list(with_clip.values()), fresh=fresh)
    told(found)
    if not work:
        return found
    count = min(len(work), cores())
    if executor is None:
        _check_sendable(how.embedder, embedder)
        threads = threads or max(1, cores() // count)
    tasks = deque(msgspec.structs.replace(task, threads=threads or 1) for task in work)
    own = Workers(count) if executor is None else None
    try:
        _Round(own or executor, plan, window=_AHEAD * count if own else _WINDOW).go(tasks, told=told)
    finally:
        if own is not None:
            own.shutdown(wait=False)
    return found


def _check_sendable(given: Any, embedder: Embedder) -> None:
    if isinstance(given, Embedder):
        try:
            pickle.dumps(given)
        except Exception as error:  # noqa: BLE001 - anything may go wrong in a class of somebody's own
            raise InvalidRequestError(
                f"embedder {one_line(embedder.name, limit=40)!r} cannot be sent to another process "
                f"({one_line(error, limit=100)}): give executor=ThreadPoolExecutor(), or its folder",
                field="embedder",
            ) from None


class _Plan:
    """Which jobs are to be measured, and where each report belongs."""

    def __init__(self, session: Session, how: How, found: Scoring) -> None:
        self._session, self._how, self.found = session, how, found
        self._given: dict[Any, tuple[tuple[Given, ...], dict[str, Any]]] = {}
        self._asked: dict[str, dict[str, Any]] = {}
        self._same: dict[str, list[str]] = {}  # jobs that one task answers, by the id of its first

    def tasks(self, records: Sequence[JobRecord], *, fresh: bool) -> list[Task]:
        """What is not kept yet, each film with its references once."""
        readable = []
        for record in records:
            try:
                self._asked[record.id] = self._of(record)[1]
                readable.append(record)
            except RefVideoError as error:
                self.found.troubles[record.id] = one_line(error, limit=300)
        films = [(r.video.sha256 if r.video else "", self._asked[r.id]) for r in readable]
        there = [False] * len(films) if fresh else self._session.ledger.reports.kept(films)
        self.found.kept = sum(there)
        first: dict[Any, str] = {}
        made = []
        for record, (film, asked), is_there in zip(readable, films, there, strict=True):
            if is_there:
                continue
            one = first.setdefault((film, id(asked)), record.id)
            self._same.setdefault(one, []).append(record.id)
            if one == record.id and (task := self._task(record, film)) is not None:
                made.append(task)
        return made

    def _of(self, record: JobRecord) -> tuple[tuple[Given, ...], dict[str, Any]]:
        """The references of a job, read once for all jobs that have the same."""
        key = tuple((r.name, r.role, r.kind, r.sha256) for r in record.request.references)
        if key not in self._given:
            given = own_references(Job(self._session, record.id))
            self._given[key] = given, asked_of(given, self._how)
        return self._given[key]

    def _task(self, record: JobRecord, film: str) -> Task | None:
        path = self._session.media.video(record.id)
        if not path.is_file():
            self.failed(record.id, f"{path.name} is no longer in the home folder: resume() fetches it again")
            return None
        how = self._how
        return Task(
            name=record.id, path=path.resolve(), sha256=film, references=self._of(record)[0], embedder=how.embedder,
            frames=how.frames, every=how.every, negatives=how.negatives, seed=how.seed, threads=1, version=VERSION,
        )  # fmt: skip

    def failed(self, job_id: str, why: str) -> None:
        """Note it for every job that this would have answered."""
        self.found.troubles.update(dict.fromkeys(self._same[job_id], why))

    def take(self, task: Task, outcome: Outcome) -> None:
        """Keep what came of a task."""
        if outcome.report is None:
            self.failed(task.name, outcome.why or f"its worker does not see {task.path.name}, nor its bytes")
            return
        self.found.done += len(self._same[task.name])
        with suppress(LedgerError):  # as a single measurement: the others go on
            self._session.ledger.reports.keep(outcome.report, asked=self._asked[task.name])


class _Round:
    """Giving tasks to an executor, a few at a time, and taking what comes back in whatever order."""

    def __init__(self, executor: Any, plan: _Plan, *, window: int) -> None:
        self._executor, self._plan, self._window = executor, plan, window
        self._flying: dict[Future[Outcome], Task] = {}
        self._arrived: SimpleQueue[Future[Outcome]] = SimpleQueue()
        self._ship = False  # whether workers do not see the files of this machine

    def go(self, tasks: deque[Task], *, told: Callable[[Scoring], None]) -> None:
        """Until all are done. An interrupt takes back what has not begun; what is done is kept."""
        try:
            while tasks or self._flying:
                while tasks and len(self._flying) < self._window:
                    self._give(tasks.popleft())
                # Not `as_completed`: the futures of other executors do not work in it.
                with suppress(Empty):
                    self._take(self._arrived.get(timeout=_PATIENCE), tasks)
                    told(self._plan.found)
        except BaseException:
            for future in self._flying:
                future.cancel()
            raise

    def _give(self, task: Task) -> None:
        try:
            if self._ship and task.data is None:
                task = msgspec.structs.replace(task, data=task.path.read_bytes())
            future = self._executor.submit(carry_out, task)
        except Exception as error:  # noqa: BLE001 - an executor may refuse in any way
            self._plan.failed(task.name, f"it could not be sent to a worker: {one_line(error, limit=200)}")
            return
        self._flying[future] = task
        future.add_done_callback(self._arrived.put)

    def _take(self, future: Future[Outcome], tasks: deque[Task]) -> None:
        task = self._flying.pop(future)
        try:
            outcome = future.result()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            self._plan.failed(task.name, f"{type(error).__name__}: {one_line(error, limit=200)}")
            return
        if outcome.report is None and not outcome.why and task.data is None:
            self._ship = True
            tasks.appendleft(task)
            return
        self._plan.take(task, outcome)
