"""The session: what is reused, what is refused for money, which API a job belongs to."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from refvideo_nb.client.embedded import stop_simulator
from refvideo_nb.core.job import State
from refvideo_nb.engine.wish import Wish
from refvideo_nb.errors import (
    BudgetError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    RefVideoError,
    SettingsError,
    UnknownJobError,
)
from refvideo_nb.notebook import current
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.session import Session
from refvideo_nb.settings import DEFAULT_BASE_URL, Secret, Settings
from refvideo_nb.simulator import Simulator

# USD 0.05 each
BALL: dict[str, Any] = {
    "prompt": "a red ball",
    "model": "x-ai/grok-imagine-video",
    "duration": 1,
    "resolution": "480p",
    "aspect_ratio": "1:1",
}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(seconds=0.1) as made:
        yield made


@pytest.fixture
def open_session(simulator: Simulator, tmp_path: Path) -> Iterator[Callable[..., Session]]:
    opened: list[Session] = []

    def make(**more: Any) -> Session:
        settings = {
            "key": Secret(simulator.api_key),
            "base_url": simulator.base_url,
            "home": tmp_path / "home",
            "poll_interval": 0.05,
            "poll_max": 0.2,
        }
        opened.append(Session(Settings(**(settings | more))))
        return opened[-1]

    yield make
    for session in opened:
        session.close()


def submit(session: Session, *, fresh: bool = False, **more: Any) -> tuple[Job, bool]:
    record, reused = session.submit(session.draft(Wish(**(BALL | more))), fresh=fresh)
    return Job(session, record.id), reused


def test_the_same_request_attaches_and_fresh_does_not(open_session: Any, simulator: Simulator) -> None:
    session = open_session()
    first, reused = submit(session)
    assert not reused
    attached, reused = submit(session)  # while it still runs
    assert (attached.id, reused) == (first.id, True)
    first.wait(30)
    assert submit(open_session())[0].id == first.id, "another kernel finds it too"
    assert submit(session, seed=None, prompt="a blue ball")[1] is False
    new, reused = submit(session, fresh=True)
    assert (new.id != first.id, reused) == (True, False)
    new.wait(30)
    assert simulator.stats()["paid_jobs"] == 3


def test_a_file_that_was_deleted_is_fetched_again_and_not_paid_again(open_session: Any, simulator: Simulator) -> None:
    session = open_session()
    job, _ = submit(session)
    path = job.wait(30).video
    assert path is not None
    path.unlink()
    assert job.video is None
    again, reused = submit(session)
    assert reused
    assert again.wait(30).video == path
    assert path.exists()
    assert simulator.stats()["paid_jobs"] == 1


def test_an_unknown_outcome_asks(open_session: Any, simulator: Simulator) -> None:
    simulator.inject("submit:reset-after")
    session = open_session()
    job, _ = submit(session)
    with pytest.raises(OutcomeUnknownError, match=rf"%refvideo retry {job.id}"):
        job.wait(30)
    with pytest.raises(OutcomeUnknownError, match=r"--fresh sends it again") as asked:
        submit(session)
    assert asked.value.job_id == job.id
    assert simulator.stats()["paid_jobs"] == 1
    with pytest.raises(InvalidRequestError, match=r"is more than max_cost USD 0\.01.*nothing was sent"):
        session.retry(job.id, max_cost="0.01")
    record = session.retry(job.id)
    assert record.id != job.id
    assert Job(session, record.id).wait(30).video is not None
    assert simulator.stats()["paid_jobs"] == 2
    # The good one is found from now on.
    assert submit(session)[0].id == record.id


def test_a_job_whose_answer_was_lost_is_fetched_by_the_id_that_the_account_shows(
    open_session: Any, simulator: Simulator
) -> None:
    session = open_session(session_budget=Decimal("0.12"))
    other = submit(session, prompt="another ball")[0].wait(30)
    simulator.inject("submit:reset-after")
    job, _ = submit(session)
    with pytest.raises(OutcomeUnknownError, match=rf"%refvideo found {job.id}"):
        job.wait(30)
    with pytest.raises(InvalidRequestError, match=f"is job {other.id} already"):
        job.found(str(other.api_id))
    with pytest.raises(NotFoundError):
        job.found("gen-vid-0-nothing")
    assert job.record.state is State.OUTCOME_UNKNOWN
    [api_id] = [each["id"] for each in simulator.stats()["accepted"] if each["session_id"] == job.id]
    assert job.found(api_id).wait(30).video is not None
    assert (job.record.error, job.cost) == ("", Decimal("0.05"))
    assert any("by hand" in note for note in job.record.notes)
    with pytest.raises(InvalidRequestError, match="is downloaded: only"):
        job.found(api_id)
    assert submit(session)[0].id == job.id, "it is the one that is found again"
    assert session.spent() == Decimal("0.1")
    assert simulator.stats()["paid_jobs"] == 2


def test_a_simulator_that_ends_beneath_a_job_is_started_anew(open_session: Any, tmp_path: Path) -> None:
    session = open_session(key=None, base_url=DEFAULT_BASE_URL, simulator_seconds=1.0)
    try:
        job, _ = submit(session)
        while job.api_id is None:
            time.sleep(0.01)
        os.kill(json.loads((tmp_path / "home/simulator/endpoint.json").read_bytes())["pid"], signal.SIGKILL)
        assert job.wait(60).video is not None
    finally:
        stop_simulator(tmp_path / "home")


def test_a_failed_job_is_not_reused(open_session: Any, simulator: Simulator) -> None:
    simulator.inject("job:failed=no")
    session = open_session()
    job, _ = submit(session)
    with pytest.raises(Exception, match="no"):
        job.wait(30)
    again, reused = submit(session)
    assert (again.id != job.id, reused) == (True, False)


def test_the_budget_of_a_session(open_session: Any, simulator: Simulator) -> None:
    session = open_session(session_budget=Decimal("0.12"))
    jobs = [submit(session, prompt=f"ball {n}")[0] for n in range(2)]
    with pytest.raises(BudgetError, match=r"USD 0\.10 spent in this session is more than its budget of USD 0\.12"):
        submit(session, prompt="ball 3")
    assert submit(session, prompt="ball 1")[1], "what is reused costs nothing"
    for job in jobs:
        job.wait(30)
    assert session.spent() == Decimal("0.1")
    session.budget = Decimal("0.2")
    submit(session, prompt="ball 3")[0].wait(30)
    with pytest.raises(BudgetError, match="no estimate"):
        submit(session, prompt="ball 4", resolution=None)
    assert simulator.stats()["paid_jobs"] == 3
    assert len(session.ledger.jobs()) == 3, "nothing is written for what was refused"


def test_another_setting_does_not_refill_the_purse(open_session: Any) -> None:
    submit(open_session(session_budget=Decimal("0.06")))[0].wait(30)
    with pytest.raises(BudgetError):
        submit(open_session(session_budget=Decimal("0.06"), timeout=60.0), prompt="another ball")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # newer Pythons warn of what is tested here
def test_a_forked_child_is_told_and_does_not_hang(open_session: Any) -> None:
    job = submit(open_session())[0].wait(30)
    child = os.fork()
    if child == 0:
        try:
            job.show()
        except RefVideoError as error:
            os._exit(42 if "parent process" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42


def test_what_failed_is_not_counted_as_spent(open_session: Any, simulator: Simulator) -> None:
    simulator.inject("submit:402")
    session = open_session(session_budget=Decimal("0.06"))
    with pytest.raises(Exception, match="402"):
        submit(session)[0].wait(30)
    assert session.spent() == 0
    submit(session)[0].wait(30)


def test_a_job_is_asked_after_where_it_was_sent(open_session: Any, simulator: Simulator) -> None:
    session = open_session()
    simulator.inject("job:endless")
    job, _ = submit(session)
    while job.status != "accepted":
        pass
    session.close()
    other = open_session(base_url="https://elsewhere.invalid/api/v1")
    with pytest.raises(SettingsError, match=r"sent to http://127\.0\.0\.1:\d+/api/v1: set OPENROUTER_API_KEY"):
        Job(other, job.id).wait(10)
    assert other.ledger.get(job.id).state is State.ACCEPTED


def test_a_job_of_another_api_is_neither_sent_again_nor_extended(open_session: Any, simulator: Simulator) -> None:
    job, _ = submit(open_session())
    job.wait(30)
    other = open_session(base_url="https://elsewhere.invalid/api/v1")
    with pytest.raises(InvalidRequestError, match="cannot be sent again at https://elsewhere"):
        other.retry(job.id)
    with pytest.raises(InvalidRequestError, match="cannot be extended at https://elsewhere"):
        other._extended(job.id)


def test_another_working_folder_is_not_another_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refvideo_nb.settings._homes", {})
    for name in ("REFVIDEO_HOME", "OPENROUTER_API_KEY", "OPENROUTER_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    first = Settings.from_environment()
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert Settings.from_environment() == first


def test_extending_a_job(open_session: Any) -> None:
    session = open_session()
    first = submit(session)[0].wait(30)
    draft = session.draft(Wish(**(BALL | {"previous_job_id": first.id})))
    assert draft.request.previous_job_id == first.api_id
    with pytest.raises(UnknownJobError):
        session.draft(Wish(**(BALL | {"previous_job_id": "rv-20200101-aaaaaa"})))


FULL = """
import resource, sys
import refvideo_nb
from refvideo_nb.notebook.current import current_session
current_session().catalogue()
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
try:
    refvideo_nb.generate("a red ball", model="x-ai/grok-imagine-video", duration=1, resolution="480p",
                         aspect_ratio="1:1", references=[b"BYTES"] if len(sys.argv) > 1 else None)
