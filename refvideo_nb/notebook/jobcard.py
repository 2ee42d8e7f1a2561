"""A job as a live widget: one line of state, what can be done with it, and its result.

Its handlers run where the front end's messages are handled, or in a subshell's
thread; the line is kept up to date from the engine's. None of them may print, and
whatever goes wrong is said on the card.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.core.job import RESUMABLE, SETTLED, State
from refvideo_nb.display.form import messages_html
from refvideo_nb.display.line import progress_html
from refvideo_nb.errors import RefVideoError, one_line
from refvideo_nb.notebook.card import card_of, get_ready
from refvideo_nb.notebook.measurecard import MeasureCard

if TYPE_CHECKING:
    from collections.abc import Callable

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.engine.watch import Watch
    from refvideo_nb.notebook.session import Session

__all__ = ["JobCard", "button", "guarded"]

_TICK = 1.0  # seconds


def button(label: str, does: Callable[[], Any], *, tip: str = "", colour: str = "") -> Any:
    """A button as wide as its word; with a colour of its own it says so in white."""
    made = ipywidgets.Button(description=label, tooltip=tip or label, layout=ipywidgets.Layout(width="auto"))
    if colour:  # and not one of the theme's, some of which are too pale to be read on
        made.style = {"button_color": colour, "text_color": "#ffffff", "font_weight": "600"}
    made.on_click(lambda _: does())
    return made


def guarded(does: Callable[[], Any], tell: Callable[[str], None]) -> None:
    """Run a handler; what it raises is told in one line, since nobody would see it otherwise."""
    try:
        does()
    except RefVideoError as error:
        tell(one_line(error))
    except Exception as error:  # noqa: BLE001 - as above
        tell(f"a fault of refvideo_nb: {type(error).__name__}: {one_line(error, limit=200)}")


class JobCard:
    """One job, live.

    Parameters
    ----------
    session : Session
    job_id : str
    ended : callable, optional
        Called on the engine's thread with the result's MIME bundle when watching has
        ended; it says whether it shows it, so that the card need not.
    use_again : callable, optional
        Called with the job's record by the button of that name.

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed.
    """

    def __init__(
        self,
        session: Session,
        job_id: str,
        *,
        ended: Callable[[dict[str, str]], bool] | None = None,
        use_again: Callable[[JobRecord], None] | None = None,
    ) -> None:
        self._session, self._id = session, job_id
        self._ended, self._use_again = ended, use_again
        self._line = ipywidgets.HTML()
        self._watch: Watch | None = None
        self._stop = self._button(
            "Stop watching", self._on_stop, tip="The job goes on: the API has no way to cancel it"
        )
        self._resume = self._button("Resume", self.start, tip="Go on watching; nothing is paid again")
        self._show_it = self._button("Show", self._show, tip="Show the result, or what went wrong, right here")
        self._save_as = self._button("Save as", self._toggle_saving, tip="Copy the MP4 to a file of yours")
        self._again = self._button("Use again", self._on_again, tip="Put its request into the form")
        self._adherence = MeasureCard(session, job_id)
        self._measure = self._button(
            "Measure adherence", self._adherence.start, tip="How well the references were followed, frame by frame"
        )
        buttons = (self._stop, self._resume, self._show_it, self._save_as, self._measure, self._again)
        self._actions = ipywidgets.HBox(buttons, layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="4px"))
        self._said = ipywidgets.HTML()
        self._result = ipywidgets.HTML()
        head = ipywidgets.HBox(
            [self._line, self._actions],
            layout=ipywidgets.Layout(align_items="center", grid_gap="2px 12px", flex_flow="row wrap"),
        )
        self._path = ipywidgets.Text(
            description="Save to", value=f"{job_id}.mp4", style={"description_width": "56px"}, layout={"width": "340px"}
        )
        self._saving = ipywidgets.HBox(
            [self._path, self._button("Save", self._save)],
            layout=ipywidgets.Layout(display="none", flex_flow="row wrap", grid_gap="4px 8px"),
        )
        self.box = ipywidgets.VBox(
            [head, self._saving, self._said, self._result, self._adherence.box], layout={"grid_gap": "4px"}
        )
        self._offer()

    def _button(self, label: str, does: Callable[[], Any], **more: Any) -> Any:
        return button(label, lambda: guarded(does, self._tell), **more)

    def start(self) -> None:
        """Look after the job, or take it up again, and keep the card up to date until it has ended."""
        watch = self._session.engine.look_after(self._id)
        if watch is self._watch and not watch.done.done():
            return  # a second click
        self._watch = watch
        record = self._session.ledger.get(self._id)
        self._line.value = progress_html(record, now=time.time())
        self._tell("")
        self._offer(watching=True)
        # From here, and not from a long-lived task: the coroutine carries this cell's context with it.
        self._session.engine.spawn(self._keep_up(watch))
        self._session.engine.spawn(get_ready())

    async def _keep_up(self, watch: Watch) -> None:
        session, job_id = self._session, self._id
        record = session.ledger.get(job_id)
        past = await self._past(record)
        while not watch.done.done():
            await watch.next_change(_TICK)
            with contextlib.suppress(RefVideoError):  # a ledger that is busy now is read at the next tick
                record = session.ledger.get(job_id)
            self._line.value = progress_html(record, now=time.time(), next_poll=watch.next_poll, past=past)
        try:
            record = session.ledger.get(job_id)
            bundle = await card_of(session, job_id)
        except Exception as error:  # noqa: BLE001 - nobody else would tell the person who looks at this line
            said = f"{job_id} is {record.state.value}, but cannot be shown: {one_line(error)}"
            bundle = {"text/plain": said, "text/html": messages_html([said])}
        self._settle(record, watch)
        if self._ended is None or not self._ended(bundle):
            self._result.value = bundle["text/html"]

    async def _past(self, record: JobRecord) -> list[float]:
        """How long jobs like this one took; nothing where the ledger cannot tell."""
        asked, ledger = record.request, self._session.ledger
        try:
            return await asyncio.to_thread(ledger.durations, asked.model, asked.resolution, simulated=record.simulated)
        except RefVideoError:
            return []

    def _settle(self, record: JobRecord, watch: Watch | None = None) -> None:
        """The card of a job that nobody watches any more."""
        open_ = record.state not in SETTLED
        hint = f"%refvideo show {record.id}"
        self._line.value = progress_html(record, now=time.time(), stopped=open_, hint=hint)
        if open_ and watch is not None and watch.trouble is not None:
            self._tell(one_line(watch.trouble))
        self._offer(record)

    def _offer(self, record: JobRecord | None = None, *, watching: bool = False) -> None:
        """The buttons that are of use for a job that is watched, or for one in this state."""
        settled = record is not None
        for each, of_use in (
            (self._stop, watching),
            (self._resume, record is not None and record.state in RESUMABLE),
            (self._show_it, settled),
            (self._save_as, record is not None and record.state is State.DOWNLOADED),
            (self._measure, record is not None and _can_be_measured(record)),
            (self._again, settled and self._use_again is not None),
        ):
            each.layout.display = "" if of_use else "none"

    def _tell(self, problem: str, note: str = "") -> None:
        self._said.value = messages_html([problem] if problem else [], [note] if note else [])

    def _on_stop(self) -> None:
        self._session.engine.stop_watching(self._id)
        self._tell("", "It is not cancelled: the API has no way to do that, and it costs the same")

    def _show(self) -> None:
        self._session.engine.spawn(self._draw())

    async def _draw(self) -> None:
        try:
            self._result.value = (await card_of(self._session, self._id))["text/html"]
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(f"{self._id} cannot be shown: {one_line(error)}")

    def _on_again(self) -> None:
        if self._use_again is not None:
            self._use_again(self._session.ledger.get(self._id))

    def _toggle_saving(self) -> None:
        hidden = self._saving.layout.display == "none"
        self._saving.layout.display = "" if hidden else "none"

    def _save(self) -> None:
        kept = self._session.media.video(self._id)
        if not kept.exists():
            raise RefVideoError(
                f"{one_line(kept)} was deleted: the same request, sent again, fetches it anew and pays nothing"
            )
        target = Path(self._path.value.strip() or f"{self._id}.mp4").expanduser()
        if target.is_dir():
            target = target / f"{self._id}.mp4"
        if target.exists():
            raise RefVideoError(f"{one_line(target)} is there already: choose another name; nothing was written")
        self._session.engine.spawn(self._copy(kept, target))

    async def _copy(self, kept: Path, target: Path) -> None:
        try:
            await asyncio.to_thread(shutil.copyfile, kept, target)
        except OSError as error:
            self._tell(f"{one_line(target)} cannot be written ({error.strerror}): choose another folder")
            return
        self._saving.layout.display = "none"
        self._tell("", f"saved as {one_line(target)}")


def _can_be_measured(record: JobRecord) -> bool:
    return record.state is State.DOWNLOADED and any(r.kind != "audio" for r in record.request.references)
