"""Running a sweep: each cell once, so many at a time, fair between models, within its limit, on after anything."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from refvideo_nb.client.client import VideoClient
from refvideo_nb.core.design import Axis, Design
from refvideo_nb.core.job import State
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.core.sweep import Cell, SweepRecord, SweepState
from refvideo_nb.engine.engine import Engine
from refvideo_nb.engine.sweeper import Run, Sweeper
from refvideo_nb.errors import BudgetError
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.ledger.store import Ledger
from refvideo_nb.settings import Secret, Settings

BASE = "https://api.example/api/v1"
PRICE = Decimal("0.10")


class Clock:
    """Time that passes only while somebody sleeps, for all sleepers together."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            before = self.now
            for _ in range(20):  # whoever has something to do at this moment does it first
                await asyncio.sleep(0)
            if self.now == before:
                self.now = min(end, before + 0.05)


@dataclass
class Api:
    """The API in bytes: what it accepted, and whom it refuses."""

    film: bytes
    clock: Clock
    seconds: float = 20.0
    cost: Decimal = PRICE
    accepted: dict[str, tuple[str, str, float]] = field(default_factory=dict)  # id: (our id, model, when)
    ended: set[str] = field(default_factory=set)
    refuse: Callable[[str, int], httpx.Response | None] = lambda model, count: None
    polled: Callable[[str], httpx.Response | None] = lambda model: None
    most: int = 0
    order: list[str] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return self.submitted(json.loads(request.content))
        job_id = request.url.path.removesuffix("/content").rpartition("/")[2]
        if request.url.path.endswith("/content"):
            return httpx.Response(200, content=self.film)
        self.times.append(self.clock.now)
        _, model, when = self.accepted[job_id]
        if (answer := self.polled(model)) is not None:
            return answer
        done = self.clock.now - when >= self.seconds
        if done:
            self.ended.add(job_id)
        usage = {"cost": float(self.cost)} if done else None
        return httpx.Response(200, json=told(job_id, "completed" if done else "in_progress", usage=usage))

    def submitted(self, body: dict[str, Any]) -> httpx.Response:
        model = body["model"]
        self.times.append(self.clock.now)
        self.tries[model] += 1
        if (answer := self.refuse(model, self.tries[model])) is not None:
            return answer
        job_id = f"gen-vid-{len(self.accepted)}"
        self.accepted[job_id] = (body["session_id"], model, self.clock.now)
        self.order.append(model)
        self.most = max(self.most, len(self.accepted) - len(self.ended))
        return httpx.Response(202, json=told(job_id, "pending"))

    @property
    def spent(self) -> Decimal:
        return self.cost * len(self.accepted)


def told(job_id: str, status: str, **more: Any) -> dict[str, Any]:
    return {"id": job_id, "polling_url": f"/api/v1/videos/{job_id}", "status": status, **more}


