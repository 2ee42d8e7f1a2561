"""What the settings of a sweep do: which jobs count as one observation, and what is told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.notebook.sweep_table import SETTINGS, column_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from refvideo_nb.core.design import Axis, Design
    from refvideo_nb.measure.effects import Units

__all__ = ["summary_of", "units_of"]

_CONTENT = {"prompt", "references", "frames"}
_OF_A_ROW = ("reference", "role")


def summary_of(
    table: pd.DataFrame,
    design: Design,
    *,
    by: str | Iterable[str] | None = None,
    metrics: str | Iterable[str] | None = None,
    baseline: Any = None,
    clusters: str | Iterable[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """See `Sweep.summary`."""
    from refvideo_nb.measure.effects import METRICS, effects  # noqa: PLC0415 - numpy loads only where it is used

    units, notes = units_of(design, by=_names(by), clusters=_names(clusters))
    wanted = METRICS if metrics is None else _names(metrics) or ()
    numbers = [name for name in table.columns if table[name].dtype.kind == "f"]
    for name in wanted:
        if name not in numbers:
            raise InvalidRequestError(
                f"{one_line(name, limit=40)!r} is no number of the table: give some of {', '.join(numbers)}",
                field="metrics",
                value=name,
                allowed=numbers,
            )
    if not isinstance(level, float) or not 0.5 <= level < 1:  # noqa: PLR2004 - below a half it says nothing
        raise InvalidRequestError(f"level={one_line(level, limit=40)} is none: give 0.5 to 0.999", field="level")
    first = baseline if baseline is None or hasattr(baseline, "items") else _level_of(baseline, units.by)
    found = effects(table, units, metrics=wanted, baseline=first, level=level, seed=seed)
    roles = set(table["role"]) - {""}
    if len(roles) > 1 and not set(units.by) & set(_OF_A_ROW):
        notes.append(f"references of the roles {', '.join(sorted(roles))} are averaged: by=['role'] tells them apart")
    if found.attrs["comparisons"] > 1:
        notes.append(
            f"{found.attrs['comparisons']} comparisons with the baseline: the intervals of the differences of a metric "
            f"hold together at {level:.0%} (each at {found.attrs['level_of_differences']:.2%}, Bonferroni)"
        )
    found.attrs |= {
        "by": list(units.by),
        "clusters": list(units.clusters),
        "paired_by": [*units.clusters, *units.within],
        "settings": table.attrs.get("settings", {}),
        "notes": [*table.attrs.get("notes", []), *notes],
    }
    return found


def units_of(
    design: Design, *, by: Sequence[str] | None = None, clusters: Sequence[str] | None = None
) -> tuple[Units, list[str]]:
    """Which columns are compared, which are drawn anew, and which are shared; and what is to be said of it.

    What is drawn anew is the content that is not compared: prompts with the fields and references that
    are walked with them. Where several kinds of content are crossed, only the one with the most levels
    is drawn: combinations of six prompts and four reference sets are not 24 observations of either. The
    others stay as they are, and the numbers speak for them alone.

    Raises
    ------
    InvalidRequestError
        For a column that is no setting.
    """
    from refvideo_nb.measure.effects import Units  # noqa: PLC0415 - as above

    axes = [axis for axes in design.dimensions for axis in axes]
    if by is None:
        chosen = [a for a in axes if not _is_content(a) and a.name != "seed"] or [a for a in axes if _is_content(a)]
        by = [column_of(a.name) for a in chosen]
    allowed = list(dict.fromkeys([*(column_of(a.name) for a in axes), *SETTINGS, *_OF_A_ROW]))
    for field, given in (("by", by), ("clusters", clusters or ())):
        for name in given:
            if name not in allowed:
                raise InvalidRequestError(
                    f"{field}: {one_line(name, limit=40)!r} is no setting of it; there are {', '.join(allowed)}",
                    field=field,
                    value=name,
                    allowed=allowed,
                )
    compared = set(by)
    notes = [
        f"{' and '.join(a.name for a in d)} were varied together: a difference is of all of them"
        for d in design.dimensions
        if len(d) > 1 and {column_of(a.name) for a in d} & compared
    ]
    rest = [d for d in design.dimensions if not {column_of(a.name) for a in d} & compared and len(d[0].labels) > 1]
    drawn: Sequence[str] = clusters or ()
    if clusters is None:
        drawn, said = _drawn(rest)
        notes.append(said)
    within = [column_of(a.name) for d in rest for a in d if column_of(a.name) not in drawn]
    return Units(by=tuple(by), clusters=tuple(drawn), within=tuple(within)), notes


def _drawn(rest: Sequence[tuple[Axis, ...]]) -> tuple[list[str], str]:
    """What is drawn anew, of the dimensions that are not compared; and what the intervals speak for."""
    content = sorted((d for d in rest if any(map(_is_content, d))), key=lambda d: -len(d[0].labels))
    chosen = content[0] if content else next((d for d in rest if any(a.name == "seed" for a in d)), ())
    names = [column_of(a.name) for a in chosen]
    if not chosen:
        return [], "nothing was repeated over prompts or seeds: there are no intervals"
    shown = " with ".join(names)
    if not content:
        return names, f"intervals are over {shown}, and speak for no other prompt or references"
    fixed = [" with ".join(column_of(a.name) for a in d) for d in content[1:]]
    if fixed:
        return names, f"intervals are over {shown}, and speak for these levels of {', '.join(fixed)} only"
    return names, f"intervals are over {len(chosen[0].labels)} levels of {shown}"


def _is_content(axis: Axis) -> bool:
    return axis.name in _CONTENT or axis.name not in _ARGUMENTS


_ARGUMENTS = {*SETTINGS, "provider"} - _CONTENT  # every other axis is a field of the prompt


def _names(given: str | Iterable[str] | None) -> list[str] | None:
    return None if given is None else list(dict.fromkeys([given] if isinstance(given, str) else given))


def _level_of(baseline: Any, by: Sequence[str]) -> Mapping[str, Any]:
    if len(by) != 1:
        raise InvalidRequestError(
            f"baseline {one_line(baseline, limit=40)!r} names one level, and {len(by)} settings are compared: give "
            f"{{{', '.join(f'{name!r}: level' for name in by)}}}",
            field="baseline",
            value=baseline,
        )
    return {by[0]: baseline}
