"""One job through the engine: paid once, waited for with a limit, fetched whole."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import threading
from decimal import Decimal
from typing import Any

import httpx
import pytest

from refvideo_nb.client.client import VideoClient
from refvideo_nb.core.job import State
from refvideo_nb.errors import DownloadError, LedgerError, WaitTimeoutError
from refvideo_nb.ledger.store import Ledger
from refvideo_nb.settings import Secret


def job(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "gen-vid-1", "polling_url": "/api/v1/videos/gen-vid-1", "status": status, **more}


def answers(*items: httpx.Response | Exception) -> Any:
    """One after the other; the last one stays."""
    left = list(items)

    def answer(request: httpx.Request) -> httpx.Response:
        item = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(item, Exception):
            raise item
        # A response object is used up by reading it.
        return httpx.Response(item.status_code, headers=item.headers, content=item.content)

    return answer


def test_a_job_ends_with_a_checked_file(world: Any, mp4: bytes) -> None:
    statuses = ("pending", "in_progress", "dreaming", "completed")
    world.script.poll = answers(*[httpx.Response(200, json=job(s, usage={"cost": 0.25})) for s in statuses])
    record = world.run(world.drafted())
    assert record.state is State.DOWNLOADED
    assert record.polls == 4
    assert record.cost == Decimal("0.25")
    assert record.api_id == "gen-vid-1"
    assert world.media.video(record.id).read_bytes() == mp4
    assert (record.video.width, record.video.height, record.video.frames) == (64, 48, 24)
    assert world.script.posts == 1


def test_the_ledger_says_submitting_before_the_first_byte_leaves(world: Any) -> None:
    seen: list[State] = []

    def submit(request: httpx.Request) -> httpx.Response:
        seen.extend(r.state for r in world.ledger.jobs())
        return httpx.Response(202, json=job("pending"))

    world.script.submit = submit
    world.run(world.drafted())
    assert seen == [State.SUBMITTING]


def test_our_id_travels_as_session_id(world: Any) -> None:
    bodies: list[bytes] = []

    def submit(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(202, json=job("pending"))

    world.script.submit = submit
    record = world.run(world.drafted())
    assert record.id.encode() in bodies[0]


LOST = {
    "reset": httpx.ReadError("connection reset"),
    "read time-out": httpx.ReadTimeout("no answer"),
    "write time-out": httpx.WriteTimeout("half sent"),
    "server gone": httpx.RemoteProtocolError("server disconnected"),
    "500": httpx.Response(500, json={"error": {"code": 500, "message": "x"}}),
    "502": httpx.Response(502, content=b"<html>bad gateway</html>"),
    "503": httpx.Response(503, headers={"Retry-After": "1"}, content=b""),
    "499": httpx.Response(499, json={"error": {"code": 499, "message": "closed"}}),
    "not JSON": httpx.Response(202, content=b"<html>"),
    "no id": httpx.Response(202, json={"status": "pending"}),
    "redirect": httpx.Response(307, headers={"Location": "https://elsewhere.example/"}),
}


@pytest.mark.parametrize("what", LOST)
def test_a_lost_answer_is_never_sent_again(world: Any, what: str) -> None:
    world.script.submit = answers(LOST[what])
    record = world.run(world.drafted())
    assert record.state is State.OUTCOME_UNKNOWN
    assert record.error
    assert world.script.posts == 1
    # Nor by looking after it once more.
    assert world.run(record).state is State.OUTCOME_UNKNOWN
    assert world.script.posts == 1


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413])
def test_a_refusal_is_told_in_the_apis_words_and_not_repeated(world: Any, status: int) -> None:
    world.script.submit = answers(httpx.Response(status, json={"error": {"code": status, "message": "Not <this> way"}}))
    record = world.run(world.drafted())
    assert record.state is State.REJECTED
    assert "Not <this> way" in record.error
    assert world.script.posts == 1


def test_what_never_left_and_what_was_refused_unaccepted_is_sent_again(world: Any) -> None:
    world.script.submit = answers(
        httpx.ConnectError("refused"),
        httpx.Response(429, headers={"Retry-After": "7"}, json={"error": {"code": 429, "message": "slow"}}),
        httpx.Response(202, json=job("pending")),
    )
    record = world.run(world.drafted())
    assert record.state is State.DOWNLOADED
    assert world.script.posts == 3
    assert any(7 <= s < 12 for s in world.clock.slept), "Retry-After was not honoured"


def test_an_address_that_never_answers_ends_unpaid(world: Any) -> None:
    world.script.submit = answers(httpx.ConnectError("name or service not known"))
    record = world.run(world.drafted())
    assert record.state is State.REJECTED
    assert "name or service not known" in record.error


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("failed", State.FAILED),
        ("cancelled", State.CANCELLED),
        ("canceled", State.CANCELLED),
        ("expired", State.EXPIRED),
    ],
)
def test_terminal_failures_stop_the_polling(world: Any, status: str, state: State) -> None:
    world.script.poll = answers(httpx.Response(200, json=job(status, error="the provider refused reference 2")))
    record = world.run(world.drafted())
    assert record.state is state
    assert record.error == "the provider refused reference 2"
    assert world.script.polls == 1
    assert record.finished is not None


def test_polls_survive_errors_and_slow_down(world: Any) -> None:
    not_known = httpx.Response(404, json={"error": {"code": 404, "message": "not yet known"}})
    unreadable = httpx.Response(200, content=b"not json")
    world.script.poll = answers(
        *(not_known, not_known),  # what may be another job's is asked again at once
        httpx.ReadTimeout("slow"),
        httpx.Response(500, content=b"oops"),
        *(unreadable, unreadable),
        httpx.Response(429, headers={"Retry-After": "44"}, content=b""),
        httpx.Response(200, json=job("completed")),
    )
    assert world.run(world.drafted()).state is State.DOWNLOADED
    slept = world.clock.slept
    assert 9.5 <= slept[0] <= 10.5
    assert 41.8 <= slept[5] <= 46.2, "Retry-After of a poll was not honoured"
    assert max(slept) <= 46.2


def test_the_interval_grows_to_its_limit(world: Any) -> None:
    pending = [httpx.Response(200, json=job("pending"))] * 12
    world.script.poll = answers(*pending, httpx.Response(200, json=job("completed")))
    world.run(world.drafted())
    slept = world.clock.slept
    assert 9.5 <= slept[0] <= 10.5
    assert all(s <= 31.5 for s in slept)
    assert slept[-1] > 28


def test_a_time_out_of_ours_abandons_nothing(world: Any) -> None:
    world.script.poll = answers(httpx.Response(200, json=job("in_progress")))
    record = world.run(world.drafted())
    assert record.state is State.RUNNING
    assert isinstance(world.trouble(record), WaitTimeoutError)
    assert record.id in str(world.trouble(record))
    assert 1700 <= sum(world.clock.slept) < 1950
    world.script.poll = answers(httpx.Response(200, json=job("completed")))
    assert world.run(record).state is State.DOWNLOADED
    assert world.script.posts == 1


def test_a_key_that_died_meanwhile_leaves_the_job_resumable(world: Any) -> None:
    world.script.poll = answers(httpx.Response(401, json={"error": {"code": 401, "message": "User not found."}}))
    record = world.run(world.drafted())
    assert record.state is State.ACCEPTED
    said = str(world.trouble(record))
    assert "User not found." in said
    assert f"%refvideo resume {record.id}" in said
    assert "nothing was paid" not in said, "it was paid: only its poll was refused"


def test_what_is_known_of_a_clip_stands_beside_it(world: Any, mp4: bytes) -> None:
    record = world.run(world.drafted())
    clip = world.media.video(record.id)
    about = json.loads(clip.with_suffix(".json").read_text())
    assert about["job"] == record.id
    assert about["state"] == "downloaded"
    assert about["video"]["file"] == clip.name
    assert about["video"]["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert about["prompt_as_sent"] == record.sent_prompt
    assert [r["sha256"] for r in about["references"]] == [r.sha256 for r in record.request.references]
    # It goes with the clip.
    world.ledger.forget(record.id)
    assert not list(clip.parent.iterdir())


def test_a_clip_counts_even_where_nothing_can_be_written_beside_it(world: Any) -> None:
    drafted = world.drafted()
    world.media.video(drafted.id).with_suffix(".json").mkdir(parents=True)
    record = world.run(drafted)
    assert record.state is State.DOWNLOADED
    assert world.media.video(record.id).exists()
    assert not list(world.media.video(record.id).parent.glob(".*"))


BAD_FILES = {
    "web page": httpx.Response(200, content=b"<!doctype html><html>log in</html>"),
    "nothing": httpx.Response(200, content=b""),
    "gone": httpx.Response(410, json={"error": {"code": 410, "message": "expired"}}),
    "noise": httpx.Response(200, content=b"\x00\x00\x00\x18ftypmp42" + b"noise" * 400),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_what_is_no_video_is_never_shown_as_one(world: Any, mp4: bytes, what: str) -> None:
    world.script.content = answers(BAD_FILES[what])
    record = world.run(world.drafted())
    assert record.state is State.COMPLETED
    assert record.video is None
    assert isinstance(world.trouble(record), DownloadError)
    assert "paid" in record.error
    assert not list((world.settings.home / "videos").iterdir()), "a half file is visible"
    # It can still be had, without another submit.
    world.script.content = answers(httpx.Response(200, content=mp4))
    assert world.run(record).state is State.DOWNLOADED
    assert world.script.posts == 1


def test_a_cut_off_file_is_fetched_again(world: Any, mp4: bytes) -> None:
    world.script.content = answers(
        httpx.Response(200, content=mp4[: len(mp4) // 2]),
        httpx.Response(409, content=b""),
        httpx.Response(200, content=mp4),
    )
    assert world.run(world.drafted()).state is State.DOWNLOADED


def test_stopping_during_the_submit_does_not_lose_the_answer(world: Any) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    async def slow_submit(request: httpx.Request) -> httpx.Response:
        arrived.set()
        await asyncio.to_thread(go_on.wait, 10)
        return httpx.Response(202, json=job("pending"))

    client = VideoClient("https://api.example/api/v1", Secret("k"), transport=httpx.MockTransport(slow_submit))
    world.engine._connect = lambda address: client
    record = world.drafted()
    watch = world.engine.look_after(record.id)
    assert arrived.wait(10)
    world.engine.stop_watching(record.id)
    watch.done.result(10)
    assert world.ledger.get(record.id).state is State.SUBMITTING
    go_on.set()
    deadline = threading.Event()
    for _ in range(200):
        if world.ledger.get(record.id).state is State.ACCEPTED:
            break
        deadline.wait(0.05)
    assert world.ledger.get(record.id).state is State.ACCEPTED
    assert world.ledger.get(record.id).api_id == "gen-vid-1"


def test_one_job_has_one_watch(world: Any) -> None:
    record = world.drafted()
    watches = {id(world.engine.look_after(record.id)) for _ in range(5)}
    world.engine.look_after(record.id).done.result(30)
    assert len(watches) == 1
    assert world.script.posts == 1


def slow_api(world: Any, go_on: threading.Event) -> threading.Event:
    """The API answers a submit only when it may; gives the event of its arrival."""
    arrived = threading.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return world.script(request)
        arrived.set()
        world.script.posts += 1
        # In a task below the submit's own, as the HTTP library opens its connection.
        await asyncio.create_task(asyncio.to_thread(go_on.wait, 10))
        return httpx.Response(202, json=job("pending"))

    client = VideoClient("https://api.example/api/v1", Secret("k"), transport=httpx.MockTransport(answer))
    world.engine._connect = lambda address: client
    return arrived


def test_closing_waits_for_the_answer_to_a_paid_request(world: Any) -> None:
    go_on = threading.Event()
    arrived = slow_api(world, go_on)
    record = world.drafted()
    watch = world.engine.look_after(record.id)
    assert arrived.wait(10)
    watch.done.add_done_callback(lambda _: threading.Timer(0.3, go_on.set).start())
    world.engine.close()
    assert watch.done.done()
    assert world.ledger.get(record.id).state is State.ACCEPTED


def test_who_stops_and_waits_again_gets_the_video(world: Any) -> None:
    go_on = threading.Event()
    arrived = slow_api(world, go_on)
    record = world.drafted()
    first = world.engine.look_after(record.id)
    assert arrived.wait(10)
    world.engine.stop_watching(record.id)
    again = world.engine.look_after(record.id)
    assert again is not first
    first.done.result(10)
    assert not again.done.done(), "it waits for the answer"
    go_on.set()
    again.done.result(10)
    assert world.ledger.get(record.id).state is State.DOWNLOADED
    assert world.script.posts == 1


def test_after_a_stop_others_may_take_the_job_up(world: Any) -> None:
    go_on = threading.Event()
    arrived = slow_api(world, go_on)
    record = world.drafted()
    watch = world.engine.look_after(record.id)
    assert arrived.wait(10)
    world.engine.stop_watching(record.id)
    watch.done.result(10)
    other = Ledger(world.settings.home, clock=world.clock)
    assert other.claim(record.id) is None, "its answer is still on its way"
    go_on.set()
    for _ in range(200):
        if other.claim(record.id) is not None:
            break
        threading.Event().wait(0.05)
    assert other.get(record.id).state is State.ACCEPTED
    other.close()


def test_an_unforeseen_fault_while_it_is_sent_leaves_no_doubt(world: Any) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise ValueError("a mistake of ours")

    world.script.submit = broken
    assert world.run(world.drafted()).state is State.OUTCOME_UNKNOWN


def test_a_paid_id_is_written_down_even_if_the_ledger_is_busy(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    advance, refusals = world.ledger.advance, iter(range(3))

    def busy(job_id: str, to: Any = None, **changes: Any) -> Any:
        if to is State.ACCEPTED and next(refusals, None) is not None:
            raise LedgerError("database is locked")
        return advance(job_id, to, **changes)

    monkeypatch.setattr(world.ledger, "advance", busy)
    record = world.run(world.drafted())
    assert (record.state, record.api_id) == (State.DOWNLOADED, "gen-vid-1")


def test_a_ledger_that_fills_up_after_the_submit_does_not_say_that_nothing_was_sent(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = Ledger.advance

    def full(ledger: Ledger, job_id: str, to: State | None = None, **changes: Any) -> Any:
        if to is State.COMPLETED:
            raise sqlite_full(ledger)
        return advance(ledger, job_id, to, **changes)

    monkeypatch.setattr(Ledger, "advance", full)
    record = world.run(world.drafted())
    assert (record.state, record.api_id) == (State.ACCEPTED, "gen-vid-1")
    told = str(world.trouble(record))
    assert f"%refvideo resume {record.id} goes on without paying" in told
    assert "disk is full" in told
    assert "nothing was sent" not in told
    monkeypatch.undo()
    assert world.run(record).state is State.DOWNLOADED
    assert world.script.posts == 1


def sqlite_full(ledger: Ledger) -> LedgerError:
    """What a ledger says where its disk is full."""
    with pytest.raises(LedgerError) as caught, ledger._database.reading():
        raise sqlite3.OperationalError("database or disk is full")
    return caught.value


def test_another_jobs_id_in_a_poll_fetches_no_other_film(world: Any) -> None:
    asked: list[str] = []
    content = world.script.content

    def watched(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return content(request)

    world.script.content = watched
    theirs = {"id": "someone-elses", "unsigned_urls": ["/api/v1/videos/someone-elses/content"], "usage": {"cost": 9}}
    world.script.poll = answers(httpx.Response(200, json=job("completed") | theirs))
    record = world.run(world.drafted())
    assert (record.state, record.cost) == (State.DOWNLOADED, None)
    assert asked == ["/api/v1/videos/gen-vid-1/content"]


def test_a_key_that_is_echoed_is_neither_kept_nor_told(world: Any) -> None:
    key = "a-long-enough-key"
    client = VideoClient("https://api.example/api/v1", Secret(key), transport=httpx.MockTransport(world.script))
    world.engine._connect = lambda address: client
    world.script.content = answers(httpx.Response(401, json={"error": {"code": 401, "message": f"bad Bearer {key}"}}))
    record = world.run(world.drafted())
    assert "***" in record.error
    assert key not in record.error + str(world.trouble(record))


def test_an_interrupt_during_the_wait_for_the_database_leaves_it_usable(world: Any) -> None:
    class Interrupted:
        """A connection whose wait for the lock is interrupted: SQLite tells it when the lock is had."""

        def __init__(self, db: Any) -> None:
            self.db = db

        def __getattr__(self, name: str) -> Any:
            return getattr(self.db, name)

        def execute(self, statement: str, *more: Any) -> Any:
            result = self.db.execute(statement, *more)
            if statement.startswith("BEGIN"):
                raise KeyboardInterrupt
            return result

    real = world.ledger._database._db
    world.ledger._database._db = Interrupted(real)
    with pytest.raises(KeyboardInterrupt):
        world.drafted()
    world.ledger._database._db = real
    assert not real.in_transaction
    assert world.run(world.drafted()).state is State.DOWNLOADED


def test_what_was_finished_and_failed_since_is_expired(world: Any) -> None:
    world.script.content = answers(httpx.Response(410, json={"error": {"code": 410, "message": "gone"}}))
    record = world.run(world.drafted())
    assert record.state is State.COMPLETED
    world.script.poll = answers(httpx.Response(200, json=job("failed", error="removed by the provider")))
    record = world.run(record)
    assert (record.state, record.error) == (State.EXPIRED, "removed by the provider")


def test_a_fault_of_our_own_is_told_and_loses_nothing(world: Any) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise KeyError("a mistake of ours")

    world.script.poll = broken
    record = world.run(world.drafted())
    assert record.state is State.ACCEPTED
    assert "KeyError" in str(world.trouble(record))
    assert record.id in str(world.trouble(record))


def test_a_polling_address_elsewhere_is_not_kept(world: Any) -> None:
    elsewhere = "https://cdn.example/poll?signature=secret"
    world.script.submit = answers(httpx.Response(202, json=job("pending") | {"polling_url": elsewhere}))
    record = world.run(world.drafted())
    assert record.polling_url == "/api/v1/videos/gen-vid-1", "the one from the poll, on the API's own origin"
    written = {p.name: p.read_bytes() for p in world.settings.home.rglob("*") if p.is_file()}
    assert "ledger.sqlite-wal" in written, "the newest pages are not in the database file yet"
    assert any(record.id.encode() in data for data in written.values())
    assert not any(b"signature" in data for data in written.values())


def test_a_full_disk_is_not_tried_again(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("refvideo_nb.client.download.os.fsync", full)
    record = world.run(world.drafted())
    assert record.state is State.COMPLETED
    assert "No space left" in str(world.trouble(record))
    assert world.script.downloads <= 2
    assert not list((world.settings.home / "videos").iterdir())


CUT = 700


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_goes_on_where_it_was_cut(world: Any, mp4: bytes, *, ranges: bool) -> None:
    asked: list[str | None] = []

    async def cut_off() -> Any:
        yield mp4[:CUT]
        raise httpx.ReadError("connection reset")

    def content(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("range"))
        if len(asked) == 1:
            return httpx.Response(200, headers={"Content-Length": str(len(mp4))}, content=cut_off())
        if ranges:
            said = f"bytes {CUT}-{len(mp4) - 1}/{len(mp4)}"
            return httpx.Response(206, headers={"Content-Range": said}, content=mp4[CUT:])
        return httpx.Response(200, content=mp4)

    world.script.content = content
    record = world.run(world.drafted())
    assert record.state is State.DOWNLOADED
    assert asked == [None, f"bytes={CUT}-"]
    assert world.media.video(record.id).read_bytes() == mp4


def test_a_home_that_is_removed_during_a_submit_does_not_hide_the_paid_id(world: Any) -> None:
    def submit(_: httpx.Request) -> httpx.Response:
        world.ledger.path.unlink()
        return httpx.Response(202, json=job("pending"))

    world.script.submit = submit
    record = world.drafted()
    world.engine.look_after(record.id).done.result(30)
    said = str(world.trouble(record))
    assert "accepted by the API, and paid, as gen-vid-1" in said
    assert world.script.posts == 1
