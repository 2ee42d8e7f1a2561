"""Jobs as rows of the live table, with small pictures of their references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refvideo_nb.core.pricing import about, usd
from refvideo_nb.display import words
from refvideo_nb.display.pictures import Box, thumbnail_url
from refvideo_nb.errors import one_line
from refvideo_nb.notebook.table import Picture, column, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.core.references import Reference

__all__ = ["COLUMNS", "job_row", "thumbnails"]

COLUMNS = [
    column("when", "when (UTC)", sortable=True),
    column("state", "state", wide=80),
    column("prompt", "prompt", wide=170),
    column("references", "references", pictures=True),
    column("cost", "cost", wide=100),
    column("model", "model", wide=110),
    column("id", "id"),
]
_BOX = Box(width=40, height=30, side=40, most_bytes=4_000)
_MOST = 3  # pictures in a row; the card has all
_MOST_PROMPT = 80  # characters


def job_row(record: JobRecord) -> dict[str, Any]:
    """One job."""
    shown = _shown(record)
    pictures = [Picture(r.sha256, f"{name} ({r.kind})") for name, r in shown[:_MOST]]
    if len(shown) > _MOST:
        pictures.append(Picture("", f"+{len(shown) - _MOST}"))
    cells: dict[str, str | list[Picture]] = {
        "when": words.when(record.created)[:16],
        "state": words.state_words(record) + (" (simulated)" if record.simulated else ""),
        "prompt": one_line(record.request.prompt, limit=_MOST_PROMPT),
        "references": pictures,
        "cost": about(record.estimate) if record.cost is None else f"billed {usd(record.cost)}",
        "model": record.request.model,
        "id": record.id,
    }
    return row(record.id, cells)


def thumbnails(
    records: Iterable[JobRecord], *, read: Callable[[Reference], bytes | None], known: Mapping[str, str]
) -> dict[str, str]:
    """The pictures of these jobs' rows as data URLs by key; `known` ones are not drawn again.

    Parameters
    ----------
    records : iterable of JobRecord
    read : callable
        Gives the stored bytes of a reference, or None where they are gone.
    known : mapping of str to str
        What an earlier call gave.
    """
    found: dict[str, str] = {}
    for record in records:
        for _, reference in _shown(record)[:_MOST]:
            key = reference.sha256
            if key not in found:
                url = known.get(key) or thumbnail_url(reference, _BOX, read)
                if url:
                    found[key] = str(url)
    return found


def _shown(record: JobRecord) -> list[tuple[str, Reference]]:
    frames = [(f"{f.position} frame", f.image) for f in record.request.frames]
    return [(f"@{r.name}", r) for r in record.request.references] + frames
