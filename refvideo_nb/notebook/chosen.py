"""What can be done with the job that is chosen in the panel, and what comes of it."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.core.job import RESUMABLE, SETTLED, State
from refvideo_nb.display.form import heading_html, messages_html, text_html
from refvideo_nb.errors import one_line
from refvideo_nb.notebook.again import missing, written_again
from refvideo_nb.notebook.card import card_of
from refvideo_nb.notebook.copying import CopyButton
from refvideo_nb.notebook.jobcard import JobCard, button, guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.notebook.session import Session

__all__ = ["Chosen"]

_ROW = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "4px 8px"}
_DELETES = "its entry, its clip, and the files of its references that no other job uses are deleted"
_NOTHING = "Choose a job in the table"
_UNKNOWN = "it may have been accepted and paid, and only this entry knows of it"


class Chosen:
    """The buttons below the table, and what they show.

    Parameters
    ----------
    session : callable
        Gives the session.
    selected : callable
        Gives the id of the job that is chosen, or None.
    changed : callable
        Called when a job was resumed or forgotten.
    use_again : callable, optional
        Called with the record of a job; without it, its request is shown as text.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    """

    def __init__(
        self,
        *,
        session: Callable[[], Session],
        selected: Callable[[], str | None],
        changed: Callable[[], None],
        use_again: Callable[[JobRecord], None] | None = None,
    ) -> None:
        self._session, self._selected, self._changed, self._use_again = session, selected, changed, use_again
        self._shown: str | None = None
        self._asked: JobRecord | None = None
        self._lock = threading.Lock()
        self._turn = 0
        self._name = ipywidgets.HTML(messages_html([], [_NOTHING]))
        do = partial(self._button)
        self._show = do("Show", self._on_show, "Show the result, or what went wrong, below")
        self._resume = do("Resume", self._on_resume, "Go on watching; nothing is paid again")
        self._again = do("Use again", self._on_again, "The same request once more, to change or to send")
        self._forget = do(
            "Forget", self._on_forget, "Delete its entry and its files, once it has ended; asks once more"
        )
        self._actions = (self._show, self._resume, self._again, self._forget)
        self._question = ipywidgets.HTML()
        self._sure = button("Forget it", lambda: guarded(self._on_sure, self._tell), tip="Deletes it now")
        self._keep = button("Keep it", self._withdraw, tip="Deletes nothing")
        self._asking = ipywidgets.HBox(
            [self._question, self._sure, self._keep], layout=ipywidgets.Layout(**_ROW, display="none")
        )
        self._said = ipywidgets.HTML()
        # Made once: what is shown changes on the engine's thread, where no widget need be opened then.
        self._card = ipywidgets.HTML()
        self._hide = button("Hide", self._put)
        self._hide.layout.align_self = "flex-start"
        self._text, self._gone = ipywidgets.HTML(), ipywidgets.HTML()
        self._copy = CopyButton(label="Copy")
        self._request = (ipywidgets.HTML(heading_html("The same request")), self._text, self._gone, self._copy)
        self._detail = ipywidgets.VBox()
        row = ipywidgets.HBox([*self._actions, self._name], layout=ipywidgets.Layout(**_ROW, margin="6px 0 0 0"))
        self.box = ipywidgets.VBox([row, self._asking, self._said, self._detail])
        self.take(None)

    def take(self, record: JobRecord | None) -> None:
        """Another job is chosen, the same one has changed, or none is there."""
        job_id = record.id if record else None
        if job_id != self._shown:
            self._shown = job_id
            self._withdraw()
            if record is not None:
                self._tell("")
            self._name.value = messages_html([], [job_id or _NOTHING])
        for each in self._actions:
            each.disabled = record is None
        if record is not None:
            self._resume.disabled = record.state not in RESUMABLE
            self._forget.disabled = record.state not in SETTLED

    def _button(self, label: str, does: Callable[[JobRecord], None], tip: str) -> Any:
        return button(label, lambda: guarded(partial(self._with_job, does), self._tell), tip=tip)

    def _with_job(self, does: Callable[[JobRecord], None]) -> None:
        # Asked for now: after a busy kernel a choice and a click come together, before any look at the ledger.
        job_id = self._selected()
        if job_id is not None:
            self._tell("")
            does(self._session().ledger.get(job_id))

    def _tell(self, problem: str, note: str = "") -> None:
        self._said.value = messages_html([problem] if problem else [], [note] if note else [])

    def _put(self, *parts: Any) -> None:
        """Show something; whatever is still being drawn comes too late."""
        with self._lock:
            self._turn += 1
        self._detail.children = parts

    # --- showing and going on ------------------------------------------------------------------------------

    def _on_show(self, record: JobRecord) -> None:
        self._withdraw()
        self._put()
        self._tell("", f"drawing {record.id} …")
        session = self._session()
        session.engine.spawn(self._draw(session, record.id, self._turn))

    async def _draw(self, session: Session, job_id: str, turn: int) -> None:
        problem = ""
        try:
            html = (await card_of(session, job_id))["text/html"]
        except Exception as error:  # noqa: BLE001 - nobody else would tell the person who waits for it
            problem = f"{job_id} cannot be shown: {one_line(error)}"
        if turn != self._turn:
            return
        self._tell(problem)
        if not problem:
            self._card.value, self._hide.description = html, f"Hide {job_id}"
            self._detail.children = (self._card, self._hide)

    def _on_resume(self, record: JobRecord) -> None:
        self._withdraw()
        card = JobCard(self._session(), record.id, use_again=self._use_again)
        self._put(card.box)
        card.start()
        self._changed()

    # --- once more -----------------------------------------------------------------------------------------

    def _on_again(self, record: JobRecord) -> None:
        self._withdraw()
        if self._use_again is not None:
            self._use_again(record)
            return
        media = self._session().media
        written = written_again(record, media)
        gone = missing(record, media)
        notes = [f"the bytes of {', '.join(gone)} are gone from the media store: name another source"] if gone else []
        if written.text is None:
            self._tell(f"{record.id} cannot be written as a cell: {written.reason}")
            return
        self._text.value, self._copy.text = text_html(written.text), written.text
        self._gone.value = messages_html([], notes)
        self._put(*self._request)

    # --- forgetting ----------------------------------------------------------------------------------------

    def _on_forget(self, record: JobRecord) -> None:
        warning = f"{_UNKNOWN}; " if record.state is State.OUTCOME_UNKNOWN else ""
        self._asked = record
        self._question.value = messages_html([f"Forget {record.id}? {warning}{_DELETES}"])
        self._asking.layout.display = ""

    def _on_sure(self) -> None:
        record = self._asked
        if record is None:
            return
        self._withdraw()
        self._put()
        session = self._session()
        session.engine.spawn(self._remove(session, record))

    async def _remove(self, session: Session, record: JobRecord) -> None:
        try:
            await asyncio.to_thread(_forget, session, record)
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(one_line(error))
        else:
            self._tell("", f"{record.id} is forgotten")
        self._changed()

    def _withdraw(self) -> None:
        self._asked = None
        self._asking.layout.display = "none"


def _forget(session: Session, record: JobRecord) -> None:
    """Out of the ledger, and then the files that nobody else needs."""
    gone = session.ledger.forget(record.id, even_unknown=record.state is State.OUTCOME_UNKNOWN)
    images = (*gone.request.references, *(f.image for f in gone.request.frames))
    session.media.forget(gone, used=session.ledger.still_used(i.sha256 for i in images))
