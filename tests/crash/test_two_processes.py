"""Two processes on one ledger: each job is asked after by one of them, and survives the other's death."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from refvideo_nb.core.job import State
from refvideo_nb.ledger.store import Ledger
from refvideo_nb.simulator import Simulator

FIFTY = Path(__file__).parent / "fifty.py"


@pytest.mark.timeout(400)
@pytest.mark.parametrize("first_dies", [False, True])
def test_fifty_jobs_and_two_processes(tmp_path: Path, *, first_dies: bool) -> None:
    with Simulator(seconds=4 if first_dies else 2) as simulator, ExitStack() as stack:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("REFVIDEO_", "OPENROUTER_"))} | {
            "OPENROUTER_API_KEY": simulator.api_key,
            "OPENROUTER_BASE_URL": simulator.base_url,
            "REFVIDEO_HOME": str(tmp_path / "home"),
            "REFVIDEO_POLL_INTERVAL": "0.5",
        }

        def start(what: str) -> subprocess.Popen[str]:
            process = stack.enter_context(
                subprocess.Popen([sys.executable, str(FIFTY), what], env=environment, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(process.kill)
            assert process.stdout is not None
            ready, jobs = process.stdout.readline().split()
            assert ready == "ready"
            assert int(jobs) > 0, "nothing was left to do: the test shows nothing"
            return process

        one = start("start")
        two = start("join")
        if first_dies:
            one.kill()
        assert two.communicate(timeout=300)[0].strip() == "done"
        if not first_dies:
            assert one.communicate(timeout=300)[0].strip() == "done"
        stats = simulator.stats()

    ledger = Ledger(tmp_path / "home")
    jobs = ledger.jobs()
    ledger.close()
    assert [j.state for j in jobs] == [State.DOWNLOADED] * 50
    assert stats["paid_jobs"] == 50
    asked = next(n for route, n in stats["requests"].items() if route.startswith("GET") and route.endswith("/{id}"))
    # The ledger counts the polls whose answers its one caretaker wrote down; the server counts all that came.
    # A process that dies may have one answer under way for each job.
    assert asked - sum(j.polls for j in jobs) in range(51 if first_dies else 1)
