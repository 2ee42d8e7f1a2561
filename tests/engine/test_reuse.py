"""Run All pays nothing again, and several kernels on one ledger do not get in each other's way."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.errors import LedgerError, RefVideoError
from refvideo_nb.ledger.store import LEASE, Ledger, new_id


def draft(ledger_clock: float, **more: Any) -> JobRecord:
    return JobRecord(
        id=new_id(ledger_clock),
        state=State.DRAFTED,
        request=VideoRequest(prompt="a cat"),
        sent_prompt="a cat",
        created=ledger_clock,
        updated=ledger_clock,
        **more,
    )


class Kernels:
    """Two ledgers on one home, as two kernels have them, and a clock that both read."""

    def __init__(self, home: Any) -> None:
        self.now = 1_800_000_000.0
        self.one = Ledger(home, clock=lambda: self.now)
        self.two = Ledger(home, clock=lambda: self.now)

    def add(self, to: Ledger, mark: str = "same", *, state: State = State.DRAFTED, reuse: bool = True) -> JobRecord:
        self.now += 1
        record = to.add(draft(self.now), fingerprint=mark, reuse=reuse)
        path = {
            State.DRAFTED: [],
            State.SUBMITTING: [State.SUBMITTING],
            State.ACCEPTED: [State.SUBMITTING, State.ACCEPTED],
            State.RUNNING: [State.SUBMITTING, State.ACCEPTED, State.RUNNING],
            State.DOWNLOADED: [State.SUBMITTING, State.ACCEPTED, State.COMPLETED, State.DOWNLOADED],
            State.FAILED: [State.SUBMITTING, State.ACCEPTED, State.FAILED],
            State.EXPIRED: [State.SUBMITTING, State.ACCEPTED, State.EXPIRED],
            State.REJECTED: [State.REJECTED],
            State.OUTCOME_UNKNOWN: [State.SUBMITTING, State.OUTCOME_UNKNOWN],
        }[state]
        for step in path:
            record = to.advance(record.id, step)
        return record


@pytest.fixture
def kernels(tmp_path: Any) -> Any:
    made = Kernels(tmp_path / "home")
    yield made
    made.one.close()
    made.two.close()


@pytest.mark.parametrize(
    "state", [State.DRAFTED, State.SUBMITTING, State.ACCEPTED, State.RUNNING, State.DOWNLOADED, State.OUTCOME_UNKNOWN]
)
def test_the_same_request_is_found_again(kernels: Kernels, state: State) -> None:
    first = kernels.add(kernels.one, state=state)
    for ledger in (kernels.one, kernels.two):
        again = kernels.add(ledger)
        assert (again.id, again.state) == (first.id, state)


@pytest.mark.parametrize("state", [State.FAILED, State.EXPIRED, State.REJECTED])
def test_what_failed_is_not_reused(kernels: Kernels, state: State) -> None:
    first = kernels.add(kernels.one, state=state)
    assert kernels.add(kernels.one).id != first.id


def test_another_request_and_fresh_make_a_new_job(kernels: Kernels) -> None:
    first = kernels.add(kernels.one, state=State.DOWNLOADED)
    assert kernels.add(kernels.one, "other").id != first.id
    assert kernels.add(kernels.one, reuse=False).id != first.id


def test_a_good_job_comes_before_one_whose_outcome_is_unknown(kernels: Kernels) -> None:
    good = kernels.add(kernels.one, state=State.DOWNLOADED)
    kernels.add(kernels.one, state=State.OUTCOME_UNKNOWN, reuse=False)
    assert kernels.add(kernels.one).id == good.id


def test_two_kernels_that_run_the_same_cell_at_once_make_one_job(kernels: Kernels) -> None:
    start = threading.Barrier(8)

    def run(number: int) -> str:
        ledger = kernels.one if number % 2 else kernels.two
        record = draft(kernels.now)
        start.wait()
        return ledger.add(record, fingerprint="same", reuse=True).id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(run, range(8)))) == 1
    assert len(kernels.one.jobs()) == 1


def test_one_kernel_looks_after_a_job(kernels: Kernels) -> None:
    job = kernels.add(kernels.one, state=State.RUNNING)
    assert kernels.one.claim(job.id) is not None
    assert kernels.two.claim(job.id) is None
    with pytest.raises(LedgerError, match="another process"):
        kernels.two.advance(job.id, State.COMPLETED)
    kernels.one.release(job.id)
    assert kernels.two.claim(job.id) is not None
    assert kernels.one.claim(job.id) is None


def test_the_lock_of_a_living_process_counts_more_than_any_clock(kernels: Kernels) -> None:
    job = kernels.add(kernels.one, state=State.SUBMITTING)
    kernels.now += 1e6  # a laptop that slept, a clock that was set
    assert kernels.two.claim(job.id) is None
    assert kernels.two.get(job.id).state is State.SUBMITTING


def test_elsewhere_a_lease_that_ran_out_is_taken_over_and_one_that_is_renewed_is_not(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("refvideo_nb.ledger.owners._host", lambda: "another-machine")
    kernels = Kernels(tmp_path / "home")
    job = kernels.add(kernels.one, state=State.RUNNING)
    monkeypatch.undo()  # from here on we are somewhere else, and cannot look at its lock
    kernels.now += LEASE * 0.8
    kernels.one.renew()
    kernels.now += LEASE * 0.8
    assert kernels.two.claim(job.id) is None
    kernels.now += LEASE
    assert kernels.two.claim(job.id) is not None
    with pytest.raises(LedgerError, match="another process"):
        kernels.one.advance(job.id, State.COMPLETED)
    kernels.one.close()
    kernels.two.close()


DIES = """
import os, sys
from pathlib import Path
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.ledger.store import Ledger, new_id
home, state = Path(sys.argv[1]), sys.argv[2]
ledger = Ledger(home)
record = JobRecord(id="rv-20261123-" + state[:6].ljust(6, "x"), state=State.DRAFTED, request=VideoRequest(prompt="x"),
                   sent_prompt="x", created=1.0, updated=1.0)
