"""The design of a sweep: its order, its dimensions, and what is no design; how its cells stand, in sums."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from refvideo_nb.core.design import MOST_CELLS, Axis, Design, design_of
from refvideo_nb.core.fields import escaped, fields_in, fill, fill_but
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.core.sweep import Cell, Place, Plan, charged
from refvideo_nb.core.tally import Tally
from refvideo_nb.errors import InvalidRequestError

PRICE = Estimate(Decimal("0.10"), Decimal("0.20"), "")


def axes(**levels):
    return [Axis(name, tuple(values)) for name, values in levels.items()]


def test_the_first_axis_varies_slowest():
    design = design_of(axes(prompt="ab", model="xy", seed=range(2)))
    assert len(design) == 8
    told = [tuple(design.settings(n).values()) for n in range(1, 9)]
    assert told[:3] == [("a", "x", 0), ("a", "x", 1), ("a", "y", 0)]
    assert told[-1] == ("b", "y", 1)
    assert len(set(told)) == 8


def test_zipped_axes_are_one_dimension_at_the_place_of_the_first():
    design = design_of(axes(prompt="ab", model="xyz", seed=range(3)), ["seed", "model"])
    assert design.shape == (2, 3)
    assert [a.name for a in design.dimensions[1]] == ["model", "seed"]
    assert design.settings(5) == {"prompt": "b", "model": "y", "seed": 1}
    assert design_of(axes(prompt="ab", model="xy", seed=range(2)), ["prompt", "seed"]).shape == (2, 2)


def test_no_axis_is_one_cell():
    assert len(design_of([])) == 1
    assert design_of([]).settings(1) == {}


@pytest.mark.parametrize(
    ("levels", "zipped", "said"),
    [
        ({"seed": []}, (), "seed has no level"),
        ({"seed": [1, 2, 1]}, (), "seed has the level '1' more than once"),
        ({"prompt": "ab", "seed": [1]}, ["prompt", "seed"], "prompt 2, seed 1"),
        ({"prompt": "ab"}, ["seed"], "'seed' is no axis of this sweep; axes: prompt"),
        ({"seed": range(MOST_CELLS + 1)}, (), f"at most {MOST_CELLS:,}"),
        ({"prompt": "aa", "seed": [1, 1]}, ["prompt", "seed"], "prompt with seed has the level 'a, 1' more than once"),
    ],
)
def test_what_is_no_design(levels, zipped, said):
    with pytest.raises(InvalidRequestError) as told:
        design_of(axes(**levels), zipped)
    assert said in str(told.value)


def test_levels_that_only_look_the_same():
    assert len(design_of(axes(generate_audio=[True, 1]))) == 2
    assert len(design_of(axes(prompt="aab", seed=[1, 2, 1]), ["prompt", "seed"])) == 3


@given(st.lists(st.integers(1, 5), max_size=4))
def test_every_cell_has_its_own_levels(sizes):
    design = Design(tuple((Axis(str(n), tuple(range(size))),) for n, size in enumerate(sizes)))
    found = [design.levels(n) for n in range(1, len(design) + 1)]
    assert found == sorted(set(found))
    assert all(0 <= level < size for levels in found for level, size in zip(levels, sizes, strict=True))


class TestFields:
    def test_what_is_filled_in_is_not_looked_at_again(self):
        assert fill("{{a}} {{b}}", {"a": "{{b}}", "b": "x"}.__getitem__) == "{{b}} x"

    @given(st.text("ab{} ", max_size=20))
    def test_an_escaped_text_comes_back_as_it_was(self, text):
        assert fill(escaped(text), lambda name: "?") == text

    def test_twice_is_once(self):
        # As a cell does: variables first, the sweep's own fields later.
        first = fill_but(r"a {{colour}} {{animal}}, \{{raw}}", {"animal"}, lambda name: "{{animal}} red")
        assert fields_in(first) == ["animal"]
        assert fill(first, {"animal": "cat"}.__getitem__) == "a {{animal}} red cat, {{raw}}"


def cell(number, **more):
    given = {"request": VideoRequest(prompt="x", model="a/b"), "fingerprint": str(number), "estimate": PRICE} | more
    return Cell(number=number, **given)


def job(state, **more):
    asked = VideoRequest(prompt="x")
    return JobRecord(
        id="rv-1", state=state, request=asked, sent_prompt="", created=0, updated=1, estimate=PRICE, **more
    )


def test_a_plan_pays_only_for_what_will_be_sent():
    cells = tuple(cell(n) for n in range(1, 7))
    cells = (*cells[:4], replace(cells[4], refused=("no seed",)), replace(cells[5], estimate=None))
    plan = Plan(design=design_of(axes(seed=range(6))), cells=cells, earlier={1: ("rv-1", State.DOWNLOADED)})
    assert [c.number for c in plan.to_pay] == [2, 3, 4, 6]
    assert (plan.cost.low, plan.cost.high) == (Decimal("0.30"), Decimal("0.60"))
    assert [c.number for c in plan.unestimated] == [6]
    assert plan.reasons() == [("no seed", [5])]


@pytest.mark.parametrize(
    ("state", "cost", "counts"),
    [
        (State.DOWNLOADED, "0.15", "0.15"),
        (State.DOWNLOADED, None, "0.20"),
        (State.RUNNING, None, "0.20"),
        (State.OUTCOME_UNKNOWN, None, "0.20"),
        (State.FAILED, None, "0"),
        (State.FAILED, "0.05", "0.05"),
        (State.REJECTED, None, "0"),
    ],
)
def test_what_a_job_counts_for(state, cost, counts):
    assert charged(job(state, cost=None if cost is None else Decimal(cost))) == Decimal(counts)


def test_a_tally_follows_its_cells():
    design = design_of(axes(model="xy", seed=range(3)))
    tally = Tally(design, [cell(n) for n in range(1, 6)] + [cell(6, refused=("too long",))])
    assert tally.counts() == {"waiting": 5, "refused": 1}
    tally.take(
        [Place(1, "rv-1", record=job(State.RUNNING)), Place(2, "rv-2", reused=True, record=job(State.DOWNLOADED))]
    )
    assert tally.counts() == {"waiting": 3, "refused": 1, "running": 1, "done": 1}
    assert (tally.spent, tally.reused) == (Decimal("0.20"), 1)
    tally.take([Place(1, "rv-1", record=job(State.DOWNLOADED, cost=Decimal("0.12")))])
    assert tally.spent == Decimal("0.12")
    tally.take([Place(n, f"rv-{n}", record=job(State.FAILED, error="no cat")) for n in (3, 4)])
    assert tally.troubles() == [("failed", "no cat", [3, 4]), ("refused", "too long", [6])]
    assert [(label, list(numbers)) for label, numbers in tally.rows()] == [("x", [1, 2, 3]), ("y", [4, 5, 6])]
    assert tally.counts(range(4, 7)) == {"failed": 1, "waiting": 1, "refused": 1}
    assert tally.seen[1] == ("rv-1", 1)
    assert tally.seen[5] == ("", 0.0)


def test_rows_are_never_too_many():
    design = design_of(axes(prompt=range(50), model=range(10), seed=range(4)))
    tally = Tally(design, [cell(n) for n in range(1, 2001)])
    assert len(tally.rows(600)) == 500
    assert len(tally.rows(100)) == 50
    assert tally.rows(10) == [("", range(1, 2001))]
