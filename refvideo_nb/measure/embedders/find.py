"""From what a person writes after ``embedder=`` to a network that is ready."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.measure.embedders.folder import FolderEmbedder
from refvideo_nb.measure.embedders.hub import PINNED, fetch
from refvideo_nb.measure.embedders.lite0 import EfficientNetLite0
from refvideo_nb.measure.embedders.protocol import Embedder

__all__ = ["DEFAULT", "EMBEDDERS", "find_embedder"]

DEFAULT = EfficientNetLite0.name
EMBEDDERS = (DEFAULT, *PINNED)
"""The names that are known: the first works offline, the others are fetched once."""


def find_embedder(embedder: str | os.PathLike[str] | Embedder = DEFAULT, *, threads: int | None = None) -> Embedder:
    """An embedder by its name, by its folder, or as it is.

    Parameters
    ----------
    embedder : str, path or Embedder
        A name of :data:`EMBEDDERS`; a folder with ``model.onnx`` and
        ``preprocessor_config.json``; or an object that does what :class:`Embedder` says.
    threads : int, optional
        Threads of the network; all cores by default. Of an object that is given it is unknown.

    Returns
    -------
    Embedder
        The same one again where the same was asked for before, since loading takes a while.

    Raises
    ------
    InvalidRequestError
        Naming the value and what may be given.
    MissingDependencyError
        With the command that installs what is missing.
    DownloadError
        Where a network must be fetched and cannot be.
    """
    if isinstance(embedder, Embedder):
        return embedder
    if isinstance(embedder, str) and embedder in EMBEDDERS:
        return _named(embedder, threads)
    if isinstance(embedder, str | os.PathLike) and embedder and Path(embedder).expanduser().is_dir():
        return FolderEmbedder(Path(embedder).expanduser(), threads=threads)
    raise InvalidRequestError(
        f"embedder={one_line(repr(embedder), limit=80)} is neither known nor a folder: give one of "
        f"{', '.join(EMBEDDERS)}, or a folder with model.onnx and preprocessor_config.json",
        field="embedder",
        value=embedder,
        allowed=EMBEDDERS,
    )


@lru_cache(maxsize=1)  # one, since a network may hold hundreds of megabytes
def _named(name: str, threads: int | None) -> Embedder:
    return EfficientNetLite0(threads=threads) if name == DEFAULT else fetch(name, threads=threads)
