"""What settings do, as forest plots: each with its interval, and what cannot be told apart drawn hollow.

This module loads matplotlib: import it only where something is drawn. Settings stand in the
order of the table, never by their mean.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from refvideo_nb.display.page import harmless
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.display.plots import INK, NO_MATH, new_figure, plain
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from refvideo_nb.display.plots import Ink

__all__ = ["effects_figure"]

_WIDTH = 8.6  # inches
_ROW, _HEAD, _CLOUD = 0.24, 0.72, 1.9
_SMALL = 8  # points
_LONGEST = 30  # characters of a setting's name
_UNITS = {
    "cost": "USD a clip",
    "seconds": "seconds of waiting",
    "copied": "frames copied",
    "coverage": "frames covered",
}
_SHARES = {"copied", "coverage", "binding"}


def effects_figure(summary: pd.DataFrame, *, ink: Ink = INK, width: float = _WIDTH) -> Figure:
    """Means, differences to the baseline, and adherence against copying and cost.

    Parameters
    ----------
    summary : pandas.DataFrame
        As `refvideo_nb.Sweep.summary` gives it.
    ink : Ink
    width : float
        Inches.
    """
    metrics = list(dict.fromkeys(summary["metric"]))
    names = _names(summary)
    several = len(names) > 1
    pairs = [("adherence", other) for other in ("copied", "cost") if {"adherence", other} <= set(metrics)]
    notes = [line for note in summary.attrs.get("notes", ()) for line in textwrap.wrap(note, int(width * 17))]
    heights = [_ROW * len(names) + _HEAD, *([_ROW * (len(names) - 1) + _HEAD] if several else [])]
    heights += [_CLOUD] if pairs else []
    foot = 0.15 * len(notes) + 0.1
    figure = new_figure(width, sum(heights) + foot, ink)
    parts = np.atleast_1d(figure.subfigures(len(heights) + 1, 1, height_ratios=[*heights, foot]))  # type: ignore[arg-type]
    for part in parts:
        part.set_facecolor("none")
    _forests(parts[0], summary, metrics, names, ink)
    if several:
        _differences(parts[1], summary, metrics, names, ink)
    if pairs:
        axes = parts[-2].subplots(1, len(pairs), squeeze=False)[0]
        for ax, (across, up) in zip(axes, pairs, strict=True):
            _cloud(ax, summary, across, up, ink)
    parts[-1].text(0.01, 0.98, "\n".join(map(harmless, notes)), fontsize=7, color=ink.axes, va="top", **NO_MATH)
    return figure


def _names(summary: pd.DataFrame) -> list[str]:
    """What each setting is called, in the table's order."""
    by = summary.attrs.get("by", [])
    found = dict.fromkeys(map(tuple, summary[by].astype(str).to_numpy().tolist())) if by else {("all",): None}
    return [harmless(one_line(" · ".join(levels), limit=_LONGEST)) for levels in found]


def _of(summary: pd.DataFrame, metric: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = summary[summary["metric"] == metric].to_dict("records")
    return found


def _forests(part: Any, summary: pd.DataFrame, metrics: Sequence[str], names: Sequence[str], ink: Ink) -> None:
    axes = part.subplots(1, len(metrics), squeeze=False, sharey=True)[0]
    for ax, metric in zip(axes, metrics, strict=True):
        for row, one in enumerate(_of(summary, metric)):
            span = (one["mean"], one["low"], one["high"])
            _bar(ax, row, span, colour=reference_colour(row), filled=True)
        _finish(ax, metric, names, ink)
        ax.set_title(metric, **_title(ink))
    said = f"mean, with its {summary.attrs.get('level', 0.95):.0%} interval"
    part.supxlabel(said, fontsize=_SMALL, color=ink.axes)


def _differences(part: Any, summary: pd.DataFrame, metrics: Sequence[str], names: Sequence[str], ink: Ink) -> None:
    """Filled where it can be told apart from the baseline, hollow where it cannot."""
    first = next(n for n, one in enumerate(_of(summary, metrics[0])) if one["told"] == "baseline")
    others = [n for n in range(len(names)) if n != first]
    axes = part.subplots(1, len(metrics), squeeze=False, sharey=True)[0]
    for ax, metric in zip(axes, metrics, strict=True):
        told = _of(summary, metric)
        ax.axvline(0, color=ink.axes, linewidth=0.8, linestyle=(0, (3, 3)))
        for row, n in enumerate(others):
            one = told[n]
            span = (one["difference"], one["difference_low"], one["difference_high"])
            _bar(ax, row, span, colour=reference_colour(n), filled=one["told"] in {"more", "less"})
        _finish(ax, metric, [names[n] for n in others], ink)
        ax.set_title(metric, **_title(ink))
    part.supxlabel(
        harmless(f"difference to {names[first]}; hollow: not told apart"), fontsize=_SMALL, color=ink.axes, **NO_MATH
    )


def _bar(ax: Axes, row: int, span: tuple[float, float, float], *, colour: str, filled: bool) -> None:
    mean, low, high = span
    if np.isfinite(low):
        ax.plot([low, high], [row, row], color=colour, linewidth=1.6, solid_capstyle="round")
    face = colour if filled else "none"
    ax.plot([mean], [row], "o", color=colour, markerfacecolor=face, markersize=5, markeredgewidth=1.3)


def _finish(ax: Axes, metric: str, names: Sequence[str], ink: Ink) -> None:
    plain(ax, ink)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_yticks(range(len(names)), names, fontsize=_SMALL, color=ink.axes, **NO_MATH)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.margins(x=0.12)
    _numbers(ax.xaxis, metric)


def _numbers(axis: Any, metric: str) -> None:
    axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    if metric in _SHARES:
        axis.set_major_formatter(PercentFormatter(1, decimals=0))


def _cloud(ax: Axes, summary: pd.DataFrame, across: str, up: str, ink: Ink) -> None:
    """Two metrics against each other, a cross of intervals for each setting: never folded into one."""
    for row, (a, b) in enumerate(zip(_of(summary, across), _of(summary, up), strict=True)):
        colour = reference_colour(row)
        if np.isfinite(a["low"]):
            ax.plot([a["low"], a["high"]], [b["mean"], b["mean"]], color=colour, linewidth=1.4)
        if np.isfinite(b["low"]):
            ax.plot([a["mean"], a["mean"]], [b["low"], b["high"]], color=colour, linewidth=1.4)
        ax.plot([a["mean"]], [b["mean"]], "o", color=colour, markersize=5)
    plain(ax, ink)
    ax.margins(0.15)
    _numbers(ax.xaxis, across)
    _numbers(ax.yaxis, up)
    ax.set_xlabel(_UNITS.get(across, across), fontsize=_SMALL, color=ink.axes)
    ax.set_ylabel(_UNITS.get(up, up), fontsize=_SMALL, color=ink.axes)


def _title(ink: Ink) -> dict[str, Any]:
    return {"fontsize": _SMALL, "color": ink.axes, "loc": "left", "pad": 4}
