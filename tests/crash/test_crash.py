"""Ended at any moment and in any way, then resumed: every accepted job arrives, none is paid twice, none is lost.

`outcome_unknown` is the one state in which a person may have paid for nothing that can be seen. It is bounded here
from both sides: just the jobs whose process ended while their submit was on its way are told to be of unknown
outcome, and just those among them are missing in the ledger that the API did accept.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.ledger.store import Ledger
from refvideo_nb.media.video import probe
from refvideo_nb.simulator import Simulator

WORKER = Path(__file__).parent / "worker.py"
RESUME = """
import refvideo_nb
for job in refvideo_nb.resume():
    job.wait(60)
"""


@dataclass(frozen=True)
class Way:
    """How a process ends.

    Attributes
    ----------
    signal : int
        What is sent to it; the worker's handlers turn the user signals into exits.
    codes : set of int
        Its return codes; the negative ones come where the signal arrived before the handlers stood.
    orderly : bool
        Whether Python winds up, so that an answer that is on its way is still waited for.
    """

    signal: int
    codes: frozenset[int]
    orderly: bool = False


WAYS = {
    "SIGKILL": Way(signal.SIGKILL, frozenset({-signal.SIGKILL})),
    "SIGTERM": Way(signal.SIGTERM, frozenset({-signal.SIGTERM})),
    "SIGINT": Way(signal.SIGINT, frozenset({-signal.SIGINT, 1}), orderly=True),
    "sys.exit": Way(signal.SIGUSR1, frozenset({7, -signal.SIGUSR1}), orderly=True),
    "os._exit": Way(signal.SIGUSR2, frozenset({9, -signal.SIGUSR2})),
}


# The state after which a process is ended, and how many milliseconds later at the most.
MOMENTS = {"": 700, "drafted": 30, "submitting": 40, "accepted": 200, "running": 150, "completed": 120}


@dataclass
class Site:
    """A home folder on which one process after the other ends, and the API that they all ask."""

    home: Path
    simulator: Simulator
    environment: dict[str, str]
    looked_into: set[Path] = field(default_factory=set)

    def start(self, errors: Any) -> subprocess.Popen[str]:
        """A worker; what it says on its standard error goes to the file `errors`."""
        return subprocess.Popen(
            [sys.executable, str(WORKER)], env=self.environment, stdout=subprocess.PIPE, stderr=errors, text=True
        )

    def left(self) -> dict[str, State]:
        """Each job's state as it stands on the disk, without the ledger's code, which would settle the abandoned."""
        path = self.home / "ledger.sqlite"
        if not path.exists():
            return {}
        with closing(sqlite3.connect(path, timeout=20)) as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'jobs'").fetchone():
                return {}
            return {job_id: State(state) for job_id, state in db.execute("SELECT id, state FROM jobs")}

    def resume(self) -> None:
        """What a person does afterwards."""
        subprocess.run([sys.executable, "-c", RESUME], env=self.environment, check=True, timeout=600)

    def jobs(self) -> dict[str, JobRecord]:
        """What the ledger holds."""
        with closing(Ledger(self.home)) as ledger:
            return {record.id: record for record in ledger.jobs()}

    def accepted(self) -> dict[str, str]:
        """The API's id of every job that it accepted, by ours; more than one for a job would be paid twice."""
        told = self.simulator.stats()["accepted"]
        assert len({each["session_id"] for each in told}) == len(told), "a request was sent twice"
        return {each["session_id"]: each["id"] for each in told}

    def look_at_files(self) -> None:
        """Whatever is visible is whole."""
        for path in {*self.home.glob("videos/*.mp4")} - self.looked_into:
            probe(path)
        for path in {*self.home.glob("media/*/[!.]*")} - self.looked_into:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem, f"{path} is half a file"
        self.looked_into |= {*self.home.glob("videos/*.mp4"), *self.home.glob("media/*/[!.]*")}

    def look_at_ends(self, in_flight: set[str]) -> dict[str, JobRecord]:
        """What must be true after everything was resumed.

        Parameters
        ----------
        in_flight : set of str
            Jobs whose process ended while their submit was on its way.
        """
        jobs, accepted = self.jobs(), self.accepted()
        known = {job_id for job_id, record in jobs.items() if record.api_id is not None}
        unknown = {job_id for job_id, record in jobs.items() if record.state is State.OUTCOME_UNKNOWN}
        never_sent = {job_id for job_id, record in jobs.items() if record.state is State.REJECTED}
        assert unknown == in_flight, "an unknown outcome has another cause, or is not told"
        assert set(jobs) == known | unknown | never_sent, {j: r.state for j, r in jobs.items()}
        # The API's own book: it knows every id of ours, and what it took beyond them is just what we call unknown.
        assert {job_id: jobs[job_id].api_id for job_id in known} == {j: a for j, a in accepted.items() if j in known}
        assert set(accepted) - known == set(accepted) & unknown
        for job_id in known:
            record, video = jobs[job_id], self.home / "videos" / f"{job_id}.mp4"
            assert record.state is State.DOWNLOADED
            assert record.video is not None
            assert probe(video).sha256 == record.video.sha256
        self.look_at_files()
        wanted = {f"{job_id}.{end}" for job_id in known for end in ("json", "mp4")}
        assert {p.name for p in (self.home / "videos").iterdir()} == wanted
        with closing(sqlite3.connect(self.home / "ledger.sqlite")) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return jobs


