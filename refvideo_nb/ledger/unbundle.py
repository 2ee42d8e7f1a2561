"""Reading a bundle: nothing of it is believed before every file was compared with its hash."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from refvideo_nb.core.job import SETTLED, JobRecord, State
from refvideo_nb.errors import LedgerError, one_line
from refvideo_nb.ledger.bundle import BLOCK, FORMAT, VERSION, references_of
from refvideo_nb.ledger.media import MediaStore, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Bundle"]

_NAME = re.compile(r"jobs/rv-[\w-]{1,60}\.json|videos/rv-[\w-]{1,60}\.mp4|references/[0-9a-f]{64}\.[a-z0-9]{2,4}")
_MOST_FILES = 50_000
_MOST_TEXT = 20_000_000  # bytes of one JSON file
_MOST_FILE = 4_000_000_000


class _WrongError(ValueError):
    """What is wrong with an archive, in words."""


class _Listed(msgspec.Struct):
    sha256: str
    bytes: int


class _Manifest(msgspec.Struct):
    format: str
    version: int
    jobs: list[str]
    files: dict[str, _Listed]


class _Job(msgspec.Struct):
    record: JobRecord


@dataclass(frozen=True, slots=True)
class Bundle:
    """An archive whose every file was compared with its hash.

    Attributes
    ----------
    path : pathlib.Path
    records : tuple of JobRecord
        Marked as imported.
    """

    path: Path
    records: tuple[JobRecord, ...]

    @classmethod
    def open(cls, path: Path) -> Bundle:
        """Read and check an archive; nothing is unpacked.

        Raises
        ------
        LedgerError
            Where it is no bundle, or not what its manifest says.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                manifest = _manifest(archive)
                return cls(path, tuple(_records(archive, manifest)))
        except FileNotFoundError:
            raise LedgerError(f"{one_line(path)} is not there: give the path of a bundle") from None
        except _WrongError as error:
            raise LedgerError(f"{one_line(path)} is not brought in: {one_line(error, limit=160)}") from None
        except Exception as error:  # noqa: BLE001 - zipfile raises whatever it likes on hostile bytes
            said = one_line(error, limit=100)
            raise LedgerError(f"{one_line(path)} is no bundle that can be read ({said})") from None

    def unpack(self, media: MediaStore) -> None:
        """Put its clips and references into a media store; what is there already stays.

        Raises
        ------
        LedgerError
        """
        try:
            with zipfile.ZipFile(self.path) as archive:
                for record in self.records:
                    if record.video is not None and not media.video(record.id).exists():
                        _fetch(archive, record, record.video.sha256, media)
                    for reference in references_of(record):
                        name = f"references/{media.path(reference.sha256, reference.media_type).name}"
                        if name in archive.namelist() and media.read(reference) is None:
                            media.put(archive.read(name), reference.media_type)
        except (OSError, zipfile.BadZipFile) as error:
            said = one_line(error, limit=100)
            raise LedgerError(f"{one_line(self.path)} cannot be unpacked ({said})") from None


def _fetch(archive: zipfile.ZipFile, record: JobRecord, sha256: str, media: MediaStore) -> None:
    digest = hashlib.sha256()
    with write_whole(media.video(record.id)) as file, archive.open(f"videos/{record.id}.mp4") as source:
        while block := source.read(BLOCK):
            digest.update(block)
            file.write(block)
        if digest.hexdigest() != sha256:
            raise zipfile.BadZipFile("it was changed while it was read")


def _manifest(archive: zipfile.ZipFile) -> _Manifest:
    """The manifest, all of whose files are in the archive as it says, and no others."""
    names = archive.namelist()
    if len(names) > _MOST_FILES or len(set(names)) != len(names):
        raise _WrongError(f"it holds {len(names)} files, or one twice")
    if "manifest.json" not in names:
        raise _WrongError("it has no manifest.json, so it is no bundle of refvideo_nb")
    try:
        manifest = msgspec.json.decode(_text(archive, "manifest.json"), type=_Manifest)
    except msgspec.MsgspecError as error:
        raise _WrongError(f"its manifest cannot be read: {error}") from None
    if manifest.format != FORMAT or manifest.version != VERSION:
        raise _WrongError(f"it is {manifest.format!r} of version {manifest.version}; version {VERSION} is read here")
    if set(manifest.files) != {*names} - {"manifest.json"}:
        raise _WrongError("its files are not those that its manifest names")
    for name, listed in manifest.files.items():
        if not _NAME.fullmatch(name):
            raise _WrongError(f"a file is called {name!r}")
        stem = name.rpartition("/")[2].partition(".")[0]
        hashes = {_hash(archive, name, size=listed.bytes), listed.sha256, *([stem] if name[0] == "r" else [])}
        if len(hashes) != 1:
            raise _WrongError(f"{name} is not what was exported")
    return manifest


def _records(archive: zipfile.ZipFile, manifest: _Manifest) -> Iterator[JobRecord]:
    for job_id in manifest.jobs:
        if f"jobs/{job_id}.json" not in manifest.files:
            raise _WrongError(f"job {job_id!r} is not in it")
        try:
            record = msgspec.json.decode(_text(archive, f"jobs/{job_id}.json"), type=_Job).record
        except msgspec.MsgspecError as error:
            raise _WrongError(f"job {job_id!r} cannot be read: {error}") from None
        if record.id != job_id or record.state not in SETTLED:
            raise _WrongError(f"job {job_id!r} is {record.id!r}, {record.state.value}")
        clip = manifest.files.get(f"videos/{job_id}.mp4")
        has = clip is not None and record.video is not None and clip.sha256 == record.video.sha256
        if has != (record.state is State.DOWNLOADED):
            raise _WrongError(f"the clip of job {job_id!r} is not in it, or another one")
        yield dataclasses.replace(record, imported=True, polling_url=None)


def _text(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        data = file.read(_MOST_TEXT + 1)
    if len(data) > _MOST_TEXT:
        raise _WrongError(f"{name} unfolds to more than {_MOST_TEXT} bytes")
    return data


def _hash(archive: zipfile.ZipFile, name: str, *, size: int) -> str:
    """The hash of a file of this size; of another one nothing, and no more of it is read than that."""
    digest, count = hashlib.sha256(), 0
    with archive.open(name) as file:
        while block := file.read(BLOCK):
            count += len(block)
            if count > min(size, _MOST_FILE):
                return ""
            digest.update(block)
    return digest.hexdigest() if count == size else ""
