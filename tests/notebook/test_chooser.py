"""Choosing a model: what is needed narrows, the ranking orders, a choice is told."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from refvideo_nb.client.models import captured
from refvideo_nb.core.ranking import Need, rank
from refvideo_nb.notebook.chooser import ModelTable

MODELS = captured().models


def shown(chooser: ModelTable) -> list[str]:
    return [r["id"] for r in chooser.table.rows]


def why(chooser: ModelTable, model_id: str) -> str:
    return next(str(r["cells"]["why"]) for r in chooser.table.rows if r["id"] == model_id)


@pytest.mark.parametrize("by", ["cost", "quality", "speed", "name"])
def test_the_order_and_the_reasons_are_those_of_the_ranking(by: str) -> None:
    chooser = ModelTable(MODELS)
    chooser._by.value = by
    ranked = rank(MODELS, by=chooser._by.value)
    assert shown(chooser) == [r.model.id for r in ranked]
    assert all(why(chooser, r.model.id).startswith(r.reason) for r in ranked)
    assert chooser.table.total == f"{len(MODELS)} models"
    # Prices have their own column where they are not the reason.
    assert ("price" in [c["key"] for c in chooser.table.columns]) == (by != "cost")


def test_what_is_needed_leaves_models_out_and_says_why_on_demand() -> None:
    chooser = ModelTable(MODELS)
    chooser._audio.value, chooser._references.value, chooser._duration.value = True, 4, 12
    need = Need(audio=True, references=4, duration=12)
    assert chooser.need == need
    ranked = rank(MODELS, by="cost", need=need)
    fit = [r.model.id for r in ranked if not r.excluded_because]
    assert 0 < len(fit) < len(MODELS)
    assert shown(chooser) == fit
    assert f"{len(fit)} of {len(MODELS)} models, {len(MODELS) - len(fit)} more do not do" == chooser.table.total
    chooser._all.value = True
    assert shown(chooser) == [r.model.id for r in ranked]
    assert [r["id"] for r in chooser.table.rows if not r["second"]] == fit
    last = ranked[-1]
    assert why(chooser, last.model.id).startswith(f"does not do: {last.excluded_because[0]}"[:60])


def test_a_need_to_begin_with() -> None:
    chooser = ModelTable(MODELS, by="name", need=Need(references=2, seed=True, resolution="480p"))
    assert chooser.need == Need(references=2, seed=True, resolution="480p")
    assert shown(chooser) == [r.model.id for r in rank(MODELS, by="name", need=chooser.need) if not r.excluded_because]


def test_search_takes_part_of_a_name_or_id() -> None:
    chooser = ModelTable(MODELS)
    chooser._search.value = "  SEEDANCE  "
    assert shown(chooser)
    assert all("seedance" in model_id for model_id in shown(chooser))
    chooser._search.value = "no such model"
    assert shown(chooser) == []


def choose(chooser: ModelTable, model_id: str) -> None:
    """As the page does it: both in one message."""
    chooser.table.set_state({"selected": model_id, "choices": chooser.table.choices + 1})


def test_a_choice_is_told_and_stays() -> None:
    chooser = ModelTable(MODELS)
    told: list[str] = []
    chooser.observe(told.append)
    assert chooser.selected is None
    choose(chooser, "google/veo-3.1")
    assert (told, chooser.selected) == (["google/veo-3.1"], "google/veo-3.1")
    assert "--model google/veo-3.1" in chooser._facts.value
    chooser._search.value = "seedance"
    assert chooser.selected == "google/veo-3.1"
    assert told == ["google/veo-3.1"]
    choose(chooser, "google/veo-3.1")  # the same again
    assert told == ["google/veo-3.1"] * 2
    choose(chooser, "somebody/else")
    assert (len(told), chooser.selected, chooser._facts.value) == (2, None, "")


def test_a_callback_that_fails_is_told_and_costs_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    chooser = ModelTable(MODELS)
    chooser.observe(lambda _: {}["missing"])
    choose(chooser, "google/veo-3.1")
    assert "KeyError" in chooser._said.value
    chooser._search.value = "veo"
    assert shown(chooser)
    assert chooser._said.value == ""
    assert capsys.readouterr() == ("", "")


def test_another_ranking_gives_up_the_order_of_a_heading() -> None:
    chooser = ModelTable(MODELS)
    chooser.table.sort = {"key": "seconds", "descending": True}
    chooser._search.value = "e"
    assert chooser.table.sort
    chooser._by.value = "quality"
    assert chooser.table.sort == {}


def test_a_hostile_model_is_text() -> None:
    evil = "<img src=x onerror='window.hit=1'>/\x1b[31mvideo"
    chooser = ModelTable([replace(MODELS[0], id=evil, name=evil, resolutions=(evil,))])
    choose(chooser, evil)
    assert "<img" not in chooser._facts.value
    assert "\x1b" not in str(chooser.table.rows[0]["cells"])
