"""Planning a sweep: every cell checked as a single job is, references read once, nothing sent, and quickly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from refvideo_nb.client.models import captured
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.core.sweep import Plan
from refvideo_nb.engine import planning
from refvideo_nb.engine.draft import Draft, draft
from refvideo_nb.engine.planning import plan
from refvideo_nb.engine.sweep_wish import sweep_wish
from refvideo_nb.engine.wish import Wish
from refvideo_nb.errors import InvalidRequestError
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.ledger.store import Ledger

GREY = np.full((800, 800, 3), 90, np.uint8)
PLAIN = {"duration": 4, "resolution": "480p", "aspect_ratio": "16:9", "model": "bytedance/seedance-2.0-fast"}


class Desk:
    """Where a sweep is planned."""

    def __init__(self, home: Path) -> None:
        self.ledger, self.media = Ledger(home), MediaStore(home)

    def __call__(
        self, prompt: Any = "a cat", *, fields: Any = None, zipped: Any = (), fresh: bool = False, **given: Any
    ) -> Plan:
        wish = Wish(prompt=prompt, **(PLAIN | given))
        asked = sweep_wish(wish, fields=fields, zipped=zipped)
        coming = plan(
            asked,
            models=captured().models,
            media=self.media,
            ledger=self.ledger,
            address="",
            simulated=True,
            fresh=fresh,
        )
        return asyncio.run(coming)

    def keep(self, planned: Plan, number: int, state: State) -> str:
        """An earlier job of a cell's request."""
        cell = planned.cells[number - 1]
        assert cell.request is not None
        made = JobRecord(
            id=f"rv-{number}-{state}", state=state, request=cell.request, sent_prompt="", created=number, updated=number
        )
        self.ledger.add(made, fingerprint=cell.fingerprint)
        self.ledger.release(made.id)
        return made.id


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path / "home")
    yield found
    found.ledger.close()


def requests(planned: Plan) -> list[VideoRequest]:
    return [c.request for c in planned.cells if c.request is not None]


def test_lists_are_crossed_and_single_values_are_for_all(desk: Desk) -> None:
    planned = desk(["one", "two"], model=["alibaba/wan-3.0", "bytedance/seedance-2.0"], seed=range(3), duration=4)
    found = requests(planned)
    assert len(found) == 12
    assert [(r.prompt, r.model, r.seed) for r in found[:4]] == [
        *(("one", "alibaba/wan-3.0", seed) for seed in range(3)),
        ("one", "bytedance/seedance-2.0", 0),
    ]
    assert {r.duration for r in found} == {4}
    assert planned.cost.high == sum(c.estimate.high for c in planned.cells if c.estimate)


@pytest.mark.parametrize(
    ("given", "levels"),
    [
        ({"seed": np.arange(3)}, [0, 1, 2]),
        ({"seed": (7,)}, [7]),
        ({"size": ["1280x720", (720, 1280)], "resolution": None, "aspect_ratio": None}, ["1280x720", "720x1280"]),
        ({"generate_audio": [True, False]}, [True, False]),
        ({"duration": [4, 5]}, [4, 5]),
        ({"aspect_ratio": ["16:9", "1:1"]}, ["16:9", "1:1"]),
        ({"references": [{"a": GREY}, {"b": GREY[:, ::2]}]}, ["a", "b"]),
        ({"references": [{"a": GREY}, {"a": GREY[::2, ::2]}]}, ["a (1)", "a (2)"]),
        ({"references": [{"a": GREY}, None]}, ["a", "none"]),
        ({"references": [[GREY], [GREY, GREY]]}, ["image1", "image1, image2"]),
    ],
)
def test_what_is_varied(desk: Desk, given: dict[str, Any], levels: list[Any]) -> None:
    planned = desk(**given)
    ((axis,),) = planned.design.dimensions
    assert list(axis.labels) == levels
    assert not planned.refused


@pytest.mark.parametrize(
    "given",
    [
        {"size": (1280, 720), "resolution": None, "aspect_ratio": None},
        {"size": [1280, 720], "resolution": None, "aspect_ratio": None},
        {"references": [GREY, GREY]},
        {"references": {"a": GREY}},
        {"provider": {"simulator": {"drift": 0}}},
        {"frames": {"first": GREY}},
    ],
)
def test_what_is_one_value(desk: Desk, given: dict[str, Any]) -> None:
    assert len(desk(**given).cells) == 1


