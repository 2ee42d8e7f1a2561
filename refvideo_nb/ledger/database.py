"""The database file: opened, migrated, and shared by the threads of one process."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from refvideo_nb.errors import LedgerError, one_line
from refvideo_nb.ledger.migrations import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Database"]

_PATIENCE = 20.0  # seconds that one kernel waits for another's transaction


class Database:
    """One SQLite file.

    Parameters
    ----------
    path : pathlib.Path
        It is made, or brought up to date, where that is needed.

    Raises
    ------
    LedgerError
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False, isolation_level=None)
        except sqlite3.Error as error:
            raise self._trouble(error) from None
        try:
            with self.reading() as db:
                _patiently(lambda: db.execute("PRAGMA journal_mode=WAL"))
                # FULL: a submit must be on the disk before the first byte leaves.
                db.execute("PRAGMA synchronous=FULL")
            self._migrate()
        except LedgerError:
            self._db.close()
            raise

    def close(self) -> None:
        """Close it; another call opens nothing again."""
        with self._lock:
            self._db.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time; what goes wrong becomes a LedgerError."""
        with self._lock:
            try:
                yield self._db
            except (sqlite3.Error, UnicodeEncodeError) as error:
                raise self._trouble(error) from None

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or nothing."""
        with self.reading() as db:
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
        with self.writing() as db:
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


def _patiently(does: Callable[[], object]) -> None:
    """Try again while another process is just making the file: there SQLite itself does not wait."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            does()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return
