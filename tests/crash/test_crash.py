"""Killed at any moment, then resumed: every accepted job arrives, none is paid twice, no half file is seen."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from refvideo_nb.core.job import State
from refvideo_nb.ledger.store import Ledger
from refvideo_nb.media.video import probe
from refvideo_nb.simulator import Simulator

WORKER = Path(__file__).parent / "worker.py"
RESUME = """
import refvideo_nb
for job in refvideo_nb.resume():
    job.wait(60)
"""
# The state after which the process is killed, and how many milliseconds later at the most.
MOMENTS = {"": 700, "drafted": 30, "submitting": 40, "accepted": 200, "running": 150, "completed": 120}


def rounds() -> int:
    return int(os.environ.get("REFVIDEO_CRASHES", "20"))


@pytest.mark.timeout(3600)
def test_killed_at_any_moment(tmp_path: Path) -> None:
    moments = random.Random(20261123)
    reached: Counter[str] = Counter()
    with Simulator(seconds=0.3) as simulator:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("REFVIDEO_", "OPENROUTER_"))} | {
            "OPENROUTER_API_KEY": simulator.api_key,
            "OPENROUTER_BASE_URL": simulator.base_url,
            "REFVIDEO_HOME": str(tmp_path / "home"),
            "REFVIDEO_POLL_INTERVAL": "0.05",
        }
        for number in range(rounds()):
            last = one_crash(environment, moments, number)
            reached[last] += 1
            for path in (tmp_path / "home" / "videos").glob("*.mp4"):
                probe(path)  # whatever is visible is whole
        subprocess.run([sys.executable, "-c", RESUME], env=environment, check=True, timeout=600)
        paid = simulator.stats()["paid_jobs"]

    ledger = Ledger(tmp_path / "home")
    jobs = ledger.jobs()
    abandoned = [ledger.claim(j.id) for j in jobs if j.state in {State.DRAFTED, State.SUBMITTING}]
    jobs = ledger.jobs()
    ledger.close()
    states = Counter(j.state for j in jobs)
    print(f"killed after: {dict(reached)}; states: { {s.value: n for s, n in states.items()} }; paid: {paid}")
    accepted = [j for j in jobs if j.api_id is not None]
    assert all(j.state is State.DOWNLOADED for j in accepted), states
    assert all(
        probe(tmp_path / "home" / "videos" / f"{j.id}.mp4").sha256 == j.video.sha256 for j in accepted if j.video
    )
    assert len({j.api_id for j in accepted}) == len(accepted)
    unknown = states[State.OUTCOME_UNKNOWN]
    assert len(accepted) <= paid <= len(accepted) + unknown, "a job was paid that no ledger knows, or twice"
    assert all(job is not None for job in abandoned), "a dead process was not recognised"
    assert not list((tmp_path / "home" / "videos").glob("*.part"))
    with sqlite3.connect(tmp_path / "home" / "ledger.sqlite") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    assert len([s for s in reached if reached[s]]) >= 4, f"the moments were not spread: {reached}"


def one_crash(environment: dict[str, str], moments: random.Random, number: int) -> str:
    """Start a worker, kill it at a random moment; the last state that it told."""
    after = moments.choice(list(MOMENTS))
    delay = moments.uniform(0, MOMENTS[after]) / 1000
    worker = subprocess.Popen(
        [sys.executable, str(WORKER), str(number)], env=environment, stdout=subprocess.PIPE, text=True
    )
    said = ""
    assert worker.stdout is not None
    with worker.stdout:
        if after:
            for line in worker.stdout:
                said = line.strip()
                if said in {after, "downloaded"}:
                    break
        try:
            worker.wait(delay)
        except subprocess.TimeoutExpired:
            worker.kill()
        worker.wait()
        rest = worker.stdout.read().split()
    return rest[-1] if rest else said
