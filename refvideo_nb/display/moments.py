"""The best and the worst moment of each reference: what the search found there, and where in the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from refvideo_nb.media.sampling import frames_shown

if TYPE_CHECKING:
    from pathlib import Path

    from refvideo_nb.core.adherence import Report

__all__ = ["Moment", "cut", "drawn", "moments_of"]

_SHORT_SIDE = 320  # pixels of a frame as it is decoded here
_WHOLE = 0.98  # share of the frame from which on a box is the frame


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A reference at one time.

    Attributes
    ----------
    best : bool
        Whether it is the best of its reference, and not the worst.
    time : float
        Seconds.
    similarity : float
    covered : bool
        Whether it is above the threshold.
    frame : ndarray
        ``(height, width, 3)`` uint8.
    box : tuple of float
        x0, y0, x1, y1 in pixels of `frame`.
    whole : bool
        Whether the box is the whole frame.
    """

    best: bool
    time: float
    similarity: float
    covered: bool
    frame: NDArray[np.uint8]
    box: tuple[float, float, float, float]
    whole: bool

    def crop(self) -> NDArray[np.uint8]:
        """What is in the box."""
        x0, y0, x1, y1 = (round(v) for v in self.box)
        return self.frame[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]


def moments_of(report: Report, video: Path) -> list[tuple[Moment, Moment]]:
    """The best and the worst moment of each reference.

    Parameters
    ----------
    report : Report
    video : pathlib.Path
        The file that was measured.

    Raises
    ------
    DownloadError
        Where it cannot be decoded.
    """
    best, worst = report.similarity.argmax(axis=0), report.similarity.argmin(axis=0)
    places = sorted({int(t) for t in (*best, *worst)})
    frames = frames_shown(video, [float(report.times[t]) for t in places], short_side=_SHORT_SIDE)
    held = dict(zip(places, frames, strict=True))
    return [
        (_moment(report, held, int(b), r, best=True), _moment(report, held, int(w), r, best=False))
        for r, (b, w) in enumerate(zip(best, worst, strict=True))
    ]


def _moment(report: Report, frames: dict[int, NDArray[np.uint8]], t: int, r: int, *, best: bool) -> Moment:
    frame = frames[t]
    height, width = frame.shape[:2]
    scale = np.array([width / report.width, height / report.height] * 2)
    box = np.clip(report.boxes[t, r] * scale, 0, [width, height] * 2)
    whole = (box[2] - box[0]) * (box[3] - box[1]) > _WHOLE * width * height
    return Moment(
        best=best,
        time=float(report.times[t]),
        similarity=float(report.similarity[t, r]),
        covered=bool(report.covered()[t, r]),
        frame=frame,
        box=tuple(float(v) for v in box),  # type: ignore[arg-type]  # four of them
        whole=bool(whole),
    )


def drawn(moment: Moment, colour: str, *, height: int) -> NDArray[np.uint8]:
    """The frame, `height` pixels high, with the box on it in the reference's colour."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - a report that is only printed does without

    tall, wide = moment.frame.shape[:2]
    scale = height / tall
    image = Image.fromarray(moment.frame).resize((max(1, round(wide * scale)), height), Image.Resampling.LANCZOS)
    if not moment.whole:
        draw = ImageDraw.Draw(image)
        x0, y0, x1, y1 = (v * scale for v in moment.box)
        # White beside the colour: it is seen on a ground of any colour.
        draw.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline="#ffffff", width=5)
        draw.rectangle((x0, y0, x1, y1), outline=colour, width=3)
    return np.asarray(image)


def cut(moment: Moment, *, height: int, widest: int) -> NDArray[np.uint8]:
    """What is in the box, at most `height` high and `widest` wide."""
    from PIL import Image  # noqa: PLC0415 - as above

    image = Image.fromarray(np.ascontiguousarray(moment.crop()))
    scale = min(height / image.height, widest / image.width)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))
