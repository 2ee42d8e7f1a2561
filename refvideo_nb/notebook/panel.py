"""The jobs panel: every job of the ledger, a page at a time, found by state, model and text.

The kernel's thread is never held up: each look into the ledger runs off the engine's
loop, and only the latest counts. Nothing is asked at intervals. The panel looks anew
when a cell has ended, when it comes into view, when a job that this kernel watches
says that it has changed, and at a button; and not at all while nobody sees it.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import ipywidgets

from refvideo_nb.core.job import FAILED, SETTLED, State
from refvideo_nb.display.form import messages_html
from refvideo_nb.errors import RefVideoError, UnknownJobError, one_line
from refvideo_nb.notebook.chosen import Chosen
from refvideo_nb.notebook.current import current_session
from refvideo_nb.notebook.jobcard import button, guarded
from refvideo_nb.notebook.jobrows import COLUMNS, job_row, thumbnails
from refvideo_nb.notebook.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.notebook.session import Session

__all__ = ["JobsPanel"]

_PAGE = 10  # rows
_TYPING = 0.25  # seconds without another keystroke
_LATEST = 1.0  # seconds between two looks that running jobs ask for
_LONG = 3600.0  # seconds
_MOST_WATCHED = 50  # running jobs whose changes are waited for
_UNSETTLED = frozenset(State) - SETTLED
_STATES: dict[str, frozenset[State] | None] = {
    "any": None,
    "done": frozenset({State.DOWNLOADED}),
    "under way": _UNSETTLED,
    "failed": FAILED,
    "outcome unknown": frozenset({State.OUTCOME_UNKNOWN}),
}
_ANY_MODEL = "any"
_NEWEST = {"key": "when", "descending": True}


class _Ask(NamedTuple):
    """What is to be shown."""

    states: frozenset[State] | None
    model: str | None
    text: str
    page: int
    newest: bool
    selected: str | None


class _Found(NamedTuple):
    """What the ledger has of it."""

    records: tuple[JobRecord, ...]
    total: int
    page: int
    models: list[str]
    selected: JobRecord | None
    running: list[str]


class JobsPanel:
    """Every job, and what can be done with it.

    Parameters
    ----------
    session : callable, optional
        Gives the session, by default the one that fits the environment.
    shell : InteractiveShell, optional
        Tells when a cell has ended.
    use_again : callable, optional
        Called with the record of a job whose request is wanted again; without it, the
        request is shown as a cell to copy.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    table : Table
    """

    def __init__(
        self,
        *,
        session: Callable[[], Session] = current_session,
        shell: Any = None,
        use_again: Callable[[JobRecord], None] | None = None,
    ) -> None:
        self._session, self._shell = session, shell
        self._lock = threading.Lock()
        self._turn = 0
        self._follower: Future[None] | None = None
        self._quiet = False
        self._text = ipywidgets.Text(placeholder="prompt, model or id", **_labelled("Search", "260px"))
        self._state = ipywidgets.Dropdown(options=list(_STATES), **_labelled("State", "190px"))
        self._model = ipywidgets.Dropdown(options=[_ANY_MODEL], **_labelled("Model", "270px"))
        self.table = Table(label="Jobs, newest first", columns=COLUMNS, sort=_NEWEST, remote=True)
        self._said = ipywidgets.HTML()
        self._chosen = Chosen(
            session=session, selected=lambda: self.table.selected, changed=self.refresh, use_again=use_again
        )
        again = button("Refresh", self.refresh, tip="Look into the ledger again")
        controls = ipywidgets.HBox(
            [self._text, self._state, self._model, again],
            layout=ipywidgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="4px 8px"),
        )
        self.box = ipywidgets.VBox([controls, self._said, self.table, self._chosen.box])
        # The first page is there when the panel appears.
        self._put(self._read(session(), self._ask()))
        self._text.observe(lambda _: self._narrow(_TYPING), "value")
        for each in (self._state, self._model):
            each.observe(lambda _: self._narrow(), "value")
        self.table.observe(lambda _: self._narrow(), "sort")
        for name in ("page", "selected"):
            self.table.observe(lambda _: None if self._quiet else self.refresh(), name)
        self.table.on_look(self.refresh)
        if shell is not None:
            shell.events.register("post_run_cell", self._after_cell)
        self.refresh()

    def close(self) -> None:
        """Take it off the page; the jobs go on."""
        if self._shell is not None:
            self._shell.events.unregister("post_run_cell", self._after_cell)
        self.box.close()

    def refresh(self, *, after: float = 0.0) -> None:
        """Look into the ledger again, and show what has changed; returns at once.

        Parameters
        ----------
        after : float
            Seconds to wait for a later call, which then takes the place of this one.
        """
        guarded(lambda: self._refresh(after), self._tell)

    def _refresh(self, after: float) -> None:
        with self._lock:
            self._turn += 1
            turn = self._turn
        session = self._session()
        session.engine.spawn(self._look(session, turn, after))

    def _narrow(self, after: float = 0.0) -> None:
        """Something else is looked for: begin at the first page."""
        if not self._quiet:
            self._set_page(1)
            self.refresh(after=after)

    def _after_cell(self, *_: Any) -> None:
        if self.table.seen:
            self.refresh()

    def _tell(self, problem: str) -> None:
        self._said.value = messages_html([problem] if problem else [])

    def _ask(self) -> _Ask:
        return _Ask(
            states=_STATES[self._state.value],
            model=None if self._model.value == _ANY_MODEL else self._model.value,
            text=self._text.value.strip(),
            page=self.table.page,
            newest=bool(self.table.sort.get("descending", True)),
            selected=self.table.selected,
        )

    # --- looking -------------------------------------------------------------------------------------------

    async def _look(self, session: Session, turn: int, after: float) -> None:
        await asyncio.sleep(after)
        if turn != self._turn:
            return
        try:
            found = await asyncio.to_thread(self._read, session, self._ask())
            if turn != self._turn:
                return
            self._put(found)
            await self._draw(session, found, turn)
            self._tell("")
        except Exception as error:  # noqa: BLE001 - nobody else would tell the person who looks at the panel
            known = isinstance(error, RefVideoError)
            self._tell(
                one_line(error) if known else f"a fault of refvideo_nb: {type(error).__name__}: {one_line(error)}"
            )
            return
        if self._follower is not None:
            self._follower.cancel()
        self._follower = session.engine.spawn(self._follow(session, found.running))

    def _read(self, session: Session, ask: _Ask) -> _Found:
        ledger = session.ledger
        wanted: dict[str, Any] = {"states": ask.states, "model": ask.model, "text": ask.text}
        asked = max(ask.page, 1)
        # To begin with the oldest, one must know how many there are.
        first = ledger.find(**wanted, offset=(asked - 1) * _PAGE, limit=_PAGE if ask.newest else 0)
        records, total = first.records, first.total
        page = min(asked, _pages(total))
        if not ask.newest:
            start = max(total - page * _PAGE, 0)
            records = ledger.find(**wanted, offset=start, limit=total - (page - 1) * _PAGE - start).records[::-1]
        elif page != asked:
            records = ledger.find(**wanted, offset=(page - 1) * _PAGE, limit=_PAGE).records
        try:
            selected = ledger.get(ask.selected) if ask.selected else None
        except UnknownJobError:
            selected = None  # forgotten meanwhile, here or by another kernel
        running = ledger.find(states=_UNSETTLED, limit=_MOST_WATCHED).records
        return _Found(records, total, page, ledger.models(), selected, [r.id for r in running])

    def _put(self, found: _Found) -> None:
        table, ask = self.table, self._ask()
        filtered = any((ask.states, ask.model, ask.text))
        jobs = "1 job" if found.total == 1 else f"{found.total:,} jobs"
        with table.hold_sync():
            table.rows = [job_row(r) for r in found.records]
            table.pages = _pages(found.total)
            self._set_page(found.page)
            table.total = f"{jobs} found" if filtered else jobs
            table.empty = "No job is like that: look for less" if filtered else "No job yet: %%refvideo makes one"
        self._offer_models(found.models)
        self._chosen.take(found.selected)

    async def _draw(self, session: Session, found: _Found, turn: int) -> None:
        """The pictures of the rows that are shown now, and of no others."""
        known = dict(self.table.pictures)
        made = await asyncio.to_thread(thumbnails, found.records, read=session.media.read, known=known)
        if turn == self._turn and made != known:
            self.table.pictures = made

    def _offer_models(self, models: list[str]) -> None:
        options = (_ANY_MODEL, *models)
        if options == self._model.options:
            return
        before, self._quiet = self._model.value, True
        try:
            self._model.options = options
            self._model.value = before if before in options else _ANY_MODEL
        finally:
            self._quiet = False

    def _set_page(self, page: int) -> None:
        if page == self.table.page:
            return
        self._quiet = True
        try:
            self.table.page = page
        finally:
            self._quiet = False

    async def _follow(self, session: Session, running: list[str]) -> None:
        """Look again when a job that this kernel watches has changed; the look then follows what runs by then."""
        watches = [w for job_id in running if (w := session.engine.watch(job_id)) is not None and not w.done.done()]
        if not watches:
            return
        waits = [asyncio.ensure_future(w.next_change(_LONG)) for w in watches]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        await asyncio.sleep(_LATEST)  # many jobs that change at once are one look
        if self.table.seen:
            self.refresh()


def _labelled(label: str, width: str) -> dict[str, Any]:
    layout = {"width": width, "max_width": "100%"}
    return {"description": label, "style": {"description_width": "initial"}, "layout": layout}


def _pages(total: int) -> int:
    return max(1, -(-total // _PAGE))
