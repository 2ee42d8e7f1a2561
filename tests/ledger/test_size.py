"""What is asked often takes no longer in a ledger of many jobs; only a search goes through all of them."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import time

import pytest
from msgspec.structs import replace

from refvideo_nb.core.job import State
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import Frame, VideoRequest
from refvideo_nb.ledger import database
from refvideo_nb.ledger.documents import insert
from refvideo_nb.ledger.migrations import MIGRATIONS
from refvideo_nb.ledger.store import Ledger

pytestmark = pytest.mark.alone

FEW, MANY = 200, 20_000
MOST = 8  # times as long, where there are a hundred times as many jobs
MODELS = ("a/one", "b/two", "c/three")


def picture(number):
    return Reference(name="x", kind="image", sha256=f"{number:064x}", media_type="image/png", nbytes=1)


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        opened = {}
        for count in (FEW, MANY):
            home = tmp_path_factory.mktemp(str(count))
            ledger = opened[count] = stack.enter_context(contextlib.closing(Ledger(home)))
            with ledger._database.writing() as db:
                for n in range(count):
                    insert(db, job(n), fingerprint=str(n), owner=None, lease=None)
            ledger.add(replace(job(0), id="rv-20270116-aaaaaa", api_id=None), fingerprint="another day")
        yield opened


def job(number):
    from refvideo_nb.core.job import JobRecord

    request = VideoRequest(
        prompt=f"a red ball number {number} " * 12, model=MODELS[number % 3], references=(picture(number),)
    )
    return JobRecord(
        id=f"rv-20270115-{number:06}", state=State.DOWNLOADED, request=request, sent_prompt=request.prompt,
        created=float(number), updated=float(number), api_id=f"gen-{number}", submitted=0.0, finished=60.0,
    )  # fmt: skip


numbers = itertools.count(MANY)
ASKED = {
    "open": lambda ledger: Ledger(ledger.path.parent).close(),
    "insert": lambda ledger: ledger.add(job(next(numbers)), fingerprint="x"),
    "reuse": lambda ledger: ledger.add(job(next(numbers)), fingerprint="7", reuse=True),
    "advance": lambda ledger: ledger.advance("rv-20270115-000007", error="x"),
    "the newest 50": lambda ledger: ledger.jobs(limit=50),
    "durations": lambda ledger: ledger.durations("a/one", None, simulated=False),
    "by the API's id": lambda ledger: ledger.get("gen-7"),
    "by its beginning": lambda ledger: ledger.get("rv-20270116"),
    "still used": lambda ledger: ledger.still_used([f"{n:064x}" for n in range(5)]),
    "what was left": lambda ledger: ledger.settle_abandoned(),
}


def best(ask, ledger, times=15):
    took = []
    for _ in range(times):
        start = time.perf_counter()
        ask(ledger)
        took.append(time.perf_counter() - start)
    return min(took)


@pytest.mark.parametrize("what", ASKED)
def test_it_does_not_grow_with_the_ledger(ledgers, what):
    few, many = best(ASKED[what], ledgers[FEW]), best(ASKED[what], ledgers[MANY])
    print(f"{what}: {few * 1e3:.2f} ms among {FEW}, {many * 1e3:.2f} ms among {MANY}")
    assert many < MOST * few


def test_a_page_reads_no_more_documents_than_it_shows(ledgers, monkeypatch):
    read = []
    monkeypatch.setattr("refvideo_nb.ledger.search.readable", read.append)
    for asked in ({}, {"text": "ball"}, {"model": "a/one"}, {"states": [State.DOWNLOADED]}, {"offset": 15_000}):
        read.clear()
        page = ledgers[MANY].find(**asked, limit=50)
        assert len(read) == 50
        assert page.total > MANY / 4


def test_a_ledger_of_an_earlier_version_is_brought_up_to_date(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", MIGRATIONS[:3])
        Ledger(tmp_path).close()
    first, second, broken = (
        replace(job(n), request=replace(job(n).request, frames=(Frame("first", picture(99)),))) for n in range(3)
    )
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)) as db:
        import msgspec

        for each in (first, second, broken):
            document = b"\xff{" if each is broken else msgspec.json.encode(each)
            row = (each.id, each.created, each.updated, "downloaded", each.request.model, "Ein WÜRFEL", each.api_id)
            db.execute(
                "INSERT INTO jobs (id, created, updated, state, model, prompt, api_id, fingerprint, document)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, "f", document),
            )
    with contextlib.closing(Ledger(tmp_path)) as ledger:
        assert [r.id for r in ledger.jobs()] == [second.id, first.id]
        assert ledger.find(text="würfel").total == 3
        assert ledger.still_used([f"{n:064x}" for n in (0, 1, 2, 99)]) == {f"{n:064x}" for n in (0, 1, 99)}
        assert ledger.durations("a/one", None, simulated=False) == [], "nobody knows how late its end was seen"
        ledger.forget(first.id)
        assert ledger.still_used([f"{n:064x}" for n in (0, 1, 2, 99)]) == {f"{n:064x}" for n in (1, 99)}
