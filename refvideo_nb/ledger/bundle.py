"""Jobs in one file that travels: requests, answers, clips and references, each with its hash.

A bundle is a zip archive: ``manifest.json`` names every other file with its SHA-256 and
size; ``jobs/ID.json`` holds a job twice, once to be read (``provenance``) and once to be
brought into a ledger (``record``); ``videos/ID.mp4`` and ``references/SHA256.ext`` are
the files, and ``reports/KEY.json`` what was measured of a clip, with the settings and versions that
measured it. The same jobs give the same bytes. It holds no key and no signed address.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.job import SETTLED, JobRecord, State
from refvideo_nb.core.provenance import provenance, shareable
from refvideo_nb.errors import LedgerError, one_line
from refvideo_nb.ledger.documents import references_of
from refvideo_nb.ledger.media import write_whole
from refvideo_nb.ledger.plausible import WrongError, check_record
from refvideo_nb.ledger.sidecar import json_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from refvideo_nb.core.references import Reference
    from refvideo_nb.ledger.media import MediaStore

__all__ = ["BLOCK", "FORMAT", "VERSION", "clip_of", "write_bundle", "write_folder"]

VERSION = 1
FORMAT = "refvideo_nb bundle"
BLOCK = 1 << 20
_TIME = (1980, 1, 1, 0, 0, 0)  # of every file in it: the archive says nothing of when it was made
_ADVICE = "choose another place"


def write_bundle(
    records: Sequence[JobRecord],
    media: MediaStore,
    to: Path,
    *,
    made_by: str,
    reports: Mapping[str, bytes] | None = None,
) -> None:
    """Write jobs and their files into one archive, whole or not at all.

    Parameters
    ----------
    records : sequence of JobRecord
        Settled ones.
    media : MediaStore
    to : pathlib.Path
        An existing file is replaced.
    made_by : str
        Version of the package.
    reports : mapping of str to bytes, optional
        As of `Reports.documents`, of the jobs' clips.

    Raises
    ------
    LedgerError
        Where a job has not ended, a clip is gone or no longer what it was, or the archive
        cannot be written.
    """
    contents = _contents(records, media, made_by)
    contents |= {f"reports/{key}.json": document for key, document in (reports or {}).items()}
    with write_whole(to, advice=_ADVICE) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        listed = {name: _put(archive, name, content) for name, content in sorted(contents.items())}
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "made_by": f"refvideo_nb {made_by}",
            "jobs": sorted({r.id for r in records}),
            "files": listed,
        }
        _put(archive, "manifest.json", json_file(manifest))


def write_folder(records: Sequence[JobRecord], media: MediaStore, to: Path, *, made_by: str) -> None:
    """Write each clip with its provenance beside it: ``ID.mp4``, ``ID.json``, and ``references/SHA256.ext``.

    Parameters
    ----------
    records : sequence of JobRecord
        Settled ones; of one that has no clip only the JSON is written.
    media : MediaStore
    to : pathlib.Path
        It is made where it is missing. Files of these names are replaced, others stay.
    made_by : str
        Version of the package.

    Raises
    ------
    LedgerError
        As for a bundle. Everything is looked at before the first file is written.
    """
    clips = {record.id: clip_of(record, media) for record in records}
    for record in records:
        clip = clips[record.id]
        about = provenance(record, made_by=made_by)
        if clip is not None:
            _copy(clip, to / f"{record.id}.mp4")
            about["video"]["file"] = f"{record.id}.mp4"
        kept = {r.sha256: path for r, path in _kept(record, media)}
        for path in kept.values():
            _copy(path, to / "references" / path.name)
        for told in (*about["references"], *about["frames"].values()):
            told["file"] = f"references/{kept[told['sha256']].name}" if told["sha256"] in kept else None
        # Last: where it stands, its clip does.
        with write_whole(to / f"{record.id}.json", advice=_ADVICE) as file:
            file.write(json_file(about))


def clip_of(record: JobRecord, media: MediaStore) -> Path | None:
    """The clip of a settled job, compared with its hash; None for a job that ended without one.

    Raises
    ------
    LedgerError
        Where the job has not ended, or its clip is gone or another one.
    """
    if record.state not in SETTLED:
        raise LedgerError(f"job {record.id} is {record.state.value}: wait until it has ended, then export it")
    if record.state is not State.DOWNLOADED or record.video is None:
        return None
    path = media.video(record.id)
    again = (
        "bring its bundle in again"
        if record.imported
        else "make its request again, which fetches the file without paying"
    )
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LedgerError(f"the clip of job {record.id} is gone from {path} ({error.strerror}): {again}") from None
    if found != record.video.sha256:
        raise LedgerError(f"the clip of job {record.id} is no longer what came ({path}): delete it, then {again}")
    return path


def _kept(record: JobRecord, media: MediaStore) -> Iterator[tuple[Reference, Path]]:
    """The references whose bytes are there, as they were; of one that was removed only the job tells."""
    for reference in references_of(record):
        if media.read(reference) is not None:
            yield reference, media.path(reference.sha256, reference.media_type)


def _contents(records: Sequence[JobRecord], media: MediaStore, made_by: str) -> dict[str, bytes | Path]:
    found: dict[str, bytes | Path] = {}
    for record in records:
        clip = clip_of(record, media)
        if clip is not None:
            found[f"videos/{record.id}.mp4"] = clip
        found |= {f"references/{path.name}": path for _, path in _kept(record, media)}
        plain = shareable(record)
        try:
            check_record(plain, record.id)
        except WrongError as error:
            raise LedgerError(f"{one_line(error)}: no ledger would take it in, so it is not exported") from None
        both = {"provenance": provenance(plain, made_by=made_by), "record": msgspec.to_builtins(plain)}
        found[f"jobs/{record.id}.json"] = json_file(both)
    return found


def _copy(source: Path, to: Path) -> None:
    with source.open("rb") as read, write_whole(to, advice=_ADVICE) as written:
        shutil.copyfileobj(read, written, BLOCK)


def _put(archive: zipfile.ZipFile, name: str, content: bytes | Path) -> dict[str, Any]:
    """One file of the archive; its hash and size."""
    info = zipfile.ZipInfo(name, _TIME)
    info.create_system, info.external_attr = 3, 0o644 << 16  # as on Unix, wherever it is written
    digest, size = hashlib.sha256(), 0
    with archive.open(info, "w", force_zip64=True) as target:
        if isinstance(content, bytes):
            target.write(content)
            return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        with content.open("rb") as source:
            while block := source.read(BLOCK):
                digest.update(block)
                target.write(block)
                size += len(block)
    return {"sha256": digest.hexdigest(), "bytes": size}
