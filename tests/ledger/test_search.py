"""Looking through a ledger, and taking a job out of it."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refvideo_nb.core.job import FAILED, State
from refvideo_nb.core.references import Reference
from refvideo_nb.errors import LedgerError, UnknownJobError
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.ledger.store import Ledger


@pytest.fixture
def ledger(tmp_path):
    with contextlib.closing(Ledger(tmp_path)) as opened:
        yield opened


def put(ledger, made, **request):
    made = replace(made, request=replace(made.request, **request))
    ledger.add(made, fingerprint=made.id)
    ledger.release(made.id)
    return made


@pytest.fixture
def many(ledger, record):
    states = [State.DOWNLOADED, State.FAILED, State.RUNNING]
    return [
        put(
            ledger,
            record(job_id=f"rv-{n:03}", created=float(n), state=states[n % 3], api_id=f"gen-{n}"),
            prompt=f"a 100% red_ball number {n}" if n % 2 else f"Ein Würfel {n}",
            model="a/one" if n % 5 else "b/two",
        )
        for n in range(60)
    ]


def test_pages_are_newest_first_and_whole(ledger, many):
    pages = [ledger.find(offset=start, limit=25) for start in (0, 25, 50, 75)]
    assert [len(p.records) for p in pages] == [25, 25, 10, 0]
    assert {p.total for p in pages} == {60}
    assert [r.id for p in pages for r in p.records] == [r.id for r in reversed(many)]


def test_filters_go_together(ledger, many):
    found = ledger.find(states={State.RUNNING}, model="a/one", text="BALL", limit=100)
    wanted = [r for r in many if r.state is State.RUNNING and r.request.model == "a/one" and "ball" in r.request.prompt]
    assert [r.id for r in found.records] == [r.id for r in reversed(wanted)]
    assert found.total == len(wanted)
    assert ledger.find(states=()).total == 0
    assert ledger.models() == ["a/one", "b/two"]


@pytest.mark.parametrize(
    ("text", "count"),
    [("%", 30), ("_", 30), ("d_b", 30), ("gen-59", 1), ("rv-00", 10), ("b/t", 12), ("\\", 0), (" ", 60)],
)
def test_a_search_takes_every_letter_for_itself(ledger, many, text, count):
    assert ledger.find(text=text).total == count


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=30), model=st.text(max_size=20))
def test_no_text_breaks_a_search(ledger, text, model):
    with contextlib.suppress(LedgerError):  # half a character cannot be looked for
        assert ledger.find(text=text, model=model).total == 0


def test_looking_through_many_does_not_read_them_all(tmp_path, record):
    """The newest page of a large ledger takes about as long as that of a small one."""
    took = {}
    for count in (200, 20_000):
        with contextlib.closing(Ledger(tmp_path / str(count))) as ledger:
            made = record(state=State.DOWNLOADED)
            with ledger._database.writing() as db:
                from refvideo_nb.ledger.documents import insert

                for n in range(count):
                    each = replace(made, id=f"rv-{n:06}", created=float(n))
                    insert(db, each, fingerprint=str(n), owner=None, lease=None)
            started = time.perf_counter()
            for _ in range(10):
                assert len(ledger.find(limit=50).records) == 50
            took[count] = time.perf_counter() - started
    assert took[20_000] < 8 * took[200], took


def test_how_long_jobs_took(ledger, record):
    for n in range(60):
        made = record(job_id=f"rv-{n}", created=float(n), state=State.DOWNLOADED, submitted=100.0, finished=100.0 + n)
        put(ledger, replace(made, simulated=n % 2 == 0), resolution="720p" if n < 50 else "480p", model="a/b")
    put(ledger, record(job_id="rv-x", state=State.FAILED, submitted=1.0, finished=9.0), resolution="720p", model="a/b")
    assert ledger.durations("a/b", "720p", simulated=False) == [float(n) for n in range(49, 0, -2)]
    assert ledger.durations("a/b", "1080p", simulated=False) == []
    assert ledger.durations("none", "720p", simulated=False) == []


@pytest.mark.parametrize("state", [*FAILED, State.DOWNLOADED])
def test_a_settled_job_is_forgotten(ledger, record, state):
    made = put(ledger, record(state=state))
    assert ledger.forget(made.id).id == made.id
    with pytest.raises(UnknownJobError):
        ledger.get(made.id)
    with pytest.raises(UnknownJobError):
        ledger.forget(made.id)
    again = record(job_id="rv-new", state=State.DRAFTED)
    assert ledger.add(again, fingerprint=made.id, reuse=True).id == "rv-new", "what is forgotten is not reused"


def test_what_may_cost_money_is_not_forgotten_lightly(ledger, record):
    running = put(ledger, record(job_id="rv-1", state=State.RUNNING))
    with pytest.raises(LedgerError, match="resume rv-1"):
        ledger.forget(running.id, even_unknown=True)
    unknown = put(ledger, record(job_id="rv-2", state=State.OUTCOME_UNKNOWN))
    with pytest.raises(LedgerError, match="only trace"):
        ledger.forget(unknown.id)
    assert ledger.get(unknown.id) == unknown
    ledger.forget(unknown.id, even_unknown=True)


def test_files_go_with_the_last_job_that_names_them(tmp_path, ledger, record):
    store = MediaStore(tmp_path)
    shared, own = (
        Reference(name=n, kind="image", sha256=store.put(n.encode(), "image/png"), media_type="image/png", nbytes=1)
        for n in ("shared", "own")
    )
    first = put(ledger, record(job_id="rv-1", state=State.DOWNLOADED), references=(shared, own))
    second = put(ledger, record(job_id="rv-2", state=State.DOWNLOADED), references=(shared,))
    for path in (store.video("rv-1"), store.part("rv-1"), store.part("rv-2"), store.video("rv-2")):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    hashes = {shared.sha256, own.sha256}
    store.forget(ledger.forget(first.id), used=ledger.still_used(hashes))
    assert store.read(shared) is not None
    assert store.read(own) is None
    assert not store.video("rv-1").exists()
    assert not store.parts("rv-1")
    assert store.video("rv-2").exists()
    assert len(store.parts("rv-2")) == 1
    store.forget(ledger.forget(second.id), used=ledger.still_used(hashes))
    assert store.read(shared) is None


def test_two_processes_never_fetch_into_one_file(tmp_path):
    store = MediaStore(tmp_path)
    assert store.part("rv-1") != store.part("rv-1")
    assert store.part("rv-1").parent == store.video("rv-1").parent
