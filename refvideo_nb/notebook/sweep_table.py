"""A sweep as a tidy table: its cells, what became of them, and what was measured of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from refvideo_nb.core.adherence import ROLES, UNVALIDATED, Score
from refvideo_nb.core.optional import needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from refvideo_nb.core.references import Reference
    from refvideo_nb.core.request import VideoRequest
    from refvideo_nb.ledger.report_document import Scored
    from refvideo_nb.notebook.sweep_cell import SweepCell
    from refvideo_nb.notebook.sweep_results import SweepResults

__all__ = ["SETTINGS", "column_of", "how_of", "table_of"]

SETTINGS = (
    *("prompt", "model", "duration", "resolution", "aspect_ratio", "size", "seed", "generate_audio", "references"),
)
"""Settings that a table always has, whether they were varied or not."""

_TEXTS = {"verdict", "sentence"}
_SCORES = tuple(name for name in Score.__struct_fields__ if name not in {"reference", "role"})
_OURS = {
    *("cell", "job", "state", "reused", "simulated", "reference", "role", "cost", "charged", "seconds"),
    *("error", "not_scored", "sent_prompt", *_SCORES),
}


def table_of(sweep: SweepResults, *, how: str | None = None, troubles: Mapping[str, str] | None = None) -> pd.DataFrame:
    """See `Sweep.table`.

    Parameters
    ----------
    sweep : Sweep
    how : str, optional
        Which measurement is told, where there are several; see `how_of`. The newest by default.
    troubles : mapping of str to str, optional
        Why jobs could not be measured, by their ids.
    """
    pandas = needed("pandas", what="a table of a sweep")
    cells = sweep.cells
    kept, settings, others = _measured(sweep, cells, how)
    names = {axis: column_of(axis) for axes in sweep.design.dimensions for axis in (a.name for a in axes)}
    columns: dict[str, list[Any]] = {}
    scores: list[tuple[str, str, Score | None]] = []
    for cell in cells:
        told = _references(cell, kept)
        scores += told
        for name, value in _row(cell, names, troubles or {}).items():
            columns.setdefault(name, []).extend([value] * len(told))
    columns["reference"] = [name for name, _, _ in scores]
    columns["role"] = [role for _, role, _ in scores]
    for name in _SCORES:
        columns[name] = [None if s is None else getattr(s, name) for _, _, s in scores]
    table: pd.DataFrame = pandas.DataFrame({n: _typed(pandas, n, columns[n]) for n in _ordered(columns)})
    table.attrs = {
        "sweep": sweep.id or "",
        "settings": settings,
        "notes": [UNVALIDATED, *([f"{others} other ways of measuring are kept and not told here"] if others else [])],
    }
    return table


def how_of(asked: Mapping[str, Any]) -> str:
    """The way of measuring, whatever was measured: what reports can be compared by."""
    return json.dumps({k: v for k, v in asked.items() if k != "references"}, sort_keys=True)


def _measured(
    sweep: SweepResults, cells: Sequence[SweepCell], how: str | None
) -> tuple[dict[str, dict[str, Score]], dict[str, Any], int]:
    """By job and reference what one way of measuring said; its settings; and how many other ways there are."""
    films: dict[str, list[SweepCell]] = {}
    for cell in cells:
        if cell.record is not None and cell.record.video is not None:
            films.setdefault(cell.record.video.sha256, []).append(cell)
    ways: dict[str, dict[str, dict[str, Score]]] = {}
    named: dict[int, str] = {}  # thousands were asked the same, which is one object
    settings: dict[str, Scored] = {}
    reports = sweep._session.ledger.reports  # noqa: SLF001 - a sweep is how its session is reached
    for asked, scored in reports.scores(films):
        way = named.get(id(asked)) or named.setdefault(id(asked), how_of(asked))
        for cell in films[scored.video_sha256]:
            assert cell.record is not None
            if _is_of(asked.get("references", ()), cell.record.request.references):
                settings.setdefault(way, scored)
                by_job = ways.setdefault(way, {})
                by_job.setdefault(cell.record.id, {s.reference: s for s in scored.scores})
    chosen = how if how is not None else next(iter(ways), None)  # the newest comes first
    if chosen is None or chosen not in ways:
        return {}, {}, len(ways)
    return ways[chosen], dict(json.loads(bytes(settings[chosen].settings))), len(ways) - 1


def _is_of(asked: Iterable[Mapping[str, Any]], references: Iterable[Reference]) -> bool:
    """Whether a measurement was made against a job's own references, in their roles."""
    told = [(a.get("name"), a.get("role"), a.get("pictures")) for a in asked]
    own = [r for r in references if r.kind != "audio"]
    return len(told) == len(own) and all(
        # Of a film a frame was measured, which has a hash of its own.
        (name, role) == (r.name, r.role or ROLES[0]) and (r.kind != "image" or pictures == [r.sha256])
        for (name, role, pictures), r in zip(told, own, strict=True)
    )


def column_of(axis: str) -> str:
    """An axis that is called like a column of ours has another name here."""
    return f"field_{axis}" if axis in _OURS else axis


def _row(cell: SweepCell, names: Mapping[str, str], troubles: Mapping[str, str]) -> dict[str, Any]:
    record, request = cell.record, cell.planned.request
    return {
        "cell": cell.number,
        "job": record.id if record else None,
        "state": cell.state,
        **_settings(request),
        **{names[axis]: label for axis, label in cell.settings.items()},
        "reused": cell.reused,
        "simulated": record.simulated if record else False,
        "cost": float(record.cost) if record and record.cost is not None else None,
        "charged": float(cell.cost),
        "seconds": record.seconds_taken if record else None,
        "error": cell.error,
        "not_scored": troubles.get(record.id, "") if record else "",
        "sent_prompt": cell.planned.sent_prompt,
    }


def _settings(request: VideoRequest | None) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(request, name, None) for name in SETTINGS}
    if request is not None:
        found["size"] = f"{request.size[0]}x{request.size[1]}" if request.size else None
        found["references"] = ", ".join(r.name for r in request.references)
    return found


def _references(cell: SweepCell, kept: Mapping[str, Mapping[str, Score]]) -> list[tuple[str, str, Score | None]]:
    """A name, a role and what was measured, of each; one row without a name where there is none to measure."""
    request = cell.planned.request
    own = [r for r in request.references if r.kind != "audio"] if request else []
    scores = kept.get(cell.record.id, {}) if cell.record else {}
    return [(r.name, r.role or ROLES[0], scores.get(r.name)) for r in own] or [("", "", None)]


def _ordered(columns: Mapping[str, Any]) -> list[str]:
    first = ["cell", "job", "state"]
    last = ["cost", "charged", "seconds", "reused", "simulated", "error", "not_scored", "sent_prompt"]
    middle = [name for name in columns if name not in {*first, *last, "reference", "role", *_SCORES}]
    return [*first, *middle, "reference", "role", *_SCORES, *last]


def _typed(pandas: Any, name: str, values: list[Any]) -> Any:
    """A column of one type, so that any format can hold it: levels of mixed types become texts."""
    if name in _SCORES and name not in _TEXTS:
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    if name in {"cost", "charged", "seconds"}:
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    kinds = {type(v) for v in values if v is not None}
    if kinds == {int}:
        return values if None not in values else pandas.array(values, dtype="Int64")
    if len(kinds) > 1 and kinds != {int, float}:
        return [None if v is None else str(v) for v in values]
    return values
