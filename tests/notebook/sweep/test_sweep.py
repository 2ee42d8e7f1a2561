"""A sweep in a person's hands: what starts it and what does not, waiting, stopping, finding it again."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from refvideo_nb.errors import (
    InvalidRequestError,
    PlanError,
    RefVideoError,
    SweepStoppedError,
    TakenOverError,
    WaitTimeoutError,
)
from refvideo_nb.notebook.session import Session
from refvideo_nb.notebook.sweep import Sweep
from refvideo_nb.simulator import Simulator


@pytest.fixture
def interruptible() -> Iterator[None]:
    """As in a notebook or a script: what was started in the background has interrupts switched off."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class TestStarting:
    def test_without_a_limit_nothing_is_sent_before_start(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep], simulator: Simulator
    ) -> None:
        session = open_session()
        planned = sweep(session, seed=range(3))
        assert (planned.state, planned.id, planned.jobs, planned.spent) == ("planned", None, [], 0)
        assert [c.state for c in planned.cells] == ["waiting"] * 3
        assert session.ledger.sweeps.all() == []
        for does in (planned.wait, planned.stop, planned.resume):
            with pytest.raises(RefVideoError, match="only planned, and nothing was sent"):
                does()
        assert simulator.stats()["requests"].get("POST /api/v1/videos", 0) == 0
        assert planned.start().wait(60) is planned
        assert simulator.stats()["paid_jobs"] == 3
        assert (planned.state, planned.spent) == ("finished", Decimal("0.3"))
        with pytest.raises(RefVideoError, match="was started already"):
            planned.start()

    @pytest.mark.parametrize("limit", ["0.30", 0.3, Decimal("0.30"), 5])
    def test_a_limit_that_covers_the_plan_starts_it(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep], simulator: Simulator, limit: Any
    ) -> None:
        started = sweep(open_session(), seed=range(3), max_cost=limit)
        assert started.id is not None
        started.wait(60)
        assert simulator.stats()["paid_jobs"] == 3
        assert started.record.max_cost == Decimal(str(limit))

    @pytest.mark.parametrize(
        ("given", "limit", "said"),
        [
            ({}, "0.29", "3 jobs, about USD 0.30, are more than max_cost USD 0.29"),
            ({}, 0, "more than max_cost USD 0"),
            ({"duration": None}, 100, "cell 1 and 2 more have no estimate to compare"),
            ({"resolution": ["480p", "2160p"]}, 100, "3 of 6 cells are refused, such as cell 4"),
        ],
    )
    def test_one_that_does_not_says_why_with_the_plan(
        self,
        open_session: Callable[..., Session],
        sweep: Callable[..., Sweep],
        simulator: Simulator,
        given: dict[str, Any],
        limit: Any,
        said: str,
    ) -> None:
        session = open_session()
        with pytest.raises(PlanError) as told:
            sweep(session, seed=range(3), max_cost=limit, **given)
        assert said in str(told.value)
        assert "nothing was sent" in str(told.value)
        assert len(told.value.plan.cells) == (6 if "resolution" in given else 3)
        assert session.ledger.sweeps.all() == []
        assert simulator.stats()["paid_jobs"] == 0

    def test_the_others_of_a_plan_with_refusals_are_started_by_hand(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep], simulator: Simulator
    ) -> None:
        planned = sweep(open_session(), seed=range(2), resolution=["480p", "2160p"])
        planned.start(max_cost="0.20").wait(60)
        assert [c.state for c in planned.cells] == ["done", "done", "refused", "refused"]
        assert simulator.stats()["paid_jobs"] == 2

    def test_a_confirmed_plan_has_a_limit_of_its_own(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep]
    ) -> None:
        session = open_session()
        assert sweep(session, seed=range(4)).start().record.max_cost == Decimal("0.50")
        bare = sweep(session, "a hat", seed=range(2), duration=None)
        assert bare.start().record.max_cost is None

    @pytest.mark.parametrize("limit", ["x", -1, "nan"])
    def test_what_is_no_limit(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep], limit: Any
    ) -> None:
        with pytest.raises(InvalidRequestError, match="max_cost"):
            sweep(open_session(), max_cost=limit)
        with pytest.raises(InvalidRequestError, match="max_cost"):
            sweep(open_session()).start(max_cost=limit)

    @pytest.mark.parametrize("at_once", [0, 1001, "many", 1.5])
    def test_what_is_no_number_at_once(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep], at_once: Any
    ) -> None:
        with pytest.raises(InvalidRequestError, match="at_once"):
            sweep(open_session(), at_once=at_once)


