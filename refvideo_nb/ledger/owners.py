"""Which process looks after a job, and whether that process still lives.

Each process holds a lock on a small file for as long as it runs. The system lets
go of the lock when the process ends, however it ends, so that on the same machine
a crash is seen at once; elsewhere, or where locks do not work, a lease runs out.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path
    from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows: the lease alone decides
    fcntl = None

__all__ = ["Owner", "lives"]

_OLD = 86_400.0  # seconds; the lock file of a process that ended is kept so long
_held: set[FileIO] = set()


def _let_go_in_child() -> None:
    # A forked child shares the lock, and would keep it alive when its parent is gone. The file object
    # is closed, not its number: that may be another file's by the time the object is collected.
    for file in _held:
        file.close()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)


class Owner:
    """The running process, as other processes on the same ledger see it.

    Parameters
    ----------
    home : pathlib.Path
        The home folder; the lock is kept in ``owners/`` below it. Where it cannot be
        had, the lease decides.

    Attributes
    ----------
    token : str
        ``host:random``, written beside each job that this process looks after.
    """

    def __init__(self, home: Path) -> None:
        self.token = f"{_host()}:{secrets.token_hex(8)}"
        self._path = _lock_path(home, self.token)
        self._pid = os.getpid()
        _sweep(self._path.parent)
        self._file = _hold(self._path)

    def renew(self) -> None:
        """Make the lock file anew where somebody removed it, so that a crash is seen at once again."""
        if os.getpid() == self._pid and (self._file is None or _mark(self._path) != _inode(self._file)):
            self._drop()
            self._file = _hold(self._path)

    def close(self, *, released: bool = True) -> None:
        """Let go.

        Parameters
        ----------
        released : bool
            Whether no job names this process any more. Otherwise the file stays, unlocked: that is
            how others see at once that it has ended, while of a missing file nobody can tell why.
        """
        if os.getpid() == self._pid and self._file is not None:  # a child has let go already
            self._drop()
            if released:
                with contextlib.suppress(OSError):
                    self._path.unlink()

    def _drop(self) -> None:
        if self._file is not None:
            _held.discard(self._file)
            self._file.close()
            self._file = None


def _hold(path: Path) -> FileIO | None:
    """A lock file, held until it is closed or the process ends; None where that is not to be had."""
    if fcntl is None:
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("wb", buffering=0)
    except OSError:
        return None
    try:
        # flock, not a record lock: that one is gone as soon as anything in this process opens and
        # closes the file, such as a copy of the home folder. Unlike an open file description's
        # lock, Python has it on macOS too.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Which file it is: one that a backup put into its place has the text, but another number.
        file.write(_inode(file))
    except OSError:
        file.close()
        return None
    _held.add(file)
    return file


def lives(home: Path, token: str) -> bool | None:
    """Whether the process behind a token provably lives or has ended; None where nobody can tell from here."""
    host, _, mark = token.rpartition(":")
    if host != _host() or not mark.isalnum():
        return None
    return _locked(_lock_path(home, token))


def _locked(path: Path) -> bool | None:
    if fcntl is None:
        return None
    try:
        with path.open("rb", buffering=0) as file:
            # Shared: two that ask at once must not take each other for the owner.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False if file.read() == _inode(file) else None  # a copy of it tells nothing
    except BlockingIOError:
        return True
    except OSError:
        # Not there: removed by somebody, while its process may well live. A process that
        # ends in good order releases its jobs before it removes its file.
        return None


def _mark(path: Path) -> bytes | None:
    try:
        return b"%d" % path.stat().st_ino
    except OSError:
        return None


def _inode(file: FileIO) -> bytes:
    return b"%d" % os.fstat(file.fileno()).st_ino


def _sweep(folder: Path) -> None:
    """Remove the files of processes that ended long ago."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"*{os.extsep}lock"):
            if time.time() - path.stat().st_mtime > _OLD and _locked(path) is False:
                path.unlink(missing_ok=True)


def _host() -> str:
    return "".join(c if c.isalnum() or c in "-." else "-" for c in socket.gethostname())[:100] or "host"


def _lock_path(home: Path, token: str) -> Path:
    return home / "owners" / f"{token.rpartition(':')[2]}{os.extsep}lock"
