"""A job as one JSON document, with columns for what is searched or decided on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.errors import LedgerError, one_line
from refvideo_nb.ledger.migrations import sought

if TYPE_CHECKING:
    import sqlite3

    from refvideo_nb.core.references import Reference

__all__ = ["ARRIVED", "essence", "hashes_of", "insert", "read", "readable", "references_of", "remove", "write"]

ARRIVED = frozenset({State.COMPLETED, State.DOWNLOADED})
"""States of a job that came to a video."""

_LATE = 120.0  # seconds after the last look at a job within which its end is seen in time, whatever it took


# Made here, once: two threads that make what msgspec knows of a type at the same moment end the process.
_JOB = msgspec.json.Decoder(JobRecord)


def read(document: bytes) -> JobRecord:
    """A job.

    Raises
    ------
    LedgerError
    """
    try:
        return _JOB.decode(document)
    except msgspec.MsgspecError as error:
        raise LedgerError(f"a job in the ledger cannot be read ({one_line(error, limit=100)})") from None


def readable(document: bytes) -> JobRecord | None:
    """A job of a list; one that cannot be read must not hide the others."""
    try:
        return read(document)
    except LedgerError:
        return None


def insert(
    db: sqlite3.Connection, record: JobRecord, *, fingerprint: str, owner: str | None, lease: float | None
) -> None:
    """A new row."""
    own = record.state in ARRIVED and not record.imported
    row = _columns(record) | {"fingerprint": fingerprint, "owner": owner, "lease": lease}
    row["seconds"] = record.seconds_taken if own else None
    places = ", ".join(f":{name}" for name in row)
    db.execute(f"INSERT INTO jobs ({', '.join(row)}) VALUES ({places})", row)  # noqa: S608 - names of ours
    db.executemany("INSERT INTO uses (sha256, job) VALUES (?, ?)", [(h, record.id) for h in hashes_of(record)])


def write(db: sqlite3.Connection, before: JobRecord, after: JobRecord, *, now: float) -> JobRecord:
    """An earlier row, changed; the job as it stands there now. What was asked for never changes."""
    after = msgspec.structs.replace(after, updated=now)
    row = _columns(after) | {"arrived": after.state in ARRIVED, "seconds": _seconds(before, after)}
    db.execute(
        "UPDATE jobs SET updated = :updated, state = :state, api_id = :api_id, document = :document,"
        " sought = :sought, simulated = :simulated,"
        " seconds = CASE WHEN :arrived THEN coalesce(seconds, :seconds) END WHERE id = :id",
        row,
    )
    return after


def remove(db: sqlite3.Connection, record: JobRecord) -> None:
    """A row that is no more."""
    db.executemany("DELETE FROM uses WHERE sha256 = ? AND job = ?", [(h, record.id) for h in hashes_of(record)])
    db.execute("DELETE FROM jobs WHERE id = ?", (record.id,))


def references_of(record: JobRecord) -> tuple[Reference, ...]:
    """The references and the frames of a job."""
    return (*record.request.references, *(f.image for f in record.request.frames))


def hashes_of(record: JobRecord) -> set[str]:
    """What it needs of the media store."""
    return {reference.sha256 for reference in references_of(record)}


def _columns(record: JobRecord) -> dict[str, Any]:
    request = record.request
    return {
        "id": record.id,
        "created": record.created,
        "updated": record.updated,
        "state": record.state.value,
        "model": request.model,
        "prompt": request.prompt,
        "api_id": record.api_id,
        "document": msgspec.json.encode(record),
        "sought": sought(request.prompt, record.id, record.api_id, request.model),
        "resolution": request.resolution,
        "simulated": int(record.simulated),
    }


def _seconds(before: JobRecord, after: JobRecord) -> float | None:
    """How long a job took that has just arrived; None where its end may have been long before."""
    if before.finished is not None or after.finished is None or (taken := after.seconds_taken) is None:
        return None
    unseen = after.finished - before.updated  # it ended somewhere in between: a kernel may have been off
    return taken if unseen <= max(_LATE, taken / 4) else None


def essence(record: JobRecord) -> JobRecord:
    """What must be the same where a job comes in twice: not when it was touched, nor what an export leaves out."""

    def same(reference: Reference) -> Reference:
        return msgspec.structs.replace(reference, url=None, source="")

    references = tuple(same(r) for r in record.request.references)
    frames = tuple(msgspec.structs.replace(f, image=same(f.image)) for f in record.request.frames)
    request = msgspec.structs.replace(record.request, references=references, frames=frames)
    return msgspec.structs.replace(record, request=request, updated=0.0, polling_url=None, imported=False)
