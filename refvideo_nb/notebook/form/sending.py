"""Generate, and what comes of it: asked once more where it costs much, one job for two clicks, its result kept."""

from __future__ import annotations

import asyncio
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import ipywidgets
from IPython.display import display

from refvideo_nb.core.job import FAILED
from refvideo_nb.core.pricing import about, usd
from refvideo_nb.display.form import messages_html
from refvideo_nb.engine.draft import fingerprint
from refvideo_nb.errors import InvalidRequestError, one_line
from refvideo_nb.notebook.environment import front_end
from refvideo_nb.notebook.form.page import Page
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.jobcard import JobCard, button

if TYPE_CHECKING:
    from collections.abc import Callable

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.engine.draft import Draft
    from refvideo_nb.notebook.form.look import Look
    from refvideo_nb.notebook.form.turns import Turns
    from refvideo_nb.notebook.session import Session

__all__ = ["Sending"]

_WAITS = "refvideo_nb.jobs(limit=1)[0].wait()"
_ROW = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "8px 12px"}


class Sending:
    """The lower part of the form.

    Parameters
    ----------
    ready : callable
        Gives the session that would send, what may be sent (None for nothing), and whether
        the session is another than the form has shown before this very click.
    load : callable
        Puts the request of a job into the form.
    confirm_above : float or str, optional
        USD; by default as the session is set.
    turns : Turns
        The form's: what was looked at is what is sent.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    jobs : list of Job
        Newest first.
    page : Page
        Its part that is never seen.
    """

    def __init__(
        self,
        *,
        ready: Callable[[], tuple[Session, Draft | None, bool]],
        load: Callable[[JobRecord], None],
        confirm_above: Any,
        turns: Turns,
    ) -> None:
        self._ready, self._load, self._turns = ready, load, turns
        self._threshold = None if confirm_above is None else _usd("confirm_above", confirm_above)
        self._asked_for = ""
        self._moved = False
        self._told_of = self._shown = ("", False)
        self._places: list[str] = []
        self._reloaded = False
        self.jobs: list[Job] = []
        self.page = Page()
        self.page.observe(self._on_page, "mark")
        self._fresh = ipywidgets.Checkbox(
            description="Pay for a new one even if this very request was made before",
            indent=False,
            layout={"width": "auto"},
        )
        self._fresh.observe(lambda _: turns.changed(), "value")
        self._generate = self._button("Generate", self._send, colour="#1565c0", tip="Send the request, once")
        confirm = partial(self._send, confirmed=True)
        self._confirm = self._button("Confirm", confirm, colour="#b45309", tip="Send it although it costs this much")
        self._asking = ipywidgets.HTML()
        self._ask_row = ipywidgets.HBox(
            [self._asking, self._confirm, self._button("Not now", self._not_now)],
            layout=ipywidgets.Layout(display="none", **_ROW),
        )
        self._said = ipywidgets.HTML()
        self._cards = ipywidgets.VBox()
        send = ipywidgets.HBox([self._generate, self._fresh], layout=ipywidgets.Layout(**_ROW))
        parts = [send, self._ask_row, self._said, self._cards, self.page]
        self.box = ipywidgets.VBox(parts, layout={"grid_gap": "6px", "margin": "4px 0 0 0"})

    def _button(self, label: str, does: Callable[[], None], **more: Any) -> Any:
        return button(label, self._turns.handler(does, self.tell), **more)

    @property
    def fresh(self) -> bool:
        """Whether an earlier job of the same request is not wanted."""
        return bool(self._fresh.value)

    def looked_at(self, session: Session, found: Look) -> None:
        """The form was looked at anew: what was said of another request is over."""
        self._generate.disabled = bool(found.waiting)
        wanted = _wanted(session, found.draft)
        if self._asked_for not in {"", wanted}:
            self._withdraw()
        self._shown = wanted, found.sendable is not None
        if self._told_of != self._shown:
            self.tell("")

    def tell(self, problem: str, note: str = "") -> None:
        """Say below the buttons what went wrong, or what is worth knowing, until the request changes."""
        self._said.value = messages_html([problem] if problem else [], [note] if note else [])
        self._told_of = self._shown

    # --- asking and sending --------------------------------------------------------------------------------

    def _send(self, *, confirmed: bool = False) -> None:
        session, draft, moved = self._ready()
        self._moved = self._moved or moved
        if draft is None:
            self.tell("nothing was sent: something above is missing or wrong")
            return
        self.tell("")
        wanted = _wanted(session, draft)
        if confirmed and self._asked_for == wanted:
            why = ""
        else:
            why = "" if self._is_under_way(wanted) else self._must_ask(session, draft)
        if why:
            self._asked_for = wanted
            self._asking.value = messages_html([why])
            self._ask_row.layout.display = ""
            return
        self._submit(session, draft)

    def _must_ask(self, session: Session, draft: Draft) -> str:
        """Why it is asked once more; empty where it need not be."""
        cost = about(draft.prices)
        paid = "nothing is paid: the simulator answers" if session.simulated else "this is paid"
        if self._moved:  # nobody pays by surprise, however often they click
            where = "the simulator answers" if session.simulated else f"it is live at {session.settings.base_url}"
            return f"the environment has changed since the form was drawn: now {where}. {cost}; {paid}"
        limit = session.confirm_above if self._threshold is None else self._threshold
        if draft.prices is None:
            return f"there is no estimate of what it costs; {paid}"
        return f"{cost}, above {usd(limit)}; {paid}" if draft.prices.high > limit else ""

    def _is_under_way(self, wanted: str) -> bool:
        """Whether this form has made a job of this very request: a second click attaches to it, and pays nothing."""
        if self.fresh or not self.jobs:
            return False
        newest = self.jobs[0].record
        return newest.state not in FAILED and wanted == fingerprint(newest.request, newest.sent_prompt, newest.base_url)

    def _withdraw(self) -> None:
        """Take the second question back."""
        self._asked_for = ""
        self._ask_row.layout.display = "none"

    def _not_now(self) -> None:
        self._moved = False
        self._withdraw()

    def _submit(self, session: Session, draft: Draft) -> None:
        self._not_now()
        record, reused = session.submit(draft, fresh=self.fresh)
        # A second click attaches to this job instead of paying for another.
        self._fresh.value = False
        job = Job(session, record.id, reused=reused)
        if any(j.id == job.id for j in self.jobs):
            self.tell("", f"{job.id} below is this very request: nothing is paid again")
            return
        if reused:
            self.tell("", f"{job.id}: this very request was made before, so that nothing is paid again")
        elif front_end() == "Colab":
            self.tell("", f"Colab drops what comes while no cell runs: {_WAITS} in the next cell shows how it ends")
        self.jobs.insert(0, job)
        load = self._turns.handler(self._load, self.tell)
        card = JobCard(session, job.id, ended=partial(self._ended, session), use_again=load)
        self._cards.children = (card.box, *self._cards.children)
        card.start()

    def _ended(self, session: Session, bundle: dict[str, str]) -> bool:
        """A job has ended: its result is put into its place, and the budget has another amount left."""
        session.engine.spawn(asyncio.to_thread(self._turns.leave, self._turns.changed, self.tell))
        return self._put_result(bundle)

    # --- the result ----------------------------------------------------------------------------------------

    def make_place(self) -> None:
        """Make the place below the form where a result stands, and where the notebook keeps it."""
        place = uuid4().hex
        display({"text/plain": "", "text/html": "<span></span>"}, raw=True, display_id=place)  # type: ignore[no-untyped-call]
        self._places.append(place)

    def _on_page(self, change: Any) -> None:
        # Another page than before has lost its hold of the result's place.
        self._reloaded = self._reloaded or bool(change["old"])

    def _put_result(self, bundle: dict[str, str]) -> bool:
        """Show a result in its place; False where the page cannot be reached there."""
        for place in self._places:
            display(bundle, raw=True, display_id=place, update=True)  # type: ignore[no-untyped-call]
        return bool(self._places) and not self._reloaded


def _wanted(session: Session, draft: Draft | None) -> str:
    """What tells one request from another."""
    return "" if draft is None else fingerprint(draft.request, draft.compiled.text, session.address)


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
