"""What is compared, as values, and what the player shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.adherence import Report
from refvideo_nb.core.job import JobRecord, VideoFacts
from refvideo_nb.display.curves import curves_of
from refvideo_nb.display.differences import Differences, Phrase, differences_of
from refvideo_nb.display.page import harmless
from refvideo_nb.display.words import money
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "LETTERS",
    "SIMULATED",
    "Asked",
    "Seen",
    "Side",
    "asked_of",
    "caption_of",
    "differences_between",
    "player_facts",
    "spaced",
    "title_of",
]

LETTERS = "ABCDEFGHI"
SIMULATED = "SIMULATED"
_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the videos that are compared.

    Attributes
    ----------
    label : str
        What it is called here.
    video : pathlib.Path
    facts : VideoFacts
    record : JobRecord or None
        The job that it came from, where it is one of ours.
    report : Report or None
        How well it followed its references, where that was measured.
    """

    label: str
    video: Path
    facts: VideoFacts
    record: JobRecord | None = None
    report: Report | None = None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A reference as it is shown.

    Attributes
    ----------
    name : str
        With its ``@``.
    colour : str
        ``"#rrggbb"``, the same wherever it is shown.
    data : bytes or None
        A picture that stands for it, encoded.
    caption : str
    """

    name: str
    colour: str
    data: bytes | None
    caption: str = ""


class Asked(msgspec.Struct, frozen=True):
    """What was asked for a video, with what not all have marked; the prompt only where they differ."""

    settings: tuple[Phrase, ...] = ()
    prompt: tuple[Phrase, ...] = ()


def player_facts(sides: Sequence[Side], references: Sequence[Seen], *, title: str = "") -> dict[str, Any]:
    """What the player shows, but for the bytes of videos and pictures.

    Parameters
    ----------
    sides : sequence of Side
        One to nine.
    references : sequence of Seen
    title : str
        Above the videos; a word of ours without it.

    Returns
    -------
    dict
        Plain JSON: the `data` of the player's ``mount``, to whose `references` and `videos`
        whoever shows it adds ``url`` or ``bytes``.
    """
    found = differences_between(sides)
    return {
        "title": one_line(title or title_of(sides) + (", one clock" if len(sides) > 1 else ""), limit=160),
        "same": found.same if found else "",
        "different": [one_line(d, limit=80) for d in found.different] if found else [],
        "asked": _asked_rows(sides, references, found),
        "curves": curves_of([side.report for side in sides], [(r.name, r.colour) for r in references]),
        "references": [
            {"name": one_line(r.name, limit=80), "colour": r.colour, "caption": one_line(r.caption, limit=80)}
            for r in references
        ],
        "videos": [
            {
                "label": one_line(side.label, limit=80),
                "caption": one_line(" · ".join([caption_of(side), *_paid(side)]), limit=120),
                "badge": SIMULATED if side.record and side.record.simulated else "",
                "fps": side.facts.fps or 24.0,
                "seconds": side.facts.seconds,
                "width": side.facts.width,
                "height": side.facts.height,
                "audio": side.facts.audio,
                "nbytes": side.facts.nbytes,
            }
            for side in sides
        ],
    }


def differences_between(sides: Sequence[Side]) -> Differences | None:
    """Between the jobs among them; None where there is no job."""
    records = [s.record for s in sides if s.record]
    return differences_of(records) if records else None


def title_of(sides: Sequence[Side]) -> str:
    return "Result" if len(sides) == 1 else f"{_NUMBERS[len(sides)]} videos"


def caption_of(side: Side) -> str:
    """What a video is, where its label does not say it."""
    facts = side.facts
    return f"{facts.width}×{facts.height}, {facts.seconds:.3g} s"


def _paid(side: Side) -> list[str]:
    return [money(side.record)] if side.record else []


def asked_of(sides: Sequence[Side], found: Differences | None) -> list[Asked]:
    """What was asked for each video; nothing for one that is not ours."""
    if found is None:
        return [Asked()] * len(sides)
    of_jobs = iter(zip(found.settings, found.prompts or [()] * len(found.settings), strict=True))
    return [Asked(*next(of_jobs)) if side.record else Asked() for side in sides]


def _asked_rows(sides: Sequence[Side], references: Sequence[Seen], found: Differences | None) -> list[dict[str, Any]]:
    """Prompts and settings as the player shows them: a name, and phrases."""
    if found is None:
        return []
    colours = {r.name: r.colour for r in references}
    rows = [("Prompt", found.prompt)] if found.prompt else []
    for letter, asked in zip(LETTERS, asked_of(sides, found), strict=False):
        name = letter if len(sides) > 1 else ""
        rows += [(name, spaced(asked.settings))] if asked.settings else []
        rows += [("", asked.prompt)] if asked.prompt else []
    return [
        {
            "name": name,
            "phrases": [
                {"text": harmless(p.text), "marked": p.marked, "colour": colours.get(f"@{p.reference}", "")}
                for p in phrases
            ],
        }
        for name, phrases in rows
    ]


def spaced(phrases: Sequence[Phrase]) -> tuple[Phrase, ...]:
    """Settings with a dot between them."""
    return tuple(p for phrase in phrases for p in (Phrase(" · "), phrase))[1:]
