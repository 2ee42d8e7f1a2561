"""Sweeps in the ledger: what is kept, what is given back, who may change it, and what others must not take away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from refvideo_nb.core.design import Axis, Design
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.core.sweep import Cell, SweepRecord, SweepState
from refvideo_nb.errors import LedgerError, TakenOverError
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.ledger.store import Ledger

PNG = b"\x89PNG and so on"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    made = Ledger(home)
    yield made
    made.close()


def cells(count: int, **more: object) -> list[Cell]:
    asked = VideoRequest(prompt="a cat", model="a/b", **more)  # type: ignore[arg-type]
    price = Estimate(Decimal("0.1"), Decimal("0.2"), "so")
    return [
        Cell(number=n, request=replace(asked, seed=n), sent_prompt="a cat", fingerprint=f"f{n}", estimate=price)
        for n in range(1, count + 1)
    ]


def sweep(ledger: Ledger, planned: list[Cell], sweep_id: str = "sw-1", **more: object) -> str:
    design = Design(((Axis("seed", tuple(range(len(planned)))),), (Axis("prompt", ("a", None, True, 1.5)),)))
    record = SweepRecord(id=sweep_id, state=SweepState.RUNNING, design=design, created=1.0, updated=1.0, **more)  # type: ignore[arg-type]
    ledger.sweeps.add(record, planned)
    return sweep_id


def job(cell: Cell, state: State = State.DRAFTED, job_id: str = "rv-1") -> JobRecord:
    assert cell.request is not None
    return JobRecord(id=job_id, state=state, request=cell.request, sent_prompt="", created=2.0, updated=2.0)


def begin(ledger: Ledger, sweep_id: str, cell: Cell, record: JobRecord, *, reuse: bool = True) -> object:
    return ledger.sweeps.begin(
        sweep_id, cell.number, record, fingerprint=cell.fingerprint, reuse=reuse, allow=lambda _: None
    )


def test_it_comes_back_as_it_was(ledger: Ledger) -> None:
    planned = cells(3)
    planned[1] = replace(planned[1], refused=("no seed",), request=None)
    sweep_id = sweep(ledger, planned, max_cost=Decimal("1.20"), at_once=3, fresh=True)
    record = ledger.sweeps.get(sweep_id)
    assert ledger.sweeps.cells(sweep_id) == tuple(planned)
    assert record.design.dimensions[1][0].labels == ("a", None, True, 1.5)
    assert (record.max_cost, record.at_once, record.fresh) == (Decimal("1.20"), 3, True)
    assert ledger.sweeps.all() == [record]


def test_a_cell_has_one_job_and_a_refused_one_gives_way(ledger: Ledger) -> None:
    planned = cells(1)
    sweep_id = sweep(ledger, planned)
    begin(ledger, sweep_id, planned[0], job(planned[0]))
    begin(ledger, sweep_id, planned[0], job(planned[0], job_id="rv-2"))
    assert [j.id for j in ledger.jobs()] == ["rv-1"], "a second one was begun"
    ledger.advance("rv-1", State.REJECTED, error="429")
    begin(ledger, sweep_id, planned[0], job(planned[0], job_id="rv-3"))
    assert [j.id for j in ledger.jobs()] == ["rv-3"], "each refusal leaves a job behind"
    ledger.advance("rv-3", State.SUBMITTING)
    ledger.advance("rv-3", State.OUTCOME_UNKNOWN)
    begin(ledger, sweep_id, planned[0], job(planned[0], job_id="rv-4"))
    assert [j.id for j in ledger.jobs()] == ["rv-3"], "what may be paid was sent again"


def test_what_is_not_allowed_leaves_nothing(ledger: Ledger) -> None:
    planned = cells(1)
    sweep_id = sweep(ledger, planned)

    def refuse(_: JobRecord) -> None:
        raise LedgerError("no")

    with pytest.raises(LedgerError):
        ledger.sweeps.begin(sweep_id, 1, job(planned[0]), fingerprint="f1", reuse=True, allow=refuse)
    assert ledger.jobs() == []
    assert ledger.sweeps.places(sweep_id)[0].job_id is None


def test_an_id_that_is_taken_is_made_anew(ledger: Ledger) -> None:
    planned = cells(2)
    sweep_id = sweep(ledger, planned)
    for cell in planned:
        begin(ledger, sweep_id, cell, job(cell))
    assert len({p.job_id for p in ledger.sweeps.places(sweep_id)}) == 2


def test_only_who_runs_it_changes_it(ledger: Ledger, home: Path) -> None:
    planned = cells(2)
    sweep_id = sweep(ledger, planned)
    other = Ledger(home)
    assert other.sweeps.running(sweep_id)
    assert not other.sweeps.claim(sweep_id)
    with pytest.raises(TakenOverError):
        begin(other, sweep_id, planned[0], job(planned[0]))
    with pytest.raises(TakenOverError):
        other.sweeps.advance(sweep_id, reason="x")
    with pytest.raises(TakenOverError):
        other.sweeps.give_back(sweep_id, {1: "f1"})
    other.sweeps.release(sweep_id)
    assert other.sweeps.running(sweep_id)
    ledger.close()
    assert not other.sweeps.running(sweep_id)
    assert other.sweeps.claim(sweep_id)
    other.close()


def test_what_is_new_is_told_and_nothing_else(ledger: Ledger) -> None:
    planned = cells(3)
    sweep_id = sweep(ledger, planned)
    seen: dict[int, tuple[str, float]] = dict.fromkeys((1, 2, 3), ("", 0.0))
    assert ledger.sweeps.places(sweep_id, seen=seen) == []
    begin(ledger, sweep_id, planned[1], job(planned[1]))
    (place,) = ledger.sweeps.places(sweep_id, seen=seen)
    assert (place.number, place.job_id) == (2, "rv-1")
    seen[2] = ("rv-1", place.record.updated if place.record else 0)
    assert ledger.sweeps.places(sweep_id, seen=seen) == []
    ledger.advance("rv-1", State.SUBMITTING)
    assert [p.number for p in ledger.sweeps.places(sweep_id, seen=seen)] == [2]


def test_references_of_cells_that_wait_are_kept(ledger: Ledger, home: Path) -> None:
    media = MediaStore(home)
    picture = Reference(
        name="a", kind="image", sha256=media.put(PNG, "image/png"), media_type="image/png", nbytes=len(PNG)
    )
    planned = cells(2, references=(picture,))
    sweep_id = sweep(ledger, planned)
    begin(ledger, sweep_id, planned[0], job(planned[0]))
    ledger.advance("rv-1", State.REJECTED)
    ledger.release("rv-1")
    ledger.forget("rv-1")
    assert media.read(picture) == PNG, "the other cell still needs it"
    begin(ledger, sweep_id, planned[1], job(planned[1], job_id="rv-2"))
    ledger.sweeps.advance(sweep_id, state=SweepState.FINISHED)
    ledger.advance("rv-2", State.REJECTED)
    ledger.release("rv-2")
    ledger.forget("rv-2")
    assert media.read(picture) is None, "nothing is left behind"


@pytest.mark.alone
def test_ten_thousand_cells_are_looked_up_in_one_go(ledger: Ledger) -> None:
    def seconds(count: int, name: str) -> float:
        planned = cells(count)
        start = time.process_time()
        sweep_id = sweep(ledger, planned, name)
        ledger.sweeps.earlier([c.fingerprint for c in planned])
        ledger.sweeps.give_back(sweep_id, {c.number: c.fingerprint for c in planned})
        ledger.sweeps.cells(sweep_id)
        ledger.sweeps.places(sweep_id)
        return time.process_time() - start

    seconds(100, "sw-0")
    small = min(seconds(1000, f"sw-{n}") for n in (1, 2, 3))
    assert seconds(10_000, "sw-9") < 50 * small  # ten times as many; looked up one by one it would be a hundred
