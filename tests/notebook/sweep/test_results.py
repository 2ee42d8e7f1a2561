"""What comes of a sweep: its table, its summary, its scores, wherever they are measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from skimage import data

from refvideo_nb.core.design import Axis, Design
from refvideo_nb.engine.sweep_wish import sweep_wish
from refvideo_nb.engine.wish import Wish
from refvideo_nb.errors import InvalidRequestError
from refvideo_nb.notebook.adherence import adherence
from refvideo_nb.notebook.methods import methods
from refvideo_nb.notebook.session import Session
from refvideo_nb.notebook.sweep import Sweep
from refvideo_nb.notebook.sweep_summary import units_of
from refvideo_nb.notebook.sweeping import made

MODELS = ["bytedance/seedance-2.0", "bytedance/seedance-2.0-fast"]


class TestTable:
    def test_a_row_for_each_cell_and_reference_with_every_setting(self, done: Sweep) -> None:
        table = done.table()
        assert len(table) == 16
        assert list(table.columns[:3]) == ["cell", "job", "state"]
        assert table.cell.tolist() == [n for n in range(1, 9) for _ in range(2)]
        assert table.reference.tolist() == ["cat", "cup"] * 8
        assert set(table.role) == {"subject"}
        for name, levels in (("prompt", ["@cat sits", "@cat walks by"]), ("model", MODELS), ("seed", [0, 1])):
            assert list(dict.fromkeys(table[name])) == levels
        assert set(table.duration) == {4}
        assert (table.cost > 0).all(), table[["state", "error"]]
        assert table.drop_duplicates("cell").charged.sum() == pytest.approx(float(done.spent))
        assert (table.seconds > 0).all()
        assert table.simulated.all()

    def test_what_was_not_measured_or_not_sent_is_a_row_all_the_same(
        self, session: Session, cats: Callable[..., Sweep]
    ) -> None:
        half = cats(session, prompt="@cat sits", model=MODELS[1], seed=0, resolution=["480p", "2160p"])
        table = half.table()
        assert table.state.tolist() == ["waiting", "waiting", "refused", "refused"]
        assert table.error.str.contains("2160p").tolist() == [False, False, True, True]
        assert table.adherence.isna().all()
        assert table.adherence.dtype == table.cost.dtype == np.float64

    def test_it_is_written_and_read_back(self, done: Sweep, tmp_path: Path) -> None:
        table = done.table()
        table.to_parquet(tmp_path / "sweep.parquet")
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "sweep.parquet"), table)
        table.to_csv(tmp_path / "sweep.csv", index=False)
        assert len(pd.read_csv(tmp_path / "sweep.csv")) == 16

    def test_levels_of_several_types_and_fields_called_like_a_column(
        self, session: Session, cats: Callable[..., Sweep], tmp_path: Path
    ) -> None:
        asked = sweep_wish(
            Wish(prompt="{{state}} ball", model=MODELS[0], duration=4, resolution="480p"),
            fields={"state": ["red", 3, None]},
        )
        table = made(session, asked, max_cost=None, at_once=8, fresh=False).table()
        assert table.field_state.tolist()[:2] == ["red", "3"]
        assert table.state.tolist() == ["waiting"] * 3
        assert table.reference.tolist() == [""] * 3
        assert table.sent_prompt[0] == "red ball"
        table.to_parquet(tmp_path / "mixed.parquet")


class TestMeasured:
    def test_what_was_measured_of_a_job_stands_in_its_rows(self, done: Sweep) -> None:
        job = done.jobs[0]
        report = adherence(job, frames=1)
        table = done.table()
        rows = table[table.job == job.id]
        pd.testing.assert_series_equal(
            rows.adherence.reset_index(drop=True), report.summary().adherence, check_names=False
        )
        assert rows.verdict.notna().all()
        assert table[table.job != job.id].adherence.isna().all()
        assert table.attrs["settings"]["embedder"] == "efficientnet-lite0"

    def test_measured_against_others_or_in_another_role_it_is_none_of_it(self, done: Sweep) -> None:
        job = done.jobs[1]
        adherence(job, {"cat": data.rocket(), "cup": data.coffee()}, frames=1)
        adherence(job, frames=1, roles={"cat": "style"})
        table = done.table()
        assert table[table.job == job.id].adherence.isna().all()

    def test_two_ways_of_measuring_are_never_mixed(self, done: Sweep) -> None:
        adherence(done.jobs[0], frames=1)
        adherence(done.jobs[2], frames=2)
        table = done.table()
        assert table.adherence.notna().sum() == 2
        assert table[table.job == done.jobs[2].id].adherence.notna().all()
        assert "1 other ways of measuring" in table.attrs["notes"][1]


class TestSummary:
    def test_models_are_compared_over_prompts_and_paired_by_seed(self, done: Sweep) -> None:
        found = done.summary(metrics="cost")
        assert found.model.tolist() == MODELS
        assert found.jobs.tolist() == [4, 4]
        assert found.clusters.tolist() == [2, 2]
        assert found.pairs.tolist() == [0, 4]
        assert found.attrs["paired_by"] == ["prompt", "seed"]
        assert any("over 2 levels of prompt" in note for note in found.attrs["notes"])
        turned = done.summary(metrics="cost", baseline=MODELS[1])
        assert turned.told[1] == "baseline"
        assert turned.difference[0] == pytest.approx(-found.difference[1])

    def test_by_reference_each_has_its_row(self, done: Sweep) -> None:
        assert done.summary("reference", metrics="cost").reference.tolist() == ["cat", "cup"]

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"by": "colour"}, "no setting"),
            ({"metrics": "beauty"}, "no number of the table"),
            ({"baseline": "x/y"}, "give one of"),
            ({"baseline": 3, "by": ["model", "seed"]}, "names one level"),
            ({"clusters": "colour"}, "no setting"),
            ({"level": 95}, "level=95"),
        ],
    )
    def test_what_cannot_be_told_is_refused(self, done: Sweep, given: dict[str, Any], said: str) -> None:
        with pytest.raises(InvalidRequestError, match=said):
            done.summary(**({"by": "model"} | given))


def axis(name: str, count: int) -> Axis:
    return Axis(name, tuple(range(count)))


class TestSlice:
    def test_cells_are_picked_by_their_levels(self, done: Sweep) -> None:
        shown = done.compare(prompt="@cat sits", seed=[0, 1])
        assert [s.label for s in shown.sides] == [f"{m} · seed {n}" for m in MODELS for n in range(2)]
        assert len(done.compare().sides) == 8
        assert len(done.compare(seed=0, model=MODELS[0], prompt="@cat sits").sides) == 1

    @pytest.mark.parametrize(
        ("levels", "said"), [({"colour": 1}, "no axis"), ({"seed": 7}, "seed has no level 7; there are 0, 1")]
    )
    def test_what_is_no_cell_is_named(self, done: Sweep, levels: dict[str, Any], said: str) -> None:
        with pytest.raises(InvalidRequestError, match=said):
            done.compare(**levels)

    def test_too_many_or_none_say_what_to_give(self, session: Session, cats: Callable[..., Sweep]) -> None:
        many = cats(session, seed=range(3)).start(max_cost=99).wait(120)
        with pytest.raises(InvalidRequestError, match=r"12 clips of 12 cells .* give levels of prompt, model, seed"):
            many.compare()
        with pytest.raises(InvalidRequestError, match="none of them is done"):
            cats(session, seed=[77]).compare()


class TestMethods:
    def test_everything_that_was_done_is_told(self, done: Sweep) -> None:
        adherence(done.jobs[0], frames=1)
        told = methods(done)
        for said in (
            "All clips are SIMULATED", *MODELS, "Seeds: 0, 1.", "4 s long",
            "prompt (2 levels) × model (2 levels) × seed (2 levels)",
            "480p", "cat (subject, image, sha256", "8 gave a clip and 0 failed", "efficientnet-lite0 (sha256",
            "frames at equal distances", "validated by people", "onnxruntime 1.", f"sweep {done.id}",
        ):  # fmt: skip
            assert said in told, said
        assert "\n" not in told

    def test_its_hash_is_of_what_was_asked_and_not_of_who_asked(self, done: Sweep) -> None:
        def digest(text: str) -> str:
            return text.rpartition("sha256 ")[2]

        assert digest(methods(done.jobs)) == digest(methods(list(reversed(done.jobs))))
        assert digest(methods(done.jobs)) != digest(methods(done.jobs[:-1]))
        assert digest(methods(done.jobs[0])) == digest(methods(done.jobs[:1]))

    def test_without_a_measurement_none_is_claimed(self, session: Session, cats: Callable[..., Sweep]) -> None:
        bare = cats(session, prompt="@cat sleeps", model=MODELS[0], seed=9).start(max_cost=9).wait(60)
        assert "Adherence was not measured." in methods(bare.jobs)
        for nothing in ([], [3], cats(session, seed=[123])):
            with pytest.raises(InvalidRequestError, match="nothing to describe"):
                methods(nothing)


class TestUnits:
    def test_prompts_are_drawn_and_the_rest_is_shared(self) -> None:
        units, _ = units_of(Design(((axis("prompt", 6),), (axis("model", 3),), (axis("seed", 4),))))
        assert (units.by, units.clusters, units.within) == (("model",), ("prompt",), ("seed",))

    def test_what_is_walked_together_is_one_cluster(self) -> None:
        units, _ = units_of(Design(((axis("prompt", 6), axis("references", 6)), (axis("model", 2),))))
        assert units.clusters == ("prompt", "references")

    def test_crossed_contents_are_not_as_many_observations_as_combinations(self) -> None:
        design = Design(((axis("prompt", 6),), (axis("references", 4),), (axis("model", 2),)))
        units, notes = units_of(design)
        assert (units.clusters, units.within) == (("prompt",), ("references",))
        assert "speak for these levels of references only" in notes[0]
        assert units_of(design, clusters=["prompt", "references"])[0].clusters == ("prompt", "references")

    def test_of_one_prompt_seeds_are_drawn_and_that_is_said(self) -> None:
        units, notes = units_of(Design(((axis("model", 2),), (axis("seed", 5),))))
        assert units.clusters == ("seed",)
        assert "speak for no other prompt" in notes[0]
        units, notes = units_of(Design(((axis("prompt", 3),), (axis("seed", 5),))), by=["prompt"])
        assert units.clusters == ("seed",)

    def test_without_repetition_there_is_no_interval(self) -> None:
        units, notes = units_of(Design(((axis("model", 2),),)))
        assert units.clusters == ()
        assert "there are no intervals" in notes[0]

    def test_what_is_varied_together_is_said(self) -> None:
        units, notes = units_of(Design(((axis("prompt", 3),), (axis("model", 2), axis("duration", 2)))), by=["model"])
        assert units.within == ()
        assert "model and duration were varied together" in notes[0]
