"""The request of an earlier job, written so that it can be made again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from refvideo_nb.display.asked import Asked, Given
from refvideo_nb.display.source import as_cell, as_python

if TYPE_CHECKING:
    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.core.references import Reference
    from refvideo_nb.display.source import Source
    from refvideo_nb.ledger.media import MediaStore

__all__ = ["asked_again", "missing", "written_again"]


def asked_again(record: JobRecord, media: MediaStore) -> Asked:
    """What was asked for; a reference without an address is named by its file in the media store.

    Where it came from then, a path or a variable, may be something else by now.
    """
    request = record.request
    return Asked(
        prompt=request.prompt,
        model=request.model,
        references=tuple(Given(r.name, _source(r, media)) for r in request.references),
        frames=tuple(Given(f.position, _source(f.image, media)) for f in request.frames),
        duration=request.duration,
        resolution=request.resolution,
        aspect_ratio=request.aspect_ratio,
        size=request.size,
        seed=request.seed,
        generate_audio=request.generate_audio,
        provider=request.provider,
        previous_job_id=request.previous_job_id,
    )


def written_again(record: JobRecord, media: MediaStore) -> Source:
    """The request as a ``%%refvideo`` cell; as Python where a cell cannot say it."""
    asked = asked_again(record, media)
    cell = as_cell(asked)
    return cell if cell.text is not None else as_python(asked)


def missing(record: JobRecord, media: MediaStore) -> list[str]:
    """The names of its references whose bytes are gone from the media store."""
    kept = [(r.name, r) for r in record.request.references]
    kept += [(f"{f.position} frame", f.image) for f in record.request.frames]
    return [name for name, r in kept if not r.url and not media.path(r.sha256, r.media_type).exists()]


def _source(reference: Reference, media: MediaStore) -> str:
    if reference.url:
        return reference.url
    path = media.path(reference.sha256, reference.media_type)
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)
