"""A report of adherence as static figures, drawn with matplotlib: they survive an export and a saved notebook.

This module loads matplotlib: import it only where something is drawn. No figure is
pyplot's, so that none is shown twice, kept, or changed by what a notebook sets there.

What unrelated pictures score stands behind every number as a grey band. Lines are named
at their end. The ground is transparent and the axes are of a grey that can be read on
white and on a dark page.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from refvideo_nb.display.page import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from refvideo_nb.core.adherence import Report

__all__ = ["INK", "NO_MATH", "PAPER", "Ink", "confusion_figure", "copying_figure", "curves_figure", "png"]

_LINE_HEIGHT, _ROW_HEIGHT = 0.78, 0.17  # inches of a curve, and of a row of the strip
NO_MATH: dict[str, Any] = {"parse_math": False, "usetex": False}  # names are text, also where they hold a dollar
_SMALL, _TEXT = 8, 9  # points


class Ink(msgspec.Struct, frozen=True):
    """The colours of what is not data, and the ground, which is ``"none"`` for a page of any colour."""

    axes: str
    band: str
    ground: str


INK = Ink(axes="#7a7a7a", band="#808080", ground="none")
"""For a page that may be light or dark."""

PAPER = Ink(axes="#333333", band="#808080", ground="#ffffff")
"""For print."""


class _Shown(Figure):
    """A figure that shows itself as the last line of a cell, without pyplot."""

    def _repr_png_(self) -> bytes:
        return png(self, dpi=110)


def png(figure: Figure, *, dpi: float) -> bytes:
    """A figure as PNG bytes, the same for the same figure."""
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of letters that the font does not have
        figure.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    return out.getvalue()


def new_figure(width: float, height: float, ink: Ink) -> Figure:
    """An empty figure, inches wide and high, that keeps its parts apart by itself."""
    figure = _Shown(figsize=(width, height), layout="constrained", facecolor=ink.ground)
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.02, hspace=0.02, wspace=0.02)  # type: ignore[union-attr,call-arg]
    return figure


def curves_figure(report: Report, colours: Sequence[str], *, ink: Ink = INK, width: float = 7.2) -> Figure:
    """Similarity over time: a curve for each reference, and below them all of them as a strip.

    Parameters
    ----------
    report : Report
    colours : sequence of str
        One for each reference, ``"#rrggbb"``.
    ink : Ink
    width : float
        Inches.
    """
    count = len(report.references)
    tall = _LINE_HEIGHT if count > 1 else 1.4 * _LINE_HEIGHT
    heights = [tall] * count + [_ROW_HEIGHT * count + 0.1]
    figure = new_figure(width, sum(heights) + 0.55, ink)
    draw_curves(figure, report, colours, ink=ink, heights=heights)
    return figure


def draw_curves(
    figure: Any, report: Report, colours: Sequence[str], *, ink: Ink, heights: Sequence[float] | None = None
) -> None:
    """The same into a figure, or a part of one, that is there."""
    count = len(report.references)
    ratios = heights or [_LINE_HEIGHT] * count + [_ROW_HEIGHT * count + 0.1]
    axes = figure.subplots(count + 1, 1, sharex=True, height_ratios=ratios, squeeze=False)[:, 0]
    low, high = _reach(report)
    for index, ax in enumerate(axes[:-1]):
        _curve(ax, report, index, colours[index], ink)
        ax.set_ylim(low, high)
    strip(axes[-1], report, colours, ink)
    axes[-1].set_xlabel("seconds", fontsize=_SMALL, color=ink.axes)


def _reach(report: Report) -> tuple[float, float]:
    """One range for all curves, so that they can be compared."""
    values = [
        report.similarity,
        *(n.low for n in report.negatives.values()),
        *(n.high for n in report.negatives.values()),
    ]
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    room = 0.06 * max(high - low, 0.1)
    return low - room, high + room


def _curve(ax: Axes, report: Report, index: int, colour: str, ink: Ink) -> None:
    one = report.references[index]
    chance = report.negatives[one.name]
    # The last frame stands until the end.
    times = np.append(report.times, max(report.seconds, float(report.times[-1])))
    low, high, values = (np.append(v, v[-1]) for v in (chance.low, chance.high, report.similarity[:, index]))
    ax.fill_between(times, low, high, color=ink.band, alpha=0.28, linewidth=0)
    ax.axhline(chance.threshold, color=ink.axes, linewidth=0.8, linestyle=(0, (3, 3)))
    ax.plot(times, values, color=colour, linewidth=1.8, solid_capstyle="round", clip_on=False)
    plain(ax, ink)
    ax.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    ax.set_xlim(*_span(report))
    _at_end(ax, float(values[-1]), f"@{one.name}", colour)


def _span(report: Report) -> tuple[float, float]:
    return 0.0, max(report.seconds, float(report.times[-1]), 1e-3)


def strip(ax: Axes, report: Report, colours: Sequence[str], ink: Ink) -> None:
    """S[t, r] as a strip: a row for each reference, grey where it is not covered, its colour from there on."""
    values, covered = report.similarity.T, report.covered().T
    picture = np.zeros((*values.shape, 4))
    limits = np.array([report.negatives[r.name].threshold for r in report.references])[:, None]
    # One scale for all rows: from the threshold, which is faint, to the best of all, which is full.
    above = (values - limits) / max(float((values - limits).max()), 1e-6)
    for row, colour in enumerate(colours):
        picture[row] = to_rgba(colour)
        picture[row, ~covered[row]] = to_rgba(ink.band)
    picture[..., 3] = np.where(covered, 0.3 + 0.7 * np.clip(above, 0, 1), 0.16)
    left, right = _span(report)
    edges = _edges(report.times, right)
    for row in range(len(colours)):
        for column in range(len(edges) - 1):
            place, wide = (edges[column], row + 0.08), edges[column + 1] - edges[column]
            ax.add_patch(_box(place, wide, 0.84, facecolor=tuple(picture[row, column])))
    ax.set_xlim(left, right)
    ax.set_ylim(len(colours), 0)
    plain(ax, ink)
    ax.spines["left"].set_visible(False)
    ax.set_yticks([])
    for row, one in enumerate(report.references):
        _at_end(ax, row + 0.5, f"@{one.name}", colours[row])


def _box(at: tuple[float, float], width: float, height: float, **look: Any) -> Rectangle:
    return Rectangle(at, width, height, linewidth=0, **look)


def _edges(times: NDArray[np.float64], end: float) -> NDArray[np.float64]:
    """Where the cell of each moment begins and ends: a frame stands until the next."""
    return np.append(times, max(end, float(times[-1]) + 1e-3))


def confusion_figure(report: Report, colours: Sequence[str], *, ink: Ink = INK, width: float = 3.4) -> Figure:
    """Which reference the winning box of each reference is nearest to, as shares of its covered frames."""
    figure = new_figure(width, 0.75 * width, ink)
    draw_confusion(figure.subplots(), report, colours, ink=ink)
    return figure


def draw_confusion(ax: Axes, report: Report, colours: Sequence[str], *, ink: Ink) -> None:
    """The same onto axes that are there."""
    counts = report.confusion
    size = len(counts)
    sums = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(sums, 1)
    # A bar for the share below each number: a tint behind it could not be read on every page.
    for row, colour in enumerate(colours):
        for column in range(size):
            place = (column - 0.42, row + 0.26)
            ax.add_patch(_box(place, 0.84, 0.12, facecolor=ink.band, alpha=0.25))
            ax.add_patch(_box(place, 0.84 * shares[row, column], 0.12, facecolor=colour))
    ax.set_xlim(-0.5, size - 0.5)
    ax.set_ylim(size - 0.5, -0.5)
    ax.patch.set_alpha(0)
    names = [harmless(f"@{r.name}")[:18] for r in report.references]
    for row in range(size):
        for column in range(size):
            said = "–" if not sums[row] else str(int(counts[row, column]))
            ax.text(column, row, said, ha="center", va="center", fontsize=_TEXT, color=ink.axes, **NO_MATH)
    turned = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if size > 3 else {}  # noqa: PLR2004 - fits side by side
    ax.set_xticks(range(size), names, fontsize=_SMALL, color=ink.axes, **NO_MATH, **turned)  # type: ignore[arg-type]
    ax.set_yticks(range(size), names, fontsize=_SMALL, color=ink.axes, **NO_MATH)
    ax.tick_params(length=0)
    ax.set_xlabel("nearest to", fontsize=_SMALL, color=ink.axes)
    ax.set_ylabel("frames of", fontsize=_SMALL, color=ink.axes)
    for spine in ax.spines.values():
        spine.set_visible(False)


def copying_figure(report: Report, colours: Sequence[str], *, ink: Ink = INK, width: float = 4.4) -> Figure:
    """Adherence against copying: a picture that stands in place of a scene is at the top, however adherent."""
    figure = new_figure(width, 0.4 * width, ink)
    draw_copying(figure.subplots(), report, colours, ink=ink)
    return figure


def draw_copying(ax: Axes, report: Report, colours: Sequence[str], *, ink: Ink) -> None:
    """The same onto axes that are there."""
    low = min(float(n.low.mean()) for n in report.negatives.values())
    high = max(float(n.high.mean()) for n in report.negatives.values())
    ax.axvspan(low, high, color=ink.band, alpha=0.28, linewidth=0)
    taken: list[tuple[float, float]] = []
    for score, colour in zip(report.scores, colours, strict=True):
        spread = [[max(score.adherence - score.low, 0)], [max(score.high - score.adherence, 0)]]
        at = (score.adherence, score.copied)
        ax.errorbar(*at, xerr=spread, fmt="o", color=colour, markersize=5, linewidth=1.2, clip_on=False)
        # Names that would lie on one another go apart, each by a line, and away from the nearer border.
        rank = sum(abs(x - at[0]) < 0.25 and abs(y - at[1]) < 0.12 for x, y in taken)  # noqa: PLR2004 - of the axes' reach
        taken.append(at)
        away = 5 + 10 * rank if score.copied < 0.5 else -13 - 10 * rank  # noqa: PLR2004 - the middle
        place = {"xytext": (0, away), "textcoords": "offset points", "ha": "center"}
        name = harmless(f"@{score.reference}")[:24]
        ax.annotate(name, at, fontsize=_TEXT, color=colour, annotation_clip=False, **place, **NO_MATH)  # type: ignore[arg-type]
    ends = [low, high, *(s.low for s in report.scores), *(s.high for s in report.scores)]
    room = 0.12 * max(max(ends) - min(ends), 0.1)
    ax.set_xlim(min(ends) - room, max(ends) + room)
    ax.set_ylim(-0.04, 1.04)
    plain(ax, ink)
    ax.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    ax.set_xlabel("adherence", fontsize=_SMALL, color=ink.axes)
    ax.set_ylabel("frames copied", fontsize=_SMALL, color=ink.axes)


def plain(ax: Axes, ink: Ink) -> None:
    """Two thin axes and quiet numbers."""
    ax.patch.set_alpha(0)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(ink.axes)
        ax.spines[side].set_linewidth(0.6)
    ax.tick_params(colors=ink.axes, labelsize=_SMALL, width=0.6, length=2.5)
    ax.grid(visible=False)


def _at_end(ax: Axes, value: float, text: str, colour: str) -> None:
    """The name of a line at its end, outside the axes."""
    ax.annotate(
        harmless(text)[:24],
        (1, value),
        xycoords=("axes fraction", "data"),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=_TEXT,
        fontweight="bold",
        color=colour,
        annotation_clip=False,
        **NO_MATH,
    )
