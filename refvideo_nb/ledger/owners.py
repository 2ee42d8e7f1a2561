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

_ours: set[str] = set()


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
        _ours.add(self.token)
        self._path = _lock_path(home, self.token)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] | None = self._path.open("wb")
        if fcntl is not None:
            # A record lock, not flock: a forked child must not keep it alive.
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Let go; others may take over at once."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._path.unlink(missing_ok=True)
            _ours.discard(self.token)


def lives(home: Path, token: str) -> bool | None:
    """Whether the process behind a token provably lives; None where nobody can tell from here."""
    host, _, mark = token.rpartition(":")
    if host != _host() or not mark.isalnum():
        return None
    if token in _ours:
        return True  # opening and closing the file of a token of our own would give up its lock
    if fcntl is None:
        return None
    path = _lock_path(home, token)
    try:
        with path.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False  # it let go in good order
    except (BlockingIOError, PermissionError):
        return True
    except OSError:
        return None  # a file system without locks
    with contextlib.suppress(OSError):
        path.unlink()
    return False


def _host() -> str:
    return "".join(c if c.isalnum() or c in "-." else "-" for c in socket.gethostname())[:100] or "host"


def _lock_path(home: Path, token: str) -> Path:
    return home / "owners" / f"{token.rpartition(':')[2]}{os.extsep}lock"
