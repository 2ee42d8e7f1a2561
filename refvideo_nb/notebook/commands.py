"""``%refvideo COMMAND``: looking things up, showing and resuming."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.display import display

from refvideo_nb.errors import one_line
from refvideo_nb.notebook.cell import show_begun, show_job
from refvideo_nb.notebook.current import current_session
from refvideo_nb.notebook.environment import Place, place
from refvideo_nb.notebook.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from refvideo_nb.notebook.sweep import Sweep

__all__ = ["COMMANDS", "HELP", "run"]

HELP = """\
%refvideo form        a form for the request: choose, see what it costs, pay, watch
%refvideo models      the video models: what each takes, and what is known of its references; to rank and search
%refvideo jobs        the jobs of this home folder, newest first; to search, show, resume and forget
%refvideo show ID     a job as it is now (the beginning of its id, or the variable that holds it, is enough)
%refvideo score CLIP  how well a clip followed its references: a job's variable or id, or a path with --ref NAME=SOURCE
%refvideo resume [ID] go on watching unfinished jobs, or go on with a sweep; nothing is paid again
%refvideo found ID API_ID  go on with a job whose answer was lost, by the id on the account's activity page
%refvideo sweeps      the sweeps of this home folder, newest first; show and resume take their ids too
%refvideo retry ID    send the request of a job again, as a new job: this pays again (--max-cost USD bounds it)
%refvideo doctor      versions, key, folders, unfinished jobs: what is well, and what to do where it is not
%refvideo?            this help and the options of %%refvideo
"""


def run(line: str, shell: Any) -> None:
    """Run a line.

    Raises
    ------
    UsageError
        For an unknown command, naming the known ones.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"%refvideo: {error}") from None
    if not words or words[0] == "help":
        print(HELP, end="")  # noqa: T201 - the line's own output
        return
    command = COMMANDS.get(words[0])
    if command is None:
        raise UsageError(
            f"%refvideo: {one_line(words[0], limit=40)!r} is no command; allowed: {', '.join(COMMANDS)} "
            "(a prompt needs %%refvideo with two per cent signs)"
        )
    command(words[1:], shell)


def _show_bundle(bundle: dict[str, str], shell: Any, live: Callable[[], Any]) -> None:
    """Show a table: alive where somebody looks at it, with the still one for readers without this kernel."""
    where = place(shell)
    if where is Place.TERMINAL:
        print(bundle["text/plain"])  # noqa: T201 - the line's own output
        return
    if where is Place.NOTEBOOK:
        from refvideo_nb.notebook.alive import show_alive  # noqa: PLC0415 - widgets load only where they show

        shown = live()
        show_alive(shown.box, bundle, hides=shown.table)
        return
    display(bundle, raw=True)  # type: ignore[no-untyped-call]


def _models(words: list[str], shell: Any) -> None:
    from refvideo_nb.display.tables import models_table  # noqa: PLC0415 - drawing loads the templates

    _no_more("models", words)
    catalogue = current_session().catalogue()
    if catalogue.note:
        print(f"note: {one_line(catalogue.note)}")  # noqa: T201 - the line's own output

    def live() -> Any:
        from refvideo_nb.notebook.chooser import ModelTable  # noqa: PLC0415 - widgets load only where they show

        return ModelTable(catalogue.models)

    _show_bundle(models_table(catalogue.models), shell, live)


def _jobs(words: list[str], shell: Any) -> None:
    from refvideo_nb.display.tables import jobs_table  # noqa: PLC0415 - as above

    _no_more("jobs", words)

    def live() -> Any:
        from refvideo_nb.notebook.panel import JobsPanel  # noqa: PLC0415 - widgets load only where they show

        return JobsPanel(shell=shell)

    _show_bundle(jobs_table(current_session().ledger.jobs(limit=200)), shell, live)


def _form(words: list[str], shell: Any) -> None:
    from refvideo_nb.notebook.api import form  # noqa: PLC0415 - as above

    _no_more("form", words)
    if place(shell) in {Place.TERMINAL, Place.SCRIPT}:
        raise UsageError("%refvideo form needs a notebook: %%refvideo, or refvideo_nb.generate(…), does the same here")
    magics = shell.meta["refvideo_nb"]  # what %config says holds here too
    display(form(model=magics.model, max_cost=magics.max_cost))  # type: ignore[no-untyped-call]