def test_a_file_names_its_level(desk: Desk, tmp_path: Path) -> None:
    from PIL import Image

    for name in ("pack", "hat"):
        Image.fromarray(GREY).save(tmp_path / f"{name}.png")
    planned = desk("@it", references=[{"it": str(tmp_path / "pack.png")}, {"it": tmp_path / "hat.png"}])
    assert planned.design.dimensions[0][0].labels == ("it=pack.png", "it=hat.png")


def test_a_role_is_for_the_levels_that_have_its_reference(desk: Desk) -> None:
    given = [{"a": GREY}, {"b": GREY}]
    found = requests(desk(references=given, roles={"a": "style"}))
    assert [[(r.name, r.role) for r in each.references] for each in found] == [[("a", "style")], [("b", "")]]
    with pytest.raises(InvalidRequestError, match="no reference is called so; references: a, b"):
        desk(references=given, roles={"c": "style"})


class TestFields:
    def test_they_are_crossed_after_the_prompt(self, desk: Desk) -> None:
        planned = desk(["a {{what}}", "the {{what}}"], fields={"what": ["cat", "dog"]}, seed=[1, 2])
        assert [r.prompt for r in requests(planned)] == [
            p for p in ("a cat", "a dog", "the cat", "the dog") for _ in "12"
        ]

    def test_zipped_with_references(self, desk: Desk) -> None:
        planned = desk(
            "a {{what}} like @it",
            fields={"what": ["cat", "dog"]},
            references=[{"it": GREY}, {"it": GREY[:, ::2]}],
            zipped=["what", "references"],
        )
        found = [(r.prompt, r.references[0].width) for r in requests(planned)]
        assert found == [("a cat like @it", 800), ("a dog like @it", 400)]
        assert len({r.references[0].sha256 for r in requests(planned)}) == 2

    @pytest.mark.parametrize(
        ("prompt", "fields", "said"),
        [
            ("a cat", {"what": ["x"]}, "no prompt has the field {{what}}"),
            ("a {{what}}", {}, "the field {{what}}, for which there is no value"),
            ("a {{what}}", {"what": []}, "what has no level"),
            ("a {{seed}}", {"seed": [1]}, "'seed' is called like an argument"),
        ],
    )
    def test_what_does_not_fit(self, desk: Desk, prompt: str, fields: dict[str, Any], said: str) -> None:
        with pytest.raises(InvalidRequestError) as told:
            desk(prompt, fields=fields)
        assert said in str(told.value)

    def test_escaped_it_is_sent_as_it_is(self, desk: Desk) -> None:
        assert requests(desk(r"a \{{what}}"))[0].prompt == "a {{what}}"


def one(desk: Desk, wish: Wish) -> Draft:
    return asyncio.run(draft(wish, models=captured().models, media=desk.media, simulated=True))


class TestRefusals:
    def test_each_cell_is_checked_as_a_single_job_is(self, desk: Desk) -> None:
        models = ["bytedance/seedance-2.0-fast", "minimax/hailuo-3", "runway/gen-4.5"]
        planned = desk(model=models, seed=[1], resolution=["480p", "720p"], duration=[4, 5])
        for cell in planned.cells:
            settings = planned.design.settings(cell.number)
            wish = Wish(prompt="a cat", **(PLAIN | settings))
            if cell.refused:
                with pytest.raises(InvalidRequestError) as told:
                    one(desk, wish)
                assert str(told.value) == cell.refused[0]
            else:
                single = one(desk, wish)
                assert (single.request, single.prices, single.notes) == (cell.request, cell.estimate, cell.notes)
        assert 0 < len(planned.refused) < len(planned.cells)
        assert all(c not in planned.to_pay for c in planned.refused)

    def test_none_that_can_be_sent_is_an_error(self, desk: Desk) -> None:
        with pytest.raises(InvalidRequestError, match="no cell of this sweep can be sent: duration 99 s"):
            desk(duration=99, seed=[1, 2])

    def test_a_model_that_is_not_there_is_an_error(self, desk: Desk) -> None:
        with pytest.raises(InvalidRequestError, match="did you mean"):
            desk(model=["alibaba/wan-3.0", "alibaba/wan-3"])

    def test_frames_and_references_exclude_each_other(self, desk: Desk) -> None:
        with pytest.raises(InvalidRequestError, match="exclude each other"):
            desk(references={"a": GREY}, frames={"first": GREY})


