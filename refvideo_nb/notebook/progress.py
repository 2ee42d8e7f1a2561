"""The live card under a cell, and the result that takes its place.

While a job runs, the cell shows a widget: widgets go on updating after the page
was reloaded. When it has ended, what is left is one plain MIME bundle, which needs
no kernel and no trust, and is what the notebook keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets

from refvideo_nb.core.job import SETTLED
from refvideo_nb.display.line import progress_html, progress_line
from refvideo_nb.notebook.alive import show_alive
from refvideo_nb.notebook.form.page import Page
from refvideo_nb.notebook.jobcard import JobCard

if TYPE_CHECKING:
    from refvideo_nb.notebook.job import Job
    from refvideo_nb.notebook.session import Session

__all__ = ["follow"]


def follow(session: Session, job: Job) -> None:
    """Show a job under the current cell until it has ended, then its result alone."""

    def replace(bundle: dict[str, str]) -> bool:
        # A job that goes on keeps its card, with which it can be taken up again.
        (shown.end if job.record.state in SETTLED else shown.put)(bundle)
        # Where the page was loaded anew meanwhile it does not arrive: there the card stays, and can show it.
        return True

    card, page = JobCard(session, job.id, ended=replace), Page()
    shown = show_alive(ipywidgets.VBox([card.box, page]), _fallback(job), hides=page)
    card.start()


def _fallback(job: Job) -> dict[str, str]:
    """What a reader without this kernel sees until the result is there."""
    record = job.record
    hint = f"%refvideo show {record.id}, or %refvideo resume"
    return {
        "text/plain": f"{progress_line(record, now=record.created)} · {hint}",
        "text/html": progress_html(record, now=record.created, hint=hint),
    }
