"""Files by their content: the bytes of every reference, so that thumbnails outlive its address."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from typing import IO, TYPE_CHECKING

from refvideo_nb.errors import LedgerError
from refvideo_nb.ledger.documents import references_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.core.references import Reference

__all__ = ["MediaStore", "write_atomically", "write_whole"]

_SHA = re.compile(r"[0-9a-f]{64}\Z")
_ADVICE = "free some space, or set REFVIDEO_HOME to a folder of yours; nothing was sent"
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
}


@contextlib.contextmanager
def write_whole(path: Path, *, advice: str = _ADVICE) -> Iterator[IO[bytes]]:
    """A file that appears whole or not at all: temporary name, flushed, renamed.

    Parameters
    ----------
    path : pathlib.Path
    advice : str
        What to do where it cannot be written.

    Raises
    ------
    LedgerError
        Where it cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise LedgerError(f"{path} cannot be written ({error.strerror or error}): {advice}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    with write_whole(path) as file:
        file.write(data)


def _read(path: Path, sha256: str) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == sha256 else None


class MediaStore:
    """References under ``media/``, finished clips under ``videos/``.

    Parameters
    ----------
    home : pathlib.Path
        The home folder.
    """

    def __init__(self, home: Path) -> None:
        self._media = home / "media"
        self._notes = home / "cache" / "prepared"
        self._videos = home / "videos"

    def put(self, data: bytes, media_type: str) -> str:
        """Keep some bytes; the answer is their SHA-256, hexadecimal."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256, media_type)
        if _read(path, sha256) is None:
            write_atomically(path, data)
        return sha256

    def path(self, sha256: str, media_type: str) -> Path:
        """Where the bytes of this hash are, or would be."""
        if not _SHA.match(sha256):
            raise LedgerError("the ledger holds a hash that is none: it was changed by something else")
        return self._media / sha256[:2] / f"{sha256}{_SUFFIXES.get(media_type, '.bin')}"

    def read(self, reference: Reference) -> bytes | None:
        """The bytes of a reference; None where the file was removed or is no longer what was kept."""
        return self.bytes_of(reference.sha256, reference.media_type)

    def bytes_of(self, sha256: str, media_type: str) -> bytes | None:
        """The bytes of a hash, as `read`."""
        return _read(self.path(sha256, media_type), sha256)

    def note(self, sha256: str) -> Path:
        """Where it is noted what a picture of this hash was made into."""
        return self._notes / f"{sha256}.json"

    def video(self, job_id: str) -> Path:
        """Where the finished clip of a job is, or will be."""
        if not _JOB_ID.match(job_id):
            raise LedgerError("the ledger holds a job id that is none: it was changed by something else")
        return self._videos / f"{job_id}.mp4"

    def sidecar(self, job_id: str) -> Path:
        """Where it stands beside the clip what is known of it."""
        return self.video(job_id).with_suffix(".json")

    def part(self, job_id: str) -> Path:
        """A new name beside the finished clip, for this process alone, under which it arrives."""
        final = self.video(job_id)
        return final.with_name(f"{job_id}.{secrets.token_hex(4)}.mp4.part")

    def parts(self, job_id: str) -> list[Path]:
        """What earlier attempts to fetch a clip, or to write what is known of it, have left."""
        folder = self.video(job_id).parent
        names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 - one Path a clip would cost far more
        mine = (f"{job_id}.", f".{job_id}.json.")
        return [folder / n for n in names if n.startswith(mine) and n.endswith(".part")]

    def forget(self, record: JobRecord, *, used: Collection[str]) -> None:
        """Delete the clip of a job and its references; what is gone already is no trouble.

        Parameters
        ----------
        record : JobRecord
        used : collection of str
            Hashes that other jobs still name: their files stay.

        Raises
        ------
        LedgerError
            Where a file cannot be deleted: it and those after it stay.
        """
        references = [r for r in references_of(record) if r.sha256 not in used]
        paths = {self.path(r.sha256, r.media_type) for r in references}
        for path in (self.video(record.id), self.sidecar(record.id), *self.parts(record.id), *paths):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise LedgerError(
                    f"{path} of job {record.id} cannot be deleted ({error.strerror or error}): "
                    "close whatever shows it, then forget the job again"
                ) from None
