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
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows: the lease alone decides
    fcntl = None

__all__ = ["Owner", "lives"]

_OLD = 86_400.0  # seconds; the lock file of a process that ended is kept so long
_held: set[IO[bytes]] = set()


def _let_go_in_child() -> None:
    # A forked child shares the lock, and would keep it alive when its parent is gone.
    for file in _held:
        with contextlib.suppress(OSError):
            os.close(file.fileno())
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)


class Owner:
    """The running process, as other processes on the same ledger see it.

    Parameters
    ----------
    home : pathlib.Path
        The home folder; the lock is kept in ``owners/`` below it.

    Attributes
    ----------
    token : str
        ``host:random``, written beside each job that this process looks after.
    """

    def __init__(self, home: Path) -> None:
        self.token = f"{_host()}:{secrets.token_hex(8)}"
        self._path = _lock_path(home, self.token)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(self._path.parent)
        self._pid = os.getpid()
        self._file: IO[bytes] = self._path.open("wb")
        _held.add(self._file)
        if fcntl is not None:
            # flock, not a record lock: that one is gone as soon as anything in this process
            # opens and closes the file, such as a copy of the home folder.
            with contextlib.suppress(OSError):  # a file system without locks: the lease decides
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Let go; others may take over at once."""
        if os.getpid() != self._pid or self._file not in _held:
            return
        _held.discard(self._file)
        self._file.close()
        self._path.unlink(missing_ok=True)


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
        with path.open("rb") as file:
            # Shared: two that ask at once must not take each other for the owner.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        # Not there: removed by somebody, while its process may well live. A process that
        # ends in good order releases its jobs before it removes its file.
        return None
    return False


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