class TestLedger:
    def test_what_is_there_will_not_be_paid(self, desk: Desk) -> None:
        first = desk(seed=range(8))
        states = (State.DOWNLOADED, State.RUNNING, State.FAILED, State.REJECTED, State.OUTCOME_UNKNOWN, State.DRAFTED)
        ids = [desk.keep(first, number, state) for number, state in enumerate(states, start=1)]
        again = desk(seed=range(8))
        assert again.earlier == {
            1: (ids[0], State.DOWNLOADED), 2: (ids[1], State.RUNNING), 5: (ids[4], State.OUTCOME_UNKNOWN),
        }  # fmt: skip
        assert [c.number for c in again.to_pay] == [3, 4, 6, 7, 8]
        assert [c.number for c in desk(seed=range(8), fresh=True).to_pay] == list(range(1, 9))

    def test_one_that_is_finished_goes_before_one_of_unknown_outcome(self, desk: Desk) -> None:
        first = desk(seed=[1])
        done = desk.keep(first, 1, State.DOWNLOADED)
        late = replace(desk.ledger.get(done), id="rv-late", state=State.OUTCOME_UNKNOWN, created=99.0)
        desk.ledger.add(late, fingerprint=first.cells[0].fingerprint)
        assert desk(seed=[1]).earlier == {1: (done, State.DOWNLOADED)}

    def test_cells_that_are_the_same(self, desk: Desk) -> None:
        planned = desk(["a cat", "a cat "], seed=[1, 2])
        assert [c.number for c in planned.to_pay] == [1, 2]
        assert "it is the same request as cell 1" in planned.cells[2].refused[0]
        assert "it is the same request as cell 2" in planned.cells[3].refused[0]
        assert len(desk(["a cat", "a cat "], seed=[1, 2], fresh=True).to_pay) == 4

    def test_nothing_is_written_but_references(self, desk: Desk) -> None:
        desk("@a", references={"a": GREY}, seed=range(4))
        assert desk.ledger.jobs() == []
        assert desk.ledger.sweeps.all() == []


def counting(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Any]:
    calls: list[Any] = []
    real: Callable[..., Any] = getattr(planning, name)

    def counted(*args: Any, **more: Any) -> Any:
        calls.append(args)
        return real(*args, **more)

    monkeypatch.setattr(planning, name, counted)
    return calls


def test_a_reference_is_read_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    loads, keeps = counting(monkeypatch, "load"), counting(monkeypatch, "keep")
    models = ["bytedance/seedance-2.0-fast", "bytedance/seedance-2.0", "alibaba/wan-3.0"]
    planned = desk("@a @b", references=[{"a": GREY}, {"a": GREY, "b": GREY}], model=models, seed=range(50))
    assert len(planned.cells) == 300
    assert len(loads) == 1, "the same array is read once"
    assert len(keeps) <= 3 * 3, "each level once for each model's limits"


@pytest.mark.alone
def test_ten_thousand_cells_take_no_longer_than_a_hundred_times_a_hundred(desk: Desk) -> None:
    def seconds(count: int) -> float:
        start = time.process_time()
        found = desk(["one @a", "two @a"], references={"a": GREY}, model=["alibaba/wan-3.0", "alibaba/wan-2.7"],
                     resolution="720p", seed=range(count // 4))  # fmt: skip
        assert len(found.cells) == count
        return time.process_time() - start

    seconds(100)
    small = min(seconds(1000) for _ in range(3))
    assert seconds(10_000) < 20 * small + 0.2


def test_what_would_be_paid_is_said_to_the_cent(desk: Desk) -> None:
    planned = desk(model="alibaba/wan-3.0", duration=[2, 4], seed=range(2))
    assert planned.cost.high == Decimal("0.05") * (2 + 2 + 4 + 4)
