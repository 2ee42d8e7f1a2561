"""Who looks after a job: exactly one process, for as long as it lives or its lease lasts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.errors import LedgerError
from refvideo_nb.ledger.documents import read, readable, write
from refvideo_nb.ledger.owners import Owner, lives

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from refvideo_nb.ledger.database import Database

__all__ = ["LEASE", "Claims"]

LEASE = 45.0
"""Seconds after which a job may be taken over from a process that no longer says it lives."""

_CLAIMED = ("jobs", "sweeps")
_UNSENT = frozenset({State.DRAFTED, State.SUBMITTING})


class Claims:
    """The claims of this process on the jobs of a ledger.

    Parameters
    ----------
    database : Database
    clock : callable
        Seconds since the epoch.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._home = database.path.parent
        self._clock = clock
        self._owner: Owner | None = None

    def close(self) -> None:
        """Let go of everything; others may take over at once."""
        if self._owner is None:
            return
        released = False
        try:
            with self._database.writing(on_disk=False) as db:  # of use only while this process lives
                for table in _CLAIMED:
                    db.execute(f"UPDATE {table} SET owner = NULL, lease = NULL WHERE owner = ?", (self._owner.token,))  # noqa: S608 - names of ours
            released = True
        except LedgerError:
            pass  # then the lock file, which stays behind unlocked, says that this process is gone
        finally:
            self._owner.close(released=released)

    def me(self) -> str:
        """What this process writes beside the jobs that it looks after."""
        if self._owner is None:
            self._owner = Owner(self._home)
        return self._owner.token

    def until(self) -> float:
        """When a lease that begins now ends, seconds since the epoch."""
        return self._clock() + LEASE

    def claim(self, job_id: str) -> JobRecord | None:
        """Begin to look after a job; None while another living process does, or where there is no such job."""
        with self._database.writing(on_disk=False) as db:
            row = db.execute("SELECT document, owner, lease FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None or not self.free(*row[1:]):
                return None
            record = self.settled(db, read(row[0]), *row[1:])
            db.execute("UPDATE jobs SET owner = ?, lease = ? WHERE id = ?", (self.me(), self.until(), job_id))
        return record

    def abandoned(self, states: Iterable[State]) -> list[JobRecord]:
        """Jobs in these states that no living process looks after, newest first."""
        wanted = [s.value for s in states]
        with self._database.reading() as db:
            rows = db.execute(
                f"SELECT document, owner, lease FROM jobs WHERE state IN ({','.join('?' * len(wanted))})"  # noqa: S608 - only question marks
                " ORDER BY created DESC",
                wanted,
            ).fetchall()
        found = [readable(document) for document, *claim in rows if self.free(*claim)]
        return [record for record in found if record is not None]

    def renew(self) -> None:
        """Say that this process still lives."""
        if self._owner is not None:
            self._owner.renew()
            with self._database.writing(on_disk=False) as db:
                for table in _CLAIMED:
                    db.execute(f"UPDATE {table} SET lease = ? WHERE owner = ?", (self.until(), self._owner.token))  # noqa: S608 - names of ours

    def release(self, job_id: str) -> None:
        """Stop looking after a job."""
        with self._database.writing(on_disk=False) as db:
            db.execute("UPDATE jobs SET owner = NULL, lease = NULL WHERE id = ? AND owner = ?", (job_id, self.me()))

    def mine(self, owner: str | None) -> bool:
        """Whether this process looks after it."""
        return owner is not None and self._owner is not None and owner == self._owner.token

    def free(self, owner: str | None, lease: float | None) -> bool:
        """Whether this process may look after it."""
        if owner is None or self.mine(owner):
            return True
        living = lives(self._home, owner)
        # A lock that can be looked at decides alone: clocks jump, and laptops sleep.
        return (lease or 0.0) < self._clock() if living is None else not living

    def settled(self, db: sqlite3.Connection, record: JobRecord, owner: str | None, lease: float | None) -> JobRecord:
        """A job told for what it is, where its sender is gone."""
        if record.state not in _UNSENT or self.mine(owner) or not self.free(owner, lease):
            return record
        if record.state is State.DRAFTED:
            state, why = State.REJECTED, "it was never sent: its process ended first, and nothing was paid"
        else:
            state, why = State.OUTCOME_UNKNOWN, "the process that sent it ended before the answer came"
        told = msgspec.structs.replace(record, state=state, error=why, finished=self._clock())
        return write(db, record, told, now=self._clock())
