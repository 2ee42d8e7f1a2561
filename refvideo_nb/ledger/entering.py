"""How a job comes in: found again instead of being paid twice, or brought in from another ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refvideo_nb.core.job import FAILED, SETTLED, JobRecord, State
from refvideo_nb.errors import LedgerError
from refvideo_nb.ledger.documents import essence, insert, read, readable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from refvideo_nb.ledger.claims import Claims

__all__ = ["bring_in", "earlier"]


def earlier(db: sqlite3.Connection, fingerprint: str, claims: Claims) -> JobRecord | None:
    """The newest job of this fingerprint that is finished or under way, else one whose outcome is unknown."""
    rows = db.execute(
        "SELECT document, owner, lease FROM jobs WHERE fingerprint = ? ORDER BY created DESC", (fingerprint,)
    ).fetchall()
    found = [(record, owner, lease) for d, owner, lease in rows if (record := readable(d)) is not None]
    records = [claims.settled(db, *each) for each in found]
    alive = [r for r in records if r.state not in FAILED]
    unknown = [r for r in alive if r.state is State.OUTCOME_UNKNOWN]
    return next((r for r in alive if r.state is not State.OUTCOME_UNKNOWN), unknown[0] if unknown else None)


def bring_in(db: sqlite3.Connection, jobs: Iterable[tuple[JobRecord, str]]) -> list[str]:
    """See `Ledger.bring_in`."""
    same = []
    for record, fingerprint in jobs:
        if record.state not in SETTLED:
            raise LedgerError(f"job {record.id} is {record.state.value}: only what has ended is brought in")
        row = db.execute("SELECT document FROM jobs WHERE id = ?", (record.id,)).fetchone()
        if row is None:
            insert(db, record, fingerprint=fingerprint, owner=None, lease=None)
        elif essence(read(row[0])) == essence(record):
            same.append(record.id)
        else:
            raise LedgerError(
                f"another job is here as {record.id}: forget it first, or bring the bundle into another home; "
                "nothing was brought in"
            )
    return same