def test_run_again_it_pays_nothing(
    open_session: Callable[..., Session], sweep: Callable[..., Sweep], simulator: Simulator
) -> None:
    session = open_session()
    first = sweep(session, seed=range(3), max_cost=1).wait(60)
    again = sweep(session, seed=range(4), max_cost="0.10")
    assert again.plan is not None
    assert len(again.plan.to_pay) == 1
    again.wait(60)
    assert simulator.stats()["paid_jobs"] == 4
    assert [c.reused for c in again.cells] == [True] * 3 + [False]
    assert again.spent == Decimal("0.1")
    assert [j.id for j in again.jobs][:3] == [j.id for j in first.jobs]


def test_the_sessions_budget_holds_for_a_sweep(
    open_session: Callable[..., Session], sweep: Callable[..., Sweep], simulator: Simulator
) -> None:
    session = open_session()
    session.budget = Decimal("0.25")
    started = sweep(session, seed=range(5), max_cost=10)
    with pytest.raises(SweepStoppedError) as told:
        started.wait(60)
    assert "budget of USD 0.25" in str(told.value)
    assert simulator.stats()["paid_jobs"] == 2
    session.budget = None
    started.resume().wait(60)
    assert simulator.stats()["paid_jobs"] == 5


def test_what_is_billed_takes_the_place_of_what_was_estimated(
    open_session: Callable[..., Session], sweep: Callable[..., Sweep]
) -> None:
    session = open_session()
    session.budget = Decimal(100)
    # Without a ratio the estimate is a range; the bill is for one of them.
    started = sweep(
        session, model="bytedance/seedance-2.0-fast", duration=4, aspect_ratio=None, seed=[1, 2], max_cost=9
    )
    until = time.monotonic() + 60
    while len(started.jobs) < 2:
        assert time.monotonic() < until
        time.sleep(0.01)
    session.spent()  # asked while they run, as a sweep does before each job
    started.wait(60)
    assert started.plan is not None
    assert session.spent() == started.spent == sum(c.cost for c in started.cells)
    assert session.spent() < started.plan.cost.high


class TestWaiting:
    def test_the_time_is_over_and_it_goes_on(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep]
    ) -> None:
        started = sweep(open_session(), seed=range(2), max_cost=1)
        with pytest.raises(WaitTimeoutError, match="goes on"):
            started.wait(0)
        assert started.wait(60).state == "finished"

    @pytest.mark.usefixtures("interruptible")
    def test_an_interrupt_ends_the_wait_and_nothing_else(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep]
    ) -> None:
        import _thread

        started = sweep(open_session(), seed=range(12), max_cost=9, at_once=1)
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it may come as soon as it is asked for
            threading.Timer(0.1, _thread.interrupt_main).start()
            started.wait(60)
        assert time.monotonic() - start < 30
        assert started.state == "running"
        assert started.wait(60).state == "finished"

    @pytest.mark.anyio
    async def test_by_await(self, open_session: Callable[..., Session], sweep: Callable[..., Sweep]) -> None:
        started = sweep(open_session(), seed=range(2), max_cost=1)
        assert (await started).state == "finished"

    def test_a_cell_that_failed_raises_nothing(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep], simulator: Simulator
    ) -> None:
        simulator.inject("job:failed=The provider refused reference 2")
        ended = sweep(open_session(), seed=range(3), max_cost=1).wait(60)
        states = sorted(c.state for c in ended.cells)
        assert states == ["done", "done", "failed"]
        (failed,) = [c for c in ended.cells if c.state == "failed"]
        assert failed.error == "The provider refused reference 2"
        assert "failed: The provider refused reference 2" in ended.bundle()["text/plain"]


