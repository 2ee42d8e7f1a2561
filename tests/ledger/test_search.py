"""Looking through a ledger, and taking a job out of it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from refvideo_nb.core.job import FAILED, State
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import Frame
from refvideo_nb.errors import LedgerError, TakenOverError, UnknownJobError
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


@pytest.mark.parametrize(
    ("text", "count"),
    [("WÜRFEL", 30), ("wÜrFeL 4", 6), ("ＢＡＬＬ", 30), ("A/ONE", 48), ("GEN-1", 11), ("x" * 60_000, 0), ("\x00", 60)],
)
def test_a_search_does_not_see_how_a_letter_is_written(ledger, many, text, count):
    assert ledger.find(text=text).total == count


def test_what_comes_after_a_nul_is_found(ledger, record):
    put(ledger, record(), prompt="before\x00after")
    assert ledger.find(text="after").total == ledger.find(text="before\x00after").total == 1


def test_an_id_that_comes_later_is_found(ledger, record):
    ledger.add(record(), fingerprint="f")
    assert ledger.find(text="gen-late").total == 0
    ledger.advance(record().id, State.SUBMITTING)
    ledger.advance(record().id, State.ACCEPTED, api_id="gen-late")
    assert ledger.find(text="GEN-late").total == 1


@pytest.mark.parametrize("text", [None, "ball", "number", "gen-59", "zzz", "%"])
@pytest.mark.parametrize("states", [None, [State.RUNNING], [State.RUNNING, State.FAILED], []])
@pytest.mark.parametrize("model", [None, "b/two", "none"])
def test_every_page_says_the_same_total(ledger, many, text, states, model):
    wanted = {"text": text, "states": states, "model": model}
    whole = ledger.find(**wanted, limit=1000)
    assert whole.total == len(whole.records)
    for limit in (0, 1, 7, 30, 60):
        for offset in (0, 1, 7, whole.total - 1, whole.total, 70):
            page = ledger.find(**wanted, offset=max(offset, 0), limit=limit)
            assert page.total == whole.total, (offset, limit)
            assert page.records == whole.records[max(offset, 0) :][:limit]


def test_pages_of_jobs_of_one_moment(ledger, record):
    made = [put(ledger, record(job_id=f"rv-{n}"), prompt="ball") for n in range(7)]
    pages = [ledger.find(text="ball", offset=n, limit=2) for n in range(0, 7, 2)]
    assert [r.id for p in pages for r in p.records] == [r.id for r in made]
    assert {p.total for p in pages} == {7}


def test_a_search_never_reads_the_documents(ledger, many):
    plans = []
    ledger._database._db.set_trace_callback(plans.append)
    ledger.find(text="ball", states=[State.RUNNING], model="a/one", limit=5)
    ledger._database._db.set_trace_callback(None)
    looked = [p for p in plans if "sought" in p]
    assert len(looked) == 2
    for statement in looked:
        (plan,) = ledger._database._db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        assert "USING COVERING INDEX jobs_by_text" in plan[-1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=30), model=st.text(max_size=20))
def test_no_text_breaks_a_search(ledger, text, model):
    with contextlib.suppress(LedgerError):  # half a character cannot be looked for
        assert ledger.find(text=text, model=model).total == 0


def test_how_long_jobs_took(ledger, record):
    for n in range(60):
        made = record(job_id=f"rv-{n}", created=float(n), state=State.DOWNLOADED, submitted=100.0, finished=100.0 + n)
        put(ledger, replace(made, simulated=n % 2 == 0), resolution="720p" if n < 50 else "480p", model="a/b")
    put(ledger, record(job_id="rv-x", state=State.FAILED, submitted=1.0, finished=9.0), resolution="720p", model="a/b")
    assert ledger.durations("a/b", "720p", simulated=False) == [float(n) for n in range(49, 0, -2)]
    assert ledger.durations("a/b", "1080p", simulated=False) == []
    assert ledger.durations("none", "720p", simulated=False) == []


def test_the_newest_of_just_that_kind_count(ledger, record):
    for n in range(300):
        made = record(job_id=f"rv-{n:03}", created=float(n), state=State.DOWNLOADED, submitted=0.0, finished=float(n))
        put(ledger, made, resolution="480p" if n < 10 else None, model="a/b")
    assert ledger.durations("a/b", "480p", simulated=False) == [float(n) for n in range(9, -1, -1)]
    assert ledger.durations("a/b", None, simulated=False) == [float(n) for n in range(299, 249, -1)]


def run(ledger, clock, made, *, looks, took, ends=State.COMPLETED):
    """A job that is asked after at some times, seconds since its submit, and found ended at the last."""
    ledger.add(made, fingerprint=made.id)
    start = clock.now = clock.now + 10_000
    ledger.advance(made.id, State.SUBMITTING, submitted=start)
    ledger.advance(made.id, State.ACCEPTED)
    for after in looks:
        clock.now = start + after
        ledger.advance(made.id, State.RUNNING)
    clock.now = start + took
    ledger.advance(made.id, ends, finished=start + took)


def test_only_an_end_that_was_seen_in_time_says_how_long_a_job_took(tmp_path, record, clock):
    with contextlib.closing(Ledger(tmp_path, clock=clock)) as ledger:

        def seconds():
            return ledger.durations(record().request.model, None, simulated=False)

        run(ledger, clock, record(job_id="rv-1", created=1.0), looks=[30, 60], took=90)
        assert seconds() == [90]
        run(ledger, clock, record(job_id="rv-2", created=2.0), looks=[30, 60], took=80_000)  # the kernel was off
        assert seconds() == [90]
        run(ledger, clock, record(job_id="rv-3", created=3.0), looks=range(0, 3600, 300), took=3600)
        assert seconds() == [3600, 90], "asked rarely, but often enough for a job that long"
        run(ledger, clock, record(job_id="rv-4", created=4.0), looks=[30], took=60, ends=State.FAILED)
        run(ledger, clock, record(job_id="rv-5", created=5.0), looks=[30], took=60)
        ledger.advance("rv-5", State.DOWNLOADED)
        assert seconds() == [60, 3600, 90]
        ledger.advance("rv-5", State.COMPLETED)  # its file was deleted
        clock.now += 80_000
        ledger.advance("rv-5", State.COMPLETED, polls=9)
        ledger.advance("rv-2", State.DOWNLOADED)
        assert seconds() == [60, 3600, 90]
        ledger.advance("rv-5", State.EXPIRED)
        ledger.bring_in(
            [(record(job_id="rv-6", state=State.DOWNLOADED, submitted=1.0, finished=2.0, imported=True), "x")]
        )
        assert seconds() == [3600, 90]


@pytest.mark.parametrize("state", [*sorted(FAILED), State.DOWNLOADED])
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


def test_what_another_process_looks_after_is_not_forgotten(tmp_path, ledger, record):
    with contextlib.closing(Ledger(tmp_path)) as other:
        made = record(state=State.DOWNLOADED)
        other.add(made, fingerprint="f")
        with pytest.raises(TakenOverError, match="close that kernel, then forget it"):
            ledger.forget(made.id)
        assert ledger.get(made.id) == made
    ledger.forget(made.id)


def with_files(home, ledger, record):
    """A finished job with a clip, a reference and the rest of a download."""
    store = MediaStore(home)
    sha256 = store.put(b"pack", "image/png")
    pack = Reference(name="pack", kind="image", sha256=sha256, media_type="image/png", nbytes=4)
    made = put(ledger, record(state=State.DOWNLOADED), frames=(Frame("first", pack),))
    for path in (store.video(made.id), store.part(made.id)):
        path.write_bytes(b"x")
    return made, store, pack


def left(home):
    return [p for folder in ("media", "videos") for p in (home / folder).rglob("*") if p.is_file()]


@pytest.mark.parametrize("moment", ["read", "remove", "still_used"])
def test_a_crash_in_the_middle_of_forgetting_leaves_a_job_that_can_be_forgotten(tmp_path, ledger, record, moment):
    made, _, _ = with_files(tmp_path, ledger, record)
    code = """
        import os, sys
        from pathlib import Path
        from refvideo_nb.ledger import forgetting
        from refvideo_nb.ledger.store import Ledger
        setattr(forgetting, sys.argv[2], lambda *a, **k: os._exit(9))
        Ledger(Path(sys.argv[1])).forget(sys.argv[3])
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path), moment, made.id]
    assert subprocess.run(command, check=False).returncode == 9
    assert len(left(tmp_path)) == (0 if moment == "remove" else 3)
    assert ledger.get(made.id) == made
    ledger.forget(made.id)
    assert left(tmp_path) == []
    assert ledger.jobs() == []


