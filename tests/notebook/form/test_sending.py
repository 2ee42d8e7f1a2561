"""From Generate to the result: what is asked once more, what is paid once, and what a card can do."""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import ipywidgets
import numpy as np
import pytest

import refvideo_nb
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.notebook.jobcard import JobCard
from refvideo_nb.notebook.session import Session

from .conftest import CHEAP, PATIENCE, png

CAT = np.full((480, 640, 3), 90, np.uint8)


def paid(simulator: Any) -> int:
    return int(simulator.stats()["paid_jobs"])


def videos(hands: Any) -> int:
    return len([w for w in hands.widgets() if isinstance(w, ipywidgets.HTML) and "<video" in w.value])


def asked(hands: Any) -> bool:
    return bool(hands.field_is_there("Confirm"))


def test_a_job_is_made_watched_and_shown(opened: Any, simulator: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = paid(simulator)
    hands = opened("a ball that is shown", **CHEAP)
    hands.click("Generate")
    hands.job_ended()
    assert paid(simulator) == before + 1
    hands.until(lambda: hands.says("done · 0:0"))
    assert hands.says("polls", "billed USD", f"%refvideo show {hands.form.job.id}")
    hands.until(lambda: videos(hands) == 1, "the video, which the card shows where there is no place below the form")
    assert capsys.readouterr() == ("", ""), "a handler that prints is seen by nobody"


def test_colab_is_told_how_to_see_the_end(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    hands = opened("a ball that is seen from a cell", **CHEAP)
    hands.click("Generate")
    assert hands.says("Colab drops what comes while no cell runs", "refvideo_nb.jobs(limit=1)[0].wait()")
    assert refvideo_nb.jobs(limit=1)[0].wait(60).id == hands.form.job.id


def test_two_clicks_make_one_job(opened: Any, simulator: Any) -> None:
    before = paid(simulator)
    hands = opened("a ball for two clicks", **CHEAP)
    hands.click("Generate")
    hands.click("Generate")
    assert len(hands.form.jobs) == 1
    assert hands.says("below is this very request: nothing is paid again")
    hands.job_ended()
    # A new one, if that is wanted; and again only one.
    hands.fill("Pay for a new one even if this very request was made before", True)
    assert "--fresh" in hands.request("Cell")
    hands.click("Generate")
    hands.click("Generate")
    assert len(hands.form.jobs) == 2
    assert hands.form.jobs[0].id != hands.form.jobs[1].id
    hands.job_ended()
    assert paid(simulator) == before + 2


def test_another_form_attaches_to_a_job_that_was_made_before(opened: Any, simulator: Any) -> None:
    hands = opened("a ball that was made before", **CHEAP)
    hands.click("Generate")
    hands.job_ended()
    before = paid(simulator)
    again = opened("a ball that was made before", **CHEAP)
    again.click("Generate")
    assert again.form.job.id == hands.form.job.id
    assert again.form.job.reused
    assert again.says("this very request was made before, so that nothing is paid again")
    assert paid(simulator) == before


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_above_the_threshold_it_asks_once_more(
    opened: Any, simulator: Any, environment: pytest.MonkeyPatch, how: str
) -> None:
    if how == "environment":
        environment.setenv("REFVIDEO_CONFIRM_ABOVE", "0.04")
    more = {"confirm_above": "0.04"} if how == "argument" else {}
    before = paid(simulator)
    hands = opened(f"a ball above the threshold by {how}", **CHEAP, **more)
    hands.click("Generate")
    assert asked(hands)
    assert hands.says("about USD 0.05, above USD 0.04")
    hands.click("Not now")
    assert not asked(hands)
    hands.click("Generate")
    hands.click("Generate")
    assert asked(hands)
    assert hands.form.jobs == ()
    hands.click("Confirm")
    assert not asked(hands)
    hands.job_ended()
    assert paid(simulator) == before + 1


def test_two_clicks_on_confirm_make_one_job_and_ask_no_more(opened: Any, simulator: Any) -> None:
    before = paid(simulator)
    hands = opened("a ball confirmed twice", **CHEAP, confirm_above=0)
    hands.click("Generate")
    confirm = hands.field("Confirm")
    confirm.click()
    confirm.click()
    assert not asked(hands)
    assert len(hands.form.jobs) == 1
    hands.job_ended()
    assert paid(simulator) == before + 1


def test_another_request_than_was_asked_about_is_asked_about_again(opened: Any, simulator: Any) -> None:
    before = paid(simulator)
    hands = opened("a ball to be asked about", **CHEAP, confirm_above="0.04")
    hands.click("Generate")
    confirm = hands.field("Confirm")
    hands.fill("Duration", 2)
    assert not asked(hands)
    confirm.click()  # it was on its way already
    assert asked(hands)
    assert hands.says("about USD 0.10, above USD 0.04")
    assert hands.form.jobs == ()
    assert paid(simulator) == before
    hands.form.refresh()  # nothing has changed
    assert asked(hands)


def test_without_an_estimate_it_asks_too(opened: Any) -> None:
    hands = opened("a ball of no known price", model="x-ai/grok-imagine-video", duration=1)
    assert hands.says("no estimate", "it needs a duration, a resolution and a known price")
    hands.click("Generate")
    assert asked(hands)
    assert hands.says("there is no estimate of what it costs")
    assert hands.form.jobs == ()


def test_a_key_that_was_set_meanwhile_asks_however_often_one_clicks(
    opened: Any, simulator: Any, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("REFVIDEO_OFFLINE", "1")
    environment.setattr(Session, "simulated", property(lambda s: s.settings.key is None))
    hands = opened("a ball before the key", **CHEAP)
    assert hands.says("SIMULATED", "nothing is paid. Set OPENROUTER_API_KEY to go live")
    environment.delenv("REFVIDEO_OFFLINE")
    before = paid(simulator)
    hands.fill("Seed", "not yet right")
    hands.click("Generate")
    assert hands.says("nothing was sent: something above is missing or wrong")
    hands.fill("Seed", "")
    for _ in range(3):
        hands.click("Generate")
    assert asked(hands)
    assert hands.says("Live at", f"now it is live at {simulator.base_url}", "about USD 0.05; this is paid")
    assert hands.form.jobs == ()
    assert paid(simulator) == before
    hands.click("Confirm")
    hands.job_ended()
    assert paid(simulator) == before + 1
    assert hands.form.job.record.base_url == simulator.base_url


def test_the_key_is_nowhere(opened: Any, simulator: Any) -> None:
    key = simulator.api_key
    hands = opened("@cat, keep its shape", references={"cat": CAT}, **CHEAP, provider={})
    for kind in ("Prompt as sent", "JSON", "Cell", "Python"):
        text = hands.request(kind)
        assert "cat" in text or "Image" in text
        assert key not in text
    hands.click("Generate")
    hands.job_ended()
    hands.fill("Seed", key)  # a person's mistake is not spread any further
    hands.fill("Prompt", f"a ball with {key}")
    assert hands.says("holds an API key")
    assert hands.request("JSON") == ""
    mine = {hands.field("Seed"), hands.field("Prompt")}
    states = [repr(w.get_state()) for w in ipywidgets.widgets.widget._instances.values() if w not in mine]
    assert len(states) > 100
    assert not [s for s in states if key in s]


def test_a_fault_is_said_in_the_form(opened: Any, capsys: pytest.CaptureFixture[str]) -> None:
    hands = opened("a ball with a fault", **CHEAP)
    hands.form._session.submit = None
    hands.click("Generate")
    assert hands.says("a fault of refvideo_nb: TypeError")
    hands.form._session.ledger.close()
    del hands.form._session.submit
    hands.fill("Prompt", "a ball with another fault")
    hands.click("Generate")
    assert hands.says("ledger") or hands.says("database"), hands.text
    assert capsys.readouterr() == ("", "")


def test_use_again_restores_the_request(opened: Any, simulator: Any) -> None:
    hands = opened(
        "@cat and @cup, keep both",
        references={"cat": CAT, "cup": png(size=(640, 480))},
        roles={"cat": "subject", "cup": "scene"},
        model="bytedance/seedance-2.0-fast",
        duration=5,
        resolution="480p",
        aspect_ratio="1:1",
        seed=7,
        generate_audio=False,
        provider={"seed": {"watermark": False}},
    )
    request = hands.form._look.sendable.request
    hands.click("Generate")
    hands.job_ended()
    before = paid(simulator)
    hands.fill("Model", "google/veo-3.1")
    hands.fill("Prompt", "something else")
    hands.click("Remove cat")
    hands.click("Use again")
    hands.settled()
    assert hands.names == ["cat", "cup"]
    assert [hands.field("Role", n).value for n in (0, 1)] == ["subject", "scene"]
    assert hands.form._look.sendable.request == request
    hands.click("Generate")
    assert len(hands.form.jobs) == 1
    assert hands.says("below is this very request: nothing is paid again")
    assert paid(simulator) == before


def test_what_is_gone_and_what_a_form_cannot_do_is_said(opened: Any) -> None:
    hands = opened("@cat, keep it", references={"cat": CAT}, **CHEAP)
    reference = hands.form._strip.items[0].reference
    request = VideoRequest(prompt="@lost", references=(reference,), previous_job_id="gen-1", model=CHEAP["model"])
    hands.form._session.media.path(reference.sha256, reference.media_type).unlink()
    hands.form.load(JobRecord(id="rv-1", state=State.FAILED, request=request, sent_prompt="", created=0, updated=0))
    assert hands.says("the bytes of cat are gone from the media store: add them again")
    assert hands.says("rv-1 extended another job, which a form does not: %%refvideo --extend does")
    assert hands.field("Prompt").value == "@lost"


def test_an_earlier_request_takes_the_place_of_what_is_still_being_read(opened: Any, tmp_path: Path) -> None:
    hands = opened("a ball used again", **CHEAP)
    request = hands.form._look.sendable.request
    (tmp_path / "late.png").write_bytes(png(size=(640, 480)))
    with hands.form._turns:  # it cannot arrive in here
        hands.form._strip.take("late.png")
        hands.form.load(JobRecord(id="rv-1", state=State.FAILED, request=request, sent_prompt="", created=0, updated=0))
    hands.form._session.engine.spawn(nothing()).result(10)
    hands.settled()
    assert hands.names == []


async def nothing() -> None:
    """Come and go."""


def test_save_as_copies_and_overwrites_nothing(opened: Any, tmp_path: Path) -> None:
    hands = opened("a ball to be kept", **CHEAP)
    hands.click("Generate")
    hands.job_ended()
    hands.click("Save as")
    hands.fill("Save to", "kept.mp4")
    hands.click("Save")
    hands.until(lambda: hands.says("saved as kept.mp4"))
    assert (tmp_path / "kept.mp4").read_bytes() == hands.form.job.video.read_bytes()
    assert not hands.field_is_there("Save to")
    (tmp_path / "mine.mp4").write_bytes(b"mine")
    hands.click("Save as")
    for target, said in (("mine.mp4", "is there already"), ("no/such/folder.mp4", "cannot be written (No such file")):
        hands.fill("Save to", target)
        hands.click("Save")
        hands.until(lambda said=said: hands.says(said))
    assert (tmp_path / "mine.mp4").read_bytes() == b"mine"
    hands.form.job.video.unlink()
    hands.fill("Save to", "late.mp4")
    hands.click("Save")
    assert hands.says("was deleted: the same request, sent again, fetches it anew and pays nothing")


def test_watching_is_stopped_and_taken_up_again(opened: Any, held_api: Any, environment: pytest.MonkeyPatch) -> None:
    for name, value in held_api.env.items():
        environment.setenv(name, value)
    before = held_api.simulator.stats()["paid_jobs"]
    hands = opened("a ball that takes long", **CHEAP)
    hands.click("Generate")
    hands.until(lambda: hands.says("polls"))
    assert not hands.field_is_there("Resume")
    hands.click("Stop watching")
    hands.until(lambda: hands.says("not watched any more, the job goes on") and hands.field_is_there("Resume"))
    assert not hands.field_is_there("Stop watching")
    assert hands.says("It is not cancelled: the API has no way to do that")
    resume = hands.field("Resume")
    resume.click()
    resume.click()
    assert hands.field_is_there("Stop watching")
    assert not hands.says("It is not cancelled")
    held_api.finish()
    hands.job_ended()
    hands.until(lambda: hands.says("done"))
    assert held_api.simulator.stats()["paid_jobs"] == before + 1
    hands.until(lambda: videos(hands) == 1)


def test_a_card_that_is_started_twice_tells_its_end_once(
    opened: Any, held_api: Any, environment: pytest.MonkeyPatch
) -> None:
    for name, value in held_api.env.items():
        environment.setenv(name, value)
    hands = opened("a ball with two cards", **CHEAP)
    hands.click("Generate")
    ends: list[dict[str, str]] = []
    card = JobCard(hands.form._session, hands.form.job.id, ended=lambda bundle: ends.append(bundle) is None)
    card.start()
    card.start()
    hands.until(lambda: hands.says("polls"))
    held_api.finish()
    hands.job_ended()
    hands.form._session.engine.spawn(nobody_keeps_up()).result(PATIENCE)
    assert len(ends) == 1


async def nobody_keeps_up() -> None:
    """Wait for every card's task; the engine runs each of them inside a coroutine of its own."""
    inner = {task: getattr(task.get_coro(), "cr_await", None) for task in asyncio.all_tasks()}
    cards = [task for task, awaited in inner.items() if "JobCard._keep_up" in repr(awaited)]
    await asyncio.gather(*cards)


def test_an_expected_time_comes_from_enough_own_jobs_only(
    opened: Any, held_api: Any, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in (held_api.env | {"REFVIDEO_HOME": str(tmp_path / "home")}).items():
        environment.setenv(name, value)
    hands = opened("a ball with a past", **CHEAP)
    ledger = hands.form._session.ledger

    def ended(number: int, **more: Any) -> None:
        request = VideoRequest(prompt=f"ball {number}", **CHEAP)
        times = {"created": 1000.0, "submitted": 1000.0, "finished": 1040.0 + 10 * number, "updated": 1100.0}
        cost = Estimate(Decimal("0.05"), Decimal("0.05"), "")
        values = {"state": State.DOWNLOADED, "simulated": True, "estimate": cost} | times | more
        record = JobRecord(id=f"rv-20270115-{number:06}", request=request, sent_prompt="", **values)
        ledger.release(ledger.add(record, fingerprint=str(number)).id)

    for number in range(4):
        ended(number)
    ended(9, simulated=False)  # another kind of job
    hands.click("Generate")
    hands.until(lambda: hands.says("polls"))
    assert not hands.says("usually")
    hands.click("Stop watching")
    hands.until(lambda: hands.field_is_there("Resume"))
    ended(4)
    hands.click("Resume")
    hands.until(lambda: hands.says("usually 40–80 s, from 5 jobs"))
    hands.click("Stop watching")
    hands.until(lambda: hands.field_is_there("Resume"))
