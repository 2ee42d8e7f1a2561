"""Generate, and what comes of it: asked once more where it costs much, one job for two clicks, its result kept."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import ipywidgets
from IPython.display import display

from refvideo_nb.core.pricing import about, usd
from refvideo_nb.display.form import messages_html
from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.jobcard import JobCard, button, guarded

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import RLock

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.engine.draft import Draft
    from refvideo_nb.notebook.session import Session

__all__ = ["Sending"]

_ROW = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "8px 12px"}


class Sending:
    """The lower part of the form.

    Parameters
    ----------
    current : callable
        Gives the session of the environment as it is now, and whether it is another than
        the form has shown so far.
    ready : callable
        Gives what may be sent, or None.
    load : callable
        Puts the request of a job into the form.
    confirm_above : float or str, optional
        USD; by default as the session is set.
    lock : RLock
        The form's: what was looked at is what is sent.

    Attributes
    ----------
    jobs : list of Job
        Newest first.
    """

    def __init__(
        self,
        *,
        current: Callable[[], tuple[Session, bool]],
        ready: Callable[[], Draft | None],
        load: Callable[[JobRecord], None],
        confirm_above: Any,
        lock: RLock,
    ) -> None:
        self._current, self._ready, self._load, self._lock = current, ready, load, lock
        self._threshold = None if confirm_above is None else _usd("confirm_above", confirm_above)
        self._asked_for: object = None
        self._page, self._reloaded = "", False
        self._places: list[str] = []
        self.jobs: list[Job] = []
        self._fresh = ipywidgets.Checkbox(
            description="Pay for a new one even if this very request was made before",
            indent=False,
            layout={"width": "auto"},
        )
        self._generate = button("Generate", self._on_generate, colour="#1565c0", tip="Send the request, once")
        self._confirm = button("Confirm", self._on_confirm, colour="#b45309", tip="Send it although it costs this much")
        self._asking = ipywidgets.HTML()
        self._ask_row = ipywidgets.HBox(
            [self._asking, self._confirm, button("Not now", self.withdraw)],
            layout=ipywidgets.Layout(display="none", **_ROW),
        )
        self._said = ipywidgets.HTML()
        self._cards = ipywidgets.VBox()
        send = ipywidgets.HBox([self._generate, self._fresh], layout=ipywidgets.Layout(**_ROW))
        self.box = ipywidgets.VBox([send, self._ask_row, self._said, self._cards])

    @property
    def fresh(self) -> bool:
        """Whether an earlier job of the same request is not wanted."""
        return bool(self._fresh.value)

    @property
    def waiting(self) -> bool:
        """Whether something is still being read, so that nothing can be sent."""
        return bool(self._generate.disabled)

    @waiting.setter
    def waiting(self, waiting: bool) -> None:
        self._generate.disabled = waiting

    def tell(self, problem: str) -> None:
        """Say below the buttons what went wrong; empty takes it away."""
        self._said.value = messages_html([problem] if problem else [])

    def _on_generate(self) -> None:
        guarded(self._try_to_send, self.tell)

    def _on_confirm(self) -> None:
        guarded(lambda: self._try_to_send(confirmed=True), self.tell)

    def _try_to_send(self, *, confirmed: bool = False) -> None:
        with self._lock:
            asked_for = self._asked_for
            session, moved = self._current()
            draft = self._ready()
            if draft is None:
                self.tell("nothing was sent: something above is missing or wrong")
                return
            self.tell("")
            wanted = (draft.request, draft.compiled.text, session)
            if not (confirmed and asked_for == wanted) and (why := self._must_ask(session, draft, moved=moved)):
                self._asked_for = wanted
                self._asking.value = messages_html([why])
                self._ask_row.layout.display = ""
                return
            self._send(session, draft)

    def _must_ask(self, session: Session, draft: Draft, *, moved: bool) -> str:
        """Why it is asked once more; empty where it need not be."""
        cost = about(draft.prices)
        paid = "nothing is paid: the simulator answers" if session.simulated else "this is paid"
        if moved:  # nobody pays by surprise
            where = "the simulator answers" if session.simulated else f"it is live at {session.settings.base_url}"
            return f"the environment has changed since the form was drawn: now {where}. {cost}; {paid}"
        limit = session.confirm_above if self._threshold is None else self._threshold
        if draft.prices is None:
            return f"there is no estimate of what it costs; {paid}"
        return f"{cost}, above {usd(limit)}; {paid}" if draft.prices.high > limit else ""

    def withdraw(self) -> None:
        """Take the second question back: the request is another one now."""
        self._asked_for = None
        self._ask_row.layout.display = "none"

    def _send(self, session: Session, draft: Draft) -> None:
        self.withdraw()
        record, reused = session.submit(draft, fresh=self.fresh)
        # A second click attaches to this job instead of paying for another.
        self._fresh.value = False
        job = Job(session, record.id, reused=reused)
        if any(j.id == job.id for j in self.jobs):
            self._said.value = messages_html([], [f"{job.id} below is this very request: nothing is paid again"])
            return
        if reused:
            said = f"{job.id}: this very request was made before, so that nothing is paid again"
            self._said.value = messages_html([], [said])
        self.jobs.insert(0, job)
        card = JobCard(session, job.id, ended=self._put_result, use_again=self._load)
        self._cards.children = (card.box, *self._cards.children)
        card.start()

    def make_place(self) -> None:
        """Make the place below the form where a result stands, and where the notebook keeps it."""
        place = uuid4().hex
        display({"text/plain": "", "text/html": "<span></span>"}, raw=True, display_id=place)  # type: ignore[no-untyped-call]
        self._places.append(place)

    def seen_on(self, page: str) -> None:
        """A page shows the form; another one than before has lost its hold of the result's place."""
        self._reloaded = self._reloaded or (bool(self._page) and page != self._page)
        self._page = page

    def _put_result(self, bundle: dict[str, str]) -> bool:
        """Show a result in its place; False where the page cannot be reached there."""
        for place in self._places:
            display(bundle, raw=True, display_id=place, update=True)  # type: ignore[no-untyped-call]
        return bool(self._places) and not self._reloaded


def _usd(name: str, value: Any) -> Decimal:
    try:
        amount = Decimal(str(value))
        if not amount.is_finite() or amount < 0:
            raise InvalidOperation
    except InvalidOperation:
        raise InvalidRequestError(
            f"{name} {one_line(value, limit=40)!r} cannot be used: give USD as a number, such as 0.50",
            field=name,
            value=value,
        ) from None
    return amount
