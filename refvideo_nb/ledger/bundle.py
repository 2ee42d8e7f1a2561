"""Jobs in one file that travels: requests, answers, clips and references, each with its hash.

A bundle is a zip archive: ``manifest.json`` names every other file with its SHA-256 and
size; ``jobs/ID.json`` holds a job twice, once to be read (``provenance``) and once to be
brought into a ledger (``record``); ``videos/ID.mp4`` and ``references/SHA256.ext`` are
the files. The same jobs give the same bytes. It holds no key and no signed address.
"""

from __future__ import annotations

import dataclasses
import hashlib
import zipfile
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.job import SETTLED, JobRecord, State
from refvideo_nb.core.provenance import provenance, without_query
from refvideo_nb.errors import LedgerError
from refvideo_nb.ledger.media import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from refvideo_nb.core.references import Reference
    from refvideo_nb.ledger.media import MediaStore

__all__ = ["BLOCK", "FORMAT", "VERSION", "references_of", "write_bundle"]

VERSION = 1
FORMAT = "refvideo_nb bundle"
_TIME = (1980, 1, 1, 0, 0, 0)  # of every file in it: the archive says nothing of when it was made
BLOCK = 1 << 20


def write_bundle(records: Sequence[JobRecord], media: MediaStore, to: Path, *, made_by: str) -> None:
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

    Raises
    ------
    LedgerError
        Where a job has not ended, a file is gone, or the archive cannot be written.
    """
    for record in records:
        if record.state not in SETTLED:
            raise LedgerError(f"job {record.id} is {record.state.value}: wait until it has ended, then export it")
    with (
        write_whole(to, advice="choose another place") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,
    ):
        listed: dict[str, dict[str, Any]] = {}
        for name, content in sorted(_contents(records, media, made_by), key=lambda c: c[0]):
            if name not in listed:
                listed[name] = _put(archive, name, content)
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "made_by": f"refvideo_nb {made_by}",
            "jobs": sorted({r.id for r in records}),
            "files": listed,
        }
        _put(archive, "manifest.json", _json(manifest))


def _contents(records: Iterable[JobRecord], media: MediaStore, made_by: str) -> Iterator[tuple[str, bytes | Path]]:
    for record in records:
        plain = _without_secrets(record)
        both = {"provenance": provenance(plain, made_by=made_by), "record": msgspec.to_builtins(plain)}
        yield f"jobs/{record.id}.json", _json(both)
        if record.state is State.DOWNLOADED:
            path = media.video(record.id)
            if not path.is_file():
                raise LedgerError(
                    f"the clip of job {record.id} is gone from {path.parent}: %refvideo resume {record.id}"
                )
            yield f"videos/{record.id}.mp4", path
        for reference in references_of(record):
            path = media.path(reference.sha256, reference.media_type)
            if path.is_file():  # one that was removed is named in the job all the same
                yield f"references/{path.name}", path


def references_of(record: JobRecord) -> tuple[Reference, ...]:
    """The references and the frames of a job."""
    return (*record.request.references, *(f.image for f in record.request.frames))


def _without_secrets(record: JobRecord) -> JobRecord:
    """The job without what may open a door: an address may carry a signature in its query."""

    def plain(reference: Reference) -> Reference:
        signed = reference.url is not None and reference.url != without_query(reference.url)
        source = without_query(reference.source) or ""
        return dataclasses.replace(reference, url=None if signed else reference.url, source=source)

    request = dataclasses.replace(
        record.request,
        references=tuple(plain(r) for r in record.request.references),
        frames=tuple(dataclasses.replace(f, image=plain(f.image)) for f in record.request.frames),
    )
    return dataclasses.replace(record, request=request, polling_url=None)


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1) + b"\n"


def _put(archive: zipfile.ZipFile, name: str, content: bytes | Path) -> dict[str, Any]:
    """One file of the archive; its hash and size."""
    info = zipfile.ZipInfo(name, _TIME)
    info.external_attr = 0o644 << 16
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
