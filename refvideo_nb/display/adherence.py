"""A report of adherence as one output of a notebook: sentences first, then pictures, numbers, and how it was measured.

Adherence and copying stand beside each other and are never folded into one number, and
no number stands without what unrelated pictures score.
"""

from __future__ import annotations

import io
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from markupsafe import Markup

from refvideo_nb.core.optional import needed
from refvideo_nb.display.measured import (
    HEADS,
    MEANINGS,
    adherence_plain,
    band_words,
    frames_words,
    note_words,
    row_of,
    sentence_of,
    setting_words,
)
from refvideo_nb.display.moments import Moment, cut, drawn, moments_of
from refvideo_nb.display.page import render
from refvideo_nb.display.pictures import data_url, jpeg
from refvideo_nb.errors import DownloadError, one_line
from refvideo_nb.media.images import thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from refvideo_nb.core.adherence import Report
    from refvideo_nb.display.page import Bundle
    from refvideo_nb.display.sides import Seen

__all__ = ["MOST_BYTES", "adherence_bundle", "paper_figure"]

MOST_BYTES = 400_000
"""How much a report adds to the file of a notebook, in bytes as they are stored there."""

_TALL, _WIDEST = 108, 200  # pixels of the page for a picture
_FEW = 4  # references, up to which whole frames stand beside the crops
_SHARP, _BLURRED = 1.5, 1.0  # pixels of a picture for one of the page, of few references and of many
_PICTURES = 110_000  # bytes of all of them, before base64
_WIDTH = 720  # pixels of the page for the curves
_DPI = 180
_STILL_DPI = (80, 60, 45, 30)  # the first that fits


class _Picture(msgspec.Struct, frozen=True):
    """A picture as the template shows it, in pixels of the page."""

    url: Markup
    width: int
    height: int
    alt: str


class _Found(msgspec.Struct, frozen=True):
    """A moment as the template shows it."""

    caption: str
    pictures: tuple[_Picture, ...]


class _One(msgspec.Struct, frozen=True):
    """A reference as the template shows it; `found` is empty where the video is gone."""

    name: str
    colour: str
    sentence: str
    picture: _Picture | None
    found: tuple[_Found, ...]


def adherence_bundle(
    report: Report, references: Sequence[Seen], *, video: Path | None, simulated: bool = False
) -> Bundle:
    """A report as one MIME bundle.

    Parameters
    ----------
    report : Report
    references : sequence of Seen
        As the report has them, with their pictures and colours.
    video : pathlib.Path or None
        The file that was measured, where it is still there.
    simulated : bool
        Whether the clip is the simulator's: then its numbers say nothing of any model.

    Returns
    -------
    dict
        ``text/html``, ``image/png`` and ``text/plain``, of at most about `MOST_BYTES`.

    Raises
    ------
    MissingDependencyError
        Without matplotlib.
    """
    moments = _moments(report, video)
    html = render(
        "adherence.html",
        ones=[_one(report, n, seen, moments[n] if moments else ()) for n, seen in enumerate(references)],
        curves=_curves(report, references),
        copying=_copying(report, references),
        confusion=_confusion(report, references),
        heads=HEADS[:-1],
        rows=[(seen, row_of(report, s)) for seen, s in zip(references, report.scores, strict=True)],
        band=band_words(report),
        video=one_line(report.video, limit=80),
        frames=frames_words(report),
        gone=video is not None and not moments,
        simulated=simulated,
        settings=[(key, setting_words(value)) for key, value in report.settings.items()],
        notes=[note_words(note) for note in report.notes],
        meanings=MEANINGS,
    )
    plain = adherence_plain(report, simulated=simulated)
    still = paper_figure(report, references, video=video, moments=moments, paper=False)
    left = MOST_BYTES - len(json.dumps([html, plain])) - 100
    return {"text/html": html, "text/plain": plain, "image/png": _within(still, left)}


def _within(figure: Any, most: int) -> str:
    """A figure as base64 of at most `most` characters, as sharp as that allows."""
    made = ""
    for dpi in _STILL_DPI:
        made = b64encode(_few_colours(_plots().png(figure, dpi=dpi))).decode("ascii")
        if len(made) <= most:
            break
    return made


def _moments(report: Report, video: Path | None) -> list[tuple[Moment, Moment]]:
    try:
        return moments_of(report, video) if video is not None else []
    except (DownloadError, OSError):  # the numbers stand without it
        return []


# --- pictures ---------------------------------------------------------------------------------------------------------


def _one(report: Report, index: int, seen: Seen, moments: Sequence[Moment]) -> _One:
    few = len(report.references) <= _FEW
    each = _PICTURES // (len(report.references) * (5 if few else 3))
    name = seen.name
    return _One(
        name=name,
        colour=seen.colour,
        sentence=sentence_of(report.scores[index]).removeprefix(f"{report.references[index].name}: "),
        picture=_reference(seen, each, _SHARP if few else _BLURRED),
        found=tuple(_found(m, name, seen.colour, each, few=few) for m in moments),
    )


