"""Every job is there again, each step is legal and happens once, whoever else writes."""

import contextlib
import json
import multiprocessing
import sqlite3
import threading
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from refvideo_nb.core.job import State, VideoFacts
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import Frame, VideoRequest
from refvideo_nb.errors import LedgerError, UnknownJobError
from refvideo_nb.ledger import database, documents
from refvideo_nb.ledger.migrations import MIGRATIONS
from refvideo_nb.ledger.store import Ledger, new_id

PACK = Reference(name="pack", kind="image", sha256="0" * 64, media_type="image/png", nbytes=1, width=2, height=3)


def test_what_is_written_is_read_again(ledger, record):
    full = record(
        request=VideoRequest(
            prompt="@pack $5 <b>\x00 é 日 🐈", references=(PACK,), frames=(Frame("first", PACK),), duration=4,
            size=(1280, 720), seed=2**53 - 1, generate_audio=False, provider={"s": {"a": [1, 2.5, None, {"b": "c"}]}},
        ),
        estimate=Estimate(Decimal("0.2"), Decimal("0.36288"), "by hand"),
        cost=Decimal("0.169617"),
        api_id="gen-1",
        notes=("one", "two"),
        video=VideoFacts(sha256="1" * 64, nbytes=1, width=2, height=3, seconds=4.0, fps=24.0, frames=96, audio=True),
    )  # fmt: skip
    assert ledger.add(full, fingerprint="f") == full
    assert ledger.get(full.id) == full
    assert type(ledger.get(full.id).cost) is Decimal
    assert ledger.jobs() == [full]


def test_a_second_opening_sees_it(ledger, record, tmp_path):
    ledger.add(record(), fingerprint="f")
    with contextlib.closing(Ledger(tmp_path / "home")) as again:
        assert again.get("rv-20270115-abcdef") == record()


def test_it_is_on_the_disk_before_anything_is_sent(ledger, record):
    flushed, waits = (2,), (1,)  # FULL and NORMAL, as SQLite tells them
    job = record()

    def how():
        return ledger._database._db.execute("PRAGMA synchronous").fetchone()

    assert how() == flushed
    assert ledger._database._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    ledger.add(job, fingerprint="f")
    ledger.advance(job.id, State.SUBMITTING)
    assert how() == flushed, "with the draft, before the first byte leaves"
    ledger.claim(job.id)
    ledger.advance(job.id, State.ACCEPTED, api_id="gen-1")
    assert how() == flushed, "the id that was paid for"
    for told_again in (State.ACCEPTED, State.RUNNING, State.RUNNING, State.COMPLETED, State.DOWNLOADED):
        ledger.advance(job.id, told_again, polls=1)
        assert how() == waits, told_again
    for end in (State.REJECTED, State.OUTCOME_UNKNOWN):
        other = replace(job, id=f"rv-20270115-{end.value[:6]}")
        ledger.add(other, fingerprint="g")
        ledger.advance(other.id, State.SUBMITTING)
        ledger.claim(other.id)
        ledger.advance(other.id, end)
        assert how() == flushed, end


def test_by_its_beginning_or_by_the_apis_id(ledger, record):
    ledger.add(record("rv-20270115-aaaaaa", api_id="gen-1"), fingerprint="f")
    ledger.add(record("rv-20270115-aabbbb"), fingerprint="f")
    assert ledger.get("rv-20270115-aaa").id == "rv-20270115-aaaaaa"
    assert ledger.get("gen-1").id == "rv-20270115-aaaaaa"
    assert ledger.get("rv-20270115-aaaaaa").id == "rv-20270115-aaaaaa"
    with pytest.raises(UnknownJobError, match="names several jobs"):
        ledger.get("rv-20270115-aa")
    ledger.add(record("rv-20270116-zzzzzz"), fingerprint="f")
    assert ledger.get("rv-20270116-").id == ledger.get("rv-20270116-zzzzz").id == "rv-20270116-zzzzzz"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "rv",
        "RV-20270115-aaaaaa",
        "rv-20270115-aaaaaab",
        "%",
        "rv%",
        "_" * 5,
        "' OR 1=1 --",
        "gen-",
        "\x00",
        "\x1b[2J",
        "../x",
    ],
)
def test_what_is_no_job(ledger, record, bad):
    ledger.add(record("rv-20270115-aaaaaa", api_id="gen-1"), fingerprint="f")
    with pytest.raises(UnknownJobError) as caught:
        ledger.get(bad)
    assert str(caught.value).isprintable()
    with pytest.raises(UnknownJobError):
        ledger.advance(bad, State.SUBMITTING)


def test_half_a_character_is_our_error(ledger, record):
    with pytest.raises(LedgerError):
        ledger.get("rv-\ud800")
    with pytest.raises((LedgerError, UnicodeEncodeError)):
        ledger.add(record(sent_prompt="\ud800"), fingerprint="\ud800")
    assert ledger.jobs() == []
    ledger.add(record(), fingerprint="f")