except refvideo_nb.RefVideoError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("home", ["full", "/proc/nowhere"])
def test_a_disk_that_takes_nothing_means_that_nothing_is_paid(tmp_path: Path, simulator: Simulator, home: str) -> None:
    assert resource.RLIMIT_FSIZE is not None
    environment = {
        "PATH": "/usr/bin",
        "OPENROUTER_API_KEY": simulator.api_key,
        "OPENROUTER_BASE_URL": simulator.base_url,
        "REFVIDEO_HOME": str(tmp_path / home) if home == "full" else home,
    }
    script = FULL if home == "full" else FULL.replace("current_session().catalogue()", "")
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.startswith("LedgerError"), done.stderr[-2000:]
    assert "nothing was sent" in done.stdout
    assert done.stdout.count("\n") == 1
    assert simulator.stats()["paid_jobs"] == 0


def test_going_live_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Every API that can be reached in a test is a simulator, and says so: only here is one not believed.
    monkeypatch.setattr(Session, "simulated", property(lambda session: session.settings.key is None))
    monkeypatch.setattr(current, "_told_live", False)
    monkeypatch.setattr(current, "_sessions", {})
    monkeypatch.setenv("REFVIDEO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    current.current_session()
    assert not current.went_live()
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-" + "0" * 64)
    assert current.went_live()
    assert not current.went_live()
    for session in list(current._sessions.values()):
        session.close()
