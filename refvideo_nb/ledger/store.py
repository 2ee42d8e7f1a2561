"""The ledger: jobs in SQLite, each change one transaction that only a legal step passes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.job import JobRecord, State, may_follow
from refvideo_nb.errors import LedgerError, TakenOverError, UnknownJobError, one_line
from refvideo_nb.ledger import entering, search
from refvideo_nb.ledger.aside import Aside, whole
from refvideo_nb.ledger.claims import LEASE, Claims
from refvideo_nb.ledger.database import Database
from refvideo_nb.ledger.documents import insert, read, write
from refvideo_nb.ledger.forgetting import forget
from refvideo_nb.ledger.ids import new_id
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.ledger.ratings import Ratings
from refvideo_nb.ledger.reports import Reports
from refvideo_nb.ledger.sweeps import Sweeps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["LEASE", "Ledger", "new_id"]

# What the API, or the file itself, tells again after a loss of power. All that leads to a submit, and the id
# that comes of it, is on the disk before anything else happens.
_TOLD_AGAIN = frozenset({State.RUNNING, State.COMPLETED, State.DOWNLOADED})


class Ledger:
    """Every job of a home folder.

    Parameters
    ----------
    home : pathlib.Path
        The home folder; it is made where it is missing.
    clock : callable
        Seconds since the epoch.

    Attributes
    ----------
    path : pathlib.Path
        The database.
    sweeps : Sweeps

    Raises
    ------
    LedgerError
        Where the folder or the database cannot be used.

    Attributes
    ----------
    reports : Reports
        What was measured of films.
    ratings : Ratings
        What people say of them.
    """

    def __init__(self, home: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._aside = Aside()
        self._database = self._aside.run(lambda: Database(home))
        self.path = self._database.path
        self._claims = Claims(self._database, clock=clock)
        self._media = MediaStore(home)
        self.reports = Reports(self._database, clock=clock)
        self.ratings = Ratings(self._database, clock=clock)
        self.sweeps = Sweeps(self._database, self._claims, aside=self._aside, clock=clock)

    def close(self) -> None:
        """Let go of every job and close the database; another call opens nothing again."""
        self._aside.run(self._close)
        self._aside.close()

    def _close(self) -> None:
        try:
            self._claims.close()
        finally:
            self._database.close()

    @whole
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
        # One transaction: two kernels that run the same cell at once make one job. It is on the disk with
        # the next step, before anything is sent.
        with self._database.writing(on_disk=False) as db:
            if reuse and (earlier := entering.earlier(db, fingerprint, self._claims)) is not None:
                return earlier
            allow(record)
            insert(db, record, fingerprint=fingerprint, owner=self._claims.me(), lease=self._claims.until())
        return record

    @whole
    def bring_in(self, jobs: Iterable[tuple[JobRecord, str]]) -> list[str]:
        """Write down settled jobs of another ledger: all of them, or none.

        Parameters
        ----------
        jobs : iterable of (JobRecord, str)
            Each with the fingerprint of its request.

        Returns
        -------
        list of str
            The ids of those that were here already, the same in everything.

        Raises
        ------
        LedgerError
            Where a job is not settled, or another one is here under its id.
        """
        with self._database.writing() as db:
            return entering.bring_in(db, jobs)

    @whole
    def claim(self, job_id: str) -> JobRecord | None:
        """Begin to look after a job; None while another living process does.

        A job that was left in the middle of being sent is settled here: one that never
        left is rejected, one that may have arrived has an unknown outcome.

        Raises
        ------
        UnknownJobError
        """
        record = self._claims.claim(job_id)
        if record is None:
            self.get(job_id)
        return record

    @whole
    def abandoned(self, states: Iterable[State]) -> list[JobRecord]:
        """Jobs in these states that no living process looks after, newest first."""
        return self._claims.abandoned(states)

    @whole
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

    @whole
    def renew(self) -> None:
        """Say that this process still lives; to be called several times a lease."""
        self._claims.renew()

    @whole
    def release(self, job_id: str) -> None:
        """Stop looking after a job, so that another process may."""
        self._claims.release(job_id)

    @whole
    def get(self, job_id: str) -> JobRecord:
        """One job, by our id, the API's id, or the beginning of ours where it is unique.

        Raises
        ------
        UnknownJobError
        """
        with self._database.reading() as db:
            found = search.named(db, job_id)
        if not found:
            raise self._unknown(job_id)
        if len(found) > 1:
            shown = one_line(job_id, limit=60)
            raise UnknownJobError(f"job {shown!r} names several jobs: give the id that %refvideo jobs lists")
        return read(found[0])

    @whole
    def jobs(self, *, states: Iterable[State] | None = None, limit: int | None = None) -> list[JobRecord]:
        """Jobs, newest first."""
        with self._database.reading() as db:
            return search.newest(db, states=states, limit=limit)

    @whole
    def find(
        self,
        *,
        states: Iterable[State] | None = None,
        model: str | None = None,
        text: str | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> search.Page:
        """A page of the jobs, newest first.

        Parameters
        ----------
        states : iterable of State, optional
        model : str, optional
            A whole model id.
        text : str, optional
            Looked for in prompts, models and both ids, whatever the case of its letters; at most
            its first 1000 characters.
        offset, limit : int
            The first one, and at most how many.

        Returns
        -------
        Page
        """
        with self._database.reading() as db:
            return search.find(db, states=states, model=model, text=text, offset=offset, limit=limit)

    @whole
    def models(self) -> list[str]:
        """Every model that a job names, by name."""
        with self._database.reading() as db:
            return search.models(db)

    @whole
    def durations(self, model: str, resolution: str | None, *, simulated: bool) -> list[float]:
        """How long finished jobs took from the submit to the end: at most the 50 newest, in seconds.

        Only jobs of this home's own, and only those whose end was seen in time: of one that ended
        while no kernel was running nobody knows how long it took.

        Parameters
        ----------
        model, resolution : str
            As they were asked for.
        simulated : bool
            Whether the simulator's jobs are asked for, or the API's.
        """
        with self._database.reading() as db:
            return search.durations(db, model, resolution, simulated=simulated)

    @whole
    def still_used(self, hashes: Iterable[str]) -> set[str]:
        """Which of these hashes of references some job of this ledger names."""
        with self._database.reading() as db:
            return search.still_used(db, hashes)

    @whole
    def forget(self, job_id: str, *, even_unknown: bool = False) -> JobRecord:
        """Take a job out of the ledger, with its clip, what is known of it, and the references that no other job names.

        Parameters
        ----------
        job_id : str
            Our id.
        even_unknown : bool
            Whether a job goes of which nobody knows whether it was paid.

        Raises
        ------
        LedgerError
            Where it is not settled, its outcome is unknown, or a file cannot be deleted.
        TakenOverError
            Where another living process looks after it.
        UnknownJobError
        """
        with self._database.writing() as db:
            record = forget(db, job_id, claims=self._claims, media=self._media, even_unknown=even_unknown)
        if record is None:
            raise self._unknown(job_id)
        return record

    @whole
    def advance(self, /, job_id: str, to: State | None = None, **changes: Any) -> JobRecord:
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
        told_again = to in _TOLD_AGAIN or (to is State.ACCEPTED and "api_id" not in changes)
        with self._database.writing(on_disk=not told_again) as db:
            row = db.execute("SELECT document, owner FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None:
                raise self._unknown(job_id)
            before, owner = read(row[0]), row[1]
            if owner is not None and not self._claims.mine(owner):
                raise TakenOverError(f"job {job_id} is looked after by another process")
            if to is not None and not may_follow(before.state, to):
                raise LedgerError(f"job {job_id} is {before.state.value} and cannot become {to.value}")
            after = msgspec.structs.replace(before, state=to or before.state, **changes)
            return write(db, before, after, now=self._clock())

    def _unknown(self, job_id: str) -> UnknownJobError:
        shown = one_line(job_id, limit=60)
        return UnknownJobError(f"job {shown!r} is not in the ledger {self.path}: %refvideo jobs lists all")
