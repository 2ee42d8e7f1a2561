"""One simulator a state folder: two would each know half of the jobs."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE = 5.0  # seconds; the one before may just be ending, which takes it a moment
_LOOK = 0.05


@contextmanager
def only_one(state: Path) -> Iterator[None]:
    """Hold a folder for as long as the block runs; the system lets go of it however the process ends.

    Raises
    ------
    OSError
        Where another simulator holds it, or it cannot be written.
    """
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        until = time.monotonic() + _PATIENCE
        while not _taken(handle):
            if time.monotonic() > until:
                raise OSError(f"{state} is in use by another simulator; end that one, or give another folder")
            time.sleep(_LOOK)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - only there

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - only elsewhere

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