def said(status: int, text: str = "no", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": status, "message": text}}, headers=headers)


@dataclass
class Kernel:
    """One process, as far as a ledger can tell: a ledger of its own, an engine, a sweeper."""

    ledger: Ledger
    engine: Engine
    sweeper: Sweeper

    def end(self) -> None:
        self.engine.close()
        self.ledger.close()


class Site:
    """A home folder, an API, and kernels that come and go."""

    def __init__(self, home: Path, film: bytes) -> None:
        self.home, self.clock = home, Clock()
        self.api = Api(film, self.clock)
        self.kernels: list[Kernel] = []
        self.allow: Callable[[Any], None] = lambda _: None
        self.rate = 1000.0

    def _allow(self, record: Any) -> None:
        self.allow(record)

    def kernel(self) -> Kernel:
        settings = Settings(
            key=Secret("k"), base_url=BASE, home=self.home, poll_interval=5, requests_per_second=self.rate, timeout=600
        )
        ledger, media = Ledger(self.home, clock=self.clock), MediaStore(self.home)

        def connect(_: str) -> VideoClient:
            return VideoClient(BASE, Secret("k"), transport=httpx.MockTransport(self.api))

        engine = Engine(ledger, media, settings, connect=connect, clock=self.clock, sleep=self.clock.sleep)
        sweeper = Sweeper(engine, ledger, media, settings, allow=self._allow, clock=self.clock, sleep=self.clock.sleep)
        self.kernels.append(Kernel(ledger, engine, sweeper))
        return self.kernels[-1]


@pytest.fixture
def site(tmp_path: Path, mp4: bytes) -> Iterator[Site]:
    made = Site(tmp_path / "home", mp4)
    yield made
    for kernel in made.kernels:
        kernel.end()


def cells_of(models: dict[str, int], *, price: Decimal | None = PRICE) -> list[Cell]:
    """So many cells of each model, model after model."""
    made: list[Cell] = []
    for model, count in models.items():
        for seed in range(count):
            number = len(made) + 1
            made.append(
                Cell(
                    number=number,
                    request=VideoRequest(prompt="a cat", model=model, seed=seed),
                    sent_prompt="a cat",
                    fingerprint=f"{model} {seed}",
                    estimate=None if price is None else Estimate(price, price, ""),
                )
            )
    return made


def begin(kernel: Kernel, cells: list[Cell], **more: Any) -> str:
    now = kernel.ledger._clock()
    design = Design(((Axis("number", tuple(range(len(cells)))),),))
    record = SweepRecord(
        id=f"sw-{len(kernel.ledger.sweeps.all())}", state=SweepState.RUNNING, design=design, created=now, updated=now,
        base_url=BASE, **more,
    )  # fmt: skip
    kernel.ledger.sweeps.add(record, cells)
    return record.id


def finish(kernel: Kernel, sweep_id: str) -> SweepRecord:
    run = kernel.sweeper.run(sweep_id)
    run.done.result(60)
    assert run.trouble is None, run.trouble
    return kernel.ledger.sweeps.get(sweep_id)


def states(kernel: Kernel, sweep_id: str) -> Counter[str]:
    places = kernel.ledger.sweeps.places(sweep_id)
    return Counter(p.record.state.value if p.record else "none" for p in places)


def test_every_cell_is_one_job_and_no_more_are_in_flight_than_allowed(site: Site) -> None:
    kernel = site.kernel()
    sweep_id = begin(kernel, cells_of({"a/one": 7, "b/two": 6}), at_once=4)
    record = finish(kernel, sweep_id)
    assert record.state is SweepState.FINISHED
    assert states(kernel, sweep_id) == {"downloaded": 13}
    assert len(site.api.accepted) == 13
    assert site.api.most == 4
    assert len({ours for ours, _, _ in site.api.accepted.values()}) == 13


@pytest.mark.parametrize(("at_once", "apart"), [(1, 1), (3, 2)])
def test_models_take_turns(site: Site, at_once: int, apart: int) -> None:
    kernel = site.kernel()
    finish(kernel, begin(kernel, cells_of({"a/one": 6, "b/two": 6, "c/three": 2}), at_once=at_once))
    # Jobs that are begun together may arrive in any order.
    assert max(spread_of(site.api.order[:6])) <= apart, site.api.order
    assert max(spread_of([m for m in site.api.order if m != "c/three"])) <= apart, site.api.order


def spread_of(order: list[str]) -> list[int]:
    """How far apart the models are, after each start."""
    counts = dict.fromkeys(order, 0)
    found = []
    for model in order:
        counts[model] += 1
        found.append(max(counts.values()) - min(counts.values()))
    return found


def test_a_429_slows_its_model_only(site: Site) -> None:
    refused: list[float] = []

    def refuse(model: str, count: int) -> httpx.Response | None:
        if model == "a/one" and count <= 3:
            refused.append(site.clock.now)
            return said(429, "slow down", **{"Retry-After": "100"})
        return None

    site.api.refuse = refuse
    kernel = site.kernel()
    sweep_id = begin(kernel, cells_of({"a/one": 4, "b/two": 12}), at_once=2)
    start = site.clock.now
    assert finish(kernel, sweep_id).state is SweepState.FINISHED
    assert states(kernel, sweep_id) == {"downloaded": 16}
    gaps = [b - a for a, b in itertools.pairwise(refused)]
    assert all(gap >= 100 for gap in gaps), "Retry-After was not honoured"
    others = [when - start for _, model, when in site.api.accepted.values() if model == "b/two"]
    assert max(others) < 12 * 30 / 2 + 60, "the other model waited too"
    first = min(when - start for _, model, when in site.api.accepted.values() if model == "a/one")
    assert sum(when < first for when in others) >= 8, "the other model did not use the places that were free"
    assert len(kernel.ledger.jobs()) == 16, "each refusal left a job behind"


def test_a_model_that_is_never_to_be_had_stops_the_sweep_and_not_the_others(site: Site) -> None:
    site.api.refuse = lambda model, _: said(429) if model == "a/one" else None
    kernel = site.kernel()
    sweep_id = begin(kernel, cells_of({"a/one": 2, "b/two": 5}), at_once=2)
    record = finish(kernel, sweep_id)
    assert record.state is SweepState.STOPPED
    assert "a/one was not to be had" in record.reason
    assert states(kernel, sweep_id)["downloaded"] == 5
    site.api.refuse = lambda model, count: None
    assert finish(kernel, sweep_id).state is SweepState.FINISHED
    assert len(site.api.accepted) == 7


def test_no_credits_stops_it_keeps_everything_and_goes_on_later(site: Site) -> None:
    site.api.refuse = lambda model, _: said(402, "no credits") if len(site.api.accepted) >= 5 else None
    kernel = site.kernel()
    sweep_id = begin(kernel, cells_of({"a/one": 12}), at_once=3)
    record = finish(kernel, sweep_id)
    assert record.state is SweepState.STOPPED
    assert "402" in record.reason
    assert "credits" in record.reason
    assert states(kernel, sweep_id)["downloaded"] == 5
    assert site.api.tries["a/one"] <= 5 + 3, "it went on asking without credits"
    site.api.refuse = lambda model, count: None
    assert finish(kernel, sweep_id).state is SweepState.FINISHED
    assert states(kernel, sweep_id) == {"downloaded": 12}
    assert len(site.api.accepted) == 12


@pytest.mark.parametrize("status", [400, 403, 404])
def test_what_the_api_has_against_a_request_is_its_cells_affair(site: Site, status: int) -> None:
    site.api.refuse = lambda model, count: said(status, "not this one") if count == 2 else None
    kernel = site.kernel()
    sweep_id = begin(kernel, cells_of({"a/one": 4}))
    assert finish(kernel, sweep_id).state is SweepState.FINISHED
    assert states(kernel, sweep_id) == {"downloaded": 3, "rejected": 1}
    assert site.api.tries["a/one"] == 4, "it was tried again"


def test_a_lost_answer_is_never_sent_again(site: Site) -> None:
    site.api.refuse = lambda model, count: said(500) if count == 2 else None
    kernel = site.kernel()
    sweep_id = begin(kernel, cells_of({"a/one": 4}), max_cost=Decimal("0.40"))
    assert finish(kernel, sweep_id).state is SweepState.FINISHED
    assert states(kernel, sweep_id) == {"downloaded": 3, "outcome_unknown": 1}
    assert sum((p.charge for p in kernel.ledger.sweeps.places(sweep_id)), Decimal(0)) == Decimal("0.40"), (
        "what may have been paid counts"
    )
    finish(kernel, sweep_id)
    assert site.api.tries["a/one"] == 4


def test_a_failed_job_is_a_cell(site: Site) -> None:
    site.api.polled = lambda model: (
        httpx.Response(200, json=told("x", "failed", error="no cat")) if model == "a/one" else None
    )
    kernel = site.kernel()
    sweep_id = begin(kernel, cells_of({"a/one": 2, "b/two": 2}))
    assert finish(kernel, sweep_id).state is SweepState.FINISHED
    assert states(kernel, sweep_id) == {"failed": 2, "downloaded": 2}


class TestMoney:
    @pytest.mark.parametrize(("limit", "paid"), [("0.50", 5), ("0.49", 4), ("0.09", 0), ("0", 0), ("9", 8)])
    def test_the_limit_is_kept_to_the_cent(self, site: Site, limit: str, paid: int) -> None:
        kernel = site.kernel()
        sweep_id = begin(kernel, cells_of({"a/one": 8}), max_cost=Decimal(limit), at_once=3)
        record = finish(kernel, sweep_id)
        assert len(site.api.accepted) == paid
        assert site.api.spent <= Decimal(limit)
        assert record.state is (SweepState.FINISHED if paid == 8 else SweepState.STOPPED)
        if paid < 8:
            assert f"{8 - paid} jobs were not sent" in record.reason

    def test_bills_below_the_estimates_let_more_be_sent(self, site: Site) -> None:
        site.api.cost = Decimal("0.05")
        kernel = site.kernel()
        finish(kernel, begin(kernel, cells_of({"a/one": 8}), max_cost=Decimal("0.45"), at_once=8))
        assert len(site.api.accepted) == 8

    def test_bills_above_the_estimates_are_learned_from(self, site: Site) -> None:
        site.api.cost = Decimal("0.15")
        kernel = site.kernel()
        sweep_id = begin(kernel, cells_of({"a/one": 20}), max_cost=Decimal("1.00"), at_once=2)
        finish(kernel, sweep_id)
        assert len(site.api.accepted) == 6, "6 × 0.15 fit into 1.00, 7 do not"
        assert site.api.spent <= 1

    @pytest.mark.parametrize(
        ("limit", "most", "spent"), [("1.00", 2, "0.90"), ("1.59", 3, "1.50"), ("3.20", 8, "3.00"), ("9.00", 8, "6.00")]
    )
    def test_before_the_first_bill_few_are_in_flight_where_money_is_tight(
        self, site: Site, limit: str, most: int, spent: str
    ) -> None:
        site.api.cost = Decimal("0.30")
        at_first: list[int] = []
        allow = site.allow

        def counted(record: Any) -> None:
            allow(record)
            at_first.append(len(site.api.ended))

        site.allow = counted
        kernel = site.kernel()
        finish(kernel, begin(kernel, cells_of({"a/one": 20}), max_cost=Decimal(limit), at_once=8))
        assert at_first.count(0) == most
        assert site.api.spent == Decimal(spent)

    def test_a_larger_limit_goes_on(self, site: Site) -> None:
        kernel = site.kernel()
        sweep_id = begin(kernel, cells_of({"a/one": 4}), max_cost=Decimal("0.25"))
        finish(kernel, sweep_id)
        assert len(site.api.accepted) == 2
        kernel.ledger.sweeps.claim(sweep_id)
        kernel.ledger.sweeps.advance(sweep_id, max_cost=Decimal("0.30"))
        finish(kernel, sweep_id)
        assert len(site.api.accepted) == 3, "what was spent before counts"

    def test_the_sessions_budget_stops_it(self, site: Site) -> None:
        def allow(record: Any) -> None:
            if len(site.api.accepted) >= 2:
                raise BudgetError("the session's budget is spent")

        site.allow = allow
        kernel = site.kernel()
        sweep_id = begin(kernel, cells_of({"a/one": 4}), at_once=1)
        record = finish(kernel, sweep_id)
        assert (record.state, record.reason) == (SweepState.STOPPED, "the session's budget is spent")
        assert states(kernel, sweep_id) == {"downloaded": 2, "none": 2}


class TestReuse:
    def test_what_the_ledger_has_is_not_paid_again(self, site: Site) -> None:
        kernel = site.kernel()
        finish(kernel, begin(kernel, cells_of({"a/one": 3})))
        again = begin(kernel, cells_of({"a/one": 5}))
        finish(kernel, again)
        assert len(site.api.accepted) == 5
        assert [p.reused for p in kernel.ledger.sweeps.places(again)] == [True] * 3 + [False] * 2
        assert sum((p.charge for p in kernel.ledger.sweeps.places(again)), Decimal(0)) == 2 * PRICE

    def test_fresh_pays_anew(self, site: Site) -> None:
        kernel = site.kernel()
        finish(kernel, begin(kernel, cells_of({"a/one": 3})))
        finish(kernel, begin(kernel, cells_of({"a/one": 3}), fresh=True))
        assert len(site.api.accepted) == 6

    def test_cells_that_are_the_same_share_a_job(self, site: Site) -> None:
        kernel = site.kernel()
        cells = [replace(c, fingerprint="the same") for c in cells_of({"a/one": 3})]
        sweep_id = begin(kernel, cells)
        finish(kernel, sweep_id)
        assert len(site.api.accepted) == 1
        assert states(kernel, sweep_id) == {"downloaded": 3}

    def test_a_file_that_was_deleted_is_fetched_again(self, site: Site) -> None:
        kernel = site.kernel()
        sweep_id = begin(kernel, cells_of({"a/one": 2}))
        finish(kernel, sweep_id)
        job_id = kernel.ledger.sweeps.places(sweep_id)[0].job_id
        path = site.home / "videos" / f"{job_id}.mp4"
        path.unlink()
        finish(kernel, sweep_id)
        assert path.exists()
        assert len(site.api.accepted) == 2


class TestGoingOn:
    def test_stopped_by_hand_and_taken_up_again(self, site: Site) -> None:
        kernel = site.kernel()
        sweep_id = begin(kernel, cells_of({"a/one": 6}), at_once=2)
        accepted: list[int] = []

        def refuse(model: str, count: int) -> httpx.Response | None:
            if count == 3 and not accepted:
                kernel.sweeper.stop(sweep_id, "it was stopped by hand")
                accepted.append(count)
            return None

        site.api.refuse = refuse
        record = finish(kernel, sweep_id)
        assert (record.state, record.reason) == (SweepState.STOPPED, "it was stopped by hand")
        paid = len(site.api.accepted)
        assert 3 <= paid < 6
        assert states(kernel, sweep_id) == {"downloaded": paid, "none": 6 - paid}, "what was in flight came"
        assert finish(kernel, sweep_id).state is SweepState.FINISHED
        assert len(site.api.accepted) == 6

    def test_stopped_before_it_has_begun(self, site: Site) -> None:
        kernel = site.kernel()
        sweep_id = begin(kernel, cells_of({"a/one": 3}))
        run = Run(sweep_id)
        run.stopping = "it was stopped by hand"
        kernel.engine.spawn(kernel.sweeper._run(run)).result(60)
        record = kernel.ledger.sweeps.get(sweep_id)
        assert (record.state, record.reason) == (SweepState.STOPPED, "it was stopped by hand")
        assert not kernel.ledger.sweeps.running(sweep_id)
        assert not site.api.accepted

    def test_another_kernel_goes_on_where_one_ended(self, site: Site) -> None:
        first = site.kernel()
        sweep_id = begin(first, cells_of({"a/one": 9}), at_once=3)
        reached = asyncio.Event()

        def refuse(model: str, count: int) -> httpx.Response | None:
            if count == 5:
                first.engine._loop.call_soon_threadsafe(reached.set)
            return None

        site.api.refuse = refuse
        first.sweeper.run(sweep_id)
        first.engine.spawn(reached.wait()).result(60)
        first.end()
        site.kernels.remove(first)
        second = site.kernel()
        assert second.ledger.sweeps.get(sweep_id).state is SweepState.RUNNING
        assert not second.ledger.sweeps.running(sweep_id)
        assert finish(second, sweep_id).state is SweepState.FINISHED
        assert states(second, sweep_id) == {"downloaded": 9}
        assert len(site.api.accepted) == 9

    def test_two_kernels_run_it_once(self, site: Site) -> None:
        one, other = site.kernel(), site.kernel()
        sweep_id = begin(one, cells_of({"a/one": 6}), at_once=2)
        runs = [kernel.sweeper.run(sweep_id) for kernel in (one, other)]
        for run in runs:
            run.done.result(60)
            assert run.trouble is None
        assert len(site.api.accepted) == 6
        assert site.api.most <= 2
        assert states(other, sweep_id) == {"downloaded": 6}

    def test_a_job_that_was_forgotten_is_not_paid_again(self, site: Site) -> None:
        kernel = site.kernel()
        sweep_id = begin(kernel, cells_of({"a/one": 2}))
        finish(kernel, sweep_id)
        kernel.ledger.forget(str(kernel.ledger.sweeps.places(sweep_id)[0].job_id))
        finish(kernel, sweep_id)
        assert len(site.api.accepted) == 2
        assert states(kernel, sweep_id) == {"downloaded": 1, "none": 1}


def test_no_second_has_more_requests_than_the_rate(site: Site) -> None:
    site.rate = 10.0
    kernel = site.kernel()
    finish(kernel, begin(kernel, cells_of({"a/one": 60, "b/two": 60}), at_once=120))
    times = sorted(site.api.times)
    most = max(sum(start <= t < start + 1 for t in times) for start in times)
    assert most <= 11, f"{most} requests in one second"  # ten, and one that the clock's steps of 0.05 s push in
    assert site.api.most > 60, "they were in flight together"


def test_every_state_of_a_job_is_known(site: Site) -> None:
    from refvideo_nb.core.sweep import Place, standing

    cell = cells_of({"a/one": 1})[0]
    assert standing(cell, None) == "waiting"
    assert standing(replace(cell, refused=("no",)), None) == "refused"
    assert standing(cell, Place(1, "rv-1")) == "forgotten"
    kernel = site.kernel()
    sweep_id = begin(kernel, [cell])
    finish(kernel, sweep_id)
    (place,) = kernel.ledger.sweeps.places(sweep_id)
    assert {standing(cell, replace(place, record=replace(place.record, state=s))) for s in State} == {  # type: ignore[type-var]
        "running", "done", "failed", "unknown",
    }  # fmt: skip
