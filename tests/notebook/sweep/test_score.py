"""Measuring a sweep: the same numbers wherever it is done, each clip once, and what fails is a note."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from refvideo_nb.core.adherence import Report
from refvideo_nb.errors import InvalidRequestError
from refvideo_nb.notebook import sweep_scores
from refvideo_nb.notebook.adherence import adherence
from refvideo_nb.notebook.session import Session
from refvideo_nb.notebook.sweep import Sweep
from refvideo_nb.notebook.sweepcard import SweepCard


def reports(sweep: Sweep) -> dict[str, Report]:
    """The newest of each job."""
    return {
        job.id: sweep._session.ledger.reports.of(job.record.video.sha256)[0] for job in sweep.jobs if job.record.video
    }


def assert_same(one: dict[str, Report], other: dict[str, Report]) -> None:
    """Bit for bit."""
    assert set(one) == set(other)
    for name, report in one.items():
        for field in Report.__struct_fields__:
            a, b = getattr(report, field), getattr(other[name], field)
            if isinstance(a, np.ndarray):
                assert a.tobytes() == b.tobytes(), (name, field)
            elif field != "negatives":
                assert a == b, (name, field)


class Here(Executor):
    """Calls at once, in this thread; what it is given can be changed on the way."""

    def __init__(self, change: Callable[[Any], Any] = lambda task: task) -> None:
        self.change, self.tasks = change, []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.tasks.append(args[0])
        try:
            future.set_result(fn(self.change(args[0])))
        except Exception as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


@pytest.fixture(scope="module")
def few(session: Session, cats: Callable[..., Sweep]) -> Sweep:
    sweep = cats(session, prompt="@cat sits").start(max_cost=99).wait(120)
    assert [(c.state, c.error) for c in sweep.cells] == [("done", "")] * 4
    return sweep


@pytest.fixture(scope="module")
def local(few: Sweep) -> dict[str, Report]:
    """What the processes of this machine measured."""
    few.score(frames=2)
    assert few._not_scored == {}
    return reports(few)


def test_every_clip_is_measured_and_told(few: Sweep, local: dict[str, Report]) -> None:
    table = few.table()
    assert table.adherence.notna().all()
    assert (table.not_scored == "").all()
    assert len(local) == 4
    found = few.summary()
    assert found.metric.tolist() == ["adherence", "coverage", "copied", "cost", "seconds"] * 2
    assert (found.measured == 2).all()
    alone = adherence(few.jobs[0], frames=2, fresh=True)
    assert_same({"one": alone.report}, {"one": local[few.jobs[0].id]})


def test_its_card_tells_how_far_it_is(few: Sweep, local: dict[str, Report], session: Session) -> None:
    card = SweepCard(session, few)
    few.score(frames=2)
    assert "measured 4 of 4 clips, 4 of them before" in card._said.value


def test_what_is_kept_is_not_measured_again(few: Sweep, local: dict[str, Report]) -> None:
    nobody = Here()
    few.score(frames=2, executor=nobody)
    assert nobody.tasks == []
    assert few.table().adherence.notna().all()


def test_threads_and_workers_that_see_no_file_say_the_same(
    few: Sweep, local: dict[str, Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(2) as threads:
        few.score(frames=2, executor=threads, fresh=True)
    assert_same(local, reports(few))
    monkeypatch.setattr(sweep_scores, "_WINDOW", 1)
    blind = Here(lambda task: msgspec.structs.replace(task, path=Path("/nowhere") / task.path.name))
    few.score(frames=2, executor=blind, fresh=True)
    assert_same(local, reports(few))
    assert len(blind.tasks) == 5, "from the first that did not see its file on, all come with their bytes"


def test_the_table_tells_the_last_scoring_and_another_session_the_newest(
    few: Sweep, local: dict[str, Report], session: Session
) -> None:
    few.score(frames=1)
    one = few.table().adherence.tolist()
    again = Sweep(session, sweep_id=few.id)
    assert again.table().adherence.tolist() == one
    few.score(frames=2)
    assert few.table().adherence.tolist() != one


def test_what_fails_is_a_note_and_the_others_go_on(session: Session, cats: Callable[..., Sweep]) -> None:
    sweep = cats(session, prompt="@cat jumps", seed=[5, 6]).start(max_cost=99).wait(120)
    gone, broken, refused, fine = sweep.jobs
    gone.video.unlink()
    broken.video.write_bytes(broken.video.read_bytes()[:-200])

    def change(task: Any) -> Any:
        if task.name == refused.id:
            raise RuntimeError("KilledWorker")
        return task

    sweep.score(frames=1, executor=Here(change))
    told = sweep.table().drop_duplicates("cell").set_index("job").not_scored
    assert "no longer in the home folder" in told[gone.id]
    assert told[broken.id]
    assert "KilledWorker" in told[refused.id]
    assert told[fine.id] == ""
    assert sweep.table().adherence.notna().sum() == 2
    assert sweep.summary(metrics="adherence").measured.sum() == 1


def test_an_interrupt_keeps_what_is_done(few: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_scores, "_WINDOW", 1)

    class Interrupted(Here):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            if len(self.tasks) == 2:
                raise KeyboardInterrupt
            return super().submit(fn, *args, **kwargs)

    with pytest.raises(KeyboardInterrupt):
        few.score(frames=3, executor=Interrupted())
    left = Here()
    few.score(frames=3, executor=left)
    assert len(left.tasks) == 2
    assert few.table().adherence.notna().all()


@pytest.mark.parametrize(
    ("given", "said"), [({"embedder": "magic"}, "neither known nor a folder"), ({"frames": 0}, "frames=0")]
)
def test_what_cannot_be_used_is_refused_before_any_worker(few: Sweep, given: dict[str, Any], said: str) -> None:
    nobody = Here()
    with pytest.raises(InvalidRequestError, match=said):
        few.score(executor=nobody, **given)
    assert nobody.tasks == []


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A real one: two workers, each a process of its own."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        ) as made,
        distributed.Client(made) as client,
    ):
        yield client


@pytest.mark.filterwarnings("default")  # a worker is killed, which the cluster's own parts remark upon
def test_a_cluster_of_which_a_worker_is_killed_says_the_same(
    few: Sweep, local: dict[str, Report], cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = cluster.run(os.getpid)
    killed: list[int] = []

    class Killing(Here):
        """Kills a worker as soon as both are at work."""

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.tasks.append(args[0])
            future = cluster.get_executor().submit(fn, *args)
            if len(self.tasks) == 4:
                busy: dict[str, Any] = {}
                while not killed:
                    busy = cluster.processing()
                    if all(busy.get(address) for address in pids):
                        killed.append(next(iter(pids.values())))
                        os.kill(killed[0], signal.SIGKILL)
            return future

    few.score(frames=2, executor=Killing(), fresh=True)
    assert killed
    assert (few.table().not_scored == "").all()
    assert_same(local, reports(few))
    assert killed[0] not in cluster.run(os.getpid).values(), "another worker came in its place"
