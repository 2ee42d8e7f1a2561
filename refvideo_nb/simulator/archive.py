"""Where jobs stay: one folder a job, written so that a killed process leaves either all of a thing or nothing.

``request.json`` is what was asked for, ``job.json`` makes it a job: it is written last, and only then is the job
accepted. ``film.mp4`` and ``truth.json`` come with the film.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from refvideo_nb.simulator.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def write_whole(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a file so that a reader sees all of it or the one before: temporary file, fsync, rename."""
    half = path.with_name(f".{path.name}.{os.getpid()}.half")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    _sync_folder(path.parent)


class Archive:
    """The jobs on the disk.

    Parameters
    ----------
    root
        A folder of this simulator's own; made if missing, readable by its owner only, since prompts and references
        are private.
    """

    def __init__(self, root: Path) -> None:
        self._jobs = root / "jobs"
        self._jobs.mkdir(parents=True, exist_ok=True, mode=0o700)

    def accept(self, job: Job, body: bytes) -> None:
        """Keep a new job; when this returns, it outlives the process."""
        self._folder(job.id).mkdir(mode=0o700)
        write_whole(self._folder(job.id) / "request.json", body)
        self.update(job)
        _sync_folder(self._jobs)

    def update(self, job: Job) -> None:
        """Replace what is stored of a job."""
        write_whole(self._folder(job.id) / "job.json", json.dumps(asdict(job)).encode())

    def jobs(self) -> Iterator[Job]:
        """Every accepted job, oldest first."""
        found = [Job(**json.loads(path.read_bytes())) for path in self._jobs.glob("*/job.json")]
        yield from sorted(found, key=lambda job: (job.accepted_at, job.id))

    def request(self, job_id: str) -> Any:
        """The JSON body that the job was made from."""
        return json.loads((self._folder(job_id) / "request.json").read_bytes())

    def film(self, job_id: str) -> Path:
        """Where the film is, or will be."""
        return self._folder(job_id) / "film.mp4"

    def keep_truth(self, job_id: str, truth: dict[str, Any]) -> None:
        """Keep what was really drawn."""
        write_whole(self._folder(job_id) / "truth.json", json.dumps(truth).encode())

    def truth(self, job_id: str) -> bytes:
        """The truth as JSON."""
        return (self._folder(job_id) / "truth.json").read_bytes()

    def _folder(self, job_id: str) -> Path:
        # Ids are our own, never a caller's: a caller's id is looked up among the known ones first.
        return self._jobs / job_id


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows has no handle for a folder, and orders such writes itself
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
