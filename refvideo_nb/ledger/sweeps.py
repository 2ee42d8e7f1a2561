"""Sweeps in the ledger: each with its cells as they were planned, and the job that was begun for each.

A cell and its job are written in one transaction, so that whenever a process ends, the
next one knows for every cell whether a request of it may have left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.job import FAILED, JobRecord, State
from refvideo_nb.core.sweep import Cell, Place, SweepRecord, SweepState
from refvideo_nb.errors import LedgerError, TakenOverError, UnknownJobError, one_line
from refvideo_nb.ledger import entering
from refvideo_nb.ledger.aside import whole
from refvideo_nb.ledger.documents import insert, read, readable, remove
from refvideo_nb.ledger.ids import new_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from refvideo_nb.ledger.aside import Aside
    from refvideo_nb.ledger.claims import Claims
    from refvideo_nb.ledger.database import Database

__all__ = ["Sweeps"]

# Made once: see documents.py.
_SWEEP = msgspec.json.Decoder(SweepRecord)
_CELL = msgspec.json.Decoder(Cell)


class Sweeps:
    """The sweeps of a ledger.

    Parameters
    ----------
    database : Database
    claims : Claims
        Who looks after what.
    aside : Aside
        Carries out what an interrupt must not cut in two.
    clock : callable
        Seconds since the epoch.
    """

    def __init__(self, database: Database, claims: Claims, *, aside: Aside, clock: Callable[[], float]) -> None:
        self._database, self._claims, self._aside, self._clock = database, claims, aside, clock

    @whole
    def add(self, record: SweepRecord, cells: Sequence[Cell]) -> None:
        """Write a sweep down with its cells; this process runs it."""
        rows = [(record.id, cell.number, msgspec.json.encode(cell)) for cell in cells]
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO sweeps (id, created, state, document, owner, lease) VALUES (?, ?, ?, ?, ?, ?)",
                (record.id, record.created, record.state.value, msgspec.json.encode(record), *self._mine()),
            )
            db.executemany("INSERT INTO cells (sweep, number, document) VALUES (?, ?, ?)", rows)
            # Cells that still wait for their job need its references: forgetting another job must not take them.
            db.executemany("INSERT INTO uses (sha256, job) VALUES (?, ?)", [(h, record.id) for h in _needed(cells)])

    @whole
    def get(self, sweep_id: str) -> SweepRecord:
        """One sweep, by its id or the beginning of it.

        Raises
        ------
        UnknownJobError
        """
        with self._database.reading() as db:
            for where in ("id = :id", "length(:id) > 2 AND id >= :id AND id < :id || char(1114111)"):
                rows = db.execute(f"SELECT document FROM sweeps WHERE {where} LIMIT 2", {"id": sweep_id}).fetchall()  # noqa: S608 - one of the two above
                if len(rows) == 1:
                    return _read(rows[0][0])
        shown = one_line(sweep_id, limit=60)
        if rows:
            raise UnknownJobError(f"sweep {shown!r} names several sweeps: give the id that %refvideo sweeps lists")
        raise UnknownJobError(
            f"sweep {shown!r} is not in the ledger {self._database.path}: %refvideo sweeps lists all; "
            "one that was only planned is not kept"
        )

    @whole
    def all(self) -> list[SweepRecord]:
        """Every sweep, newest first."""
        with self._database.reading() as db:
            rows = db.execute("SELECT document FROM sweeps ORDER BY created DESC, id").fetchall()
        return [_read(row[0]) for row in rows]

    @whole
    def cells(self, sweep_id: str) -> tuple[Cell, ...]:
        """Its cells as they were planned."""
        with self._database.reading() as db:
            rows = db.execute("SELECT document FROM cells WHERE sweep = ? ORDER BY number", (sweep_id,)).fetchall()
        try:
            return tuple(_CELL.decode(row[0]) for row in rows)
        except msgspec.MsgspecError as error:
            raise LedgerError(f"a cell of {sweep_id} cannot be read ({one_line(error, limit=100)})") from None

    @whole
    def places(self, sweep_id: str, *, seen: Mapping[int, tuple[str, float]] | None = None) -> list[Place]:
        """What became of its cells so far.

        Parameters
        ----------
        sweep_id : str
        seen : mapping of int to (str, float), optional
            The job that each cell had, empty for none, and when that had changed last: then only
            what is new is given. Thousands of documents take long to read.
        """
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT number, job, reused, jobs.updated FROM cells LEFT JOIN jobs ON jobs.id = cells.job"
                " WHERE sweep = ? ORDER BY number",
                (sweep_id,),
            ).fetchall()
            if seen is not None:
                rows = [row for row in rows if seen.get(row[0]) != (row[1] or "", row[3] or 0.0)]
            found = []
            for number, job_id, reused, _ in rows:
                row = db.execute("SELECT document FROM jobs WHERE id = ?", (job_id,)).fetchone() if job_id else None
                found.append(Place(number, job_id, bool(reused), readable(row[0]) if row else None))
        return found

    @whole
    def earlier(self, fingerprints: Iterable[str]) -> dict[str, tuple[str, State]]:
        """The jobs that would be given back for these requests, each with its state; changes nothing."""
        found: dict[str, tuple[str, State]] = {}
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT fingerprint, id, state FROM jobs WHERE fingerprint IN (SELECT value FROM json_each(?))"
                " AND state IN (SELECT value FROM json_each(?)) ORDER BY state = ?, created DESC",
                (_json(fingerprints), _json(s.value for s in _GIVEN_BACK), State.OUTCOME_UNKNOWN.value),
            ).fetchall()
        for mark, job_id, state in rows:
            found.setdefault(mark, (job_id, State(state)))
        return found

    @whole
    def running(self, sweep_id: str) -> bool:
        """Whether a living process runs it, this one or another."""
        with self._database.reading() as db:
            row = db.execute("SELECT owner, lease FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
        return row is not None and row[0] is not None and (self._claims.mine(row[0]) or not self._claims.free(*row))

    @whole
    def claim(self, sweep_id: str) -> bool:
        """Begin to run it; False while another living process does."""
        with self._database.writing() as db:
            row = db.execute("SELECT owner, lease FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
            if row is None or not self._claims.free(*row):
                return False
            db.execute("UPDATE sweeps SET owner = ?, lease = ? WHERE id = ?", (*self._mine(), sweep_id))
        return True

    @whole
    def release(self, sweep_id: str) -> None:
        """Stop running it, so that another process may."""
        with self._database.writing() as db:
            mine = (sweep_id, self._claims.me())
            db.execute("UPDATE sweeps SET owner = NULL, lease = NULL WHERE id = ? AND owner = ?", mine)

    @whole
    def advance(self, sweep_id: str, /, **changes: Any) -> SweepRecord:
        """Change a sweep that this process runs.

        Raises
        ------
        TakenOverError
            Where another process runs it by now.
        """
        with self._database.writing() as db:
            before = self._own(db, sweep_id)
            after = msgspec.structs.replace(before, updated=self._clock(), **changes)
            db.execute(
                "UPDATE sweeps SET state = ?, document = ? WHERE id = ?",
                (after.state.value, msgspec.json.encode(after), sweep_id),
            )
            if after.state is SweepState.FINISHED:  # each cell has its job, which knows what it needs
                db.execute("DELETE FROM uses WHERE job = ?", (sweep_id,))
        return after

    @whole
    def begin(
        self,
        sweep_id: str,
        number: int,
        record: JobRecord,
        *,
        fingerprint: str,
        reuse: bool,
        allow: Callable[[JobRecord], None],
    ) -> Place:
        """Write a drafted job down for a cell, or give the cell the job that is already there.

        In one transaction, in which the cell has no job yet, or one that was refused: that one
        goes, since nothing was sent or paid, and each try would leave one more.

        Parameters
        ----------
        sweep_id : str
        number : int
            The cell's.
        record, fingerprint, reuse, allow
            See `Ledger.add`.

        Raises
        ------
        TakenOverError
            Where another process runs the sweep by now.
        """
        with self._database.writing() as db:
            self._own(db, sweep_id)
            before = self._place(db, sweep_id, number)
            if before.job_id is not None and (before.record is None or before.record.state is not State.REJECTED):
                return before
            found = entering.earlier(db, fingerprint, self._claims) if reuse else None
            if found is None:
                while db.execute("SELECT 1 FROM jobs WHERE id = ?", (record.id,)).fetchone():
                    record = msgspec.structs.replace(record, id=new_id(record.created))  # a day of many jobs
                allow(record)
                insert(db, record, fingerprint=fingerprint, owner=self._mine()[0], lease=self._mine()[1])
            if before.record is not None and not before.reused:
                remove(db, before.record)
                db.execute("UPDATE cells SET job = NULL, reused = 0 WHERE job = ?", (before.job_id,))
            place = Place(number, (found or record).id, found is not None, found or record)
            self._link(db, sweep_id, place)
        return place

    @whole
    def give_back(self, sweep_id: str, fingerprints: Mapping[int, str]) -> list[Place]:
        """Give cells the jobs of their very request that are already there, all at once.

        Parameters
        ----------
        sweep_id : str
        fingerprints : mapping of int to str
            By the cell's number; none of them has a job yet.
        """
        given = []
        with self._database.writing() as db:
            self._own(db, sweep_id)
            there = {
                row[0]
                for row in db.execute(
                    "SELECT DISTINCT fingerprint FROM jobs WHERE fingerprint IN (SELECT value FROM json_each(?))",
                    (_json(fingerprints.values()),),
                )
            }
            for number, mark in fingerprints.items():
                if mark in there and (found := entering.earlier(db, mark, self._claims)) is not None:
                    given.append(Place(number, found.id, reused=True, record=found))
                    self._link(db, sweep_id, given[-1])
        return given

    @whole
    def set_free(self, sweep_id: str, numbers: Iterable[int]) -> None:
        """Let cells have another job than the one that ended without a video; what that cost stays counted.

        Raises
        ------
        LedgerError
            Where a cell's job has not ended so.
        """
        with self._database.writing() as db:
            record = self._own(db, sweep_id)
            replaced = record.replaced
            for number in numbers:
                place = self._place(db, sweep_id, number)
                if place.record is None or place.record.state not in FAILED | {State.OUTCOME_UNKNOWN}:
                    raise LedgerError(f"cell {number} of {sweep_id} has a job that is not to be replaced")
                replaced += place.charge
                self._link(db, sweep_id, Place(number))
            after = msgspec.structs.replace(record, replaced=replaced)
            db.execute("UPDATE sweeps SET document = ? WHERE id = ?", (msgspec.json.encode(after), sweep_id))

    def _place(self, db: sqlite3.Connection, sweep_id: str, number: int) -> Place:
        row = db.execute(
            "SELECT job, reused, jobs.document FROM cells LEFT JOIN jobs ON jobs.id = cells.job"
            " WHERE sweep = ? AND number = ?",
            (sweep_id, number),
        ).fetchone()
        if row is None:
            raise LedgerError(f"sweep {sweep_id} has no cell {number}")
        return Place(number, row[0], bool(row[1]), read(row[2]) if row[2] is not None else None)

    def _link(self, db: sqlite3.Connection, sweep_id: str, place: Place) -> None:
        db.execute(
            "UPDATE cells SET job = ?, reused = ? WHERE sweep = ? AND number = ?",
            (place.job_id, int(place.reused), sweep_id, place.number),
        )

    def _own(self, db: sqlite3.Connection, sweep_id: str) -> SweepRecord:
        row = db.execute("SELECT document, owner FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
        if row is None or not self._claims.mine(row[1]):
            raise TakenOverError(f"sweep {sweep_id} is run by another process")
        return _read(row[0])

    def _mine(self) -> tuple[str, float]:
        return self._claims.me(), self._claims.until()


# States of a job that is given back for the same request.
_GIVEN_BACK = frozenset(State) - FAILED - {State.DRAFTED}


def _needed(cells: Iterable[Cell]) -> set[str]:
    """The hashes of the references and frames of cells."""
    requests = [c.request for c in cells if c.request is not None and not c.refused]
    references = {r.sha256 for request in requests for r in request.references}
    return references | {f.image.sha256 for request in requests for f in request.frames}


def _read(document: bytes) -> SweepRecord:
    try:
        return _SWEEP.decode(document)
    except msgspec.MsgspecError as error:
        raise LedgerError(f"a sweep in the ledger cannot be read ({one_line(error, limit=100)})") from None


def _json(values: Iterable[str]) -> str:
    return msgspec.json.encode(list(values)).decode()
