"""Where a clip comes from: everything that it takes to repeat it, as plain JSON values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.core.references import Reference

__all__ = ["PROVENANCE_VERSION", "provenance", "without_query"]

PROVENANCE_VERSION = 1


def provenance(record: JobRecord, *, made_by: str) -> dict[str, Any]:
    """What is known of a job and its clip; no key, no signed address.

    Parameters
    ----------
    record : JobRecord
    made_by : str
        Version of the package that writes this.

    Returns
    -------
    dict
        JSON values: times in UTC (ISO 8601), lengths in seconds, sizes in pixels and bytes,
        money in USD as text, hashes as hexadecimal SHA-256; None for what is not known.
    """
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
        "video": None
        if facts is None
        else {
            "sha256": facts.sha256,
            "bytes": facts.nbytes,
            "width": facts.width,
            "height": facts.height,
            "seconds": facts.seconds,
            "fps": facts.fps,
            "frames": facts.frames,
            "audio": facts.audio,
        },
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
        "url": without_query(reference.url),
        "source": without_query(reference.source),
        "changed": reference.note or None,
    }


def without_query(address: str | None) -> str | None:
    """An address without its query, which may be a signature; other texts as they are.

    Examples
    --------
    >>> without_query("https://a.example/pack.jpg?signature=abc")
    'https://a.example/pack.jpg'
    >>> without_query("what is it?.jpg")
    'what is it?.jpg'
    """
    if address is None or "://" not in address:
        return address
    return address.partition("?")[0].partition("#")[0]


def _when(epoch: float | None) -> str | None:
    if epoch is None:
        return None
    try:
        return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return None
