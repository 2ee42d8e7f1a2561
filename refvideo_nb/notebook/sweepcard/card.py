"""The card of a sweep: how it stands, what can be done with it, and the job of the cell that is chosen.

Its handlers run where the front end's messages are handled; it is kept up to date from the
engine's thread, once a second as long as the sweep runs. None of it may print.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.core.job import SETTLED
from refvideo_nb.core.pricing import about, usd
from refvideo_nb.display.form import messages_html
from refvideo_nb.display.sweep import plan_bundle, sweep_bundle
from refvideo_nb.errors import one_line
from refvideo_nb.notebook.alive import show_alive
from refvideo_nb.notebook.card import card_of
from refvideo_nb.notebook.jobcard import JobCard, button, guarded
from refvideo_nb.notebook.sweepcard.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Callable

    from refvideo_nb.core.sweep import Place
    from refvideo_nb.core.tally import Tally
    from refvideo_nb.notebook.session import Session
    from refvideo_nb.notebook.sweep import Sweep

__all__ = ["SweepCard", "show_sweep"]

_TICK = 1.0  # seconds


def show_sweep(session: Session, sweep: Sweep) -> None:
    """Show a sweep under the current cell: alive, with the still one for readers without this kernel."""
    card = SweepCard(session, sweep)
    card.update = show_alive(card.box, sweep.bundle(), hides=card.table).put
    card.follow()


class SweepCard:
    """One sweep, live.

    Parameters
    ----------
    session : Session
    sweep : Sweep

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    table : Grid
        Its cells.
    update : callable or None
        Puts another still picture in the place of the one that was displayed.
    """

    def __init__(self, session: Session, sweep: Sweep) -> None:
        self._session, self._sweep = session, sweep
        self.update: Callable[[dict[str, str]], None] | None = None
        self._following = False
        self._tally: Tally = sweep.tally()
        self._head = ipywidgets.HTML()
        plan = sweep.plan
        start = f"Start: pay {about(plan.cost)}" if plan is not None and not plan.unestimated else "Start and pay"
        self._start = self._button(start, self._on_start, tip="Confirms this plan and sends its jobs", colour="#2456c4")
        self._stop = self._button("Stop", self._on_stop, tip="Sends nothing more; what is in flight goes on")
        self._resume = self._button("Resume", self._on_resume, tip="Goes on; nothing is paid twice")
        actions = ipywidgets.HBox([self._start, self._stop, self._resume], layout=_row())
        self.table = Grid.of(self._tally)
        self._said = ipywidgets.HTML()
        self._name = ipywidgets.HTML()
        self._hide = button("Hide", self._on_hide)
        self._hide.layout.align_self = "flex-start"
        self._result = ipywidgets.HTML()
        self._detail = ipywidgets.VBox()
        self.box = ipywidgets.VBox([self._head, actions, self._said, self.table, self._detail])
        self.table.observe(lambda _: guarded(self._on_choice, self._tell), "chosen")
        self._draw()
        sweep.when_begun(self.follow)
        sweep.when_measured(self._tell_measured)

    def _button(self, label: str, does: Callable[[], Any], **more: Any) -> Any:
        return button(label, lambda: guarded(does, self._tell), **more)

    def _tell(self, problem: str) -> None:
        self._said.value = messages_html([problem] if problem else [])

    def _tell_measured(self, line: str) -> None:
        self._said.value = messages_html([], [line])

    # --- how it stands -------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Keep it up to date until the sweep has ended."""
        guarded(self._draw, self._tell)
        if self._sweep.state == "running" and not self._following:
            self._following = True
            self._session.engine.spawn(self._keep_up())

    async def _keep_up(self) -> None:
        try:
            state = "running"
            while state == "running":
                state, news = await asyncio.to_thread(self._look)
                self._tally.take(news)
                self._draw(state)
                await asyncio.sleep(_TICK if state == "running" else 0)
        except Exception as error:  # noqa: BLE001 - nobody else would tell the person who looks at the card
            self._tell(one_line(error))
        finally:
            self._following = False
        if self.update is not None:
            self.update(await asyncio.to_thread(self._sweep.bundle))

    def _look(self) -> tuple[str, list[Place]]:
        """Where it stands, and the cells of which there is news; reads only."""
        sweep = self._sweep
        state = sweep.state  # first: what changes after it is seen at the next look
        return state, [] if sweep.id is None else self._session.ledger.sweeps.places(sweep.id, seen=self._tally.seen)

    def _draw(self, state: str = "") -> None:
        sweep = self._sweep
        state = state or sweep.state
        if sweep.id is None and sweep.plan is not None:
            self._head.value = plan_bundle(sweep.plan)["text/html"]
        else:
            self._head.value = sweep_bundle(sweep.record, self._tally, state=state, grid=False)["text/html"]
        self.table.draw(self._tally)
        for each, of_use in (
            (self._start, state == "planned"),
            (self._stop, state == "running"),
            (self._resume, state in {"stopped", "interrupted"}),
        ):
            each.layout.display = "" if of_use else "none"

    def _on_start(self) -> None:
        self._start.layout.display = "none"  # a second click must find nothing to start
        self._tell("")
        try:
            self._sweep.start()
        finally:
            self._draw()

    def _on_stop(self) -> None:
        self._sweep.stop()

    def _on_resume(self) -> None:
        self._tell("")
        self._sweep.resume()

    # --- one cell ------------------------------------------------------------------------------------------

    def _on_choice(self) -> None:
        number = self.table.chosen
        if not 1 <= number <= len(self._tally.cells):
            return
        cell, place = self._tally.cells[number - 1], self._tally.place(number)
        settings = ", ".join(
            f"{name} {one_line(v, limit=80)}" for name, v in self._tally.design.settings(number).items()
        )
        stands = self._tally.stands()[number - 1]
        money = about(cell.estimate) if place is None or place.record is None else usd(place.charge)
        reused = ", reused: nothing was paid for it here" if place is not None and place.reused else ""
        lines = [f"cell {number}, {stands}: {settings} · {money}{reused}", *(one_line(n) for n in cell.notes)]
        record = place.record if place is not None else None
        self._name.value = messages_html([one_line(why) for why in cell.refused], lines)
        if record is None:
            self._detail.children = (self._name, self._hide)
        elif record.state in SETTLED:
            self._result.value = messages_html([], [f"drawing {record.id} …"])
            self._detail.children = (self._name, self._result, self._hide)
            self._session.engine.spawn(self._show(record.id, number))
        else:
            card = JobCard(self._session, record.id)
            self._detail.children = (self._name, card.box, self._hide)
            card.start()

    async def _show(self, job_id: str, number: int) -> None:
        try:
            html = (await card_of(self._session, job_id))["text/html"]
        except Exception as error:  # noqa: BLE001 - as above
            html = messages_html([f"{job_id} cannot be shown: {one_line(error)}"])
        if self.table.chosen == number:  # another one may have been chosen meanwhile
            self._result.value = html

    def _on_hide(self) -> None:
        self._detail.children = ()
        self.table.chosen = 0


def _row() -> Any:
    return ipywidgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="4px 8px")