def _reference(seen: Seen, most_bytes: int, sharp: float) -> _Picture | None:
    if not seen.data:
        return None
    width, height = round(_TALL * 4 / 3), _TALL

    def make() -> bytes:
        from PIL import Image  # noqa: PLC0415 - see `display.pictures`

        small = thumbnail(seen.data or b"", width=round(sharp * width), height=round(sharp * height), quality=90)
        return jpeg(np.asarray(Image.open(io.BytesIO(small)).convert("RGB")), most_bytes=most_bytes)

    try:
        made = make()
    except Exception:  # noqa: BLE001 - a picture that cannot be drawn must not cost the report, whatever Pillow raises
        return None
    return _Picture(data_url(made, "image/jpeg"), width, height, f"Reference {seen.name}")


def _found(moment: Moment, name: str, colour: str, most_bytes: int, *, few: bool) -> _Found:
    which = "best" if moment.best else "worst"
    sharp = _SHARP if few else _BLURRED
    made = []
    if not moment.whole:
        small = cut(moment, height=round(_TALL * sharp), widest=round(_WIDEST * sharp))
        made.append((small, f"What looks most like {name} at its {which} moment"))
    if few or moment.whole:
        made.append((drawn(moment, colour, height=round(_TALL * sharp)), f"The frame at {moment.time:.1f} s"))
    below = "" if moment.covered else ", below the threshold"
    return _Found(
        caption=f"{which} · {moment.time:.1f} s · {moment.similarity:.2f}{below}",
        pictures=tuple(
            _Picture(
                data_url(jpeg(array, most_bytes=most_bytes), "image/jpeg"),
                round(array.shape[1] / sharp),
                round(array.shape[0] / sharp),
                alt,
            )
            for array, alt in made
        ),
    )


def _curves(report: Report, references: Sequence[Seen]) -> _Picture:
    plots = _plots()
    figure = plots.curves_figure(report, [s.colour for s in references], width=_WIDTH / 100)
    data = _few_colours(_plots().png(figure, dpi=_DPI))
    names = ", ".join(s.name for s in references)
    alt = f"Similarity over time of {names}; the same numbers are in the table below"
    return _Picture(data_url(data, "image/png"), _WIDTH, round(float(figure.get_size_inches()[1]) * 100), alt)


def _copying(report: Report, references: Sequence[Seen]) -> _Picture:
    figure = _plots().copying_figure(report, [s.colour for s in references], width=4.4)
    data = _few_colours(_plots().png(figure, dpi=_DPI))
    wide, tall = (round(float(v) * 100) for v in figure.get_size_inches())
    return _Picture(data_url(data, "image/png"), wide, tall, "Adherence and share of copied frames of each reference")


def _few_colours(data: bytes) -> bytes:
    """The same picture with a palette: photographs among lines would take three times as much."""
    from PIL import Image  # noqa: PLC0415 - see `display.pictures`

    out = io.BytesIO()
    picture = Image.open(io.BytesIO(data)).quantize(128, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _plots() -> Any:
    needed("matplotlib", what="a figure of adherence")
    from refvideo_nb.display import plots  # noqa: PLC0415 - drawing loads matplotlib

    return plots


def paper_figure(
    report: Report,
    references: Sequence[Seen],
    *,
    video: Path | None,
    moments: list[tuple[Moment, Moment]] | None = None,
    paper: bool = True,
) -> Any:
    """All of it as one matplotlib figure: pictures, curves, confusion and copying.

    Parameters
    ----------
    report, references, video
        As for `adherence_bundle`.
    moments : list, optional
        Where they are at hand already.
    paper : bool
        Dark on white, and not grey on nothing.

    Returns
    -------
    matplotlib.figure.Figure
    """
    plots = _plots()
    from refvideo_nb.display.sheet import draw_report  # noqa: PLC0415 - as above

    held = _moments(report, video) if moments is None else moments
    return draw_report(report, references, held, ink=plots.PAPER if paper else plots.INK)


def _confusion(report: Report, references: Sequence[Seen]) -> list[tuple[str, str, list[tuple[str, float]]]]:
    """Rows of the confusion matrix: name, colour, and each count with its share; empty where there is none."""
    counts = report.confusion
    if len(counts) < 2 or not counts.any():  # noqa: PLR2004 - one is nearest to itself
        return []
    sums = np.maximum(counts.sum(axis=1), 1)
    return [
        (s.name, s.colour, [(str(int(c)), float(c / sums[n])) for c in counts[n]]) for n, s in enumerate(references)
    ]
