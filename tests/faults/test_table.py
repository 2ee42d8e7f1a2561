"""Every fault at every step: what is paid, how it ends, what a person is told. The table is in docs/faults.md.

``REFVIDEO_WRITE_DOCS=1`` writes it; without that it is compared.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from openrouter import OpenRouter
from openrouter.errors import OpenRouterError

from refvideo_nb.core.job import RESUMABLE, State

DOCS = Path(__file__).parents[2] / "docs" / "faults.md"
NEVER = "delay=600"  # longer than anybody waits
LINE = ("drop-before", "drop-after", "reset-before", "reset-after", "reset", "truncate")
SLOW = ("delay=0.1", NEVER, "trickle=0.2")
BODY = ("malformed", "wrong-types", "empty", "html")
PLACES = ("foreign", "port", "userinfo")

SUBMIT = [
    *(f"submit:{what}*2" for what in LINE),
    *(f"submit:{what}" for what in ("402", "403")),
    *("submit:429=1*2", "submit:429=date:2*2", "submit:429*"),
    *(f"submit:{status}{after}*2" for status in (500, 502, 503) for after in ("", "-after")),
    *(f"submit:{what}*2" for what in (*SLOW, *BODY)),
    "submit:status=dreaming*2",
    *(f"submit:polling-url={place}*2" for place in (*PLACES, "none")),
]
POLL = [
    *(f"poll:{what}*3" for what in LINE),
    *("poll:reset-after*", "poll:401*", "poll:404*2", "poll:404*"),
    *("poll:429=1*3", "poll:429=date:2*3", "poll:429*", "poll:500*3", "poll:500*", "poll:502*3", "poll:503=1*3"),
    *(f"poll:{what}*2" for what in SLOW),
    *(f"poll:{what}*3" for what in BODY),
    *("poll:malformed*", "poll:wrong-types=usage*", "poll:wrong-types=unsigned_urls*", "poll:wrong-types=status*"),
    *("poll:status=dreaming*3", "poll:status=dreaming*"),
    *(f"poll:polling-url={place}*" for place in (*PLACES, "none")),
    *(f"poll:unsigned-urls={place}*" for place in (*PLACES, "none")),
    *("poll:clock=86400", "poll:clock=-86400"),
    *("job:failed=The provider refused reference 2", "job:cancelled", "job:expired", "job:endless"),
]
DOWNLOAD = [
    *(f"content:{what}*{times}" for what in (*LINE, "cut", "garbage", "html", "empty") for times in (2, "")),
    *(f"content:{what}*2" for what in SLOW),
    *("content:401*", "content:404*", "content:409*3", "content:409*", "content:410*2", "content:410*"),
    *("content:429=1*3", "content:429=date:2*3", "content:500*3", "content:500*", "content:502*3", "content:503=1*3"),
    "content:truncate + content:no-range",
    *(f"content:redirect={place}*" for place in PLACES),
]
STEPS = {"Submit": SUBMIT, "Poll": POLL, "Download": DOWNLOAD}
ROWS = [(step, fault) for step, faults in STEPS.items() for fault in faults]


@dataclass(frozen=True)
class Outcome:
    """One line of the table."""

    paid: int
    state: str
    resumed: str
    told: str
    theirs: int | None = None


INTRODUCTION = (
    "Made by `tests/faults/test_table.py`: the package's own engine against the simulator, over real HTTP, with one "
    "fault at a time. `python -m refvideo_nb simulator --fault help` explains the faults; `*2` is twice, `*` is for "
    "ever. *Paid* counts the jobs that the API accepted for one request. *What is told* is the error that "
    "`job.wait()` raises; nothing is told where the video is there. *Resumed* is the state of an unfinished job "
    "after the fault has ended and the job was taken up again: no row pays anything for that."
)
COMPARISON = (
    "*SDK* is how many jobs one call of the official `openrouter` client pays for in the same place, with the "
    "retries that it has by default: each fault is met twice. After a reset, a time-out or a "
    "5xx that came after acceptance it has paid three times; after an orderly close it does not send again."
)
SEEN: dict[tuple[str, str], Outcome] = {}


def official(simulator: Any, monkeypatch: pytest.MonkeyPatch, *, patience: float) -> int:
    """How many jobs one call of the official client pays for, its retries as they come."""
    # Only the pauses between its attempts are left out.
    monkeypatch.setattr("openrouter.utils.retries.time", SimpleNamespace(time=time.time, sleep=lambda _: None))
    before = simulator.stats()["paid_jobs"]
    with (
        OpenRouter(api_key=simulator.api_key, server_url=simulator.base_url, timeout_ms=round(patience * 1000)) as sdk,
        contextlib.suppress(OpenRouterError, httpx.HTTPError),
    ):
        sdk.video_generation.generate(
            model="x-ai/grok-imagine-video", prompt="a quiet studio", duration=1, resolution="480p"
        )
    return simulator.stats()["paid_jobs"] - before


@pytest.mark.parametrize(("step", "fault"), ROWS)
def test_one_fault(world: Any, film: Path, monkeypatch: pytest.MonkeyPatch, step: str, fault: str) -> None:
    simulator = world.simulator
    files, before = world.files(), simulator.stats()
    world.be_patient(0.4 if NEVER in fault else 30)  # in life it is minutes
    simulator.clear_faults()
    simulator.inject(*fault.split(" + "))
    record = world.submit()
    told, ended = world.told(record), record.state
    after = simulator.stats()
    assert all(each["met"] for each in simulator.faults()), "the fault must have been in the way"

    paid = after["paid_jobs"] - before["paid_jobs"]
    named = [job for job in after["accepted"] if job["session_id"] == record.id]
    assert len(named) == paid, "what was accepted is known by our own id"
    if step != "Submit" or ended is State.DOWNLOADED:
        assert paid == 1
    assert paid <= 1
    assert ended is not State.REJECTED or paid == 0
    assert after["requests"]["POST /api/v1/videos"] - before["requests"].get("POST /api/v1/videos", 0) <= 4

    # Nothing half-made is seen, and whatever is not there is explained.
    new = [name for name in world.files() if name not in files]
    assert new == ([f"{record.id}.json", f"{record.id}.mp4"] if ended is State.DOWNLOADED else [])
    assert bool(told) == (ended is not State.DOWNLOADED)
    assert len(told) < 600
    assert told.isprintable()

    # The key stays with the API.
    host = f"127.0.0.1:{simulator.doors.api}"
    assert {seen["host"] for seen in after["authorization_seen"]} <= {host}
    assert simulator.api_key not in told

    # When the fault is over, whatever was paid arrives, and nothing is paid again.
    simulator.clear_faults()
    resumed = record
    if ended in RESUMABLE:
        if fault == "poll:clock=-86400":
            simulator.inject("poll:clock=86400")  # the day has gone by
        resumed = world.go_on(record)
        assert simulator.stats()["paid_jobs"] == after["paid_jobs"]
        if not fault.startswith("job:"):
            assert resumed.state is State.DOWNLOADED
    if resumed.state is State.DOWNLOADED:
        assert (world.home / "videos" / f"{record.id}.mp4").read_bytes() == film.read_bytes()

    theirs = None
    if step == "Submit":
        simulator.inject(*fault.split(" + "))
        theirs = official(simulator, monkeypatch, patience=1 if NEVER in fault else 30)
    SEEN[step, fault] = Outcome(
        paid, ended.value, resumed.state.value if ended in RESUMABLE else "", normal(told, record), theirs
    )


def normal(told: str, record: Any) -> str:
    """What is told, without what differs from run to run."""
    if record.api_id:
        told = told.replace(record.api_id, "gen-vid-…")
    told = told.replace(record.id, "rv-…")
    told = re.sub(r"\d+ of \d+ bytes|\d+ bytes", "… bytes", told)
    told = re.sub(r"expected \d+", "expected …", told)
    told = re.sub(r"gen-vid-\w+-\w+", "gen-vid-…", told)
    told = re.sub(r"(127\.0\.0\.1|localhost):\d+", r"\1:…", told)
    return told.replace("|", "\\|").replace("<", "&lt;")


def table() -> str:
    """The page."""
    lines = [
        "# What happens when something goes wrong",
        "",
        INTRODUCTION,
    ]
    for step, faults in STEPS.items():
        theirs = step == "Submit"
        lines += ["", f"## {step}", ""]
        if theirs:
            lines += [COMPARISON, ""]
        heads = ["Fault", "Paid", *(["SDK"] if theirs else ["Resumed"]), "Ends as", "What is told"]
        lines += [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
        for fault in faults:
            seen = SEEN[step, fault]
            third = str(seen.theirs) if theirs else seen.resumed
            cells = [f"`{fault}`", str(seen.paid), third, seen.state.replace("_", " "), seen.told]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def test_the_table_in_the_docs_is_what_happens() -> None:
    if len(SEEN) < len(ROWS):
        pytest.skip("needs all the rows above")
    assert max(row.theirs or 0 for row in SEEN.values()) == 3, "the comparison would say nothing"
    if os.environ.get("REFVIDEO_WRITE_DOCS") == "1":
        DOCS.parent.mkdir(exist_ok=True)
        DOCS.write_text(table(), encoding="utf-8")
    assert DOCS.read_text(encoding="utf-8") == table(), "REFVIDEO_WRITE_DOCS=1 writes it anew"
