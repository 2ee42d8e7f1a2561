"""Reports of adherence as curves under videos that play."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refvideo_nb.display.palette import reference_colour
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from refvideo_nb.core.adherence import Report, Score

__all__ = ["curves_of", "score_words"]

_MOST = 240  # points of a curve: more are not seen


def curves_of(reports: Sequence[Report | None], references: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """What the player shows below the videos: a row for each reference, a curve in it for each video.

    Parameters
    ----------
    reports : sequence of Report or None
        One for each video, in their order; None where there is none.
    references : sequence of (str, str)
        Names as they are shown, ``"@cat"``, and their colours. A reference is known by its name.

    Returns
    -------
    list of dict
        Plain JSON; empty where there is no report.
    """
    colours = dict(reversed(references))
    names = list(dict.fromkeys(one.name for report in reports if report for one in report.references))
    return [
        {
            "name": one_line(f"@{name}", limit=80),
            "colour": colours.get(f"@{name}", reference_colour(place)),
            "tracks": [_track(report, name) for report in reports],
        }
        for place, name in enumerate(names)
    ]


def _track(report: Report | None, name: str) -> dict[str, Any] | None:
    column = next((n for n, one in enumerate(report.references) if one.name == name), None) if report else None
    if report is None or column is None:
        return None
    chance = report.negatives[name]
    step = -(-len(report.times) // _MOST)

    def few(values: NDArray[Any]) -> list[float]:
        return [round(float(v), 3) for v in values[::step]]

    return {
        "times": few(report.times),
        "values": few(report.similarity[:, column]),
        "low": few(chance.low),
        "high": few(chance.high),
        "limit": round(chance.threshold, 3),
        "said": score_words(report, report.scores[column]),
    }


def score_words(report: Report, score: Score) -> str:
    """A reference's score in a line, beside what chance gives."""
    chance = report.negatives[score.reference]
    band = f"{float(chance.low.mean()):.2f} to {float(chance.high.mean()):.2f}"
    return one_line(
        f"adherence {score.adherence:.2f}, by chance {band}, {score.verdict}, covered {100 * score.coverage:.0f} %",
        limit=200,
    )
