"""One video to be measured wherever that may be: in another process, or on another machine."""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.adherence import Report
from refvideo_nb.errors import RefVideoError, one_line
from refvideo_nb.measure.targets import Given

if TYPE_CHECKING:
    from refvideo_nb.measure.embedders import Embedder

__all__ = ["Outcome", "Task", "carry_out"]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker needs to know; it can be sent to one.

    Attributes
    ----------
    name : str
        What the report calls the video.
    path : pathlib.Path
        Where it is, for workers that see the same files.
    sha256 : str
        Its hash, so that a worker measures this very file and no other.
    data : bytes or None
        The file itself, for workers that do not see it.
    references, embedder, frames, every, negatives, seed, threads
        As of :func:`.video.measure_video`.
    version : int
        What measures here; another one would give other numbers.
    """

    name: str
    path: Path
    sha256: str
    data: bytes | None = None
    references: tuple[Given, ...]
    embedder: Any
    frames: int | None
    every: float | None
    negatives: tuple[Given, ...]
    seed: int
    threads: int
    version: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a task; that it failed is told, not raised, since not every error can be sent back.

    Attributes
    ----------
    report : Report or None
    why : str
        Why there is none; empty also where the worker only does not see the file.
    """

    report: Report | None = None
    why: str = ""


def carry_out(task: Task) -> Outcome:
    """Measure one video. The network is loaded once in each process, and kept."""
    try:
        from refvideo_nb.measure.video import VERSION  # noqa: PLC0415 - what a worker lacks is told, as all else

        if task.version != VERSION:
            return Outcome(why="the worker has another version of refvideo_nb: install the same there")
        if task.data is None:
            return _measured(task, task.path) if task.path.is_file() else Outcome()
        with tempfile.TemporaryDirectory(prefix="refvideo-") as folder:
            path = Path(folder) / f"video{task.path.suffix}"
            path.write_bytes(task.data)
            return _measured(task, path)
    except RefVideoError as error:
        return Outcome(why=one_line(error, limit=300))
    except Exception as error:  # noqa: BLE001 - one video is no reason to lose the others
        return Outcome(why=f"a fault while measuring it ({type(error).__name__}: {one_line(error, limit=200)})")


@lru_cache(maxsize=1)
def _network(embedder: str | os.PathLike[str]) -> Embedder:
    from refvideo_nb.measure.embedders import find_embedder  # noqa: PLC0415 - as above

    return find_embedder(embedder, threads=1)


def _measured(task: Task, path: Path) -> Outcome:
    from refvideo_nb.measure.video import measure_video  # noqa: PLC0415 - as above

    by_name = isinstance(task.embedder, str | os.PathLike)
    report = measure_video(
        path,
        task.references,
        embedder=_network(task.embedder) if by_name else task.embedder,
        frames=task.frames,
        every=task.every,
        negatives=task.negatives,
        seed=task.seed,
        threads=task.threads,
        video=task.name,
    )
    if report.video_sha256 != task.sha256:
        return Outcome(why=f"{one_line(path.name, limit=60)} is not the file that was downloaded: it was changed")
    return Outcome(report=report)
