"""Jobs as files for others: a page that plays, a bundle that travels, a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.checks import holds_key
from refvideo_nb.core.job import SETTLED, JobRecord, State
from refvideo_nb.core.provenance import shareable
from refvideo_nb.core.version import __version__
from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.notebook.comparing import Comparison
from refvideo_nb.notebook.current import current_session
from refvideo_nb.notebook.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from refvideo_nb.display.export import Part
    from refvideo_nb.display.sides import Side
    from refvideo_nb.ledger.media import MediaStore
    from refvideo_nb.notebook.session import Session

__all__ = ["checked_path", "export"]

_TARGETS = "report.html, bundle.zip, or a folder with / at its end"
_TOGETHER = 9  # videos of one player
_SHORTEST_KEY = 8  # characters; less is found by chance


def export(jobs: Job | str | Iterable[Job | str] | Comparison, target: str | os.PathLike[str]) -> Path:
    """Write finished jobs into files that others can use without this notebook.

    Parameters
    ----------
    jobs : Job, str, iterable of these, or Comparison
        Ended jobs or their ids, such as ``refvideo_nb.jobs()``; or what `refvideo_nb.compare` has
        given, of which a page keeps labels, references and title, and may show any video files.
    target : str or os.PathLike
        Its end says what is written. ``report.html``: one page with clips, references, prompts,
        settings and costs, which plays from the disk and loads nothing. ``bundle.zip``: everything
        to repeat or measure the jobs elsewhere, for `refvideo_nb.import_bundle`. ``folder/``, or a
        folder that is there: each clip as ``ID.mp4`` with its provenance beside it as ``ID.json``,
        and the references. An existing file is replaced.

    Returns
    -------
    pathlib.Path
        What was written.

    Raises
    ------
    InvalidRequestError
        For no job, one that has not ended, or another kind of file.
    LedgerError
        Where a clip is gone or changed, or the file cannot be written.

    Notes
    -----
    Nothing of it holds a key, a signed address, or a folder of this machine.
    The same jobs give the same bytes.
    """
    from refvideo_nb.ledger.bundle import write_bundle, write_folder  # noqa: PLC0415 - the package is light until used

    path, kind = _target(target)
    chosen = _compared(jobs, kind) if isinstance(jobs, Comparison) else _chosen(jobs)
    for job in chosen:
        _check(job)
    if kind == ".html":
        _write_report(_part(jobs) if isinstance(jobs, Comparison) else _parts(chosen), path, made_by=__version__)
    else:
        records, media = [job.record for job in chosen], _media_of(chosen)
        if kind == ".zip":
            clips = [record.video.sha256 for record in records if record.video is not None]
            reports = chosen[0]._session.ledger.reports.documents(clips)  # noqa: SLF001 - all are of one home
            write_bundle(records, media, path, made_by=__version__, reports=reports)
        else:
            write_folder(records, media, path, made_by=__version__)
    return path


def _target(target: str | os.PathLike[str]) -> tuple[Path, str]:
    """Where to, and what: ``.html``, ``.zip`` or ``/``."""
    path = checked_path(target, "target")
    suffix = path.suffix.lower()
    if os.fspath(target).endswith(("/", os.sep)) or path.is_dir():
        return path, "/"
    kinds = {".html": ".html", ".htm": ".html", ".zip": ".zip"}
    if suffix not in kinds:
        raise InvalidRequestError(
            f"{one_line(path, limit=160)!r} says not what to write: give {_TARGETS}",
            field="target",
            value=target,
            allowed=(".html", ".zip", "/"),
        )
    return path, kinds[suffix]


def checked_path(given: str | os.PathLike[str], field: str) -> Path:
    """Where somebody wants a file; ``~`` is the home of the user."""
    if isinstance(given, str | os.PathLike) and isinstance(os.fspath(given), str):
        return Path(given).expanduser()
    raise InvalidRequestError(f"{type(given).__name__} is no path: give a str or a Path", field=field, value=given)


def _chosen(jobs: Job | str | Iterable[Job | str]) -> list[Job]:
    """The jobs, each once."""
    given: Any = [jobs] if isinstance(jobs, Job | str | bytes) or not isinstance(jobs, Iterable) else jobs
    chosen: dict[str, Job] = {}
    for one in given:
        job = Job(current_session(), one) if isinstance(one, str) and one.startswith("rv-") else one
        if not isinstance(job, Job):
            raise InvalidRequestError(
                f"{one_line(repr(job), limit=60)} is no job: give jobs, such as refvideo_nb.jobs()",
                field="jobs",
                value=job,
            )
        chosen.setdefault(job.id, job)
    if not chosen:
        raise InvalidRequestError("there is no job to export: give one, such as refvideo_nb.jobs()[0]", field="jobs")
    return list(chosen.values())


def _compared(comparison: Comparison, kind: str) -> list[Job]:
    """The jobs of a comparison; only a page can hold a video of nobody in particular."""
    if kind != ".html":
        for side in comparison.sides:
            if side.record is None:
                raise InvalidRequestError(
                    f"{one_line(side.label, limit=60)!r} is a file and no job: only report.html can hold it",
                    field="jobs",
                    value=comparison,
                )
    return list({job.id: job for job in comparison.jobs}.values())


def _media_of(jobs: Sequence[Job]) -> MediaStore:
    sessions = [job._session for job in jobs]  # noqa: SLF001 - a job is how its session is reached
    homes = {session.settings.home for session in sessions}
    if len(homes) > 1:
        shown = ", ".join(sorted(one_line(home, limit=80) for home in homes))
        raise InvalidRequestError(f"the jobs are of several home folders ({shown}): export each apart", field="jobs")
    return sessions[0].media


def _check(job: Job) -> None:
    """Whether it has ended, its clip is what came, and no key would leave this machine with it."""
    from refvideo_nb.ledger.bundle import clip_of  # noqa: PLC0415 - as above

    record, session = job.record, job._session  # noqa: SLF001 - as above
    if record.state not in SETTLED:
        raise InvalidRequestError(
            f"job {record.id} is {record.state.value}: wait() for it, or leave it out", field="jobs", value=record.id
        )
    if _holds_key(record, session):  # such as one that the API has repeated in an error
        raise InvalidRequestError(
            f"job {record.id} holds an API key in its text, so it is not exported: leave it out",
            field="jobs",
            value=record.id,
        )
    clip_of(record, session.media)


def _holds_key(record: JobRecord, session: Session) -> bool:
    import msgspec  # noqa: PLC0415 - the package is light until it is used

    text, key = msgspec.json.encode(shareable(record)), session.settings.key
    # No frame that raises has the key among its variables. A key of another service has another look.
    own = key is not None and len(key.reveal()) >= _SHORTEST_KEY and msgspec.json.encode(key.reveal())[1:-1] in text
    return own or holds_key(text.decode())


def _write_report(parts: Iterable[Part], to: Path, *, made_by: str) -> None:
    from refvideo_nb.display.export import report  # noqa: PLC0415 - as above
    from refvideo_nb.ledger.media import write_whole  # noqa: PLC0415 - as above
    from refvideo_nb.notebook.player.source import script, style  # noqa: PLC0415 - as above

    pieces = report(list(parts), script=script(), style=style(), made_by=made_by)
    with write_whole(to, advice="choose another place") as file:
        file.writelines(pieces)


def _part(comparison: Comparison) -> Iterator[Part]:
    from refvideo_nb.display.export import Part  # noqa: PLC0415 - as above

    yield Part(sides=_plain(comparison.sides), references=comparison.references, title=comparison.title)


def _parts(jobs: Sequence[Job]) -> Iterator[Part]:
    """As many jobs together as one player shows, with the last of them those without a clip."""
    from refvideo_nb.display.export import Part  # noqa: PLC0415 - as above
    from refvideo_nb.notebook.compared import references_of, sides_of  # noqa: PLC0415 - as above

    with_clip = [job for job in jobs if job.record.state is State.DOWNLOADED]
    ended = [(job.id, job) for job in jobs if job not in with_clip]
    for at in range(0, max(len(with_clip), 1), _TOGETHER):
        together = with_clip[at : at + _TOGETHER]
        sides, named = sides_of(together) if together else ([], [])
        last = ended if at + _TOGETHER >= len(with_clip) else []
        yield Part(
            sides=_plain(sides),
            references=references_of([*named, *last]),
            ended=[shareable(job.record) for _, job in last],
        )


def _plain(sides: Iterable[Side]) -> list[Side]:
    return [msgspec.structs.replace(side, record=side.record and shareable(side.record)) for side in sides]