ledger.add(record, fingerprint=state)
for step in ("submitting", "accepted"):
    if state == "drafted":
        break
    ledger.advance(record.id, State(step))
    if step == state:
        break
print(record.id, flush=True)
if len(sys.argv) > 3:
    sys.stdin.read()
os._exit(9)
"""


@pytest.mark.parametrize(
    ("left", "found", "said"),
    [
        ("drafted", State.REJECTED, "never sent"),
        ("submitting", State.OUTCOME_UNKNOWN, "ended before the answer came"),
        ("accepted", State.ACCEPTED, ""),
    ],
)
def test_a_dead_process_is_recognised_at_once(tmp_path: Any, left: str, found: State, said: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(DIES), str(tmp_path / "home"), left]
    job_id = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    ledger = Ledger(tmp_path / "home")
    record = ledger.claim(job_id)
    assert record is not None
    assert (record.state, said in record.error) == (found, True)
    ledger.close()


def test_a_living_process_keeps_its_job(tmp_path: Any) -> None:
    command = [sys.executable, "-c", textwrap.dedent(DIES), str(tmp_path / "home"), "submitting", "stay"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        job_id = process.stdout.readline().strip()
        ledger = Ledger(tmp_path / "home")
        assert ledger.claim(job_id) is None
        assert ledger.get(job_id).state is State.SUBMITTING
        process.kill()
        process.wait()
        record = ledger.claim(job_id)
        assert record is not None
        assert record.state is State.OUTCOME_UNKNOWN
        ledger.close()


def test_a_dead_senders_job_asks_instead_of_being_sent_again(tmp_path: Any) -> None:
    command = [sys.executable, "-c", textwrap.dedent(DIES), str(tmp_path / "home"), "submitting"]
    job_id = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    ledger = Ledger(tmp_path / "home")
    again = ledger.add(draft(2.0), fingerprint="submitting", reuse=True)
    assert (again.id, again.state) == (job_id, State.OUTCOME_UNKNOWN)
    ledger.close()


def test_a_job_of_another_kernel_is_followed_until_it_ends(world: Any) -> None:
    # Time flies in this world: its lease must hold all the same.
    other = Ledger(world.settings.home, clock=lambda: world.clock() + 1e9)
    record = other.add(draft(world.clock()), fingerprint="x")
    other.advance(record.id, State.SUBMITTING)
    watch = world.engine.look_after(record.id)
    with pytest.raises(TimeoutError):
        watch.done.result(0.3)
    for step in (State.ACCEPTED, State.COMPLETED, State.DOWNLOADED):
        other.advance(record.id, step)
    watch.done.result(10)
    assert world.ledger.get(record.id).state is State.DOWNLOADED
    assert world.script.posts == 0
    assert world.script.polls == 0
    other.close()


def test_a_job_that_another_process_took_over_is_followed_there(world: Any) -> None:
    """As after a night in which the laptop slept: the lease was over, and another kernel went on with the job."""
    other = Ledger(world.settings.home, clock=lambda: world.clock() + 1e9)

    def take_over(request: httpx.Request) -> httpx.Response:
        with other._database.writing() as db:
            db.execute("UPDATE jobs SET owner = ?, lease = 1e12", (other._claims.me(),))
        return httpx.Response(
            200, json={"id": "gen-vid-1", "polling_url": "/api/v1/videos/gen-vid-1", "status": "in_progress"}
        )

    world.script.poll = take_over
    record = world.drafted()
    watch = world.engine.look_after(record.id)
    with pytest.raises(TimeoutError):
        watch.done.result(0.3)
    for step in (State.COMPLETED, State.DOWNLOADED):
        other.advance(record.id, step)
    watch.done.result(10)
    assert watch.trouble is None
    assert world.ledger.get(record.id).state is State.DOWNLOADED
    assert (world.script.posts, world.script.polls) == (1, 1)
    other.close()


def test_the_budget_is_asked_before_anything_is_written(world: Any) -> None:
    def refuse(_: JobRecord) -> None:
        raise RefVideoError("too much")

    with pytest.raises(RefVideoError):
        world.ledger.add(draft(1.0, cost=Decimal(1)), fingerprint="x", allow=refuse)
    assert world.ledger.jobs() == []
