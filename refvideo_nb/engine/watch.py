"""What is known of a job while somebody waits for it."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import Future

import msgspec

from refvideo_nb.errors import RefVideoError

__all__ = ["Watch"]


class Watch(msgspec.Struct, eq=False):
    """One job being looked after, on the engine's own loop.

    Attributes
    ----------
    job_id : str
        Our id.
    done : concurrent.futures.Future
        Ends when the job is settled or is no longer watched; it never raises.
    next_poll : float or None
        Seconds since the epoch, while a poll is awaited.
    trouble : RefVideoError or None
        Why watching ended although the job is not settled, or what the last poll met.
    task : asyncio.Task or None
        The coroutine, for stopping it.
    stopping : bool
        Whether somebody has asked to stop watching; the job goes on.
    patient : bool
        Whether a submit that is refused for now (429, or no connection) is tried again; without it the
        refusal ends the watch as its `trouble`, and whoever started it decides.
    """

    job_id: str
    done: Future[None] = msgspec.field(default_factory=Future)
    next_poll: float | None = None
    trouble: RefVideoError | None = None
    task: asyncio.Task[None] | None = None
    stopping: bool = False
    patient: bool = True
    _changed: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    def changed(self) -> None:
        """Wake whoever shows this job; call it on the engine's loop."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def next_change(self, within: float) -> None:
        """Return at the next change, or after `within` seconds."""
        if self.done.done():
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), within)

    def finish(self) -> None:
        """Let every waiter go on."""
        if not self.done.done():
            self.done.set_result(None)
        self.changed()
