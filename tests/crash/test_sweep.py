"""A sweep of 500 jobs, with things that go wrong at random and one process that is killed in the midst of it.

Every cell comes to one job and no more, what is paid is what the ledger says, and no more than the limit.
`make test-sweep` runs larger ones, killed more often.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from refvideo_nb.core.job import State
from refvideo_nb.core.sweep import SweepState
from refvideo_nb.ledger.store import Ledger
from refvideo_nb.simulator import Simulator
from refvideo_nb.simulator.studio import Studio
from refvideo_nb.simulator.traffic import TrafficLog

BEGIN = """
import refvideo_nb
planned = refvideo_nb.sweep(
    ["a red ball", "a hat"], model=["alibaba/wan-3.0", "bytedance/seedance-2.0"], seed=range({jobs} // 4),
    duration=4, resolution="480p", aspect_ratio="1:1", generate_audio=False, at_once=16,
)
assert len(planned.plan.to_pay) == {jobs}
planned.start(max_cost=planned.plan.cost.high).wait(500)
"""
GO_ON = """
import refvideo_nb
(found,) = refvideo_nb.sweeps()
found.resume().wait(500)
"""
# What may happen to any request; a submit whose answer is lost is the one thing that nobody can make good.
FAULTS = (
    *("poll:500", "poll:reset-after", "poll:429=0", "poll:malformed", "poll:503=0", "poll:truncate"),
    *("content:truncate", "content:500", "content:reset-before", "content:html", "content:cut"),
    *("submit:429=0", "submit:429=0", "submit:400", "job:failed=no", "job:cancelled"),
    *("submit:reset-after", "submit:500-after", "submit:drop-before", "submit:malformed"),
)
SHARE = 0.3  # of the submits, upon which something more goes wrong


def jobs() -> int:
    return int(os.environ.get("REFVIDEO_SWEEP_JOBS", "500"))


def kills() -> int:
    return int(os.environ.get("REFVIDEO_SWEEP_KILLS", "1"))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real clip: what is filmed is not the point here, so it is filmed once."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w", format="mp4") as target:
        stream = target.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(12):
            target.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 9, np.uint8))))
        target.mux(stream.encode(None))
    return path


@pytest.fixture
def api(film: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    def render(order: Any, sources: Any, path: Path, *, stop: Any) -> dict[str, Any]:
        half = path.with_suffix(".half")
        shutil.copy(film, half)
        half.replace(path)
        return {}

    monkeypatch.setattr("refvideo_nb.simulator.stage.render.render", render)
    monkeypatch.setattr("os.fsync", lambda _: None)  # of this process, the API's; not of the one that is killed
    with Simulator(seconds=0.05) as simulator:
        yield simulator


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Submits and polls of each second."""
    note = TrafficLog.note
    counted: Counter[int] = Counter()

    def noted(log: TrafficLog, scope: Any) -> None:
        note(log, scope)
        counted[int(time.monotonic())] += not scope["path"].endswith("/content")

    monkeypatch.setattr(TrafficLog, "note", noted)
    return counted


@pytest.mark.timeout(1800)
def test_500_jobs_with_faults_and_a_kill(
    api: Simulator, seconds: Counter[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(20261125)
    workers: list[subprocess.Popen[str]] = []
    ends = sorted(chance.sample(range(jobs() // 8, jobs() * 7 // 8), kills()))
    submit = Studio.submit
    injected: Counter[str] = Counter()
    accepted: list[str] = []

    def accept(studio: Studio, body: Any, raw: bytes) -> Any:
        job = submit(studio, body, raw)
        accepted.append(body["session_id"])
        if chance.random() < SHARE:
            fault = chance.choice(FAULTS)
            injected[fault] += 1
            api.inject(fault)
        if ends and studio.paid_jobs >= ends[0]:
            ends.pop(0)
            workers[-1].send_signal(signal.SIGKILL)
        return job

    monkeypatch.setattr(Studio, "submit", accept)
    home = tmp_path / "home"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("REFVIDEO_", "OPENROUTER_"))} | {
        "OPENROUTER_API_KEY": api.api_key,
        "OPENROUTER_BASE_URL": api.base_url,
        "REFVIDEO_HOME": str(home),
        "REFVIDEO_POLL_INTERVAL": "0.05",
        "REFVIDEO_RATE": os.environ.get("REFVIDEO_SWEEP_RATE", "500"),
    }
    codes = []
    for number in range(kills() + 1):
        with subprocess.Popen(
            [sys.executable, "-c", GO_ON if number else BEGIN.format(jobs=jobs())],
            env=environment,
            text=True,
            stderr=subprocess.PIPE,
        ) as worker:
            workers.append(worker)
            _, errors = worker.communicate(timeout=600)
        codes.append(worker.returncode)
        assert worker.returncode in {0, -signal.SIGKILL}, errors
    assert codes == [-signal.SIGKILL] * kills() + [0]

    with closing(Ledger(home)) as ledger:
        (record,) = ledger.sweeps.all()
        places = ledger.sweeps.places(record.id)
        records = {r.id: r for r in ledger.jobs()}
    assert record.state is SweepState.FINISHED
    assert record.max_cost is not None
    told = Counter(p.record.state.value for p in places if p.record is not None)
    unknown = {p.job_id for p in places if p.record is not None and p.record.state is State.OUTCOME_UNKNOWN}
    known = {p.job_id for p in places if p.record is not None and p.record.api_id is not None}
    refused = {p.job_id for p in places if p.record is not None and p.record.state is State.REJECTED}
    print(
        f"\n{jobs()} cells, {kills()} killed: {dict(told)}; paid {api.stats()['paid_jobs']}; "
        f"at most {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1000} MB; "
        f"at most {max(seconds.values())} submits and polls in a second; faults: {dict(injected)}"
    )

    # The table is complete: each cell has a job of its own, which has ended.
    assert len({p.job_id for p in places}) == len(places) == jobs()
    assert {p.job_id for p in places} == set(records), "there are jobs that no cell knows of"
    assert told.total() == jobs()
    assert set(told) <= {"downloaded", "failed", "cancelled", "rejected", "outcome_unknown"}
    # Nothing was paid twice, and what was paid is just what the ledger tells, but for what it calls unknown.
    assert len(set(accepted)) == len(accepted) == api.stats()["paid_jobs"]
    assert known <= set(accepted) <= known | unknown
    assert len(known) + len(unknown) + len(refused) == jobs()
    # What nobody can know is bounded: only submits whose answer was lost, and those that a kill cut off.
    lost = sum(n for fault, n in injected.items() if fault.startswith("submit:") and fault[7:10] not in {"429", "400"})
    assert len(unknown) <= lost + 16 * kills()
    assert len(refused) <= injected["submit:400"]
    # The limit was what the plan cost, to the cent.
    assert sum((p.charge for p in places), Decimal(0)) <= record.max_cost
    assert told["downloaded"] > jobs() * 0.7
    assert all((home / "videos" / f"{p.job_id}.mp4").exists() for p in places if p.record and p.record.video)
