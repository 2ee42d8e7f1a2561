"""Putting the files of a bundle into a media store, and taking them out again should it not come in after all."""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from refvideo_nb.core.job import State
from refvideo_nb.errors import LedgerError, RefVideoError, UnknownJobError, one_line
from refvideo_nb.ledger.bundle import BLOCK
from refvideo_nb.ledger.documents import references_of
from refvideo_nb.ledger.media import write_whole

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from refvideo_nb.ledger.media import MediaStore
    from refvideo_nb.ledger.store import Ledger
    from refvideo_nb.ledger.unbundle import Bundle

__all__ = ["unpacked"]

_ADVICE = "free some space, or set REFVIDEO_HOME to a folder of yours; nothing was brought in"


class _Written(msgspec.Struct, frozen=True):
    """A file of the archive that is put into the media store.

    Attributes
    ----------
    name : str
        In the archive.
    sha256 : str
    path : pathlib.Path
        Where it goes.
    job_id : str
        Whose clip it is; empty for a reference.
    restored : bool
        Whether its job was here before.
    """

    name: str
    sha256: str
    path: Path
    job_id: str = ""
    restored: bool = False

    def is_wanted(self, ledger: Ledger) -> bool:
        """Whether somebody else has brought in the very same meanwhile."""
        if not self.job_id:
            return bool(ledger.still_used([self.sha256]))
        return not self.restored and _clip_here(ledger, self.job_id) == self.sha256


@contextlib.contextmanager
def unpacked(bundle: Bundle, media: MediaStore, ledger: Ledger) -> Iterator[None]:
    """The clips and references of a bundle in a media store; should the block fail, they are gone again.

    What is there already stays as it is; a clip that a job of the ledger has lost comes back.

    Parameters
    ----------
    bundle : Bundle
    media : MediaStore
    ledger : Ledger
        Of the same home.

    Raises
    ------
    LedgerError
        Where they cannot be written, or the archive is another one by now.
    """
    written: list[_Written] = []
    try:
        _unpack(bundle, media, ledger, written)
        yield
    except BaseException:
        with contextlib.suppress(RefVideoError):
            for one in written:
                if not one.is_wanted(ledger):
                    _remove(one.path)
        raise


def _unpack(bundle: Bundle, media: MediaStore, ledger: Ledger, written: list[_Written]) -> None:
    try:
        with zipfile.ZipFile(bundle.path) as archive:
            for one in _missing(bundle, media, ledger, {*archive.namelist()}):
                written.append(one)
                _fetch(archive, one)
    except RefVideoError:
        raise
    except Exception as error:  # noqa: BLE001 - zipfile raises whatever it likes: it was changed since it was opened
        said = one_line(error, limit=100) or type(error).__name__
        raise LedgerError(f"{one_line(bundle.path)} cannot be unpacked ({said}); nothing was brought in") from None


def _missing(bundle: Bundle, media: MediaStore, ledger: Ledger, names: Container[str]) -> Iterator[_Written]:
    """What the media store has not got, or something of nobody in its place."""
    for record in bundle.records:
        if record.state is State.DOWNLOADED and record.video is not None:
            sha256, to, here = record.video.sha256, media.video(record.id), _clip_here(ledger, record.id)
            # What another job of this id has is not touched: this one is refused later.
            lost = here == sha256 and not to.exists()
            if lost or (here is None and _hash_of(to) != sha256):
                yield _Written(f"videos/{record.id}.mp4", sha256, to, job_id=record.id, restored=lost)
        for reference in references_of(record):
            to = media.path(reference.sha256, reference.media_type)
            if f"references/{to.name}" in names and media.read(reference) is None:
                yield _Written(f"references/{to.name}", reference.sha256, to)


def _clip_here(ledger: Ledger, job_id: str) -> str | None:
    """The hash of the clip of the ledger's job of this very id; "" where it has none, None where there is no job."""
    try:
        found = ledger.get(job_id)
    except UnknownJobError:
        return None
    if found.id != job_id:
        return None
    return found.video.sha256 if found.video else ""


def _fetch(archive: zipfile.ZipFile, one: _Written) -> None:
    digest = hashlib.sha256()
    with write_whole(one.path, advice=_ADVICE) as file, archive.open(one.name) as source:
        while block := source.read(BLOCK):
            digest.update(block)
            file.write(block)
        if digest.hexdigest() != one.sha256:
            raise zipfile.BadZipFile("it was changed while it was read")


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        if path.parent.parent.name == "media":
            path.parent.rmdir()  # one of the 256; it stays where something else is in it


def _hash_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
