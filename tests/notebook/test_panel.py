"""The jobs panel with a real ledger and a real engine: what it finds, shows, resumes and forgets."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from IPython.core.events import EventManager, available_events
from PIL import Image

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.engine.wish import Wish
from refvideo_nb.errors import UnknownJobError
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.panel import JobsPanel
from refvideo_nb.notebook.session import Session
from refvideo_nb.settings import Secret, Settings
from refvideo_nb.simulator import Simulator

PATIENCE = 30  # seconds
MODELS = ("bytedance/seedance-2.0-fast", "google/veo-3.1")
BALL: dict[str, Any] = {"model": "x-ai/grok-imagine-video", "duration": 1, "resolution": "480p", "aspect_ratio": "1:1"}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(seconds=0.1) as made:
        yield made


def opened(simulator: Simulator, home: Path) -> Session:
    key = Secret(simulator.api_key)
    return Session(Settings(key=key, base_url=simulator.base_url, home=home, poll_interval=0.05, poll_max=0.2))


@pytest.fixture
def session(simulator: Simulator, tmp_path: Path) -> Iterator[Session]:
    with contextlib.closing(opened(simulator, tmp_path / "home")) as made:
        yield made


@pytest.fixture
def held_session(held_api: Any, tmp_path: Path) -> Iterator[Session]:
    with contextlib.closing(opened(held_api.simulator, tmp_path / "home")) as made:
        yield made


def write(session: Session, number: int, state: State = State.DOWNLOADED, **more: Any) -> JobRecord:
    """A job that was over before anybody looked."""
    request = {"prompt": f"ball number {number}", "model": MODELS[number % 2]} | more.pop("request", {})
    values = {
        "id": f"rv-20270115-{number:06}",
        "request": VideoRequest(**request),
        "sent_prompt": "a ball",
        "created": 1_800_000_000.0 + 60 * number,
        "updated": 1_800_000_000.0,
        "estimate": Estimate(Decimal("0.24"), Decimal("0.24"), ""),
    }
    record = session.ledger.add(JobRecord(state=state, **(values | more)), fingerprint=str(number))
    session.ledger.release(record.id)
    return record


def picture(session: Session, colour: str) -> Reference:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "PNG")
    data = out.getvalue()
    sha256 = session.media.put(data, "image/png")
    return Reference(
        name=colour, kind="image", sha256=sha256, media_type="image/png", nbytes=len(data), width=64, height=48
    )


def ids(panel: JobsPanel) -> list[str]:
    return [r["id"] for r in panel.table.rows]


def numbers(panel: JobsPanel) -> list[int]:
    return [int(i[-6:]) for i in ids(panel)]


def until(fits: Callable[[], object], *watched: tuple[Any, str]) -> None:
    """Wait for a change of one of these traits after which it fits."""
    came = threading.Event()

    def look(_: Any) -> None:
        if fits():
            came.set()

    for widget, trait in watched:
        widget.observe(look, trait)
    try:
        assert fits() or came.wait(PATIENCE), "it did not come"
    finally:
        for widget, trait in watched:
            widget.unobserve(look, trait)


def press(button: Any) -> None:
    assert not button.disabled
    button.click()


@pytest.fixture
def open_panel(session: Session) -> Callable[..., JobsPanel]:
    return lambda **more: JobsPanel(session=lambda: session, **more)


def choose(panel: JobsPanel, job_id: str) -> Any:
    panel.table.selected = job_id
    until(lambda: job_id in panel._chosen._name.value, (panel._chosen._name, "value"))
    return panel._chosen


def test_the_first_page_is_there_at_once_and_others_come(session: Session, open_panel: Any) -> None:
    for n in range(25):
        write(session, n)
    panel = open_panel()
    assert numbers(panel) == list(range(24, 14, -1))
    assert (panel.table.total, panel.table.page, panel.table.pages) == ("25 jobs", 1, 3)
    for page, expected in ((2, range(14, 4, -1)), (3, range(4, -1, -1)), (1, range(24, 14, -1))):
        panel.table.page = page
        until(lambda expected=list(expected): numbers(panel) == expected, (panel.table, "rows"))
    # The oldest first: the same list from its end.
    panel.table.sort = {"key": "when", "descending": False}
    until(lambda: numbers(panel) == list(range(10)), (panel.table, "rows"))
    panel.table.page = 3
    until(lambda: numbers(panel) == list(range(20, 25)), (panel.table, "rows"))
    # No front end can ask for a page that is not there.
    panel.table.page = 99
    until(lambda: panel.table.page == 3, (panel.table, "page"))


def test_state_model_and_text_find_jobs(session: Session, open_panel: Any) -> None:
    for n in range(24):
        write(session, n, State.FAILED if n % 3 == 0 else State.DOWNLOADED)
    panel = open_panel()
    panel.table.page = 3
    until(lambda: panel.table.page == 3 and numbers(panel) == [3, 2, 1, 0], (panel.table, "rows"))
    panel._state.value = "done"
    until(lambda: panel.table.total == "16 jobs found", (panel.table, "total"))
    assert (numbers(panel)[0], panel.table.page, panel.table.pages) == (23, 1, 2)
    panel._state.value = "failed"
    until(lambda: numbers(panel) == [21, 18, 15, 12, 9, 6, 3, 0], (panel.table, "rows"))
    assert (panel.table.total, panel.table.page) == ("8 jobs found", 1)
    assert set(panel._model.options) == {"any", *MODELS}
    panel._model.value = MODELS[1]
    until(lambda: numbers(panel) == [21, 15, 9, 3], (panel.table, "rows"))
    panel._text.value = "number 1"
    until(lambda: numbers(panel) == [15], (panel.table, "rows"))
    panel._text.value = "100 % nothing_"
    until(lambda: panel.table.total == "0 jobs found", (panel.table, "total"))
    assert "look for less" in panel.table.empty
    panel._text.value, panel._state.value, panel._model.value = "", "any", "any"
    until(lambda: panel.table.total == "24 jobs", (panel.table, "total"))


def test_of_many_keystrokes_only_the_last_is_looked_up(session: Session, open_panel: Any) -> None:
    for n in range(12):
        write(session, n)
    panel = open_panel()
    asked = []
    read = panel._read
    panel._read = lambda s, ask: asked.append(ask.text) or read(s, ask)
    for n in range(1, 10):
        panel._text.value = "number 7"[: n - 1]
    panel._text.value = "number 7"
    until(lambda: numbers(panel) == [7], (panel.table, "rows"))
    # Whatever was still waiting has had its turn before this one.
    panel._text.value = "number 8"
    until(lambda: numbers(panel) == [8], (panel.table, "rows"))
    assert [text for text in asked if text] == ["number 7", "number 8"]


def test_pictures_come_for_the_page_that_is_shown(session: Session, open_panel: Any) -> None:
    colours = ["red", "green", "blue", "white", "black"]
    references = {c: picture(session, c) for c in colours}
    for n in range(12):
        write(session, n, request={"references": (references[colours[n % 2]],)})
    many = tuple(references.values())
    write(session, 12, request={"references": many})
    panel = open_panel()
    first = {r.sha256 for r in many[:3]}
    until(lambda: set(panel.table.pictures) == first, (panel.table, "pictures"))
    assert all(url.startswith("data:image/jpeg;base64,") for url in panel.table.pictures.values())
    # The rest is counted.
    assert panel.table.rows[0]["cells"]["references"][-1] == {"key": "", "alt": "+2"}
    panel.table.page = 2
    until(lambda: set(panel.table.pictures) == {r.sha256 for r in many[:2]}, (panel.table, "pictures"))


def test_hostile_text_stays_text(session: Session, open_panel: Any) -> None:
    evil = "<img src=x onerror='window.hit=1'>\x1b[31m\u202e $5 and $6"
    write(session, 1, State.FAILED, error=evil, request={"prompt": evil, "model": evil})
    panel = open_panel()
    cells = panel.table.rows[0]["cells"]
    assert cells["prompt"] == cells["model"] == "<img src=x onerror='window.hit=1'> [31m $5 and $6"
    chosen = choose(panel, "rv-20270115-000001")
    press(chosen._show)
    until(lambda: len(chosen._detail.children) == 2, (chosen._detail, "children"))
    html = chosen._detail.children[0].value
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html
    press(chosen._again)
    assert all("<img" not in str(getattr(part, "value", "")) for part in chosen._detail.children)


def test_a_finished_job_is_shown_and_hidden(session: Session, open_panel: Any) -> None:
    job = Job(session, session.submit(session.draft(Wish(prompt="a red ball", **BALL)))[0].id).wait(PATIENCE)
    panel = open_panel()
    chosen = choose(panel, job.id)
    assert chosen._resume.disabled
    press(chosen._show)
    until(lambda: len(chosen._detail.children) == 2, (chosen._detail, "children"))
    card, hide = chosen._detail.children
    assert '<video src="data:video/mp4;base64,' in card.value
    assert "billed USD" in panel.table.rows[0]["cells"]["cost"]
    press(hide)
    assert chosen._detail.children == ()


def test_what_cannot_be_shown_is_said_in_one_line(
    session: Session, open_panel: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write(session, 1)
    panel = open_panel()
    chosen = choose(panel, "rv-20270115-000001")
    session.ledger.forget("rv-20270115-000001")  # by another kernel
    press(chosen._show)
    assert "is not in the ledger" in chosen._said.value
    assert chosen._detail.children == ()
    assert capsys.readouterr() == ("", "")


def test_an_unfinished_job_is_resumed_and_its_row_keeps_up(held_session: Session, held_api: Any) -> None:
    session = held_session
    before = held_api.simulator.stats()["paid_jobs"]
    job_id = session.submit(session.draft(Wish(prompt="a red ball", **BALL)))[0].id
    watch = session.engine.watch(job_id)
    assert watch is not None
    while session.ledger.get(job_id).state not in {State.ACCEPTED, State.RUNNING}:
        session.wait_for(watch.next_change(PATIENCE))
    session.engine.stop_watching(job_id)
    watch.done.result(PATIENCE)
    panel = JobsPanel(session=lambda: session)
    panel.table._handle_custom_msg({"view": "a page", "seen": True}, [])
    chosen = choose(panel, job_id)
    assert chosen._forget.disabled, "it has not ended"
    press(chosen._resume)
    (card,) = chosen._detail.children
    line, result = card.children[0].children[0], card.children[3]
    until(lambda: " poll" in line.value, (line, "value"))
    held_api.finish()
    until(lambda: panel.table.rows[0]["cells"]["state"].startswith("done"), (panel.table, "rows"))
    until(lambda: chosen._resume.disabled, (chosen._resume, "disabled"))
    until(lambda: "<video" in result.value, (result, "value"))
    assert held_api.simulator.stats()["paid_jobs"] == before + 1


def test_a_click_means_the_row_that_was_chosen_just_before(session: Session, open_panel: Any) -> None:
    for n in range(3):
        write(session, n)
    panel = open_panel()
    chosen = choose(panel, "rv-20270115-000001")
    press(chosen._forget)
    # Both wait while a cell runs, and are handled one after the other, with no time in between.
    panel.table.selected = "rv-20270115-000002"
    press(chosen._again)
    assert "ball number 2" in chosen._copy.text
    press(chosen._sure)
    assert [r.request.prompt for r in session.ledger.jobs()] == ["ball number 2", "ball number 1", "ball number 0"]


def test_use_again_gives_the_record_or_the_cell(session: Session, open_panel: Any) -> None:
    red = picture(session, "red")
    write(session, 1, request={"prompt": "@red rolls", "references": (red,), "duration": 4, "seed": 7})
    taken: list[JobRecord] = []
    panel = open_panel(use_again=taken.append)
    press(choose(panel, "rv-20270115-000001")._again)
    assert [r.request.prompt for r in taken] == ["@red rolls"]
    panel = open_panel()
    chosen = choose(panel, "rv-20270115-000001")
    press(chosen._again)
    copy = chosen._copy
    assert copy in chosen._detail.children
    path = session.media.path(red.sha256, red.media_type)
    assert copy.text == f"%%refvideo --model google/veo-3.1 --duration 4 --seed 7 \\\n    --ref red={path}\n@red rolls"
    path.unlink()
    press(chosen._again)
    assert any("the bytes of red are gone" in str(getattr(p, "value", "")) for p in chosen._detail.children)


def test_forgetting_asks_once_more(session: Session, open_panel: Any) -> None:
    for n in range(3):
        write(session, n)
    panel = open_panel()
    chosen = choose(panel, "rv-20270115-000001")
    assert chosen._asking.layout.display == "none"
    press(chosen._forget)
    assert "Forget rv-20270115-000001?" in chosen._question.value
    assert chosen._asking.layout.display != "none"
    press(chosen._keep)
    assert chosen._asking.layout.display == "none"
    assert session.ledger.get("rv-20270115-000001")
    press(chosen._forget)
    # Another choice takes the question back: it was about the first.
    choose(panel, "rv-20270115-000002")
    assert chosen._asking.layout.display == "none"
    choose(panel, "rv-20270115-000001")
    press(chosen._forget)
    press(chosen._sure)
    until(lambda: numbers(panel) == [2, 0], (panel.table, "rows"))
    with pytest.raises(UnknownJobError):
        session.ledger.get("rv-20270115-000001")
    until(lambda: chosen._forget.disabled, (chosen._forget, "disabled"))
    assert "is forgotten" in chosen._said.value


def test_an_unknown_outcome_is_forgotten_knowingly(session: Session, open_panel: Any) -> None:
    write(session, 1, State.OUTCOME_UNKNOWN)
    panel = open_panel()
    chosen = choose(panel, "rv-20270115-000001")
    press(chosen._forget)
    assert "may have been accepted and paid" in chosen._question.value
    press(chosen._sure)
    until(lambda: panel.table.rows == [], (panel.table, "rows"))


def test_it_looks_again_after_a_cell_and_when_it_comes_into_view(session: Session, open_panel: Any) -> None:
    class Shell:
        events = EventManager(None, available_events)

    write(session, 1)
    panel = open_panel(shell=Shell)
    until(lambda: panel._turn == 1, (panel.table, "rows"))
    write(session, 2)
    Shell.events.trigger("post_run_cell", None)
    assert panel._turn == 1, "nobody sees it: it has nothing to do"
    panel.table._handle_custom_msg({"view": "a page", "seen": True}, [])
    until(lambda: numbers(panel) == [2, 1], (panel.table, "rows"))
    write(session, 3)
    Shell.events.trigger("post_run_cell", None)
    until(lambda: numbers(panel) == [3, 2, 1], (panel.table, "rows"))
    panel.close()
    before = panel._turn
    Shell.events.trigger("post_run_cell", None)
    assert panel._turn == before


def test_a_ledger_that_cannot_be_read_is_said_in_one_line(
    session: Session, open_panel: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write(session, 1)
    panel = open_panel()
    session.ledger.close()
    panel.refresh()
    until(lambda: "cannot be used" in panel._said.value, (panel._said, "value"))
    assert numbers(panel) == [1]
    assert capsys.readouterr() == ("", "")
