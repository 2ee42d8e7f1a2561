"""A job as one JSON document, with columns for what is searched or decided on."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import msgspec

from refvideo_nb.core.job import JobRecord
from refvideo_nb.errors import LedgerError, one_line

if TYPE_CHECKING:
    import sqlite3

    from refvideo_nb.core.references import Reference

__all__ = ["essence", "insert", "read", "readable", "write"]


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
    row = (record.id, record.created, record.updated, record.state.value, record.request.model)
    more = (record.request.prompt, record.api_id, fingerprint, msgspec.json.encode(record))
    db.execute(
        "INSERT INTO jobs (id, created, updated, state, model, prompt, api_id, fingerprint, document,"
        " owner, lease) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, *more, owner, lease),
    )


def write(db: sqlite3.Connection, record: JobRecord, *, now: float) -> JobRecord:
    """An earlier row, changed; the job as it stands there now."""
    record = dataclasses.replace(record, updated=now)
    db.execute(
        "UPDATE jobs SET updated = ?, state = ?, api_id = ?, document = ? WHERE id = ?",
        (record.updated, record.state.value, record.api_id, msgspec.json.encode(record), record.id),
    )
    return record


def essence(record: JobRecord) -> JobRecord:
    """What must be the same where a job comes in twice: not when it was touched, nor what an export leaves out."""

    def same(reference: Reference) -> Reference:
        return dataclasses.replace(reference, url=None, source="")

    references = tuple(same(r) for r in record.request.references)
    frames = tuple(dataclasses.replace(f, image=same(f.image)) for f in record.request.frames)
    request = dataclasses.replace(record.request, references=references, frames=frames)
    return dataclasses.replace(record, request=request, updated=0.0, polling_url=None, imported=False)
