"""A report of adherence in words and numbers, none of which stands without what chance would give."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from refvideo_nb.display.page import harmless
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from refvideo_nb.core.adherence import Report, Score

__all__ = [
    "HEADS",
    "MEANINGS",
    "adherence_line",
    "adherence_plain",
    "band_words",
    "frames_words",
    "note_words",
    "row_of",
    "sentence_of",
    "setting_words",
]

HEADS = (
    "reference",
    "verdict",
    "adherence",
    "95 % interval",
    "by chance",
    "z",
    "p",
    "covered",
    "from",
    "longest gap",
    "copied",
    "first frame",
    "bound",
    "unsteady",
    "measured as",
)
MEANINGS = (
    "Adherence: mean similarity of what looks most like the reference, over all frames, and its interval. "
    "z, p: how far that is above unrelated pictures; the z of a sentence is that of covered frames. "
    "Covered: share of frames above the threshold. "
    "Copied: share of frames that are the picture itself; first frame: whether it is one of them. "
    "Bound: share of covered frames whose find is nearer to this reference than to another. "
    "Unsteady: median change of similarity from frame to frame."
)


def adherence_line(report: Report) -> str:
    """The report in one line.

    A reference's number never stands without its distance from chance.
    """
    said = ", ".join(f"{one_line(s.reference, limit=40)} {s.adherence:.2f} (z {s.z:.1f})" for s in report.scores)
    frames = len(report.times)
    return harmless(f"{one_line(report.video, limit=60)}: {said}; {frames} frame{'s' if frames != 1 else ''}")


def adherence_plain(report: Report, *, simulated: bool = False) -> str:
    """The report in plain words and numbers."""
    badge = ["SIMULATED: these numbers are of the simulator's clip and say nothing of any model"] if simulated else []
    lines = [adherence_line(report), *badge, *(sentence_of(s) for s in report.scores)]
    rows = [HEADS, *(row_of(report, s) for s in report.scores)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEADS))]
    lines += ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return harmless("\n".join([*lines, band_words(report), *(note_words(n) for n in report.notes)]))


def row_of(report: Report, score: Score) -> tuple[str, ...]:
    chance = report.negatives[score.reference]
    return (
        f"@{score.reference}",
        score.verdict,
        f"{score.adherence:.2f}",
        f"{score.low:.2f} to {score.high:.2f}",
        f"{float(chance.low.mean()):.2f} to {float(chance.high.mean()):.2f}",
        f"{score.z:.1f}",
        f"{score.p:.2g}",
        _share(score.coverage),
        "never" if score.onset is None else f"{score.onset:.1f} s",
        f"{score.longest_gap:.1f} s",
        _share(score.copied),
        "copied" if score.first_frame_copy else "not copied",
        _share(score.binding),
        "" if score.stability is None else f"{score.stability:.3f}",
        score.role,
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"


def sentence_of(score: Score) -> str:
    return one_line(score.sentence or f"{score.reference}: {score.verdict}", limit=400)


def band_words(report: Report) -> str:
    count = len(next(iter(report.negatives.values())).names)
    return (
        f"By chance: what {count} unrelated pictures score in the same frames by the same search, "
        "from the 5th to the 95th percentile."
    )


def note_words(note: str) -> str:
    """A note as a sentence.

    Examples
    --------
    >>> note_words("chance is told by 12 unrelated pictures only")
    'Chance is told by 12 unrelated pictures only.'
    """
    text = one_line(note)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "…")) else ".")


def frames_words(report: Report) -> str:
    count = len(report.times)
    return f"{count} frame{'s' if count != 1 else ''} of {report.seconds:.3g} s · {report.width}×{report.height}"


def setting_words(value: Any) -> str:
    """A setting as text; what is the same for every reference is said once.

    Examples
    --------
    >>> setting_words({"cat": ["brick", "moon"], "cup": ["brick", "moon"]})
    '["brick", "moon"]'
    """
    if isinstance(value, dict) and len(value) > 1:
        texts = {json.dumps(v) for v in value.values() if isinstance(v, list)}
        if len(texts) == 1 and all(isinstance(v, list) for v in value.values()):
            value = next(iter(value.values()))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(text, limit=4000)
