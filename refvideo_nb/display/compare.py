"""Videos beside their references and beside one another: the still twin of a live player.

It is one output without scripts: it is what a saved notebook keeps, and what is left of
a comparison after a reload, an export, or on a repository's web page. Its size is bounded,
whatever is compared: of what pictures and text leave, every video gets a share by its length,
and a small silent copy of it is put in where that can be recognised at such a size.
"""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from refvideo_nb.display import words
from refvideo_nb.display.comparesheet import Row, draw_comparison
from refvideo_nb.display.contact import frame_times
from refvideo_nb.display.curves import score_words
from refvideo_nb.display.differences import Phrase
from refvideo_nb.display.page import Embedded, harmless, render
from refvideo_nb.display.pictures import data_url, jpeg
from refvideo_nb.display.shelf import Shelf
from refvideo_nb.display.sides import (
    LETTERS,
    SIMULATED,
    Asked,
    Seen,
    Side,
    asked_of,
    caption_of,
    differences_between,
    spaced,
    title_of,
)
from refvideo_nb.errors import DownloadError, one_line
from refvideo_nb.media.images import thumbnail
from refvideo_nb.media.preview import preview
from refvideo_nb.media.video import frames_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from refvideo_nb.display.differences import Differences
    from refvideo_nb.display.page import Bundle

__all__ = ["MOST_BYTES", "compare_bundle"]

MOST_BYTES = 2_000_000
"""How much a comparison adds to the file of a notebook, in bytes as they are stored there."""

_SHELF = Shelf(32_000_000)
_FRAMES = 6
_FRAME_WIDTH = 320  # pixels of a frame as it is decoded
_ACROSS, _UPRIGHT = 3, 6  # frames in a row beside the video: of a wide one, and of an upright one
_STRIP = 480  # pixels of the page for a row of frames
_WIDEST, _TALLEST = 320, 300  # pixels of the page for a video
_LARGEST_COPY = 1_200_000  # bytes; one video alone needs no more at that size
_ALL_FRAMES = 300_000  # bytes, before base64
_TILE, _FEW = (120, 90), 9  # pixels of the page, and for how many references they are sharp


