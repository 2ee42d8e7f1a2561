"""The live line under a cell, and the result that takes its place.

While a job runs, the cell shows a widget: widgets go on updating after the page
was reloaded. When it has ended, the same output becomes one plain MIME bundle, which
needs no kernel and no trust, and is what the notebook keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from IPython.display import display

from refvideo_nb.core.job import SETTLED
from refvideo_nb.display.line import progress_html, progress_line
from refvideo_nb.notebook.jobcard import JobCard

if TYPE_CHECKING:
    from refvideo_nb.notebook.job import Job
    from refvideo_nb.notebook.session import Session

__all__ = ["VIEW", "follow", "view_of"]

VIEW = "application/vnd.jupyter.widget-view+json"


def view_of(box: object) -> dict[str, object]:
    """What stands for a widget in a MIME bundle; beside ``text/html`` that is for readers without its kernel."""
    return {VIEW: {"version_major": 2, "version_minor": 0, "model_id": getattr(box, "model_id", "")}}


def follow(session: Session, job: Job) -> None:
    """Show a job under the current cell until it has ended, then its result in the same place."""
    display_id = uuid4().hex

    def replace(bundle: dict[str, str]) -> bool:
        # A job that goes on keeps its card, with which it can be taken up again.
        card_too = {} if job.record.state in SETTLED else view_of(card.box)
        display({**card_too, **bundle}, raw=True, display_id=display_id, update=True)  # type: ignore[no-untyped-call]
        # Where the page was loaded anew meanwhile it does not arrive: there the card stays, and can show it.
        return True

    card = JobCard(session, job.id, ended=replace)
    display({**view_of(card.box), **_fallback(job)}, raw=True, display_id=display_id)  # type: ignore[no-untyped-call]
    card.start()


def _fallback(job: Job) -> dict[str, str]:
    """What a reader without this kernel sees until the result is there."""
    record = job.record
    text = f"{progress_line(record, now=record.created)} · {record.id}"
    return {
        "text/plain": text,
        "text/html": f"{progress_html(record, now=record.created)}",
    }
