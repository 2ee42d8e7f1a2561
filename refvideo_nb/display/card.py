"""The card of a job: its references beside what came out, as one output of a notebook."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from markupsafe import Markup

from refvideo_nb.core.job import FAILED, State
from refvideo_nb.core.references import Naming, compile_prompt
from refvideo_nb.display import words
from refvideo_nb.display.contact import CELL, draw_sheet, frame_times
from refvideo_nb.display.page import Embedded, clip, harmless, loaded, render
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.display.pictures import box_for, data_url, jpeg, reference_picture, thumbnail_url
from refvideo_nb.display.shelf import Shelf
from refvideo_nb.errors import DownloadError, one_line
from refvideo_nb.media.preview import preview
from refvideo_nb.media.video import frames_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from refvideo_nb.core.catalogue import Model
    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.core.references import Reference
    from refvideo_nb.display.page import Bundle

__all__ = ["card", "warm"]

_SHELF = Shelf(32_000_000)
_MOST_PROMPT = 6000  # characters shown; the ledger keeps all of them
_TALLEST = 520  # pixels: an upright clip must not push the rest off the page
_POSTER_BYTES = 70_000
_POSTER_WIDTH = 854
_PREVIEW_BYTES = 2_000_000


class _Tile(msgspec.Struct, frozen=True):
    """One reference as the template shows it."""

    label: str
    colour: str
    picture: Markup | None
    alt: str
    stands_for: str
    caption: str
    title: str


class _Player(msgspec.Struct, frozen=True):
    """What the video element needs; `source` is None where only the path can be given.

    `beside` sets the text beside an upright clip instead of under it.
    """

    source: Embedded | str | None
    poster: Markup | None
    title: str
    width: int
    height: int
    max_width: int
    beside: bool
    note: str


@cache
def warm() -> None:
    """Load, once, what drawing needs at its first time; while a job runs there is time for it."""
    import numpy as np  # noqa: PLC0415 - importing this file stays light

    loaded("card.html")
    frame = np.zeros((90, 160, 3), np.uint8)
    draw_sheet([frame], [0.0], references=[("", jpeg(frame, most_bytes=_POSTER_BYTES))])


def card(
    record: JobRecord,
    *,
    reference_bytes: Callable[[Reference], bytes | None],
    video: Path | None,
    model: Model | None = None,
    embed_bytes: int = 8_000_000,
    link: str | None = None,
) -> Bundle:
    """The state of a job as one MIME bundle.

    Parameters
    ----------
    record : JobRecord
    reference_bytes : callable
        Gives the stored bytes of a reference, or None where they are gone.
    video : pathlib.Path or None
        The file, where there is one.
    model : Model, optional
        Tells which frame size a resolution stands for.
    embed_bytes : int
        The largest file that is embedded whole; above it a small silent copy is,
        where one can be made, and else the file is linked.
    link : str, optional
        A relative URL of the file.

    Returns
    -------
    dict
        ``text/html`` and ``text/plain``; ``image/png`` where there is a video.
    """
    references = _shown_references(record)
    facts = record.video
    poster, sheet = b"", b""
    if record.state is State.DOWNLOADED and video is not None and facts is not None:
        with suppress(DownloadError, OSError):
            poster, sheet = _stills(record, video, reference_bytes)
    # Above the cap a relative link stands in; one with a scheme could be a script.
    safe_link = link if link and not urlsplit(link).scheme and not link.startswith("//") else None
    player = _player(record, video, embed_bytes=embed_bytes, link=safe_link, poster=poster)
    # Beside a few lines of text, smaller pictures do.
    box = box_for([r for _, r in references], few=player is not None)
    html = render(
        "card.html",
        embedded=player.source if player and isinstance(player.source, Embedded) else None,
        record=record,
        box=box,
        tiles=[_tile(n, label, r, thumbnail_url(r, box, reference_bytes)) for n, (label, r) in enumerate(references)],
        player=player,
        parts=_parts(record),
        settings=_line(record),
        differences=[d for d in words.differences(record, model) if d not in record.notes],
        notes=[one_line(n) for n in record.notes],
        state=f"{words.state_words(record)} · {words.polls(record)}as of {words.when(record.updated)}",
        ending=_ending(record),
        link=safe_link,
        facts=_facts(record, video),
        sent=clip(record.sent_prompt, _MOST_PROMPT),
    )
    bundle = {"text/html": html, "text/plain": _plain(record, video, model)}
    if sheet:
        bundle["image/png"] = b64encode(sheet).decode("ascii")
    return bundle


def _shown_references(record: JobRecord) -> list[tuple[str, Reference]]:
    """What is written under each picture, and the reference."""
    named = [(f"@{r.name}", r) for r in record.request.references]
    return named + [(f"{f.position} frame", f.image) for f in record.request.frames]


def _stills(record: JobRecord, video: Path, read: Callable[[Reference], bytes | None]) -> tuple[bytes, bytes]:
    """Poster and contact sheet from one pass through the video."""
    facts = record.video
    assert facts is not None
    made: dict[str, bytes] = {}
    caption = " · ".join([*words.settings(record), *(["SIMULATED"] if record.simulated else [])])

    def draw() -> None:
        times = frame_times(facts.seconds)
        # The poster is the first frame, where playing begins.
        widths = [min(width, facts.width) for width in (_POSTER_WIDTH, *[CELL] * len(times))]
        frames = frames_at(video, [0.0, *times], width=widths)
        pictures = [(label, _safely(r, read)) for label, r in _shown_references(record)]
        made["poster"] = jpeg(frames[0], most_bytes=_POSTER_BYTES)
        made["sheet"] = draw_sheet(frames[1:], times, references=pictures, caption=caption)

    def one(which: str) -> bytes:
        if not made:
            draw()
        return made[which]

    key = (facts.sha256, caption, tuple((label, r.sha256) for label, r in _shown_references(record)))
    poster = _SHELF.get(("poster", key), lambda: one("poster"))
    sheet = _SHELF.get(("sheet", key), lambda: one("sheet"))
    return poster or b"", sheet or b""


def _safely(reference: Reference, read: Callable[[Reference], bytes | None]) -> bytes:
    try:
        return reference_picture(reference, read) or b""
    except Exception:  # noqa: BLE001 - a reference that cannot be read leaves a blank, whatever its decoder raises
        return b""


def _player(
    record: JobRecord, video: Path | None, *, embed_bytes: int, link: str | None, poster: bytes
) -> _Player | None:
    facts = record.video
    if record.state is not State.DOWNLOADED or facts is None:
        return None
    source: Embedded | str | None = None
    note = ""
    if video is None or not video.is_file():
        note = "The file is no longer where it was saved."
    elif facts.nbytes <= embed_bytes:
        source = Embedded(video.read_bytes(), "video/mp4")
    else:
        most = max(_PREVIEW_BYTES, embed_bytes // 4) if embed_bytes else 0
        small = _small_copy(video, facts.sha256, facts.seconds, min(most, embed_bytes))
        whole = f"the whole clip ({words.nbytes(facts.nbytes)}) is in the file"
        if small is not None:
            source, note = Embedded(small, "video/mp4"), f"A small silent copy is shown; {whole}."
        elif link:
            source, note = (
                link,
                f"Played from the file ({words.nbytes(facts.nbytes)}), which is not part of this notebook.",
            )
        else:
            note = f"Too large to be embedded: {whole}."
    wide = max(120, round(_TALLEST * facts.width / max(facts.height, 1)))
    return _Player(
        source=source,
        poster=data_url(poster, "image/jpeg") if poster else None,
        title=one_line(f"Result of {record.request.model}: {record.request.prompt}", limit=160),
        width=facts.width,
        height=facts.height,
        max_width=wide,
        beside=wide < _TALLEST,
        note=note,
    )


def _small_copy(video: Path, sha256: str, seconds: float, most: int) -> bytes | None:
    def make() -> bytes | None:
        with suppress(DownloadError):
            return preview(video, most_bytes=most, seconds=seconds)
        return None

    return _SHELF.get(("preview", sha256, most), make) if most else None


def _tile(index: int, label: str, reference: Reference, picture: Markup | None) -> _Tile:
    seconds = f", {reference.seconds:.3g} s" if reference.seconds else ""
    if reference.kind == "audio":
        stands_for = f"sound{seconds}"
    else:
        stands_for = "picture not kept" if reference.kind == "image" else f"video{seconds}"
    source = one_line(reference.source or reference.url or "", limit=200)
    short = source.partition("?")[0].rstrip("/").rpartition("/")[2] or source
    size = f"{reference.width}×{reference.height}, " if reference.width and reference.height else ""
    what = f"{source or 'reference'} ({size}{words.nbytes(reference.nbytes)}{seconds})"
    caption = short if len(short) <= 30 else short[:14] + "…" + short[-14:]  # noqa: PLR2004 - what two lines hold
    if reference.kind == "image" and size:
        caption = f"{caption} · {size.removesuffix(', ')}" if caption else size.removesuffix(", ")
    if reference.kind == "video" and picture is not None:
        caption = f"video{seconds} · {caption}" if caption else f"video{seconds}"
    return _Tile(
        label=label,
        colour=reference_colour(index),
        picture=picture,
        alt=f"Reference {label}: {short}" if short else f"Reference {label}",
        stands_for=stands_for,
        caption=caption,
        title=f"{what} {one_line(reference.note, limit=200)}".strip(),
    )


def _parts(record: JobRecord) -> list[tuple[str, str | None]]:
    """The prompt as written, cut at the names, each with its colour."""
    request = record.request
    colours = {r.name: reference_colour(n) for n, r in enumerate(request.references)}
    # Only the cuts matter here, and they do not depend on how a model names references.
    compiled = compile_prompt(clip(request.prompt, _MOST_PROMPT), request.references, Naming.SPACED)
    return [(part.text, colours.get(part.reference or "")) for part in compiled.parts]


def _line(record: JobRecord) -> list[str]:
    """The settings, the money and the time that it took."""
    took = [] if record.seconds_taken is None else [f"took {words.span(record.seconds_taken)}"]
    # A job that ended without a video says what was paid in a sentence of its own.
    money = [] if record.state in FAILED else [words.money(record)]
    return [*words.settings(record), *money, *took]


class _Ending(msgspec.Struct, frozen=True):
    """What stands in the place of a video that did not come."""

    badge: str
    headline: str
    said: str
    money: str
    todo: tuple[str, ...] = ()


def _ending(record: JobRecord) -> _Ending | None:
    said = one_line(record.error, limit=1200)
    ours = one_line(record.id, limit=80)
    if record.state in FAILED:
        return _Ending("", f"No video: {words.state_words(record)}.", said, words.paid(record))
    if record.state is State.OUTCOME_UNKNOWN:
        look = f"The account's activity page (https://openrouter.ai/activity) shows whether {ours} arrived."
        return _Ending(
            "OUTCOME UNKNOWN",
            "The request was sent, but its answer was lost: the job may exist, and may be paid.",
            said,
            "Nothing is sent again by itself.",
            (
                "%refvideo jobs lists it as it stands here.",
                *([] if record.simulated else [look]),
                f"If it did: %refvideo found {ours} THE-ID-THERE fetches it, and pays nothing.",
                f"Only if it did not: %refvideo retry {ours} sends it anew, and pays anew.",
            ),
        )
    return None


def _facts(record: JobRecord, video: Path | None) -> list[tuple[str, str]]:
    """What waits in the fold: everything that identifies the job and its file."""
    request, file = record.request, record.video
    rows = [
        ("job", record.id),
        ("id at the API", record.api_id or ""),
        ("state", f"{record.state}{f' (API: {record.api_status})' if record.api_status else ''}"),
        ("address", "embedded simulator" if record.simulated and not record.base_url else record.base_url),
        ("model", request.model),
        ("extends", request.previous_job_id or ""),
        (
            "provider options",
            "; ".join(f"{slug}.{k}={v}" for slug, o in request.provider.items() for k, v in o.items()),
        ),
        ("estimate", record.estimate.working if record.estimate else ""),
        ("created", words.when(record.created)),
        ("submitted", words.when(record.submitted) if record.submitted is not None else ""),
        ("finished", words.when(record.finished) if record.finished is not None else ""),
        ("polls", str(record.polls)),
        ("file", _short_path(video) if video else ""),
        (
            "adherence",
            f"%refvideo score {record.id} measures how the references were followed" if _followed(record) else "",
        ),
    ]
    if file:
        rows += [
            ("size", f"{file.nbytes:,} bytes · {file.width}×{file.height} · {file.seconds:.3g} s · {file.fps:g} fps"),
            ("SHA-256", file.sha256),
        ]
    return [(name, one_line(value)) for name, value in rows if value]


def _followed(record: JobRecord) -> bool:
    """Whether there is something that a clip could have followed."""
    return record.state is State.DOWNLOADED and any(r.kind != "audio" for r in record.request.references)


def _short_path(path: Path) -> str:
    """Relative where it can be: shorter, and a shared notebook does not tell a home folder."""
    with suppress(ValueError, OSError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _plain(record: JobRecord, video: Path | None, model: Model | None) -> str:
    lines = [
        f"{one_line(record.id, limit=80)} · {words.state_words(record)}" + (" · SIMULATED" if record.simulated else ""),
        "".join(text for text, _ in _parts(record)),
        " · ".join(_line(record)),
    ]
    for label, r in _shown_references(record):
        lines.append(f"{label}: {one_line(r.source or r.url or r.kind, limit=120)}")
    lines += [*words.differences(record, model), *(one_line(n) for n in record.notes)]
    ending = _ending(record)
    if ending:
        lines += [w for w in (ending.headline, ending.said, ending.money, *ending.todo) if w]
    if video is not None:
        lines.append(one_line(_short_path(video), limit=400))
    if record.simulated:
        lines.append("the simulator answered, nothing was paid. Set OPENROUTER_API_KEY to go live.")
    return harmless("\n".join(lines))