class _Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One video as the template shows it; `width` and `frame` are pixels of the page."""

    letter: str
    side: Side
    title: str
    settings: tuple[Phrase, ...]
    prompt: tuple[Phrase, ...]
    money: str
    frames: tuple[tuple[Markup, str], ...]
    followed: tuple[tuple[str, str], ...]
    width: int
    frame: tuple[int, int]


def compare_bundle(
    sides: Sequence[Side], references: Sequence[Seen], *, title: str = "", most_bytes: int = MOST_BYTES
) -> Bundle:
    """The still twin of a comparison as one MIME bundle.

    Parameters
    ----------
    sides : sequence of Side
        One to nine.
    references : sequence of Seen
    title : str
        Above the videos.
    most_bytes : int
        Of the bundle, as a notebook stores it. Text and pictures take theirs (at most about
        1 MB, for nine videos); the rest goes to small copies of the videos.

    Returns
    -------
    dict
        ``text/html``, ``image/png`` and ``text/plain``.

    Raises
    ------
    DownloadError
        Where a file cannot be decoded, naming it.
    """
    found = differences_between(sides)
    times = [frame_times(side.facts.seconds, _FRAMES) for side in sides]
    frames = [frames_at(side.video, at, width=_FRAME_WIDTH) for side, at in zip(sides, times, strict=True)]
    most = _ALL_FRAMES // len(sides)
    shown = [
        _shown(side, letter, zip(*strip, strict=True), asked=asked, most_bytes=most)
        for side, letter, strip, asked in zip(
            sides, LETTERS, zip(frames, times, strict=True), asked_of(sides, found), strict=False
        )
    ]
    rows = [Row(s.letter, s.side.label, _line(s), s.prompt, f, t) for s, f, t in zip(shown, frames, times, strict=True)]
    sheet = draw_comparison(
        rows, [(r.name, r.colour, r.data) for r in references], prompt=found.prompt if found else ()
    )
    bundle = {"text/plain": _plain(shown, references, found), "image/png": b64encode(sheet).decode("ascii")}
    page: dict[str, Any] = {
        "title": one_line(title or title_of(sides), limit=160),
        "references": [(r, _tile(r, len(references))) for r in references],
        "tile": _TILE,
        "shown": shown,
        "found": found,
        "colours": {r.name: r.colour for r in references},
        "simulated": any(s.record and s.record.simulated for s in sides),
        "strip": _STRIP,
    }
    without = {**bundle, "text/html": render("compare.html", copies=[None] * len(sides), **page)}
    copies = _copies(sides, most_bytes - len(json.dumps(without)))
    html = render("compare.html", copies=copies, **page)
    for copy in copies:
        html = copy.into(html) if copy else html
    return {"text/html": html, **bundle}


def _shown(side: Side, letter: str, strip: Iterable[tuple[Any, float]], *, asked: Asked, most_bytes: int) -> _Shown:
    facts = side.facts
    ratio = facts.width / max(facts.height, 1)
    across = _ACROSS if ratio >= 1 else _UPRIGHT
    wide = (_STRIP - 8 * (across - 1)) // across
    most = most_bytes // _FRAMES
    return _Shown(
        letter=letter,
        side=side,
        settings=asked.settings or (Phrase(caption_of(side)),),
        money=words.money(side.record) if side.record else "",
        followed=_followed(side),
        frames=tuple((data_url(jpeg(frame, most_bytes=most), "image/jpeg"), f"{at:.1f} s") for frame, at in strip),
        prompt=asked.prompt,
        title=one_line(f"Video {letter}: {side.label}", limit=160),
        width=round(min(_WIDEST, _TALLEST * ratio)),
        frame=(wide, round(wide / ratio)),
    )


def _followed(side: Side) -> tuple[tuple[str, str], ...]:
    """How well each reference was followed, where that was measured."""
    report = side.report
    return tuple((f"@{s.reference}", score_words(report, s)) for s in report.scores) if report else ()


def _tile(reference: Seen, count: int) -> Markup | None:
    """A reference's picture; None where there is nothing to show."""
    if not reference.data:
        return None
    width, height = (2 * side for side in _TILE)
    try:
        made = thumbnail(reference.data, width=width, height=height, quality=82 if count <= _FEW else 60)
    except Exception:  # noqa: BLE001 - a picture that cannot be drawn must not cost the comparison, whatever Pillow raises
        return None
    return data_url(made, "image/jpeg")


def _copies(sides: Sequence[Side], most: int) -> list[Embedded | None]:
    """Something that plays for each video, all together of at most `most` characters of base64."""
    seconds = sum(side.facts.seconds for side in sides) or 1.0
    made: list[Embedded | None] = []
    for side in sides:
        share = int(max(most, 0) * 3 / 4 * side.facts.seconds / seconds) - 100
        data = _copy(side, share)
        made.append(Embedded(data, "video/mp4") if data else None)
    return made


def _copy(side: Side, most: int) -> bytes | None:
    if side.facts.nbytes <= most:
        with suppress(OSError):
            return side.video.read_bytes()

    def make() -> bytes | None:
        with suppress(DownloadError):
            return preview(side.video, most_bytes=min(most, _LARGEST_COPY), seconds=side.facts.seconds)
        return None

    return _SHELF.get((side.facts.sha256, most), make) if most > 0 else None


def _line(shown: _Shown) -> tuple[Phrase, ...]:
    """The settings in one line, and that it is simulated."""
    badge = (Phrase(SIMULATED),) if shown.side.record and shown.side.record.simulated else ()
    return spaced((*shown.settings, *badge))


def _plain(shown: Sequence[_Shown], references: Sequence[Seen], found: Differences | None) -> str:
    lines = [f"{r.name}: {one_line(r.caption, limit=120)}".removesuffix(": ") for r in references]
    for one in shown:
        lines.append(f"{one.letter}  {one_line(one.side.label, limit=80)} · {''.join(p.text for p in _line(one))}")
        lines += [f"   {name}: {said}" for name, said in one.followed]
        if one.prompt:
            lines.append("   " + "".join(p.text for p in one.prompt))
    if found:
        lines.append("".join(p.text for p in found.prompt))
        lines.append(found.same + (f" Different: {', '.join(found.different)}." if found.different else ""))
    return harmless("\n".join(line for line in lines if line.strip()))
