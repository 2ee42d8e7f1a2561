"""What people say of clips: entered, changed, taken back, and held against every metric."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

import refvideo_nb
from refvideo_nb.core.rating import Rating
from refvideo_nb.errors import InvalidRequestError
from refvideo_nb.media.video import probe
from refvideo_nb.notebook import current
from refvideo_nb.notebook.adherence import AdherenceReport
from refvideo_nb.notebook.rating import METRICS
from refvideo_nb.notebook.session import Session
from refvideo_nb.settings import Settings


@pytest.fixture(scope="module")
def makers() -> Any:
    """What makes clips and reports for the tests of the display room."""
    path = Path(__file__).parents[1] / "display" / "conftest.py"
    spec = importlib.util.spec_from_file_location("of_display", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def clip(makers: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    jpegs = {name: makers.photo(makers.PHOTOS[name]) for name in ("cat", "cup")}
    path: Path = makers.make_clip(
        tmp_path_factory.mktemp("clip") / "clip.mp4", jpegs, size=(160, 96), seconds=0.5, bit_rate=100_000
    )
    return path


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    with contextlib.closing(Session(Settings(home=tmp_path / "home"))) as made:
        monkeypatch.setattr(current, "current_session", lambda: made)
        yield made


@pytest.fixture
def reports(makers: Any, clip: Path) -> list[AdherenceReport]:
    """Eight clips, each followed better than the one before."""
    facts = probe(clip)
    found = []
    for n in range(8):
        made = makers.make_report(facts, ("cat",))
        scores = tuple(replace(s, adherence=0.4 + 0.05 * n, copied=0.0) for s in made.scores)
        named = replace(made, video=f"rv-{n}", video_sha256=f"{n:064x}", scores=scores)
        found.append(AdherenceReport(named, (), video=clip))
    return found


def test_a_rating_is_kept_changed_and_taken_back(session: Session, clip: Path) -> None:
    assert refvideo_nb.rate(clip, {"cat": 4, "": 2}, rater="ann") is None
    refvideo_nb.rate(clip, {"cat": 5}, rater="ann")
    refvideo_nb.rate(clip, {"cat": 1}, rater="ben")
    kept = {(r.reference, r.rater): r.value for r in session.ledger.ratings.of([probe(clip).sha256])}
    assert kept == {("cat", "ann"): 5.0, ("", "ann"): 2.0, ("cat", "ben"): 1.0}


def test_a_card_asks_keeps_at_once_and_knows_what_was_said(session: Session, clip: Path) -> None:
    card = refvideo_nb.rate(clip, rater="ann")
    assert card is not None
    choice = card._choices[""]
    choice.value = 4
    (kept,) = session.ledger.ratings.of()
    assert (kept.value, kept.rater, kept.criterion) == (4.0, "ann", "looks like it")
    again = refvideo_nb.rate(clip, rater="ann")
    assert again is not None
    assert again._choices[""].value == 4
    again._rater.value = "ben"
    assert again._choices[""].value == 0
    assert len(session.ledger.ratings.of()) == 1, "looking at another's answers changes none"
    again._rater.value = "ann"
    again._choices[""].value = 0
    assert session.ledger.ratings.of() == []
    assert "Nothing here was validated by people" in card.box.children[0].value.replace("&#39;", "'")


def test_what_is_no_rating_is_refused(session: Session, clip: Path) -> None:
    for ratings, words in (({"cat": "good"}, "is no number"), ({"cat": float("nan")}, "cannot be ranked")):
        with pytest.raises(InvalidRequestError, match=words):
            refvideo_nb.rate(clip, ratings)  # type: ignore[arg-type]
    assert session.ledger.ratings.of() == []


def test_a_metric_that_ranks_as_people_do_is_told_from_one_that_does_not(reports: list[AdherenceReport]) -> None:
    people = pd.DataFrame(
        {"video": [f"rv-{n}" for n in range(8)], "reference": "cat", "rating": [1, 2, 2, 3, 4, 4, 5, 5]}
    )
    found = refvideo_nb.agreement(reports, people).set_index("metric")
    assert list(found.index) == list(METRICS)
    assert found.loc["adherence", "spearman"] > 0.95
    assert 0 < found.loc["adherence", "low"] < found.loc["adherence", "spearman"] <= found.loc["adherence", "high"]
    assert np.isnan(found.loc["z", "spearman"]), "it is the same for all"
    assert found.loc["adherence", "n"] == 8
    backwards = people.assign(rating=people.rating[::-1].to_numpy())
    assert refvideo_nb.agreement(reports, backwards).set_index("metric").loc["adherence", "high"] < 0


def test_kept_ratings_are_averaged_over_raters_and_of_one_criterion(
    session: Session, reports: list[AdherenceReport]
) -> None:
    for n, report in enumerate(reports[:5]):
        for rater, value in (("ann", n), ("ben", n + 1)):
            session.ledger.ratings.keep(
                [
                    Rating(
                        video_sha256=report.report.video_sha256,
                        reference="cat",
                        criterion=criterion,
                        value=value if criterion == "looks like it" else -value,
                        rater=rater,
                    )
                    for criterion in ("looks like it", "moves well")
                ]
            )
    found = refvideo_nb.agreement(reports).set_index("metric").loc["adherence"]
    assert (found["n"], found["spearman"]) == (5, pytest.approx(1))
    assert refvideo_nb.agreement(reports, criterion="moves well").set_index("metric").loc["adherence", "spearman"] < 0
    assert refvideo_nb.agreement(reports, criterion="smells").n.tolist() == [0] * len(METRICS)
    assert refvideo_nb.agreement([]).n.tolist() == [0] * len(METRICS)


def test_a_table_without_its_columns_is_refused(reports: list[AdherenceReport]) -> None:
    with pytest.raises(
        InvalidRequestError, match="ratings has no column rating: give a DataFrame with video, reference"
    ):
        refvideo_nb.agreement(reports, pd.DataFrame({"video": ["x"], "reference": ["cat"]}))
