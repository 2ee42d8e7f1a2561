"""Reading a bundle: nothing of it is believed before every file was compared with its hash.

An archive comes from anybody. It is bounded first: its files are stored as they are and
together no larger than itself, so that nothing unfolds; then its names, hashes and jobs are
checked, and only then is anything written, under names made here.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.errors import LedgerError, one_line
from refvideo_nb.ledger.bundle import BLOCK, FORMAT, VERSION
from refvideo_nb.ledger.documents import references_of
from refvideo_nb.ledger.plausible import WrongError, check_record

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Bundle"]

_NAME = re.compile(
    r"jobs/rv-[a-z0-9-]{1,60}\.json|videos/rv-[a-z0-9-]{1,60}\.mp4|references/[0-9a-f]{64}\.[a-z0-9]{2,4}"
    r"|reports/[0-9a-f]{64}\.json"
)
_MOST_FILES = 50_000
_MOST_TEXT = 20_000_000  # bytes of one JSON file
_MOST_FILE = 4_000_000_000


class _Listed(msgspec.Struct):
    sha256: str
    bytes: int


class _Head(msgspec.Struct):
    format: str
    version: int


class _Manifest(msgspec.Struct):
    jobs: list[str]
    files: dict[str, _Listed]


class _Job(msgspec.Struct):
    record: JobRecord


_HEAD = msgspec.json.Decoder(_Head)
_MANIFEST = msgspec.json.Decoder(_Manifest)
_JOB = msgspec.json.Decoder(_Job)


class Bundle(msgspec.Struct, frozen=True):
    """An archive whose every file was compared with its hash.

    Attributes
    ----------
    path : pathlib.Path
    records : tuple of JobRecord
        Marked as imported.
    reports : mapping of str to bytes
        What was measured of their clips, by key.
    """

    path: Path
    records: tuple[JobRecord, ...]
    reports: Mapping[str, bytes]

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
                _bound(archive, path.stat().st_size)
                manifest = _manifest(archive)
                records = tuple(_records(archive, manifest))
                _nothing_else(manifest, records)
                return cls(path, records, dict(_reports(archive, manifest, records)))
        except FileNotFoundError:
            raise LedgerError(f"{one_line(path)} is not there: give the path of a bundle") from None
        except WrongError as error:
            raise LedgerError(f"{one_line(path)} is not brought in: {one_line(error, limit=200)}") from None
        except Exception as error:  # noqa: BLE001 - zipfile raises whatever it likes on hostile bytes
            said = one_line(error, limit=100) or type(error).__name__
            raise LedgerError(f"{one_line(path)} is no bundle that can be read ({said})") from None


def _bound(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse what could unfold to more than it is."""
    entries = archive.infolist()
    if len(entries) > _MOST_FILES:
        raise WrongError(f"it holds {len(entries)} files; at most {_MOST_FILES} are read")
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise WrongError(f"{entry.filename!r} is compressed or encrypted: give the archive as it was exported")
    if any(entry.file_size < 0 for entry in entries) or sum(entry.file_size for entry in entries) > size:
        raise WrongError("its files are together larger than itself")


def _manifest(archive: zipfile.ZipFile) -> _Manifest:
    """The manifest, all of whose files are in the archive as it says, and no others."""
    names = archive.namelist()
    if len(set(names)) != len(names):
        raise WrongError("it holds a file twice")
    if "manifest.json" not in names:
        raise WrongError("it has no manifest.json, so it is no bundle of refvideo_nb")
    text = _text(archive, "manifest.json")
    try:
        head = _HEAD.decode(text)
        if head.format != FORMAT or head.version != VERSION:
            raise WrongError(
                f"it is {one_line(head.format, limit=40)!r} of version {head.version}; this refvideo_nb reads "
                f"{FORMAT!r} of version {VERSION}: pip install -U refvideo-nb"
            )
        manifest = _MANIFEST.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise WrongError(f"its manifest cannot be read: {error}") from None
    if set(manifest.files) != {*names} - {"manifest.json"}:
        raise WrongError("its files are not those that its manifest names")
    for name, listed in manifest.files.items():
        if not _NAME.fullmatch(name):
            raise WrongError(f"a file is called {name!r}")
        named = [name[len("references/") :].partition(".")[0]] if name.startswith("references/") else []
        hashes = {_hash(archive, name, size=listed.bytes), listed.sha256, *named}
        if len(hashes) != 1:
            raise WrongError(f"{name} is not what was exported")
    return manifest


def _records(archive: zipfile.ZipFile, manifest: _Manifest) -> Iterator[JobRecord]:
    if len(set(manifest.jobs)) != len(manifest.jobs):
        raise WrongError("it names a job twice")
    for job_id in manifest.jobs:
        if f"jobs/{job_id}.json" not in manifest.files:
            raise WrongError(f"job {job_id!r} is not in it")
        try:
            record = _JOB.decode(_text(archive, f"jobs/{job_id}.json")).record
        except (msgspec.MsgspecError, RecursionError) as error:
            raise WrongError(f"job {job_id!r} cannot be read: {error}") from None
        check_record(record, job_id)
        clip = manifest.files.get(f"videos/{job_id}.mp4")
        if record.state is not State.DOWNLOADED:
            fits = clip is None
        else:
            fits = clip is not None and record.video is not None
            fits = fits and (clip.sha256, clip.bytes) == (record.video.sha256, record.video.nbytes)  # type: ignore[union-attr]  # looked at in the line above
        if not fits:
            raise WrongError(f"the clip of job {job_id!r} is not in it, or another one")
        # Who brings it in asks nobody after it: where to ask is what a stranger wrote.
        yield msgspec.structs.replace(record, imported=True, polling_url=None)


def _reports(
    archive: zipfile.ZipFile, manifest: _Manifest, records: tuple[JobRecord, ...]
) -> Iterator[tuple[str, bytes]]:
    """Reports that can be read, and are of a clip of the bundle."""
    clips = {record.video.sha256 for record in records if record.video is not None}
    for name in sorted(manifest.files):
        if not name.startswith("reports/"):
            continue
        from refvideo_nb.ledger.report_document import read_report  # noqa: PLC0415 - imports numpy

        data = _text(archive, name)
        try:
            found = read_report(data)
        except LedgerError as error:
            raise WrongError(f"{name}: {error}") from None
        if f"reports/{found.key}.json" != name or found.report.video_sha256 not in clips:
            raise WrongError(f"{name} is of no clip of it, or answers something else")
        yield found.key, data


def _nothing_else(manifest: _Manifest, records: tuple[JobRecord, ...]) -> None:
    """Refuse files that no job names."""
    wanted = {f"jobs/{r.id}.json" for r in records} | {f"videos/{r.id}.mp4" for r in records}
    hashes = {reference.sha256 for record in records for reference in references_of(record)}
    for name in manifest.files:
        kept = name.startswith("reports/") or name.removeprefix("references/").partition(".")[0] in hashes
        if name not in wanted and not kept:
            raise WrongError(f"{name} belongs to no job of it")


def _text(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        data = file.read(_MOST_TEXT + 1)
    if len(data) > _MOST_TEXT:
        raise WrongError(f"{name} has more than {_MOST_TEXT} bytes")
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