def test_an_id_is_not_written_twice(ledger, record):
    ledger.add(record(), fingerprint="f")
    with pytest.raises(LedgerError, match="UNIQUE"):
        ledger.add(record(sent_prompt="another"), fingerprint="g")
    assert ledger.get(record().id).sent_prompt == "a cat"


def test_newest_first_by_state_and_at_most_so_many(ledger, record):
    for number, state in enumerate([State.DRAFTED, State.RUNNING, State.FAILED, State.RUNNING]):
        ledger.add(record(f"rv-20270115-{number:06}", state=state, created=1_800_000_000.0 + number), fingerprint="f")
    assert [r.id[-1] for r in ledger.jobs()] == ["3", "2", "1", "0"]
    assert [r.id[-1] for r in ledger.jobs(limit=2)] == ["3", "2"]
    assert [r.id[-1] for r in ledger.jobs(states=[State.RUNNING])] == ["3", "1"]
    assert [r.id[-1] for r in ledger.jobs(states=[State.RUNNING, State.FAILED], limit=2)] == ["3", "2"]
    assert ledger.jobs(states=[]) == []


def test_a_step(ledger, record, clock):
    ledger.add(record(), fingerprint="f")
    after = ledger.advance(record().id, State.SUBMITTING, submitted=5.0)
    assert (after.state, after.submitted, after.updated) == (State.SUBMITTING, 5.0, clock.now)
    assert ledger.get(record().id) == after
    ledger.advance(record().id, State.ACCEPTED, api_id="gen-9")
    assert ledger.get("gen-9").id == record().id, "the column follows the document"
    assert ledger.jobs(states=[State.ACCEPTED])
    assert ledger.advance(record().id, polls=3).state is State.ACCEPTED


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_only_legal_steps(ledger, record, before, after):
    from refvideo_nb.core.job import may_follow

    ledger.add(record(state=before), fingerprint="f")
    if may_follow(before, after):
        assert ledger.advance(record().id, after).state is after
    else:
        with pytest.raises(LedgerError, match=f"is {before.value} and cannot become {after.value}"):
            ledger.advance(record().id, after, error="x")
        assert ledger.get(record().id) == record(state=before), "nothing of it was written"


def test_a_failure_in_the_middle_changes_nothing(ledger, record):
    ledger.add(record(), fingerprint="f")
    for changes in ({"no_such_field": 1}, {"error": object()}, {"error": "\ud800"}):
        with pytest.raises((TypeError, LedgerError, UnicodeEncodeError)):
            ledger.advance(record().id, State.SUBMITTING, **changes)
        assert ledger.get(record().id) == record()
    assert ledger.advance(record().id, State.SUBMITTING).state is State.SUBMITTING, "the ledger is not locked"