@contextmanager
def site(folder: Path, **simulator: Any) -> Iterator[Site]:
    """A `Site` in a folder, with a simulator."""
    with Simulator(**simulator) as api:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("REFVIDEO_", "OPENROUTER_"))} | {
            "OPENROUTER_API_KEY": api.api_key,
            "OPENROUTER_BASE_URL": api.base_url,
            "REFVIDEO_HOME": str(folder / "home"),
            "REFVIDEO_POLL_INTERVAL": "0.05",
        }
        yield Site(folder / "home", api, environment)


def rounds() -> int:
    return int(os.environ.get("REFVIDEO_CRASHES", "20"))


@pytest.mark.timeout(3600)
def test_ended_at_any_moment(tmp_path: Path) -> None:
    moments = random.Random(20261123)
    table: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
    in_flight: set[str] = set()
    # Answers take their time, as they do in the world, so that some processes end before them or in their midst.
    with site(tmp_path, seconds=0.3, faults=["submit:delay=0.06*", "content:trickle=0.15*"]) as made:
        for number in range(rounds()):
            name = list(WAYS)[number % len(WAYS)]
            before = made.left()
            one_end(made, WAYS[name], moments)
            after = made.left()
            new = {job_id: state for job_id, state in after.items() if job_id not in before}
            assert len(new) <= 1
            for job_id, state in new.items():
                table[name][state] += 1
                if state is State.SUBMITTING:
                    assert not WAYS[name].orderly, f"{job_id}: an exit in good order did not wait for the answer"
                    in_flight.add(job_id)
            table[name]["none"] += not new
            # The process before it may have settled what the others left, and only that.
            unknown = {job_id for job_id, state in after.items() if state is State.OUTCOME_UNKNOWN}
            assert unknown <= in_flight, f"after {name}: {[made.jobs()[job_id] for job_id in unknown - in_flight]}"
            made.look_at_files()
        made.resume()
        jobs = made.look_at_ends(in_flight)
        paid = made.simulator.stats()["paid_jobs"]

    states = Counter(record.state.value for record in jobs.values())
    columns = ["none", *(state.value for state in State if any(table[way][state] for way in table))]
    print(f"\n{'ended by':10}" + "".join(f"{c:>12}" for c in columns) + "   <- as it stood on the disk")
    for way, counts in table.items():
        print(f"{way:10}" + "".join(f"{counts[c]:12}" for c in columns))
    known = sum(record.api_id is not None for record in jobs.values())
    print(f"after resuming: {dict(states)}; paid {paid} = {known} that arrived + {paid - known} of unknown outcome")
    assert sum(any(table[way][state] for way in table) for state in columns) >= 4, "the moments were not spread"


def one_end(made: Site, way: Way, moments: random.Random) -> None:
    """Start a worker and end it at a random moment."""
    after = moments.choice(list(MOMENTS))
    delay = moments.uniform(0, MOMENTS[after]) / 1000
    with (made.home.parent / "errors").open("w+") as errors, made.start(errors) as worker:
        assert worker.stdout is not None
        if after:
            reached = {*list(MOMENTS)[list(MOMENTS).index(after) :], "downloaded"}
            next((line for line in worker.stdout if line.split()[0] in reached), "")
        try:
            worker.wait(delay)
        except subprocess.TimeoutExpired:
            worker.send_signal(way.signal)
        check_end(worker, way.codes | {0}, errors)


@pytest.mark.timeout(300)
def test_ended_while_the_answer_is_on_its_way(tmp_path: Path) -> None:
    with (
        site(tmp_path, seconds=0.1, faults=[f"submit:delay=3*{len(WAYS)}"]) as made,
        ThreadPoolExecutor(len(WAYS)) as pool,
    ):
        ended = dict(zip(WAYS, pool.map(lambda way: end_in_flight(made, way), WAYS.values()), strict=True))
        left = made.left()
        in_flight = {job_id for name, job_id in ended.items() if not WAYS[name].orderly}
        # One that began after another's end may have settled it already.
        assert {left[job_id] for job_id in in_flight} <= {State.SUBMITTING, State.OUTCOME_UNKNOWN}
        made.resume()
        jobs = made.look_at_ends(in_flight)
        assert set(jobs) == set(ended.values())
        assert set(made.accepted()) == set(ended.values()), "the API took all of them"


def end_in_flight(made: Site, way: Way) -> str:
    """End a worker after the API accepted its job and before it says so; its job's id."""
    with (made.home.parent / f"errors-{way.signal}").open("w+") as errors, made.start(errors) as worker:
        assert worker.stdout is not None
        job_id = next(line.split()[1] for line in worker.stdout if line.startswith("submitting"))
        while job_id not in made.accepted() and worker.poll() is None:
            threading.Event().wait(0.01)
        worker.send_signal(way.signal)
        check_end(worker, way.codes, errors)
    return job_id


def check_end(worker: subprocess.Popen[str], codes: frozenset[int], errors: Any) -> None:
    """That it ended as it was told to, and not by a fault of its own."""
    worker.communicate()
    errors.seek(0)
    said = errors.read().strip()
    assert worker.returncode in codes, f"the worker ended with {worker.returncode}:\n{said}"
    told = "KeyboardInterrupt" in said or "SystemExit" in said
    assert told or "Traceback" not in said, said
