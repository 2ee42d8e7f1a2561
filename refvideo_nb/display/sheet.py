"""A whole report as one figure, for a paper or for a viewer that keeps no HTML; loads matplotlib."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from refvideo_nb.display.moments import cut, drawn
from refvideo_nb.display.page import harmless
from refvideo_nb.display.plots import NO_MATH, draw_confusion, draw_copying, draw_curves, new_figure
from refvideo_nb.media.images import thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from refvideo_nb.core.adherence import Report
    from refvideo_nb.display.moments import Moment
    from refvideo_nb.display.plots import Ink
    from refvideo_nb.display.sides import Seen

__all__ = ["draw_report"]

_WIDTH = 8.4  # inches
_ROW = 1.25  # of the pictures of a reference
_PIXELS = 300  # high, of a picture


def draw_report(
    report: Report, references: Sequence[Seen], moments: Sequence[tuple[Moment, Moment]], *, ink: Ink
) -> Figure:
    """Pictures, curves, and what was confused or copied, under one another.

    Parameters
    ----------
    report : Report
    references : sequence of Seen
    moments : sequence of (Moment, Moment)
        The best and the worst of each reference; empty leaves the pictures out.
    ink : Ink
    """
    count = len(references)
    colours = [s.colour for s in references]
    heights = [*([_ROW * count] if moments else []), 0.78 * count + 0.17 * count + 0.75, 2.4]
    figure = new_figure(_WIDTH, sum(heights), ink)
    parts = np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights))  # type: ignore[arg-type]
    for part in parts:
        part.set_facecolor("none")
    if moments:
        _pictures(parts[0], references, moments, ink)
    draw_curves(parts[-2], report, colours, ink=ink)
    several = count > 1 and bool(report.confusion.any())
    axes = np.atleast_1d(parts[-1].subplots(1, 2 if several else 1, squeeze=False)[0])
    draw_copying(axes[-1], report, colours, ink=ink)
    if several:
        draw_confusion(axes[0], report, colours, ink=ink)
    return figure


def _pictures(part: Any, references: Sequence[Seen], moments: Sequence[tuple[Moment, Moment]], ink: Ink) -> None:
    """Reference, best crop and frame, worst crop and frame: a row for each reference."""
    axes = part.subplots(len(references), 5, squeeze=False, width_ratios=[1.33, 1.2, 1.78, 1.2, 1.78])
    for row, (seen, (best, worst)) in enumerate(zip(references, moments, strict=True)):
        shown = [(_reference(seen), seen.name, seen.colour)]
        for moment in (best, worst):
            said = f"{'best' if moment.best else 'worst'}, {moment.time:.1f} s: {moment.similarity:.2f}"
            small = None if moment.whole else cut(moment, height=_PIXELS, widest=2 * _PIXELS)
            shown += [(small, "" if moment.whole else said, ink.axes)]
            shown += [(drawn(moment, seen.colour, height=_PIXELS), said if moment.whole else "", ink.axes)]
        for ax, (picture, text, colour) in zip(axes[row], shown, strict=True):
            ax.set_axis_off()
            if picture is not None:
                ax.imshow(picture)
            if text:
                ax.set_title(harmless(text)[:32], fontsize=7.5, color=colour, loc="left", pad=3, **NO_MATH)


def _reference(seen: Seen) -> NDArray[np.uint8] | None:
    from PIL import Image  # noqa: PLC0415 - see `display.pictures`

    if not seen.data:
        return None
    try:
        small = thumbnail(seen.data, width=_PIXELS * 4 // 3, height=_PIXELS, quality=92)
        return np.asarray(Image.open(io.BytesIO(small)).convert("RGB"))
    except Exception:  # noqa: BLE001 - a picture that cannot be read must not cost the figure, whatever Pillow raises
        return None
