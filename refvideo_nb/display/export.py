"""Jobs as one page that needs nothing else: clips and references inside, played from the disk.

The page forbids itself the network, and every script but the one that is written here: its
policy names that by its hash, so that text from outside could not run even where escaping failed.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from refvideo_nb.core.job import FAILED, JobRecord
from refvideo_nb.core.provenance import provenance, video_facts
from refvideo_nb.display import words
from refvideo_nb.display.differences import Differences, Phrase, differences_of
from refvideo_nb.display.inline import data_in_script, inline, policy
from refvideo_nb.display.page import render
from refvideo_nb.display.palette import COLOURS
from refvideo_nb.display.pictures import data_url
from refvideo_nb.display.sides import (
    LETTERS,
    Asked,
    Seen,
    Side,
    asked_of,
    caption_of,
    differences_between,
    player_facts,
    spaced,
    title_of,
)
from refvideo_nb.errors import LedgerError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Part", "report"]

_SEVERAL = 2
_BLOCK = 3 << 18  # bytes, a multiple of three: their base64 can be joined


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Videos that one player shows, with their references.

    Attributes
    ----------
    sides : sequence of Side
        One to nine, or none; their records are `refvideo_nb.core.provenance.shareable`.
    references : sequence of Seen
    ended : sequence of JobRecord
        Jobs without a clip; shareable, too.
    title : str
        Of the page, where it is the first part; words of ours without it.
    """

    sides: Sequence[Side] = ()
    references: Sequence[Seen] = ()
    ended: Sequence[JobRecord] = ()
    title: str = ""


class _Ended(msgspec.Struct, frozen=True):
    """What stands in the place of a clip that did not come."""

    headline: str
    said: str
    money: str


class _Clip(msgspec.Struct, frozen=True):
    """A video as the template shows it; `element` is its id on the page, `mark` stands for its file."""

    element: str
    mark: str
    title: str
    width: int
    height: int


