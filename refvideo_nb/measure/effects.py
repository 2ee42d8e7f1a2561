"""What a setting does, over many jobs: means, differences to a baseline, and what may be said of them.

A table in, a table out. Nothing is put into an order by its mean: two settings are told apart
only where the interval of their difference leaves out zero, with all comparisons of a metric counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from refvideo_nb.core.optional import needed
from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.measure.clusters import cluster_means, clusters_differ, interval_of_means
from refvideo_nb.measure.intervals import LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["METRICS", "Units", "effects"]

METRICS = ("adherence", "coverage", "copied", "cost", "seconds")
"""What is summed up unless something else is asked for. Adherence and copying are two, and never one."""

NOT_APART = "not told apart"
_ALL = "\0"  # stands for a missing level where rows are grouped


class Units(msgspec.Struct, frozen=True, kw_only=True):
    """What of a table counts as one observation.

    Attributes
    ----------
    by : tuple of str
        Columns whose combinations are compared.
    clusters : tuple of str
        Columns whose combinations are drawn anew, and counted.
    within : tuple of str
        Further columns that two settings share: differences are taken where all of these, and the
        clusters, are the same.
    """

    by: tuple[str, ...]
    clusters: tuple[str, ...]
    within: tuple[str, ...] = ()


def effects(
    table: pd.DataFrame,
    units: Units,
    *,
    metrics: Sequence[str] = METRICS,
    baseline: Mapping[str, Any] | None = None,
    level: float = LEVEL,
    seed: int = 0,
) -> pd.DataFrame:
    """Means of each setting with their intervals, and how each differs from the baseline.

    Parameters
    ----------
    table : pandas.DataFrame
        A row a job and reference: ``job``, ``state``, the columns of `units`, and the metrics.
    units : Units
    metrics : sequence of str
    baseline : mapping of str to level, optional
        One level for each column of `units.by`; by default what comes first in the table.
    level : float
        Of every mean's interval, and of all differences of a metric together: with c of them each
        has 1 - (1 - level) / c (Bonferroni).
    seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        A row for each setting and metric, in the table's order: the columns of `units.by`; ``metric``;
        ``jobs``, ``failed`` and ``measured``; ``clusters``; ``mean``, ``low``, ``high``; ``difference``,
        ``difference_low``, ``difference_high`` and ``pairs``; ``told``: ``"baseline"``, ``"more"``,
        ``"less"`` or ``"not told apart"``.
    """
    pandas = needed("pandas", what="a table of a sweep")
    groups = _groups(table, units.by)
    first = _baseline(groups, units.by, baseline)
    comparisons = max(len(groups) - 1, 1)
    joint = 1 - (1 - level) / comparisons
    shared = {name: _codes(table, columns) for name, columns in (("c", units.clusters), ("u", units.within))}
    sides = [_Side(table, rows, shared) for _, rows in groups]
    found = []
    for index, ((levels, _), side) in enumerate(zip(groups, sides, strict=True)):
        for metric in metrics:
            row = dict(zip(units.by, levels, strict=True)) | {"metric": metric} | side.counts(metric)
            row |= side.mean(metric, level=level, seed=seed)
            row |= _change(sides[first], side, metric, level=joint, seed=seed, same=index == first)
            found.append(row)
    made: pd.DataFrame = pandas.DataFrame(found)
    made.attrs = {"level": level, "comparisons": comparisons, "level_of_differences": joint}
    return made


def _codes(table: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.intp]:
    """A number for each row, the same where all of these columns are the same; zeros without columns."""
    if not columns:
        return np.zeros(len(table), dtype=np.intp)
    plain = table[list(columns)].astype(object)
    plain = plain.where(plain.notna(), _ALL)
    return np.asarray(plain.groupby(list(columns), sort=False, dropna=False).ngroup(), dtype=np.intp)


def _groups(table: pd.DataFrame, by: Sequence[str]) -> list[tuple[tuple[Any, ...], NDArray[np.intp]]]:
    """Each combination of levels with its rows, in the order in which it comes first."""
    codes = _codes(table, by)
    found = []
    for code in dict.fromkeys(codes.tolist()):
        rows = np.flatnonzero(codes == code)
        found.append((tuple(table[name].iloc[rows[0]] for name in by), rows))
    return found


def _baseline(
    groups: Sequence[tuple[tuple[Any, ...], Any]], by: Sequence[str], baseline: Mapping[str, Any] | None
) -> int:
    if baseline is None:
        return 0
    wanted = [baseline.get(name) for name in by]
    for index, (levels, _) in enumerate(groups):
        if set(baseline) == set(by) and all(
            a == b or (a is None and needed("pandas").isna(b)) for a, b in zip(wanted, levels, strict=True)
        ):
            return index
    allowed = [dict(zip(by, levels, strict=True)) for levels, _ in groups]
    shown = "; ".join(one_line(each, limit=80) for each in allowed[:6])
    raise InvalidRequestError(
        f"baseline {one_line(dict(baseline), limit=80)} is none of what is compared: give one of {shown}",
        field="baseline",
        value=dict(baseline),
        allowed=allowed,
    )


class _Side:
    """One setting: its jobs as units of clusters."""

    def __init__(self, table: pd.DataFrame, rows: NDArray[np.intp], shared: Mapping[str, NDArray[np.intp]]) -> None:
        self._table = table.iloc[rows]
        cluster, unit = shared["c"][rows], shared["u"][rows]
        # One number for a cluster and what is the same within it, in both settings that are compared.
        self._width = int(shared["u"].max(initial=0)) + 1
        self._unit = cluster * self._width + unit
        job = self._table["job"].to_numpy(dtype=object)
        state = self._table["state"].to_numpy(dtype=object)
        # A job that stands for two cells is one job, and its references are averaged: it counts once.
        cells = self._table["cell"].to_numpy()
        self._jobs = len({j or c for j, c in zip(job, cells, strict=True)})
        self._failed = len({c for c, s in zip(cells, state, strict=True) if s in {"failed", "refused", "unknown"}})

    def values(self, metric: str) -> dict[int, float]:
        """The mean of each unit that has one: over its references and jobs."""
        found = np.asarray(self._table[metric], dtype=np.float64)
        there = np.isfinite(found)
        codes, places = np.unique(self._unit[there], return_inverse=True)
        sums = np.bincount(places, weights=found[there], minlength=len(codes))
        counts = np.bincount(places, minlength=len(codes))
        return dict(zip(codes.tolist(), (sums / counts).tolist(), strict=True))

    def counts(self, metric: str) -> dict[str, Any]:
        """How many jobs it has, how many ended without a clip, and of how many the metric is there."""
        there = np.isfinite(np.asarray(self._table[metric], dtype=np.float64))
        return {
            "jobs": self._jobs,
            "failed": self._failed,
            "measured": int(self._table.loc[there, "job"].nunique()),
        }

    def clustered(self, values: Mapping[int, float]) -> NDArray[np.float64]:
        """The mean of each cluster."""
        codes = np.array(list(values), dtype=np.intp) // self._width
        _, places = np.unique(codes, return_inverse=True)
        return cluster_means(np.array(list(values.values()), dtype=np.float64), places)

    def mean(self, metric: str, *, level: float, seed: int) -> dict[str, Any]:
        means = self.clustered(self.values(metric))
        low, high = interval_of_means(means, level=level, seed=seed) or (np.nan, np.nan)
        return {
            "clusters": len(means),
            "mean": float(means.mean()) if len(means) else np.nan,
            "low": low,
            "high": high,
        }


def _change(first: _Side, second: _Side, metric: str, *, level: float, seed: int, same: bool) -> dict[str, Any]:
    """How much more the second has, over what both have."""
    row = {"difference": np.nan, "difference_low": np.nan, "difference_high": np.nan, "pairs": 0, "told": NOT_APART}
    if same:
        return row | {"told": "baseline"}
    before, after = first.values(metric), second.values(metric)
    changes = {unit: value - before[unit] for unit, value in after.items() if unit in before}
    if not changes:
        return row
    means = second.clustered(changes)
    interval = interval_of_means(means, level=level, seed=seed)
    low, high = interval or (np.nan, np.nan)
    middle = float(means.mean())
    apart = clusters_differ(means, interval, level=level)
    told = NOT_APART if not apart else "more" if middle > 0 else "less"
    return {"difference": middle, "difference_low": low, "difference_high": high, "pairs": len(changes), "told": told}
