"""Tables hold what the report holds, in columns that are the same whatever it holds."""

import sys

import numpy as np
import pandas as pd
import pytest

from refvideo_nb.errors import MissingDependencyError, RefVideoError
from refvideo_nb.measure.tables import frames, summary, write_parquet

FIRST = (
    "reference, role, adherence, low, high, z, p, coverage, onset, longest_gap, stability, copied, "
    "first_frame_copy, binding, verdict"
)


def test_a_row_a_frame_and_reference(some_report):
    report = some_report(references=2, frames=5)
    table = frames(report)
    assert len(table) == 10
    for number, row in enumerate(table.itertuples()):
        t, r = divmod(number, 2)
        reference, negatives = report.references[r], report.negatives[report.references[r].name]
        assert (row.video, row.frame, row.reference, row.role) == ("clip.mp4", t, reference.name, reference.role)
        assert (row.time, row.similarity, row.z) == (report.times[t], report.similarity[t, r], report.z[t, r])
        assert (row.x0, row.y0, row.x1, row.y1) == tuple(report.boxes[t, r])
        assert (row.covered, row.copy_points) == (report.covered()[t, r], report.copies[t, r])
        assert row.threshold == negatives.threshold
        assert (row.chance_low, row.chance, row.chance_high) == (negatives.low[t], negatives.mean[t], negatives.high[t])
    assert table.covered.dtype == bool
    assert table.similarity.dtype == np.float32
    assert table.copy_points.dtype == np.int32


def test_a_row_a_reference(some_report):
    report = some_report(references=3)
    table = summary(report)
    assert ", ".join(table.columns[:15]) == FIRST
    assert [*table.reference] == ["pack", "mood", "woman"]
    for row, score in zip(table.to_dict("records"), report.scores, strict=True):
        for name in score.__struct_fields__:
            assert row[name] == getattr(score, name) or (pd.isna(row[name]) and getattr(score, name) is None)
    assert {*table.columns} == {*report.scores[0].__struct_fields__, "video"}


def test_the_types_are_those_of_the_columns_whatever_they_hold(some_report):
    one, three = summary(some_report(references=1)), summary(some_report(references=3))
    assert dict(one.dtypes) == dict(three.dtypes)
    nothing_told = summary(some_report(references=3)).iloc[1:]
    assert nothing_told.onset.isna().all()
    assert nothing_told.onset.dtype == np.float64
    assert three.first_frame_copy.dtype == bool


def test_tables_of_many_reports_become_one(some_report):
    both = pd.concat([summary(some_report(video=name)) for name in ("a", "b")])
    assert both.groupby("video").adherence.mean().to_dict() == {"a": 0.4375, "b": 0.4375}


def test_parquet_brings_everything_back(some_report, tmp_path):
    report = some_report()
    write_parquet(report, tmp_path / "frames.parquet")
    back = pd.read_parquet(tmp_path / "frames.parquet")
    pd.testing.assert_frame_equal(back, frames(report))
    assert back.attrs == {
        "video": "clip.mp4",
        "video_sha256": "c0" * 32,
        "settings": report.settings,
        "notes": ["look-alikes are not excluded"],
    }
    with pytest.raises(RefVideoError, match="cannot be written"):
        write_parquet(report, tmp_path / "nowhere" / "frames.parquet")


@pytest.mark.parametrize("missing", ["pandas", "pyarrow"])
def test_what_is_missing_is_named_with_its_remedy(some_report, tmp_path, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingDependencyError, match=rf'{missing}.*pip install "refvideo-nb\[adherence\]"'):
        write_parquet(some_report(), tmp_path / "frames.parquet")
    assert not (tmp_path / "frames.parquet").exists()