def test_a_file_that_cannot_be_deleted_keeps_its_job(tmp_path, ledger, record, monkeypatch):
    made, store, pack = with_files(tmp_path, ledger, record)

    def refuse(path, **_):
        raise PermissionError(13, "in use")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(LedgerError, match=rf"{made.id}\.mp4 .* cannot be deleted \(in use\): close"):
            ledger.forget(made.id)
    assert ledger.get(made.id) == made
    assert store.read(pack) == b"pack"
    ledger.forget(made.id)
    assert left(tmp_path) == []


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
    assert ledger.still_used({*hashes, "0" * 64}) == hashes
    ledger.forget(first.id)
    assert ledger.still_used(hashes) == {shared.sha256}
    assert store.read(shared) is not None
    assert store.read(own) is None
    assert not store.video("rv-1").exists()
    assert not store.parts("rv-1")
    assert store.video("rv-2").exists()
    assert len(store.parts("rv-2")) == 1
    store.forget(ledger.forget(second.id), used=ledger.still_used(hashes))  # once more does no harm
    assert store.read(shared) is None


def test_two_processes_never_fetch_into_one_file(tmp_path):
    store = MediaStore(tmp_path)
    assert store.part("rv-1") != store.part("rv-1")
    assert store.part("rv-1").parent == store.video("rv-1").parent


def test_the_rest_of_a_download_is_one_jobs_alone(tmp_path):
    store = MediaStore(tmp_path)
    assert store.parts("rv-1") == []
    store.video("rv-1").parent.mkdir()
    for name in ("rv-1", "rv-10", "rv-1x"):
        store.part(name).write_bytes(b"x")
        store.video(name).write_bytes(b"x")
    assert [p.name.split(".")[0] for p in store.parts("rv-1")] == ["rv-1"]
