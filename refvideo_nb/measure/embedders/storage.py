"""Where a converted network is kept: the user's cache, which may be emptied at any time."""

from __future__ import annotations

import contextlib
import os
import tempfile
from hashlib import sha256
from pathlib import Path

from refvideo_nb.measure.embedders.runtime import needed

__all__ = ["folder", "keep", "kept"]


def folder() -> Path:
    """The user's cache folder: of the machine, not of one project, as the networks are the same for all.

    ``XDG_CACHE_HOME`` or ``~/.cache`` on Linux, ``~/Library/Caches`` on macOS,
    ``%LOCALAPPDATA%`` on Windows.
    """
    place: Path = needed("platformdirs").user_cache_path("refvideo_nb", appauthor=False)
    return place / "networks"


def kept(name: str, digest: str) -> bytes | None:
    """A file of the cache, if it is there and has the hash that it must have."""
    try:
        data = (folder() / name).read_bytes()
    except OSError:
        return None
    return data if sha256(data).hexdigest() == digest else None


def keep(name: str, data: bytes) -> None:
    """Write a file so that nobody ever reads half of it; a cache that cannot be written is none."""
    with contextlib.suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=folder(), suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(part).replace(folder() / name)
        except OSError:
            Path(part).unlink(missing_ok=True)
            raise
