"""A report as tables for pandas: one row a frame and reference, or one row a reference.

Tables of many reports have the same columns, so ``pandas.concat`` puts a sweep into one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from refvideo_nb.core.adherence import Report, Score
from refvideo_nb.errors import RefVideoError, one_line
from refvideo_nb.measure.embedders.runtime import needed

if TYPE_CHECKING:
    import os

    import pandas as pd

__all__ = ["frames", "summary", "write_parquet"]

_FIRST = (
    *("reference", "role", "adherence", "low", "high", "z", "p", "coverage", "onset", "longest_gap"),
    *("stability", "copied", "first_frame_copy", "binding", "verdict"),
)
_TEXTS = {"reference", "role", "verdict", "sentence"}


def frames(report: Report) -> pd.DataFrame:
    """A report by frame and reference, frame by frame.

    Returns
    -------
    pandas.DataFrame
        ``frames * references`` rows. Columns: ``video``, ``reference``, ``role``; ``frame`` (0, 1, …);
        ``time`` (s); ``similarity``; ``z``; ``covered`` (bool); ``threshold``, ``chance``, ``chance_low``
        and ``chance_high`` (the mean and the 5th and 95th percentile of unrelated pictures in that
        frame); ``x0``, ``y0``, ``x1``, ``y1`` (pixels of the video, the winning box); ``copy_points``.
        ``attrs`` tell of the report: the video and its hash, the settings, the notes.

    Raises
    ------
    MissingDependencyError
        Without pandas.
    """
    count, references = report.similarity.shape
    negatives = [report.negatives[r.name] for r in report.references]
    by_frame = (count, references)

    def chance(name: str) -> Any:
        return np.stack([getattr(n, name) for n in negatives], axis=1).ravel()

    x0, y0, x1, y1 = report.boxes.reshape(-1, 4).T
    return _table(
        report,
        {
            "video": [report.video] * (count * references),
            "reference": [r.name for r in report.references] * count,
            "role": [r.role for r in report.references] * count,
            "frame": np.repeat(np.arange(count), references),
            "time": np.repeat(report.times, references),
            "similarity": report.similarity.ravel(),
            "z": report.z.ravel(),
            "covered": report.covered().ravel(),
            "threshold": np.broadcast_to([n.threshold for n in negatives], by_frame).ravel(),
            "chance": chance("mean"),
            "chance_low": chance("low"),
            "chance_high": chance("high"),
            "x0": x0,
            "y0": y0,
            "x1": x1,
            "y1": y1,
            "copy_points": report.copies.ravel(),
        },
    )


def summary(report: Report) -> pd.DataFrame:
    """A report by reference.

    Returns
    -------
    pandas.DataFrame
        One row a reference, in the order of the report. The first columns are those of
        :class:`.core.adherence.Score` that a reader asks for first; ``low`` and ``high`` are the interval
        of ``adherence``. What does not apply or cannot be told is missing (NaN). ``attrs`` as of
        :func:`frames`.

    Raises
    ------
    MissingDependencyError
        Without pandas.
    """
    rows = [msgspec.structs.asdict(score) for score in report.scores]
    names = dict.fromkeys((*_FIRST, *Score.__struct_fields__))
    columns = {name: _column(name, [row[name] for row in rows]) for name in names}
    return _table(report, columns | {"video": [report.video] * len(rows)})


def write_parquet(report: Report, path: str | os.PathLike[str]) -> None:
    """Write :func:`frames` to a Parquet file, which ``pandas.read_parquet`` reads back with its ``attrs``.

    Raises
    ------
    MissingDependencyError
        Without pandas or pyarrow.
    RefVideoError
        Where the file cannot be written.
    """
    table = frames(report)
    needed("pyarrow")
    try:
        table.to_parquet(path, engine="pyarrow", index=False)
    except OSError as error:
        raise RefVideoError(
            f"{one_line(path)} cannot be written ({error.strerror or one_line(error)}): choose another place"
        ) from None


def _table(report: Report, columns: dict[str, Any]) -> pd.DataFrame:
    table = needed("pandas").DataFrame(columns)
    table.attrs = {
        "video": report.video,
        "video_sha256": report.video_sha256,
        "settings": dict(report.settings),
        "notes": list(report.notes),
    }
    return table


def _column(name: str, values: list[Any]) -> Any:
    """A column whose type is that of its name, whatever the values are: one that holds nothing stays a number."""
    if name in _TEXTS:
        return values
    return np.array(values, dtype=np.bool_ if name == "first_frame_copy" else np.float64)