def test_only_one_of_many_submits(tmp_path, record):
    # What two kernels on one ledger must never do: both take the same step.
    ledgers = [Ledger(tmp_path) for _ in range(4)]
    ledgers[0].add(record(), fingerprint="f")
    won, lost = [], []
    start = threading.Barrier(16)

    def submit(ledger):
        start.wait()
        try:
            won.append(ledger.advance(record().id, State.SUBMITTING))
        except LedgerError as error:
            lost.append(error)

    threads = [threading.Thread(target=submit, args=(ledgers[n % 4],)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 15)
    for ledger in ledgers:
        ledger.close()


def count_up(home, job_id, times, failures):
    try:
        with contextlib.closing(Ledger(home)) as ledger:
            for _ in range(times):
                ledger.advance(job_id, State.RUNNING, polls=0)
                with ledger._database.writing() as db:
                    (document,) = db.execute("SELECT document FROM jobs WHERE id = ?", (job_id,)).fetchone()
                    found = documents.read(document)
                    after = replace(found, error=found.error + "x")
                    db.execute("UPDATE jobs SET document = ? WHERE id = ?", (msgspec.json.encode(after), job_id))
    except Exception as error:  # noqa: BLE001 - told to the parent
        failures.put(repr(error))


def test_processes_at_once_lose_no_update(tmp_path, record):
    with contextlib.closing(Ledger(tmp_path)) as ledger:
        ledger.add(record(state=State.RUNNING), fingerprint="f")
        ledger.release(record().id)  # nobody's, so that anybody may write
        context = multiprocessing.get_context("spawn")
        failures = context.Queue()
        workers = [context.Process(target=count_up, args=(tmp_path, record().id, 15, failures)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert failures.empty(), failures.get()
        assert ledger.get(record().id).error == "x" * 60


def test_threads_of_one_ledger_lose_no_update(ledger, record):
    ledger.add(record(), fingerprint="f")
    ledger.add(record("rv-20270115-bbbbbb"), fingerprint="f")
    threads = [
        threading.Thread(target=lambda: [(ledger.advance(record().id, polls=1), ledger.jobs()) for _ in range(20)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.jobs()) == 2


def open_and_close(home, failures):
    try:
        Ledger(home).close()
    except Exception as error:  # noqa: BLE001 - told to the parent
        failures.append(repr(error))


def test_a_new_ledger_opened_by_many_at_once(tmp_path):
    for attempt in range(10):
        failures = []
        home = tmp_path / str(attempt)
        threads = [threading.Thread(target=open_and_close, args=(home, failures)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


def test_migrations_from_nothing(ledger):
    assert ledger._database._db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert ledger._database._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_migration_is_done_once_and_whole_or_not(tmp_path, monkeypatch, record):
    with contextlib.closing(Ledger(tmp_path)) as ledger:
        ledger.add(record(), fingerprint="f")
    more = (*MIGRATIONS, "ALTER TABLE jobs ADD COLUMN extra TEXT; CREATE TABLE other (x) STRICT")
    monkeypatch.setattr(database, "MIGRATIONS", more)
    with pytest.raises(LedgerError):
        Ledger(tmp_path)
    monkeypatch.setattr(
        database,
        "MIGRATIONS",
        (*MIGRATIONS, "ALTER TABLE jobs ADD COLUMN extra TEXT; CREATE TABLE other (x TEXT) STRICT"),
    )
    for _ in range(2):
        with contextlib.closing(Ledger(tmp_path)) as ledger:
            assert ledger._database._db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
            assert ledger.get(record().id) == record()
            assert ledger._database._db.execute("SELECT extra FROM jobs").fetchall() == [(None,)]


def test_a_ledger_of_a_newer_version(tmp_path):
    with contextlib.closing(Ledger(tmp_path)) as ledger:
        ledger._database._db.execute("PRAGMA user_version = 999")
    with pytest.raises(LedgerError, match="newer refvideo_nb: pip install -U refvideo-nb"):
        Ledger(tmp_path)


@pytest.mark.parametrize(
    "data", [b"this is no database, and long enough to be one" * 100, b"SQLite format 3\x00" + bytes(200)]
)
def test_a_file_that_is_no_ledger(tmp_path, data):
    (tmp_path / "ledger.sqlite").write_bytes(data)
    with pytest.raises(LedgerError, match="cannot be used"):
        Ledger(tmp_path)
    assert (tmp_path / "ledger.sqlite").read_bytes() == data, "it may be worth something to somebody"


def test_a_folder_where_the_ledger_should_be(tmp_path):
    (tmp_path / "ledger.sqlite").mkdir()
    with pytest.raises(LedgerError, match="REFVIDEO_HOME"):
        Ledger(tmp_path)


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b'{"id":"x"}', b"\xff", b'{"id":1,"state":"dreaming"}'])
def test_a_document_that_is_broken(ledger, record, document):
    ledger.add(record(), fingerprint="f")
    ledger._database._db.execute("UPDATE jobs SET document = ?", (document,))
    for ask in (lambda: ledger.get(record().id), lambda: ledger.advance(record().id, State.SUBMITTING)):
        with pytest.raises(LedgerError, match="cannot be read"):
            ask()
    # It hides no other job.
    other = ledger.add(record("rv-20270115-bbbbbb"), fingerprint="f", reuse=True)
    assert [r.id for r in ledger.jobs()] == [other.id]
    assert ledger.settle_abandoned() == []


def test_fields_of_a_later_version_are_passed_over(ledger, record):
    ledger.add(record(), fingerprint="f")
    raw = json.loads(msgspec.json.encode(record())) | {"added_later": 1}
    ledger._database._db.execute("UPDATE jobs SET document = ?", (msgspec.json.encode(raw),))
    assert ledger.get(record().id) == record()


def test_a_ledger_that_another_holds_for_long(tmp_path, record, monkeypatch):
    monkeypatch.setattr(database, "_PATIENCE", 0.1)
    with contextlib.closing(Ledger(tmp_path)) as ledger:
        ledger.add(record(), fingerprint="f")
        with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LedgerError, match="locked"):
                ledger.advance(record().id, State.SUBMITTING)
            assert ledger.get(record().id) == record(), "reading goes on"
            other.rollback()
        assert ledger.advance(record().id, State.SUBMITTING).state is State.SUBMITTING


def test_a_closed_ledger_says_so(ledger, record):
    ledger.close()
    ledger.close()
    for ask in (ledger.jobs, lambda: ledger.add(record(), fingerprint="f"), lambda: ledger.advance("x")):
        with pytest.raises(LedgerError, match="closed"):
            ask()


def test_new_ids():
    made = {new_id(1_800_000_000.0) for _ in range(500)}
    assert len(made) == 500
    assert all(i.startswith("rv-20270115-") and len(i) == 18 for i in made)
    assert not set("".join(i[12:] for i in made)) & set("0o1li")
