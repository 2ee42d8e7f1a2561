"""Handlers on several threads at once, and what arrives meanwhile: nothing is lost, nothing waits for ever."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import numpy as np
import pytest

from refvideo_nb.notebook.form.turns import Turns

from .conftest import CHEAP

PATIENCE = 30  # seconds


def in_threads(*does: Callable[[], None]) -> None:
    """Run all at once; what one of them raises is raised here."""
    start, raised = threading.Barrier(len(does)), []

    def run(each: Callable[[], None]) -> None:
        start.wait(PATIENCE)
        try:
            each()
        except BaseException as error:  # noqa: BLE001 - raised below
            raised.append(error)

    threads = [threading.Thread(target=run, args=(d,), daemon=True) for d in does]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "it waits for ever"
    if raised:
        raise raised[0]


@pytest.fixture
def quick_turns_of_threads() -> Iterator[None]:
    """Python goes from thread to thread a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def test_one_look_for_many_changes_and_none_for_what_looking_changes() -> None:
    looks = []

    def settle() -> None:
        looks.append(1)
        turns.changed()

    turns = Turns(settle)
    with turns:
        turns.changed()
        turns.changed()
        with turns:
            turns.changed()
        assert looks == []
    assert looks == [1]
    turns.changed()
    assert looks == [1, 1]


def test_what_is_left_is_done_once_by_somebody_however_many_leave_it() -> None:
    turns, done = Turns(lambda: None), []

    def leave(who: int) -> None:
        for n in range(300):
            turns.leave(lambda n=n: done.append((who, n)), print)
            if n % 3 == 0:
                with turns:
                    pass

    in_threads(*(lambda who=who: leave(who) for who in range(6)))
    assert len(done) == len(set(done)) == 1800
    assert [n for who, n in done if who == 3] == list(range(300)), "each in the order in which it was left"


def test_what_is_left_in_the_moment_in_which_a_turn_ends_is_done() -> None:
    turns, done = Turns(lambda: None), threading.Event()
    real = turns._lock

    class Late:
        """A lock beside which somebody leaves something just before it is given back."""

        acquire = real.acquire
        late = False

        def release(self) -> None:
            if not self.late:
                self.late = True
                in_threads(lambda: turns.leave(done.set, print))
            real.release()

    turns._lock = Late()
    with turns:
        pass
    assert done.is_set()


def test_one_thing_at_a_time(quick_turns_of_threads: None) -> None:
    turns, inside = Turns(lambda: None), []

    def handle() -> None:
        inside.append(1)
        assert inside == [1]
        sum(range(200))
        inside.pop()

    told: list[str] = []
    handler = turns.handler(handle, told.append)
    in_threads(*(lambda: [handler() for _ in range(300)] for _ in range(4)))
    assert told == []


def test_whoever_leaves_something_does_not_wait() -> None:
    turns, done = Turns(lambda: None), threading.Event()
    with turns:
        in_threads(lambda: turns.leave(done.set, print))
        assert not done.is_set()
    assert done.is_set()


def test_what_fails_is_told_and_takes_nobody_along() -> None:
    turns, told, done = Turns(lambda: None), [], []
    with turns:
        turns.leave(lambda: {}["missing"], told.append)
        turns.leave(lambda: done.append(1), told.append)
    turns.handler(lambda: {}["missing"], told.append)()
    with turns:  # the turn was given back
        pass
    assert done == [1]
    assert told == ["a fault of refvideo_nb: KeyError: 'missing'"] * 2


def test_the_engine_goes_on_while_somebody_has_the_form(opened: Any, namespace: dict[str, Any]) -> None:
    namespace |= {f"cat{n}": np.full((480, 640, 3), n, np.uint8) for n in range(40)}
    hands = opened("a ball", model="bytedance/seedance-2.5")
    engine = hands.form._session.engine

    async def work() -> str:
        # As every job does: on a thread of the loop's, of which there are only a few.
        return await asyncio.to_thread(lambda: "done")

    with hands.form._turns:
        for name in namespace:
            hands.form._strip.take(name)
        # All have been read by now, and wait to be shown; nobody waits with them.
        for _ in range(3):
            assert engine.spawn(work()).result(PATIENCE) == "done"
        left = hands.form._turns._left
        hands.until(lambda: len(left) == 40, "the end of reading")
        assert engine.spawn(work()).result(PATIENCE) == "done"
        assert hands.names == []
    hands.settled()
    assert hands.names == list(namespace)


def test_many_hands_at_once(
    opened: Any,
    namespace: dict[str, Any],
    simulator: Any,
    capsys: pytest.CaptureFixture[str],
    quick_turns_of_threads: None,
) -> None:
    namespace |= {f"cat{n}": np.full((480, 640, 3), n, np.uint8) for n in range(4)}
    hands = opened("a ball for many hands", **CHEAP)
    form, seed = hands.form, 20261124
    models = ["x-ai/grok-imagine-video", "google/veo-3.1", "bytedance/seedance-2.0-fast", "kwaivgi/kling-v3.0-std"]

    def hammer(number: int) -> None:
        dice = random.Random(seed + number)

        def tile_does(what: str) -> None:
            if tiles := list(form._strip._tiles.values()):
                getattr(dice.choice(tiles), what).click()  # somebody else may have removed it just now

        deeds = [
            lambda: setattr(form._model, "value", dice.choice(models)),
            lambda: setattr(form._prompt._text, "value", f"@cat0 and ball {dice.randrange(99)}"),
            lambda: setattr(form._settings.fields["seed"]._control, "value", ""),
            lambda: setattr(form._settings._provider, "value", dice.choice(["", "nonsense"])),
            lambda: setattr(form._adding._source, "value", f"cat{dice.randrange(4)}"),
            lambda: next(w for w in form._adding.box.children[0].children if w.description == "Add").click(),
            lambda: tile_does(dice.choice(["_earlier", "_later", "_remove"])),
            lambda: setattr(form._before._see, "value", dice.choice([True, False])),
            form.refresh,
        ]
        for _ in range(60):
            dice.choice(deeds)()

    in_threads(*(lambda n=n: hammer(n) for n in range(6)))
    hands.settled()
    hands.fill("Model", CHEAP["model"])
    for label, value in (("Provider options", ""), ("Duration", 1), ("Resolution", "480p"), ("Prompt", "after all")):
        hands.fill(label, value)
    assert hands.names == [i.reference.name for i in form._strip.items]
    assert len(set(hands.names)) == len(hands.names)
    assert [t.description for t in form._prompt._names.children] == [f"@{n}" for n in hands.names]
    assert len(form._strip._row.children) == len(hands.names)
    while hands.names:
        hands.click(f"Remove {hands.names[0]}")
    assert not hands.says("fault of refvideo_nb"), hands.text
    hands.settled()
    before = simulator.stats()["paid_jobs"]
    in_threads(*(lambda: hands.click("Generate") for _ in range(8)))
    assert len(form.jobs) == 1, hands.text
    hands.job_ended()
    assert simulator.stats()["paid_jobs"] == before + 1
    assert isinstance(hands.field("Generate"), ipywidgets.Button)
    assert capsys.readouterr() == ("", "")
