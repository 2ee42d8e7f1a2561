"""The home folder: made when it is first needed, and kept out of git by itself."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from refvideo_nb.errors import LedgerError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["prepare_home"]


def prepare_home(home: Path) -> Path:
    """Make the folder and its rooms.

    Raises
    ------
    LedgerError
        Where it cannot be written.
    """
    try:
        for room in (home, home / "media", home / "videos", home / "cache"):
            room.mkdir(parents=True, exist_ok=True)
        ignore = home / ".gitignore"
        with contextlib.suppress(FileExistsError), ignore.open("x") as file:
            file.write("# Videos, references and the ledger of refvideo_nb: large, and yours alone.\n*\n")
    except OSError as error:
        raise LedgerError(
            f"the home folder {home} cannot be written ({error.strerror}): set REFVIDEO_HOME to a folder of yours"
        ) from None
    return home
