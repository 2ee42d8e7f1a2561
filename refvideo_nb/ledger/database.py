"""The database file: opened, migrated, and shared by the threads of one process."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from refvideo_nb.errors import LedgerError, one_line
from refvideo_nb.ledger.home import prepare_home
from refvideo_nb.ledger.migrations import MIGRATIONS, sought

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Database"]

_PATIENCE = 20.0  # seconds that one kernel waits for another's transaction


class _Shared(NamedTuple):
    """What all connections of this process to one file have in common, since SQLite's locks are the process's."""

    lock: threading.RLock
    databases: weakref.WeakSet[Database]


_shared: dict[str, _Shared] = {}  # by the real path of the file
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_shared.clear)  # a child begins anew: a lock may have been held at the fork


class Database:
    """One SQLite file.

    Parameters
    ----------
    home : pathlib.Path
        The folder in which it is made, or brought up to date, where that is needed.

    Attributes
    ----------
    path : pathlib.Path
    inside : bool
        Whether a transaction is under way.

    Raises
    ------
    LedgerError
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self.path = home / "ledger.sqlite"
        here = _Shared(threading.RLock(), weakref.WeakSet())
        self._lock, self._together = _shared.setdefault(os.path.realpath(self.path), here)
        self._pid = os.getpid()
        self._closed = False
        self.inside = False
        with self._lock:
            for each in tuple(self._together):
                each.follow()
            self._open()
            self._together.add(self)

    def _open(self) -> None:
        prepare_home(self._home)
        try:
            self._db = sqlite3.connect(self.path, timeout=_PATIENCE, check_same_thread=False, isolation_level=None)
            self._on_disk: bool | None = None  # what was asked of this connection last
            try:
                _patiently(lambda: self._db.execute("PRAGMA journal_mode=WAL"))
                with self._transaction():
                    self._migrate()
            except BaseException:
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise self._trouble(error) from None
        self._files: list[tuple[int, int] | None] = self._seen()

    def close(self) -> None:
        """Close it; another call opens nothing again."""
        if os.getpid() == self._pid:
            with self._lock:
                self._closed = True
                self._together.discard(self)
                self._db.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time; what goes wrong becomes a LedgerError."""
        if os.getpid() != self._pid:  # SQLite must not be carried across a fork; nor is the lock below free for sure
            raise LedgerError("this ledger belongs to the parent process: refvideo_nb.jobs() opens it from here")
        with self._lock:
            try:
                self.follow()
                yield self._db
            except (sqlite3.Error, UnicodeEncodeError) as error:
                raise self._trouble(error) from None

    @contextmanager
    def writing(self, *, on_disk: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or nothing.

        Parameters
        ----------
        on_disk : bool
            Whether it must outlive a loss of power, with everything before it. Without that it still
            outlives this process, however that ends; the next one that must be on the disk takes it along.
        """
        with self.reading() as db:
            if on_disk is not self._on_disk:
                db.execute(f"PRAGMA synchronous={'FULL' if on_disk else 'NORMAL'}")
                self._on_disk = on_disk
            with self._transaction():
                yield db
            if self._seen() != self._files:
                raise self._trouble("its files were replaced while this was written; try again")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        db, self.inside = self._db, True
        try:
            # Inside: an interrupt during the wait for the lock is raised when the lock is ours already.
            db.execute("BEGIN IMMEDIATE")
            yield
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        finally:
            self.inside = False

    def follow(self) -> None:
        """Open the ledger anew where it is no longer the files that are open here.

        POSIX gives a process's locks on a file up as soon as anything in it closes that file. After a
        mere copy of the home folder another process therefore takes itself for the only one, and
        removes the write-ahead log when it ends; whatever was committed into that would be lost.
        """
        if self._closed or self._seen() == self._files or any(each.inside for each in self._together):
            return
        # All of this process first: as long as one is open, SQLite believes that it still has the locks.
        for each in self._together:
            each.drop()
        self._open()

    def drop(self) -> None:
        """Close the connection for now; whatever is asked next opens it anew."""
        self._db.close()
        self._files = []

    def _seen(self) -> list[tuple[int, int] | None]:
        """Which files stand at the ledger's names now."""
        return [_identity(path) for path in (self.path, f"{self.path}-wal")]

    def _migrate(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise LedgerError(f"{self.path} was written by a newer refvideo_nb: pip install -U refvideo-nb")
        self._db.create_function("sought", 4, sought, deterministic=True)
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in filter(str.strip, script.split(";")):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {number}")

    def _trouble(self, error: object) -> LedgerError:
        return LedgerError(
            f"the ledger {self.path} cannot be used ({one_line(error, limit=100)}): "
            "free some space there, or set REFVIDEO_HOME to a folder of yours"
        )


def _identity(path: str | Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - twice in each transaction, and a Path costs more than the call
    except OSError:
        return None
    return found.st_dev, found.st_ino


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