def _doctor(words: list[str], shell: Any) -> None:
    from refvideo_nb.display.tables import findings_table  # noqa: PLC0415 - as above
    from refvideo_nb.notebook.doctor import examine  # noqa: PLC0415 - as above

    _no_more("doctor", words)
    bundle = findings_table([(f.what, f.found, f.todo) for f in examine(shell)])
    if place(shell) is Place.TERMINAL:
        print(bundle["text/plain"])  # noqa: T201 - the line's own output
    else:
        display(bundle, raw=True)  # type: ignore[no-untyped-call]


def _id_in(word: str, shell: Any) -> str:
    """A job's id as it was typed: itself, or the variable that holds the job, also as ``{clip.id}``."""
    name = word.strip("{}").removesuffix(".id")
    held = shell.user_ns.get(name) if name.isidentifier() else None
    return held.id if isinstance(held, Job) else word


def _show(words: list[str], shell: Any) -> None:
    if len(words) != 1:
        raise UsageError("%refvideo show: give one id (%refvideo jobs lists them)")
    session = current_session()
    if (sweep := _sweep_in(words[0], shell)) is not None:
        sweep.show()
        return
    Job(session, session.ledger.get(_id_in(words[0], shell)).id).show()


def _sweep_in(word: str, shell: Any) -> Sweep | None:
    """The sweep of an id, or of the variable that holds it; None where it is a job's."""
    from refvideo_nb.notebook.sweep import Sweep  # noqa: PLC0415 - only where it is asked for

    name = word.strip("{}").removesuffix(".id")
    held = shell.user_ns.get(name) if name.isidentifier() else None
    if isinstance(held, Sweep):
        return held
    if not word.startswith("sw-"):
        return None
    session = current_session()
    return Sweep(session, sweep_id=session.ledger.sweeps.get(word).id)


def _sweeps(words: list[str], shell: Any) -> None:
    from refvideo_nb.display.sweep import sweeps_table  # noqa: PLC0415 - drawing loads the templates
    from refvideo_nb.notebook.sweeping import sweeps  # noqa: PLC0415 - as above

    _no_more("sweeps", words)
    bundle = sweeps_table([(s.record, s.state) for s in sweeps()])
    if place(shell) is Place.TERMINAL:
        print(bundle["text/plain"])  # noqa: T201 - the line's own output
    else:
        display(bundle, raw=True)  # type: ignore[no-untyped-call]


def _score(words: list[str], shell: Any) -> None:
    from refvideo_nb.notebook.scoring import score  # noqa: PLC0415 - as above

    score(words, shell)


def _resume(words: list[str], shell: Any) -> None:
    from refvideo_nb.notebook.api import resume  # noqa: PLC0415 - as above

    session = current_session()
    if words and (sweep := _sweep_in(words[0], shell)) is not None:
        if len(words) not in {1, 3} or words[1:2] not in ([], ["--max-cost"]):
            raise UsageError("%refvideo resume: after the id of a sweep, only --max-cost USD may follow")
        show_begun(sweep.resume(max_cost=words[2] if len(words) > 1 else None), shell)
        return
    jobs = [Job(session, session.ledger.get(_id_in(word, shell)).id) for word in words] if words else resume()
    if not jobs:
        print("no job is unfinished")  # noqa: T201 - the line's own output
    for job in jobs:
        show_job(session, job, shell)


def _found(words: list[str], shell: Any) -> None:
    if len(words) != 2:  # noqa: PLR2004 - our id and the API's
        raise UsageError("%refvideo found: give two ids, ours and the one that the account's activity page shows")
    session = current_session()
    job = Job(session, session.ledger.get(_id_in(words[0], shell)).id).found(words[1])
    show_job(session, job, shell)


def _retry(words: list[str], shell: Any) -> None:
    if len(words) not in {1, 3} or words[1:2] not in ([], ["--max-cost"]):
        raise UsageError("%refvideo retry: give one id (%refvideo jobs lists them); only --max-cost USD may follow")
    session = current_session()
    before = session.ledger.get(_id_in(words[0], shell)).id
    record = session.retry(before, max_cost=words[2] if len(words) > 1 else shell.meta["refvideo_nb"].max_cost)
    print(f"{record.id} sends the request of {before} again")  # noqa: T201 - the line's own output
    show_job(session, Job(session, record.id), shell)


def _no_more(command: str, words: list[str]) -> None:
    if words:
        raise UsageError(f"%refvideo {command} takes nothing more, not {one_line(' '.join(words), limit=40)!r}")


COMMANDS: dict[str, Callable[[list[str], Any], None]] = {
    "doctor": _doctor,
    "form": _form,
    "found": _found,
    "jobs": _jobs,
    "models": _models,
    "resume": _resume,
    "retry": _retry,
    "score": _score,
    "show": _show,
    "sweeps": _sweeps,
}
