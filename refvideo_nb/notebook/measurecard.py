"""Measuring from a job's card: off the kernel's thread, told as it goes, its result in place."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import ipywidgets

from refvideo_nb.display.form import messages_html
from refvideo_nb.display.words import clock
from refvideo_nb.errors import RefVideoError, one_line

if TYPE_CHECKING:
    from refvideo_nb.notebook.session import Session

__all__ = ["MeasureCard"]

_OFTEN = 0.5  # seconds between two words of progress
_ONE_AT_A_TIME = threading.Lock()  # two measurements at once would only take twice as long each


class _StoppedError(RefVideoError):
    """The person who began it does not want it any more."""


class MeasureCard:
    """Where the adherence of a job is measured and shown.

    Parameters
    ----------
    session : Session
    job_id : str

    Attributes
    ----------
    box : ipywidgets.VBox
        What is displayed; empty until it is begun.
    """

    def __init__(self, session: Session, job_id: str) -> None:
        self._session, self._id = session, job_id
        self._stopped = threading.Event()
        self._line, self._result = ipywidgets.HTML(), ipywidgets.HTML()
        self._stop = ipywidgets.Button(
            description="Stop measuring",
            tooltip="Nothing is kept of what was measured so far",
            layout=ipywidgets.Layout(width="auto", display="none"),
        )
        self._stop.on_click(lambda _: self._stopped.set())
        self._busy = False
        row = ipywidgets.Layout(align_items="center", grid_gap="12px", flex_flow="row wrap")
        self.box = ipywidgets.VBox([ipywidgets.HBox([self._line, self._stop], layout=row), self._result])

    def start(self) -> None:
        """Begin, unless it is under way."""
        if self._busy:
            return
        self._busy = True
        self._stopped.clear()
        self._result.value = ""
        self._say("measuring: reading the references")
        self._stop.layout.display = ""
        self._session.engine.spawn(self._run())

    def _say(self, note: str, problem: str = "") -> None:
        self._line.value = messages_html([problem] if problem else [], [note] if note else [])

    async def _run(self) -> None:
        try:
            html = await asyncio.to_thread(self._measure)
        except _StoppedError:
            self._say("stopped measuring")
        except RefVideoError as error:
            self._say("", one_line(error))
        except Exception as error:  # noqa: BLE001 - nobody else would tell the person who looks at this card
            self._say("", f"a fault of refvideo_nb: {type(error).__name__}: {one_line(error, limit=200)}")
        else:
            self._result.value = html
            self._say("")
        finally:
            self._busy = False
            self._stop.layout.display = "none"

    def _measure(self) -> str:
        # Here, in a thread of its own: these load what decodes, measures and draws.
        from refvideo_nb.display.adherence import adherence_bundle  # noqa: PLC0415 - as said
        from refvideo_nb.notebook.job import Job  # noqa: PLC0415 - which shows such cards
        from refvideo_nb.notebook.measuring import How, frames_planned, measured, wanted  # noqa: PLC0415 - as said

        what, how = wanted(Job(self._session, self._id)), How()
        names, planned = ", ".join(s.name for s in what.seen), frames_planned(what.facts, how)
        began = last = time.monotonic()

        def told(done: int) -> None:
            nonlocal last
            if self._stopped.is_set():
                raise _StoppedError
            if (now := time.monotonic()) - last >= _OFTEN:
                last = now
                self._say(f"measuring {names} · {done} of {planned} frames · {clock(now - began)}")

        if not _ONE_AT_A_TIME.acquire(blocking=False):
            self._say("waiting for another measurement to end")
            while not _ONE_AT_A_TIME.acquire(timeout=_OFTEN):
                if self._stopped.is_set():
                    raise _StoppedError
        try:
            self._say(f"measuring {names} · 0 of {planned} frames · {clock(0)}")
            report = measured(what, how, told=told)
        finally:
            _ONE_AT_A_TIME.release()
        self._say("drawing what was found")
        bundle: dict[str, Any] = adherence_bundle(report, what.seen, video=what.path, simulated=what.simulated)
        return str(bundle["text/html"])
