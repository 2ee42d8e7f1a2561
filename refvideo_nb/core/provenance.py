"""Where a clip comes from: everything that it takes to repeat it, as plain JSON values."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from refvideo_nb.core.job import JobRecord, VideoFacts
    from refvideo_nb.core.references import Reference

__all__ = ["PROVENANCE_VERSION", "provenance", "shareable", "video_facts", "without_query"]

PROVENANCE_VERSION = 1
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s<>\"']+", re.IGNORECASE)


def shareable(record: JobRecord) -> JobRecord:
    """The job without what may open a door, and without what is of this machine alone.

    A query of an address may be a signature, a path names the folders of a person, and where
    to ask after the job is nobody else's business. Doing it twice changes nothing more.

    Parameters
    ----------
    record : JobRecord

    Returns
    -------
    JobRecord
        A reference whose address had a query has none now; its bytes are what counts.
    """
    request = msgspec.structs.replace(
        record.request,
        references=tuple(_public(r) for r in record.request.references),
        frames=tuple(msgspec.structs.replace(f, image=_public(f.image)) for f in record.request.frames),
    )
    return msgspec.structs.replace(
        record,
        request=request,
        polling_url=None,
        imported=False,
        error=_unsigned(record.error),
        notes=tuple(_unsigned(n) for n in record.notes),
    )


def _public(reference: Reference) -> Reference:
    signed = reference.url is not None and reference.url != without_query(reference.url)
    url = None if signed else reference.url
    return msgspec.structs.replace(reference, url=url, source=_source(reference.source), note=_unsigned(reference.note))


def _source(source: str) -> str:
    """Where a reference came from: of an address no query, of a whole path only the name of the file."""
    windows = PureWindowsPath(source)
    if "://" in source:
        left = without_query(source) or ""
    elif windows.drive or source.startswith("\\"):
        left = windows.name
    else:
        left = PurePosixPath(source).name if source.startswith(("/", "~")) else source
    return left if left == source else _source(left)


def _unsigned(text: str) -> str:
    """A text whose addresses have no query."""
    return _ADDRESS.sub(lambda found: without_query(found[0]) or "", text)


def provenance(record: JobRecord, *, made_by: str) -> dict[str, Any]:
    """What is known of a job and its clip; no key, no signed address.

    Parameters
    ----------
    record : JobRecord
        What `shareable` takes away is not told.
    made_by : str
        Version of the package that writes this.

    Returns
    -------
    dict
        JSON values: times in UTC (ISO 8601), lengths in seconds, sizes in pixels and bytes,
        money in USD as text, hashes as hexadecimal SHA-256; None for what is not known.
    """
    record = shareable(record)
    request, facts = record.request, record.video
    return {
        "provenance": PROVENANCE_VERSION,
        "made_by": f"refvideo_nb {made_by}",
        "job": record.id,
        "api_id": record.api_id,
        "api": record.base_url or "simulator",
        "simulated": record.simulated,
        "state": record.state.value,
        "error": record.error or None,
        "notes": list(record.notes),
        "model": request.model,
        "prompt": request.prompt,
        "prompt_as_sent": record.sent_prompt,
        "references": [_reference(r) for r in request.references],
        "frames": {f.position: _reference(f.image) for f in request.frames},
        "settings": {
            "duration": request.duration,
            "resolution": request.resolution,
            "aspect_ratio": request.aspect_ratio,
            "size": None if request.size is None else list(request.size),
            "seed": request.seed,
            "generate_audio": request.generate_audio,
            "provider": {slug: dict(options) for slug, options in request.provider.items()},
            "previous_job_id": request.previous_job_id,
        },
        "cost_estimated": None
        if record.estimate is None
        else {"low": str(record.estimate.low), "high": str(record.estimate.high)},
        "cost_billed": None if record.cost is None else str(record.cost),
        "created": _when(record.created),
        "submitted": _when(record.submitted),
        "finished": _when(record.finished),
        "video": None if facts is None else video_facts(facts),
    }


def video_facts(facts: VideoFacts) -> dict[str, Any]:
    """What is known of a file, as JSON values; units as for `provenance`."""
    return {
        "sha256": facts.sha256,
        "bytes": facts.nbytes,
        "width": facts.width,
        "height": facts.height,
        "seconds": facts.seconds,
        "fps": facts.fps,
        "frames": facts.frames,
        "audio": facts.audio,
    }


def _reference(reference: Reference) -> dict[str, Any]:
    return {
        "name": reference.name,
        "role": reference.role or None,
        "kind": reference.kind,
        "sha256": reference.sha256,
        "media_type": reference.media_type,
        "bytes": reference.nbytes,
        "width": reference.width,
        "height": reference.height,
        "seconds": reference.seconds,
        "url": reference.url,
        "source": reference.source or None,
        "changed": reference.note or None,
    }


def without_query(address: str | None) -> str | None:
    """An address without user name, query and fragment, any of which may be a secret; other texts as they are.

    Examples
    --------
    >>> without_query("https://me:password@a.example/pack.jpg?signature=abc")
    'https://a.example/pack.jpg'
    >>> without_query("what is it?.jpg")
    'what is it?.jpg'
    """
    if address is None or "://" not in address:
        return address
    scheme, mark, rest = re.split(r"[?#]", address, maxsplit=1)[0].partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def _when(epoch: float | None) -> str | None:
    if epoch is None:
        return None
    try:
        return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return None
