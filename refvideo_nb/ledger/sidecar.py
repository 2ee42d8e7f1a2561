"""What is known of a clip, in a small file beside it: for whoever finds the clip and has no ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.provenance import provenance
from refvideo_nb.core.version import __version__
from refvideo_nb.ledger.media import write_whole

if TYPE_CHECKING:
    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.ledger.media import MediaStore

__all__ = ["json_file", "write_sidecar"]


def write_sidecar(record: JobRecord, media: MediaStore) -> None:
    """Write ``videos/ID.json``, see `refvideo_nb.core.provenance.provenance`.

    Raises
    ------
    LedgerError
        Where it cannot be written. Nothing depends on it: the ledger knows the same and more.
    """
    about = provenance(record, made_by=__version__)
    if about["video"] is not None:
        about["video"]["file"] = media.video(record.id).name
    with write_whole(media.sidecar(record.id)) as file:
        file.write(json_file(about))


def json_file(value: Any) -> bytes:
    """JSON for people too: sorted, a line for each value; the same value gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1) + b"\n"
