"""What a ``%%refvideo`` cell does: draft, send, and show what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.display import display

from refvideo_nb.core.pricing import about
from refvideo_nb.errors import JobError, RefVideoError, one_line
from refvideo_nb.notebook.current import went_live
from refvideo_nb.notebook.environment import Place, place
from refvideo_nb.notebook.job import Job

if TYPE_CHECKING:
    from refvideo_nb.engine.draft import Draft
    from refvideo_nb.notebook.options import Options
    from refvideo_nb.notebook.session import Session
    from refvideo_nb.notebook.sweep import Sweep
    from refvideo_nb.notebook.sweep_options import SweepOptions

__all__ = ["run", "run_sweep", "show_begun", "show_job"]


def run(options: Options, shell: Any, session: Session) -> None:
    """Run one cell.

    Raises
    ------
    InvalidRequestError
        Before anything is written or paid.
    UsageError
        The cell waited, and its job did not end in a video.
    """
    draft = session.draft(options.wish)
    where = place(shell)
    if options.dry_run:
        _show_dry_run(draft, session, where)
        return
    if where is Place.TERMINAL:
        for note in draft.notes:  # elsewhere they stand under the line and on the card
            print(f"note: {one_line(note)}")  # noqa: T201 - the cell's own output
    if went_live():
        print(f"live from now on, at {session.settings.base_url}: a key is set, and jobs are paid")  # noqa: T201 - as above
    record, reused = session.submit(draft, fresh=options.fresh)
    job = Job(session, record.id, reused=reused)
    job.say_if_reused()
    if options.out:
        shell.user_ns[options.out] = job
    show_job(session, job, shell, wait=options.wait, name=options.out)


def show_job(session: Session, job: Job, shell: Any, *, wait: bool | None = None, name: str | None = None) -> None:
    """Show what becomes of a job, in the way that fits the place.

    Parameters
    ----------
    session : Session
    job : Job
    shell : InteractiveShell
    wait : bool, optional
        Whether the cell waits; by default only where a notebook runs by itself.
    name : str, optional
        The variable that holds the job.
    """
    where = place(shell)
    if wait or (wait is None and where is Place.HEADLESS):
        _wait(job)
    elif where is Place.NOTEBOOK:
        from refvideo_nb.notebook.progress import follow  # noqa: PLC0415 - widgets load only where they show

        follow(session, job)
    else:
        waiting = f"{name}.wait()" if name else f"%refvideo show {job.id}"
        print(f"{job.id} {job.status}, {about(job.record.estimate)}: {waiting}")  # noqa: T201 - as above


def run_sweep(options: SweepOptions, shell: Any, session: Session) -> None:
    """Run one cell of a sweep: show its plan or, where ``--max-cost`` covers it, start it.

    Raises
    ------
    InvalidRequestError
        Before anything is written or paid.
    UsageError
        The cell waited, and the sweep stopped before its end.
    """
    from refvideo_nb.notebook.sweeping import made  # noqa: PLC0415 - only where it is asked for

    limit = None if options.dry_run else options.max_cost
    if limit is not None and went_live():
        print(f"live from now on, at {session.settings.base_url}: a key is set, and jobs are paid")  # noqa: T201 - as above
    sweep = made(session, options.asked, max_cost=limit, at_once=options.at_once, fresh=options.fresh)
    sweep.called = options.out
    if options.out:
        shell.user_ns[options.out] = sweep
    show_begun(sweep, shell, wait=options.wait)


def show_begun(sweep: Sweep, shell: Any, *, wait: bool | None = None) -> None:
    """Show a sweep in the way that fits the place; where a notebook runs by itself, the cell waits for its end."""
    if sweep.id is None or not (wait or (wait is None and place(shell) is Place.HEADLESS)):
        sweep.show()
        return
    try:
        sweep.wait()
    except KeyboardInterrupt:
        raise UsageError(f"interrupted: sweep {sweep.id} goes on; %refvideo show {sweep.id} shows it") from None
    except RefVideoError as error:
        sweep.show()
        raise UsageError(str(error)) from None
    sweep.show()


def _wait(job: Job) -> None:
    """Wait here, and show the result from here: what comes after the cell would be lost."""
    try:
        job.wait()
    except KeyboardInterrupt:
        raise UsageError(
            f"interrupted: job {job.id} goes on and is not lost; %refvideo resume {job.id} waits for it again"
        ) from None
    except JobError as error:
        job.show()
        raise UsageError(str(error)) from None
    except RefVideoError as error:
        raise UsageError(str(error)) from None
    job.show()


def _show_dry_run(draft: Draft, session: Session, where: Place) -> None:
    from refvideo_nb.display.dry import dry_run  # noqa: PLC0415 - drawing loads the templates
    from refvideo_nb.engine.draft import body_of  # noqa: PLC0415 - as above

    bundle = dry_run(
        body=body_of(draft.request, prompt=draft.compiled.text, media=session.media, session_id=""),
        compiled=draft.compiled,
        prices=draft.prices,
        notes=draft.notes,
        model=draft.model,
        simulated=session.simulated,
    )
    if where is Place.TERMINAL:
        print(bundle["text/plain"])  # noqa: T201 - the cell's own output
    else:
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
