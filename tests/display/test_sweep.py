"""A sweep on the page: the plan and how it stands, in words that are true, small, and harmless whatever they quote."""

from decimal import Decimal

import pytest

from refvideo_nb.core.design import Axis, design_of
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.core.sweep import Cell, Place, Plan, SweepRecord, SweepState
from refvideo_nb.core.tally import Tally
from refvideo_nb.display.sweep import plan_bundle, sweep_bundle, sweeps_table

EVIL = "<script>alert(1)</script> for $5 and $6 \x1b[31m"
PRICE = Estimate(Decimal("0.10"), Decimal("0.20"), "")


def made(prompts=2, models=2, seeds=3, *, evil=""):
    axes = [
        Axis("prompt", tuple(f"prompt {n} {evil}" for n in range(prompts))),
        Axis("model", tuple(f"model/{n}" for n in range(models))),
        Axis("seed", tuple(range(seeds))),
    ]
    design = design_of(axes)
    cells = tuple(
        Cell(
            number=n,
            request=VideoRequest(prompt="x", model=str(design.settings(n)["model"])),
            fingerprint=str(n),
            estimate=PRICE,
            notes=(f"a note {evil}",),
        )
        for n in range(1, len(design) + 1)
    )
    return design, cells


def record(design, state=SweepState.RUNNING, **more):
    return SweepRecord(id="sw-20261125-abcdef", state=state, design=design, created=0, updated=0, **more)


def job(state, **more):
    asked = VideoRequest(prompt="x")
    return JobRecord(
        id="rv-1", state=state, request=asked, sent_prompt="", created=0, updated=1, estimate=PRICE, **more
    )


def test_a_plan_says_what_is_paid_for_what():
    design, cells = made()
    plan = Plan(design=design, cells=cells, earlier={1: ("rv-1", State.DOWNLOADED)})
    text = plan_bundle(plan, how=["do this"])["text/plain"]
    assert "A sweep of 12 cells: 11 jobs to pay, about USD 1.10 to 2.20 in all" in text
    assert "prompt (prompt 0, prompt 1) × model (model/0, model/1) × seed (0, 1, 2)" in text
    assert "1 cell in the ledger already: not paid again" in text
    assert text.splitlines()[4].split() == ["model/0", "6", "5", "USD", "0.10–0.20", "USD", "0.50–1.00"]
    assert text.endswith("do this")
    assert "note: a note" in text


def test_a_plan_says_what_is_refused_and_what_nobody_can_price():
    design, cells = made()
    bare = [Cell(number=c.number, request=c.request, fingerprint="x") for c in cells[:2]]
    refused = [Cell(number=c.number, request=None, refused=("seed 'x' cannot be used",)) for c in cells[10:]]
    text = plan_bundle(Plan(design=design, cells=(*bare, *cells[2:10], *refused)))["text/plain"]
    assert "no estimate for cells 1–2: set duration and resolution" in text
    assert "refused: seed 'x' cannot be used (cells 11–12)" in text
    assert "not readable" in text
    only = Plan(design=design, cells=tuple(bare))
    assert "2 jobs to pay, no estimate" in plan_bundle(only)["text/plain"]


@pytest.mark.parametrize(
    ("state", "word", "said"),
    [
        (SweepState.RUNNING, "running", ""),
        (SweepState.RUNNING, "interrupted", "its kernel has ended: %refvideo resume sw-20261125-abcdef"),
        (SweepState.STOPPED, "stopped", "it stopped: no credits; %refvideo resume sw-20261125-abcdef goes on"),
        (SweepState.FINISHED, "finished", ""),
    ],
)
def test_how_it_stands(state, word, said):
    design, cells = made()
    tally = Tally(design, cells)
    tally.take(
        [
            *(Place(n, f"rv-{n}", record=job(State.DOWNLOADED, cost=Decimal("0.15"))) for n in range(1, 5)),
            Place(5, "rv-1", reused=True, record=job(State.DOWNLOADED, cost=Decimal("0.15"))),
            Place(6, "rv-6", record=job(State.FAILED, error="no cat")),
            Place(7, "rv-7", record=job(State.FAILED, error="no cat")),
            Place(8, "rv-8", record=job(State.OUTCOME_UNKNOWN)),
        ]
    )
    asked = record(design, state, reason="no credits", max_cost=Decimal(3), simulated=True)
    text = sweep_bundle(asked, tally, state=word)["text/plain"]
    assert f"simulated · Sweep {word} · 5 of 12 done · 4 waiting · 2 failed · 1 unknown" in text
    assert "USD 0.80 of at most USD 3.00 · 1 reused" in text
    assert "failed: no cat (cells 6–7)" in text
    assert "prompt 0 · model/1" in text
    assert said in text
    assert ("resume" in text) is bool(said)


def test_nothing_from_outside_is_markup():
    design, cells = made(evil=EVIL)
    tally = Tally(design, cells)
    tally.take([Place(1, "rv-1", record=job(State.FAILED, error=EVIL))])
    refused = Cell(number=12, request=None, refused=(EVIL,))
    asked = record(design, SweepState.STOPPED, reason=EVIL)
    for bundle in (
        plan_bundle(Plan(design=design, cells=(*cells[:11], refused)), how=[EVIL]),
        sweep_bundle(asked, tally, state="stopped"),
        sweeps_table([(asked, "stopped")]),
    ):
        assert "<script>" not in bundle["text/html"]
        assert "&lt;script&gt;" in bundle["text/html"]
        assert 'class="mathjax_ignore"' in bundle["text/html"]
        assert "\x1b" not in bundle["text/html"] + bundle["text/plain"]


def test_ten_thousand_cells_stay_small():
    design, cells = made(50, 10, 20)
    tally = Tally(design, cells)
    tally.take([Place(n, f"rv-{n}", record=job(State.FAILED, error=f"error {n}")) for n in range(1, 10_001, 2)])
    bundle = sweep_bundle(record(design), tally, state="running")
    assert len(bundle["text/html"]) < 40_000
    assert "and 4992 more" in bundle["text/plain"]
    assert len(plan_bundle(Plan(design=design, cells=cells))["text/html"]) < 40_000