class _Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job, or a video of nobody in particular, as the template shows it."""

    letter: str = ""
    label: str
    prompt: tuple[Phrase, ...]
    settings: tuple[Phrase, ...]
    money: str = ""
    notes: Sequence[str] = ()
    simulated: bool = False
    about: str
    summary: str = "Request, ids and hashes"
    clip: _Clip | None = None
    ended: _Ended | None = None


class _Tile(msgspec.Struct, frozen=True):
    """A reference as the template shows it."""

    name: str
    colour: str
    caption: str
    element: str
    picture: Markup | None


class _Page(msgspec.Struct):
    """What was laid out so far: the parts, what the player is told, and which file belongs to which mark."""

    made_by: str
    parts: list[dict[str, Any]] = msgspec.field(default_factory=list)
    players: list[dict[str, Any]] = msgspec.field(default_factory=list)
    files: dict[str, Side] = msgspec.field(default_factory=dict)


def report(parts: Sequence[Part], *, script: str, style: str, made_by: str) -> Iterator[bytes]:
    """The page, piece by piece, since its clips are large.

    Parameters
    ----------
    parts : sequence of Part
    script : str
        The player: an ES module with a function ``mount(element, data)``.
    style : str
        Its style sheet.
    made_by : str
        Version of the package.

    Yields
    ------
    bytes
        UTF-8. The same parts give the same bytes.

    Raises
    ------
    LedgerError
        Where a file is gone, or no longer the one that was looked at.
    """
    page = _Page(made_by)
    for number, part in enumerate(parts):
        _lay(page, part, f"part{number}")
    code = inline(f"{script}\n{_own('export.js')}")
    look = inline(f"{_own('export.css')}\n{_colours()}\n{style}")
    html = render(
        "export.html",
        title=_title(parts),
        policy=policy(script=code, style=look),
        style=look,
        script=code,
        parts=page.parts,
        players=data_in_script(page.players),
        made_by=f"refvideo_nb {made_by}",
    )
    for mark, side in page.files.items():
        head, _, html = html.partition(mark)
        yield head.encode()
        yield b"data:video/mp4;base64,"
        yield from _base64(side)
    yield html.encode()


def _base64(side: Side) -> Iterator[bytes]:
    """A clip, which was looked at before: that of another file would stand beside its hash."""
    digest = hashlib.sha256()
    try:
        with side.video.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                yield b64encode(block)
    except OSError as error:
        raise LedgerError(f"{one_line(side.video, limit=160)} cannot be read ({error.strerror})") from None
    if digest.hexdigest() != side.facts.sha256:
        raise LedgerError(f"{one_line(side.video, limit=160)} has changed since it was looked at: look at it anew")


def _title(parts: Sequence[Part]) -> str:
    given, sides = parts[0].title, parts[0].sides
    jobs = sum(len(part.ended) + sum(side.record is not None for side in part.sides) for part in parts)
    ours = f"{jobs} {'job' if jobs == 1 else 'jobs'} of refvideo_nb" if jobs else ""
    return one_line(given or ours or (title_of(sides) if len(sides) > 1 else sides[0].label), limit=160)


def _lay(page: _Page, part: Part, place: str) -> None:
    """Put a part on the page; `place` is where its player goes."""
    found = differences_between(part.sides)
    alone = sum(side.record is not None for side in part.sides) < _SEVERAL
    clips = [_clip(side, f"{place}-clip{n}") for n, side in enumerate(part.sides)]
    page.files |= {clip.mark: side for clip, side in zip(clips, part.sides, strict=True)}
    tiles = [_tile(seen, f"{place}-picture{n}") for n, seen in enumerate(part.references)]
    page.parts.append(
        {
            "place": place,
            "shelf": tiles,
            "colours": {seen.name: _class(seen) for seen in part.references},
            "found": None if alone else found,
            "jobs": [*_played(part, clips, found, page.made_by), *_ended_jobs(part.ended, page.made_by)],
        }
    )
    if part.sides:
        told = player_facts(part.sides, part.references)
        for reference, tile in zip(told["references"], tiles, strict=True):
            reference["element"] = tile.element
        for video, clip in zip(told["videos"], clips, strict=True):
            video["element"] = clip.element
        page.players.append({**told, "place": place})


def _played(part: Part, clips: Sequence[_Clip], found: Differences | None, made_by: str) -> Iterator[_Job]:
    letters = LETTERS if len(clips) > 1 else " "
    for side, clip, asked, letter in zip(part.sides, clips, asked_of(part.sides, found), letters, strict=False):
        if found is None or side.record is None:
            job = _file(side)
        else:
            about = _json(provenance(side.record, made_by=made_by))
            job = _job_of(side.record, asked, found.prompt, label=one_line(side.label, limit=80), about=about)
        yield msgspec.structs.replace(job, clip=clip, letter=letter.strip())


def _ended_jobs(records: Sequence[JobRecord], made_by: str) -> Iterator[_Job]:
    # Apart from those with a clip, of which more is known: whether there is sound, for one.
    if not records:
        return
    found = differences_of(records)
    for record, settings, prompt in zip(
        records, found.settings, found.prompts or [found.prompt] * len(records), strict=True
    ):
        about = _json(provenance(record, made_by=made_by))
        yield _job_of(record, Asked(settings, prompt), (), label=record.id, about=about, ended=_ended(record))


def _clip(side: Side, element: str) -> _Clip:
    request = side.record.request if side.record else None
    shown = f"Result of {request.model}: {request.prompt}" if request else f"Video {side.label}"
    return _Clip(element, token_hex(16), one_line(shown, limit=160), side.facts.width, side.facts.height)


def _job_of(record: JobRecord, asked: Asked, prompt: tuple[Phrase, ...], **more: Any) -> _Job:
    return _Job(
        prompt=asked.prompt or prompt,
        settings=spaced(asked.settings),
        money=_money(record),
        notes=[one_line(note) for note in (*words.differences(record, None), *record.notes)],
        simulated=record.simulated,
        **more,
    )


def _file(side: Side) -> _Job:
    """A video that no job of ours has made."""
    label = one_line(side.label, limit=80)
    about = _json({"label": label, "video": video_facts(side.facts)})
    return _Job(label=label, prompt=(), settings=(Phrase(caption_of(side)),), about=about, summary="Size and hash")


def _tile(seen: Seen, element: str) -> _Tile:
    media_type = "image/png" if seen.data and seen.data.startswith(b"\x89PNG") else "image/jpeg"
    picture = data_url(seen.data, media_type) if seen.data else None
    return _Tile(one_line(seen.name, limit=80), _class(seen), one_line(seen.caption, limit=80), element, picture)


def _money(record: JobRecord) -> str:
    if record.state in FAILED:  # its end says what was paid
        return ""
    took = [] if record.seconds_taken is None else [f"took {words.span(record.seconds_taken)}"]
    return " · ".join([words.money(record), *took, record.id])


def _ended(record: JobRecord) -> _Ended:
    if record.state in FAILED:
        return _Ended(f"No video: {words.state_words(record)}.", one_line(record.error, limit=1200), words.paid(record))
    return _Ended("Outcome unknown: it may exist, and may be paid.", one_line(record.error, limit=1200), "")


def _json(about: dict[str, Any]) -> str:
    """What identifies a job and its file, for reading."""
    return msgspec.json.format(msgspec.json.encode(about), indent=1).decode()


def _class(seen: Seen) -> str:
    return f"colour{COLOURS.index(seen.colour)}" if seen.colour in COLOURS else ""


def _colours() -> str:
    return "\n".join(f".colour{n} {{ border-color: {colour}; }}" for n, colour in enumerate(COLOURS))


@cache
def _own(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
