"""Taking a job out of the ledger, with its files.

The files go first, and all of it in one transaction: whatever happens in between, the job
is still here to be forgotten again, as one whose file was deleted. The other way round its
files would be nobody's for good. Nor can another process reuse the job meanwhile, or name
its references in a job of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from refvideo_nb.core.job import SETTLED, JobRecord, State
from refvideo_nb.errors import LedgerError, TakenOverError
from refvideo_nb.ledger.documents import hashes_of, read, remove
from refvideo_nb.ledger.reports import forget_video
from refvideo_nb.ledger.search import still_used

if TYPE_CHECKING:
    import sqlite3

    from refvideo_nb.ledger.claims import Claims
    from refvideo_nb.ledger.media import MediaStore

__all__ = ["forget"]


def forget(
    db: sqlite3.Connection, job_id: str, *, claims: Claims, media: MediaStore, even_unknown: bool
) -> JobRecord | None:
    """See `Ledger.forget`; None where there is no such job."""
    row = db.execute("SELECT document, owner, lease FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        return None
    record = read(row[0])
    if record.state not in SETTLED:
        raise LedgerError(
            f"job {job_id} is {record.state.value}: wait until it has ended (%refvideo resume {job_id}), then forget it"
        )
    if not claims.free(*row[1:]):
        raise TakenOverError(f"job {job_id} is looked after by another process: close that kernel, then forget it")
    if record.state is State.OUTCOME_UNKNOWN and not even_unknown:
        raise LedgerError(
            f"job {job_id} may have been paid, and this is the only trace of it: look at the account's "
            "activity page first, then forget it with even_unknown=True"
        )
    media.forget(record, used=still_used(db, hashes_of(record), beside=job_id))
    remove(db, record)
    if record.video is not None:
        forget_video(db, record.video.sha256)
    return record
