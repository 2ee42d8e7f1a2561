"""The ledger: jobs in SQLite, each change one transaction that only a legal step passes."""

from __future__ import annotations

import dataclasses
import secrets
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.job import FAILED, JobRecord, State, may_follow
from refvideo_nb.errors import LedgerError, UnknownJobError, one_line
from refvideo_nb.ledger.home import prepare_home
from refvideo_nb.ledger.migrations import MIGRATIONS
from refvideo_nb.ledger.owners import Owner, lives

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["LEASE", "Ledger", "new_id"]

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else
_PATIENCE = 20.0  # seconds that one kernel waits for another's transaction
LEASE = 45.0
"""Seconds after which a job may be taken over from a process that no longer says it lives."""


def new_id(now: float) -> str:
    """An id that people can read out, and that sorts by day."""
    return f"rv-{time.strftime('%Y%m%d', time.gmtime(now))}-" + "".join(secrets.choice(_ALPHABET) for _ in range(6))


class Ledger:
    """Every job of a home folder.

    Parameters
    ----------
    home : pathlib.Path
        The home folder; it is made where it is missing.
    clock : callable
        Seconds since the epoch.

    Raises
    ------
    LedgerError
        Where the folder or the database cannot be used.
    """

    def __init__(self, home: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = prepare_home(home) / "ledger.sqlite"
        self._clock = clock
        self._lock = threading.RLock()
        self._owner: Owner | None = None
        try:
            self._db = sqlite3.connect(self.path, timeout=_PATIENCE, check_same_thread=False, isolation_level=None)
        except sqlite3.Error as error:
            raise self._trouble(error) from None
        try:
            with self._reading() as db:
                db.execute("PRAGMA journal_mode=WAL")
                # FULL: a submit must be on the disk before the first byte leaves.
                db.execute("PRAGMA synchronous=FULL")
            self._migrate()
        except LedgerError:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the database; another call opens nothing again."""
        with self._lock:
            self._db.close()
            if self._owner is not None:
                self._owner.close()

    def add(
        self,
        record: JobRecord,
        *,
        fingerprint: str,
        reuse: bool = False,
        allow: Callable[[JobRecord], None] = lambda _: None,
    ) -> JobRecord:
        """Write a drafted job down, or find the one that is already there.

        Parameters
        ----------
        record : JobRecord
            Newly drafted; this process looks after it.
        fingerprint : str
            The same for two requests that would generate the same.
        reuse : bool
            Whether an earlier job of the same fingerprint, finished or under way, is
            given back instead; only where there is none, one whose outcome is unknown.
        allow : callable
            Called where `record` will really be written; what it raises prevents it.

        Returns
        -------
        JobRecord
            `record`, or the earlier one, which has another id.
        """
        # One transaction: two kernels that run the same cell at once make one job.
        with self._writing() as db:
            if reuse and (earlier := self._reusable(db, fingerprint)) is not None:
                return earlier
            allow(record)
            row = (record.id, record.created, record.updated, record.state.value, record.request.model)
            more = (record.request.prompt, record.api_id, fingerprint, msgspec.json.encode(record))
            db.execute(
                "INSERT INTO jobs (id, created, updated, state, model, prompt, api_id, fingerprint, document,"
                " owner, lease) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, *more, self._me(), self._clock() + LEASE),
            )
        return record

    def _reusable(self, db: sqlite3.Connection, fingerprint: str) -> JobRecord | None:
        rows = db.execute(
            "SELECT document, owner, lease FROM jobs WHERE fingerprint = ? ORDER BY created DESC", (fingerprint,)
        ).fetchall()
        readable = [(record, owner, lease) for d, owner, lease in rows if (record := _readable(d)) is not None]
        records = [self._settled_if_abandoned(db, *each) for each in readable]
        alive = [r for r in records if r.state not in FAILED]
        unknown = [r for r in alive if r.state is State.OUTCOME_UNKNOWN]
        return next((r for r in alive if r.state is not State.OUTCOME_UNKNOWN), unknown[0] if unknown else None)

    def claim(self, job_id: str) -> JobRecord | None:
        """Begin to look after a job; None while another living process does.

        A job that was left in the middle of being sent is settled here: one that never
        left is rejected, one that may have arrived has an unknown outcome.
        """
        with self._writing() as db:
            row = db.execute("SELECT document, owner, lease FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None:
                raise self._unknown(job_id)
            document, owner, lease = row
            if not self._free(owner, lease):
                return None
            record = self._settled_if_abandoned(db, _record(document), owner, lease)
            db.execute("UPDATE jobs SET owner = ?, lease = ? WHERE id = ?", (self._me(), self._clock() + LEASE, job_id))
        return record

    def abandoned(self, states: Iterable[State]) -> list[JobRecord]:
        """Jobs in these states that no living process looks after, newest first."""
        wanted = [s.value for s in states]
        with self._reading() as db:
            rows = db.execute(
                f"SELECT document, owner, lease FROM jobs WHERE state IN ({','.join('?' * len(wanted))})"  # noqa: S608 - only question marks
                " ORDER BY created DESC",
                wanted,
            ).fetchall()
        found = [_readable(d) for d, owner, lease in rows if self._free(owner, lease)]
        return [record for record in found if record is not None]

    def settle_abandoned(self) -> list[JobRecord]:
        """Tell jobs for what they are whose process ended while it drafted or sent them.

        Returns
        -------
        list of JobRecord
            Those whose outcome is unknown now, newest first.
        """
        settled = []
        for record in self.abandoned({State.DRAFTED, State.SUBMITTING}):
            claimed = self.claim(record.id)  # it may be somebody else's by now
            if claimed is not None:
                self.release(record.id)
                settled.append(claimed)
        return [r for r in settled if r.state is State.OUTCOME_UNKNOWN]

    def renew(self) -> None:
        """Say that this process still lives; to be called several times a lease."""
        if self._owner is not None:
            with self._writing() as db:
                db.execute("UPDATE jobs SET lease = ? WHERE owner = ?", (self._clock() + LEASE, self._me()))

    def release(self, job_id: str) -> None:
        """Stop looking after a job, so that another process may."""
        with self._writing() as db:
            db.execute("UPDATE jobs SET owner = NULL, lease = NULL WHERE id = ? AND owner = ?", (job_id, self._me()))

    def _me(self) -> str:
        if self._owner is None:
            self._owner = Owner(self.path.parent)
        return self._owner.token

    def _free(self, owner: str | None, lease: float | None) -> bool:
        mine = self._owner is not None and owner == self._owner.token
        if owner is None or mine:
            return True
        living = lives(self.path.parent, owner)
        # A lock that can be looked at decides alone: clocks jump, and laptops sleep.
        return (lease or 0.0) < self._clock() if living is None else not living

    def _settled_if_abandoned(
        self, db: sqlite3.Connection, record: JobRecord, owner: str | None, lease: float | None
    ) -> JobRecord:
        """A job whose sender is gone, told for what it is."""
        ours = owner is not None and self._owner is not None and owner == self._owner.token
        if record.state not in {State.DRAFTED, State.SUBMITTING} or ours or not self._free(owner, lease):
            return record
        if record.state is State.DRAFTED:
            state, why = State.REJECTED, "it was never sent: its process ended first, and nothing was paid"
        else:
            state, why = State.OUTCOME_UNKNOWN, "the process that sent it ended before the answer came"
        return self._write(db, dataclasses.replace(record, state=state, error=why, finished=self._clock()))

    def get(self, job_id: str) -> JobRecord:
        """One job, by our id, the API's id, or the beginning of ours where it is unique.

        Raises
        ------
        UnknownJobError
        """
        # In this order: an id of the API's must never hide one of ours.
        for where in ("id = ?1", "api_id = ?1", "length(?1) > 2 AND substr(id, 1, length(?1)) = ?1"):
            with self._reading() as db:
                rows = db.execute(f"SELECT document FROM jobs WHERE {where} LIMIT 2", (job_id,)).fetchall()  # noqa: S608 - one of the three above
            if len(rows) == 1:
                return _record(rows[0][0])
            if rows:
                shown = one_line(job_id, limit=60)
                raise UnknownJobError(f"job {shown!r} names several jobs: give the id that %refvideo jobs lists")
        raise self._unknown(job_id)

    def jobs(self, *, states: Iterable[State] | None = None, limit: int | None = None) -> list[JobRecord]:
        """Jobs, newest first."""
        wanted = None if states is None else [s.value for s in states]
        where = "" if wanted is None else f" WHERE state IN ({','.join('?' * len(wanted))})"
        with self._reading() as db:
            rows = db.execute(
                f"SELECT document FROM jobs{where} ORDER BY created DESC, id LIMIT ?",  # noqa: S608 - only question marks
                (*(wanted or ()), -1 if limit is None else limit),
            ).fetchall()
        return [record for row in rows if (record := _readable(row[0])) is not None]

    def advance(self, job_id: str, to: State | None = None, **changes: Any) -> JobRecord:
        """Change a job, in one transaction.

        Parameters
        ----------
        job_id : str
            Our id.
        to : State, optional
            The state it goes to; without it only `changes` are written.
        **changes
            Fields of JobRecord.

        Raises
        ------
        LedgerError
            Where the step is not legal, or another process looks after the job.
        UnknownJobError
        """
        with self._writing() as db:
            row = db.execute("SELECT document, owner FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None:
                raise self._unknown(job_id)
            before, owner = _record(row[0]), row[1]
            if owner is not None and owner != self._me():
                raise LedgerError(f"job {job_id} is looked after by another process")
            if to is not None and not may_follow(before.state, to):
                raise LedgerError(f"job {job_id} is {before.state.value} and cannot become {to.value}")
            return self._write(db, dataclasses.replace(before, state=to or before.state, **changes))

    def _write(self, db: sqlite3.Connection, record: JobRecord) -> JobRecord:
        record = dataclasses.replace(record, updated=self._clock())
        db.execute(
            "UPDATE jobs SET updated = ?, state = ?, api_id = ?, document = ? WHERE id = ?",
            (record.updated, record.state.value, record.api_id, msgspec.json.encode(record), record.id),
        )
        return record

    def _unknown(self, job_id: str) -> UnknownJobError:
        shown = one_line(job_id, limit=60)
        return UnknownJobError(f"job {shown!r} is not in the ledger {self.path}: %refvideo jobs lists all")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except (sqlite3.Error, UnicodeEncodeError) as error:
                raise self._trouble(error) from None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as db:
            try:
                # Inside: an interrupt during the wait for the lock is raised when the lock is ours already.
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _migrate(self) -> None:
        with self._writing() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                raise LedgerError(f"{self.path} was written by a newer refvideo_nb: pip install -U refvideo-nb")
            for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
                for statement in filter(str.strip, script.split(";")):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {number}")

    def _trouble(self, error: Exception) -> LedgerError:
        return LedgerError(
            f"the ledger {self.path} cannot be used ({one_line(error, limit=100)}): "
            "set REFVIDEO_HOME to a folder of yours with free space; nothing was sent"
        )


def _readable(document: bytes) -> JobRecord | None:
    """A job of a list; one that cannot be read must not hide the others."""
    try:
        return _record(document)
    except LedgerError:
        return None


def _record(document: bytes) -> JobRecord:
    try:
        return msgspec.json.decode(document, type=JobRecord)
    except msgspec.MsgspecError as error:
        raise LedgerError(f"a job in the ledger cannot be read ({one_line(error, limit=100)})") from None