class TestSendingAgain:
    def test_what_failed_or_is_unknown_only_on_purpose(
        self, open_session: Callable[..., Session], simulator: Simulator, sweep: Callable[..., Sweep]
    ) -> None:
        simulator.inject("submit:reset-after", "job:failed=no")
        session = open_session()
        ended = sweep(session, seed=range(4), max_cost="0.40", at_once=1).wait(60)
        assert sorted(c.state for c in ended.cells) == ["done", "done", "done", "unknown"]
        ended.resume().wait(60)
        assert simulator.stats()["paid_jobs"] == 4
        with pytest.raises(InvalidRequestError, match="allowed: failed, unknown"):
            ended.resume(again="done")
        # What may be paid already counts against the limit.
        with pytest.raises(SweepStoppedError, match=r"max_cost USD 0\.40"):
            ended.resume(again="unknown").wait(60)
        assert [c.state for c in ended.cells].count("waiting") == 1
        ended.resume(max_cost="0.50").wait(60)
        assert simulator.stats()["paid_jobs"] == 4, "the one of unknown outcome is still there to be given back"
        ended.resume(again=["unknown"], max_cost="0.60").wait(60)
        assert [c.state for c in ended.cells] == ["done"] * 4
        assert simulator.stats()["paid_jobs"] == 5

    def test_failed_ones(
        self, open_session: Callable[..., Session], simulator: Simulator, sweep: Callable[..., Sweep]
    ) -> None:
        simulator.inject("job:failed=no*2")
        ended = sweep(open_session(), seed=range(2), max_cost="0.40", at_once=1).wait(60)
        assert [c.state for c in ended.cells] == ["failed"] * 2
        assert ended.resume(again="failed").wait(60).state == "finished"
        assert [c.state for c in ended.cells] == ["done"] * 2
        assert simulator.stats()["paid_jobs"] == 4


class TestFindingItAgain:
    def test_a_later_session_goes_on_with_it(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep], simulator: Simulator
    ) -> None:
        first = open_session()
        started = sweep(first, seed=range(6), max_cost=1, at_once=1)
        while not started.jobs:
            time.sleep(0.01)
        first.close()
        second = open_session()
        found = Sweep(second, sweep_id=second.ledger.sweeps.all()[0].id)
        assert found.state == "interrupted"
        assert "its kernel has ended: %refvideo resume" in found.bundle()["text/plain"]
        assert found.resume().wait(60).state == "finished"
        assert simulator.stats()["paid_jobs"] == 6
        assert [c.settings for c in found.cells] == [{"seed": n} for n in range(6)]

    def test_stopped_by_hand(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep], simulator: Simulator
    ) -> None:
        session = open_session()
        started = sweep(session, seed=range(8), max_cost=1, at_once=1)
        started.stop()
        with pytest.raises(SweepStoppedError, match="stopped by hand"):
            started.wait(60)
        assert started.state == "stopped"
        paid = simulator.stats()["paid_jobs"]
        assert paid < 8
        assert started.spent == Decimal("0.1") * paid
        assert started.resume(max_cost="0.80").wait(60).state == "finished"
        assert simulator.stats()["paid_jobs"] == 8

    def test_another_session_watches_and_cannot_stop_it(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep], simulator: Simulator
    ) -> None:
        one, other = open_session(), open_session()
        started = sweep(one, seed=range(10), max_cost=1, at_once=1)
        seen = Sweep(other, sweep_id=started.id)
        assert seen.state == "running"
        with pytest.raises(TakenOverError, match="stop it there"):
            seen.stop()
        with pytest.raises(TakenOverError, match="another kernel"):
            seen.resume(max_cost=5)
        seen.resume()
        run = other.sweeper.get(str(started.id))
        while run is not None and not run.elsewhere:
            time.sleep(0.01)
        with pytest.raises(TakenOverError, match="stop it there"):
            seen.stop()
        assert seen.wait(60).state == "finished"
        assert simulator.stats()["paid_jobs"] == 10

    def test_it_belongs_to_its_api(self, open_session: Callable[..., Session], sweep: Callable[..., Sweep]) -> None:
        ended = sweep(open_session(), seed=[1], max_cost=1).wait(60)
        elsewhere = open_session(base_url="https://api.example/api/v1")
        with pytest.raises(InvalidRequestError, match=r"cannot go on at https://api\.example"):
            Sweep(elsewhere, sweep_id=ended.id).resume()

    def test_by_the_beginning_of_its_id(
        self, open_session: Callable[..., Session], sweep: Callable[..., Sweep]
    ) -> None:
        session = open_session()
        ended = sweep(session, seed=[1], max_cost=1).wait(60)
        assert session.ledger.sweeps.get(str(ended.id)[:12]).id == ended.id
        with pytest.raises(RefVideoError, match="is not in the ledger"):
            session.ledger.sweeps.get("sw-nothing")
