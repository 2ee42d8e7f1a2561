"""The card of a sweep, without a page: what its buttons do, what it says, and what a chosen cell shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from refvideo_nb.notebook.session import Session
from refvideo_nb.notebook.sweep import Sweep
from refvideo_nb.notebook.sweepcard import SweepCard
from refvideo_nb.simulator import Simulator

EVIL = "<img src=x onerror=alert(1)>"


def until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (result := found()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return result


def shown(card: SweepCard) -> list[str]:
    """The buttons that are there."""
    return [b.description for b in (card._start, card._stop, card._resume) if b.layout.display != "none"]


@pytest.fixture
def card_of(open_session: Callable[..., Session], sweep: Callable[..., Sweep]) -> Callable[..., SweepCard]:
    def make(prompt: Any = "a red ball", **given: Any) -> SweepCard:
        session = open_session()
        return SweepCard(session, sweep(session, prompt, **given))

    return make


def test_a_plan_is_started_by_its_button_once(card_of: Callable[..., SweepCard], simulator: Simulator) -> None:
    card = card_of(seed=range(4), at_once=2)
    assert shown(card) == ["Start: pay about USD 0.40"]
    assert "A sweep of 4 cells: 4 jobs to pay" in card._head.value
    assert card.table.stands == "wwww"
    assert simulator.stats()["paid_jobs"] == 0
    still: list[Any] = []
    card.update = still.append
    for _ in range(3):
        card._start.click()
    until(lambda: still)
    assert card.table.stands == "dddd"
    assert "Sweep finished · 4 of 4 done" in card._head.value
    assert "Sweep finished" in still[-1]["text/plain"]
    assert shown(card) == []
    assert "was started already" in card._said.value, "a click that came too late is told"
    assert simulator.stats()["paid_jobs"] == 4


def test_it_follows_wherever_the_sweep_was_started(card_of: Callable[..., SweepCard]) -> None:
    card = card_of(seed=range(2))
    card._sweep.start(max_cost=1)
    until(lambda: "Sweep finished" in card._head.value)
    assert shown(card) == []


def test_stopped_and_resumed_by_its_buttons(card_of: Callable[..., SweepCard], simulator: Simulator) -> None:
    card = card_of(seed=range(6), at_once=1)
    card._start.click()
    assert shown(card) == ["Stop"]
    card._stop.click()
    until(lambda: shown(card) == ["Resume"])
    assert "it stopped: it was stopped by hand" in card._head.value
    assert simulator.stats()["paid_jobs"] < 6
    card._resume.click()
    until(lambda: "Sweep finished" in card._head.value)
    assert simulator.stats()["paid_jobs"] == 6


def test_a_cell_opens_its_job(card_of: Callable[..., SweepCard], simulator: Simulator) -> None:
    simulator.inject("job:failed=" + EVIL)
    card = card_of(
        [f"a ball {EVIL}", "a hat"], seed=[1, 2], resolution=["480p", "2160p"], at_once=1, model="alibaba/wan-3.0"
    )
    card.table.chosen = 3
    (name, _) = card._detail.children
    assert "cell 3, refused: prompt a ball" in name.value
    assert "resolution &#39;2160p&#39; is not offered" in name.value
    card._start.click()
    until(lambda: "Sweep finished" in card._head.value)
    assert card.table.stands == "fdnnddnn"
    card.table.chosen = 1
    until(lambda: "failed" in card._result.value)
    card.table.chosen = 2
    until(lambda: "<video" in card._result.value)
    assert "USD 0.10" in card._name.value
    for each in (card._head, card._name, card._result, card._said):
        assert EVIL not in each.value
    card._hide.click()
    assert card._detail.children == ()
    card.table.chosen = 99
    assert card._detail.children == ()


def test_what_goes_wrong_is_said_on_it(card_of: Callable[..., SweepCard]) -> None:
    card = card_of(seed=[1])
    card._session.ledger.close()
    card._start.click()
    assert "cannot be used" in card._said.value


def test_the_grid_knows_the_design(card_of: Callable[..., SweepCard]) -> None:
    card = card_of(["one", "two"], seed=range(3))
    assert card.table.rows == [{"label": "one", "first": 1, "count": 3}, {"label": "two", "first": 4, "count": 3}]
    assert card.table.dimensions[1] == [{"name": "seed", "labels": ["0", "1", "2"]}]
    assert set(card.table.words.values()) == {"done", "running", "waiting", "failed", "unknown", "refused", "forgotten"}
