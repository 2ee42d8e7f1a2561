"""Bringing in what a colleague exported."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.errors import InvalidRequestError, LedgerError, RefVideoError, one_line
from refvideo_nb.notebook.current import current_session
from refvideo_nb.notebook.job import Job

if TYPE_CHECKING:
    from refvideo_nb.core.job import VideoFacts
    from refvideo_nb.core.references import Reference
    from refvideo_nb.ledger.media import MediaStore

__all__ = ["import_bundle"]

_SLACK = 0.5  # seconds by which two decoders may differ on the length of a clip


def import_bundle(path: str | os.PathLike[str]) -> list[Job]:
    """Bring the jobs of a bundle into this home folder: all of them, or none.

    Every file is compared with its hash, and every clip and reference is looked into, before
    anything can be seen. The jobs can be shown, measured and used again like any other; the same
    request made here gives the imported job back, and nothing is paid. Nobody is asked after
    them: what a bundle says of an API is only shown.

    Parameters
    ----------
    path : str or os.PathLike
        What `refvideo_nb.export` has written as ``bundle.zip``. Where a job came from is what its
        bundle says: bring in what you got from somebody whom you trust with that.

    Returns
    -------
    list of Job
        In the order of the bundle; also those that were here already, the same in everything.

    Raises
    ------
    LedgerError
        Where it is no bundle, damaged, of a newer version, or another job is here under the same
        id; nothing is changed then.
    """
    # Imported here: the package is light until it is used.
    from refvideo_nb.ledger.sidecar import write_sidecar  # noqa: PLC0415 - as said
    from refvideo_nb.ledger.unbundle import Bundle  # noqa: PLC0415 - as said
    from refvideo_nb.ledger.unpack import unpacked  # noqa: PLC0415 - as said

    if not isinstance(path, str | os.PathLike):
        raise InvalidRequestError(f"{type(path).__name__} is no path: give that of a bundle", field="path", value=path)
    bundle = Bundle.open(Path(path).expanduser())
    session = current_session()
    with unpacked(bundle, session.media, session.ledger):
        for record in bundle.records:
            _look_into(record, session.media)
        session.ledger.bring_in([(record, _mark(record)) for record in bundle.records])
        session.ledger.reports.bring_in(bundle.reports)
    for record in bundle.records:
        if record.state is State.DOWNLOADED:
            with suppress(LedgerError):  # the jobs are in: this file is for those who have no ledger
                write_sidecar(record, session.media)
    return [Job(session, record.id) for record in bundle.records]


def _mark(record: JobRecord) -> str:
    """By which the same request finds the job again; what has no clip is not to be found that way."""
    from refvideo_nb.engine.draft import fingerprint  # noqa: PLC0415 - as above

    if record.state is not State.DOWNLOADED:
        return f"imported {record.id}"
    return fingerprint(record.request, record.sent_prompt, record.base_url)


def _look_into(record: JobRecord, media: MediaStore) -> None:
    """Refuse a file that is not what it is said to be: it would be decoded as such later."""
    from refvideo_nb.ledger.documents import references_of  # noqa: PLC0415 - as above
    from refvideo_nb.media.video import probe  # noqa: PLC0415 - as above

    what = "clip"
    try:
        if record.state is State.DOWNLOADED and record.video is not None:
            found = probe(media.video(record.id))
            if not _alike(found, record.video):
                raise LedgerError(f"it is {found.width}×{found.height} and {found.seconds:g} s long, not as it is said")
        for reference in references_of(record):
            what = f"reference {reference.name!r}"
            data = media.read(reference)
            if data is not None:
                _check(reference, data, media)
    except RefVideoError as error:
        raise LedgerError(
            f"the {what} of job {record.id} in the bundle cannot be used: {one_line(error, limit=160)}; "
            "nothing was brought in"
        ) from None


def _alike(found: VideoFacts, said: VideoFacts) -> bool:
    same = (found.width, found.height, found.audio) == (said.width, said.height, said.audio)
    return same and abs(found.seconds - said.seconds) <= _SLACK and abs(found.fps - said.fps) <= 1


def _check(reference: Reference, data: bytes, media: MediaStore) -> None:
    from refvideo_nb.media.images import prepare  # noqa: PLC0415 - as above
    from refvideo_nb.media.video import length, probe  # noqa: PLC0415 - as above

    path = media.path(reference.sha256, reference.media_type)
    if reference.kind == "image":
        prepare(data, name=reference.name)
    elif reference.kind == "video":
        probe(path)
    elif length(path) is None:
        raise LedgerError("it is no sound")
