"""The live line under a cell, and the result that takes its place.

While a job runs, the cell shows a widget: widgets go on updating after the page
was reloaded. When it has ended, the same output becomes one plain MIME bundle, which
needs no kernel and no trust, and is what the notebook keeps.
"""

from __future__ import annotations

import contextlib
import html
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import ipywidgets
from IPython.display import display

from refvideo_nb.core.job import SETTLED
from refvideo_nb.display.line import progress_html, progress_line
from refvideo_nb.errors import RefVideoError, one_line
from refvideo_nb.notebook.card import card_of

if TYPE_CHECKING:
    from refvideo_nb.engine.watch import Watch
    from refvideo_nb.notebook.job import Job
    from refvideo_nb.notebook.session import Session

__all__ = ["follow"]

_TICK = 1.0  # seconds
_VIEW = "application/vnd.jupyter.widget-view+json"


def follow(session: Session, job: Job) -> None:
    """Show a job under the current cell until it has ended, then its result in the same place."""
    record = job.record
    watch = session.engine.look_after(job.id)
    line = ipywidgets.HTML(progress_html(record, now=time.time()))
    stop = ipywidgets.Button(
        description="Stop watching",
        tooltip="The job goes on: the API has no way to cancel it",
        layout=ipywidgets.Layout(width="auto"),
    )
    stop.on_click(lambda _: job.stop_watching())
    box = ipywidgets.HBox(
        [line, stop], layout=ipywidgets.Layout(align_items="center", grid_gap="12px", flex_flow="row wrap")
    )
    display_id = uuid4().hex
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    display(  # type: ignore[no-untyped-call]
        {_VIEW: view, **_fallback(job)}, raw=True, display_id=display_id
    )
    # From here, and not from a long-lived task: the coroutine carries this cell's context with it.
    session.engine.spawn(_keep_up(session, job.id, watch, box, display_id))


def _fallback(job: Job) -> dict[str, str]:
    """What a reader without this kernel sees until the result is there."""
    record = job.record
    text = f"{progress_line(record, now=record.created)} · {record.id}"
    return {
        "text/plain": text,
        "text/html": f"{progress_html(record, now=record.created)}",
    }


async def _keep_up(session: Session, job_id: str, watch: Watch, box: Any, display_id: str) -> None:
    line, stop = box.children
    record = session.ledger.get(job_id)
    while not watch.done.done():
        await watch.next_change(_TICK)
        with contextlib.suppress(RefVideoError):  # a ledger that is busy now is read at the next tick
            record = session.ledger.get(job_id)
        line.value = progress_html(record, now=time.time(), next_poll=watch.next_poll)
    try:
        record = session.ledger.get(job_id)
        bundle = await card_of(session, job_id)
    except Exception as error:  # noqa: BLE001 - nobody else would tell the person who looks at this line
        said = f"{job_id} is {record.state.value}, but cannot be shown: {one_line(error)}"
        bundle = {"text/plain": said, "text/html": f"<pre>{html.escape(said)}</pre>"}
    # Seen only where the page was loaded anew meanwhile: there the result below does not arrive.
    hint = f"%refvideo show {job_id}"
    line.value = progress_html(record, now=time.time(), stopped=record.state not in SETTLED, hint=hint)
    box.children = (line,)
    stop.close()
    display(bundle, raw=True, display_id=display_id, update=True)  # type: ignore[no-untyped-call]
