"""The engine: one daemon thread with one loop, and a fresh coroutine for each job.

Nothing of ours runs on the kernel's own loop, where it would stand still as long
as a cell computes. A coroutine a job, started from the cell, carries that cell's
context with it: what it publishes appears under the cell that paid for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

from refvideo_nb.core.job import SETTLED, State
from refvideo_nb.engine.spread import Spread
from refvideo_nb.engine.steps import Steps
from refvideo_nb.engine.watch import Watch
from refvideo_nb.errors import LedgerError, RefVideoError, TakenOverError, one_line
from refvideo_nb.ledger.store import LEASE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable
    from concurrent.futures import Future

    from refvideo_nb.client.client import VideoClient
    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.ledger.media import MediaStore
    from refvideo_nb.ledger.store import Ledger
    from refvideo_nb.settings import Settings

__all__ = ["Engine"]

_T = TypeVar("_T")
_CLOSE_LIMIT = 5.0
_SUBMIT_LIMIT = 10.0  # seconds that a submit under way is given when the engine is closed
_HEARTBEAT = LEASE / 4
_LOOK = 1.0  # seconds between looks at a job that another process looks after


class Engine:
    """Looks after jobs until they are settled.

    Parameters
    ----------
    ledger : Ledger
    media : MediaStore
    settings : Settings
    connect : callable
        Gives the client of an address, for each job anew, on a thread of its own; it may
        raise where the job belongs to an API that this session cannot reach.
    clock, sleep : callable
        Time, injected for tests.
    """

    def __init__(
        self,
        ledger: Ledger,
        media: MediaStore,
        settings: Settings,
        *,
        connect: Callable[[str], VideoClient],
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._ledger = ledger
        self._sleep = sleep
        self._connect = connect
        self._clients: set[VideoClient] = set()
        spread = Spread(settings.requests_per_second, clock=clock, sleep=sleep)
        self._steps = Steps(ledger, media, settings, clock=clock, sleep=sleep, spread=spread)
        self._watches: dict[str, Watch] = {}
        self._submits: dict[str, asyncio.Task[JobRecord]] = {}
        self._spawned: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name="refvideo_nb", daemon=True)
        self._thread.start()
        self.spawn(self._stay_alive())

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def spawn(self, coroutine: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Run a coroutine on the engine's loop, in a copy of the caller's context.

        Raises
        ------
        RefVideoError
            In a forked child, which has not got the engine's thread.
        """
        if os.getpid() != self._pid:
            coroutine.close()
            raise RefVideoError("this job belongs to the parent process: refvideo_nb.jobs() finds it from here")
        return asyncio.run_coroutine_threadsafe(self._noted(coroutine), self._loop)

    async def _noted(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        task = asyncio.current_task()
        assert task is not None
        self._spawned.add(task)
        return await coroutine

    async def client(self, address: str) -> VideoClient:
        """The client of an address (empty: the embedded simulator); call it on the engine's loop."""
        # In a thread: starting the simulator takes a second, in which other jobs must not stand still.
        client = await asyncio.to_thread(self._connect, address)
        self._clients.add(client)
        return client

    def look_after(self, job_id: str, *, patient: bool = True) -> Watch:
        """Start a drafted job, or take up an unfinished one; the same watch if it has one.

        Parameters
        ----------
        job_id : str
        patient : bool
            See `Watch`.
        """
        with self._lock:
            watch = self._watches.get(job_id)
            if watch is not None and not watch.done.done() and not watch.stopping:
                return watch
            watch = self._watches[job_id] = Watch(job_id, patient=patient)
            try:
                self.spawn(self._run(watch))
            except BaseException:
                del self._watches[job_id]  # nobody would ever end it
                watch.finish()
                raise
        return watch

    def watch(self, job_id: str) -> Watch | None:
        """The latest watch of a job, if this engine has looked after it."""
        return self._watches.get(job_id)

    def stop_watching(self, job_id: str) -> None:
        """Stop asking after a job. The API has no way to cancel it: it goes on and can be resumed."""
        watch = self._watches.get(job_id)
        if watch is not None and not watch.done.done():
            watch.stopping = True
            self._loop.call_soon_threadsafe(lambda: watch.task.cancel() if watch.task else None)

    async def _run(self, watch: Watch) -> None:
        watch.task = asyncio.current_task()
        try:
            while not watch.stopping and await self._claimed(watch):
                try:
                    await self._tend(watch)
                except TakenOverError:
                    continue  # this machine slept until its lease was over: see what the other process makes of it
                break
        except LedgerError as error:
            watch.trouble = LedgerError(
                f"job {watch.job_id} is no longer watched: {error}. It is not sent again by itself: "
                f"%refvideo resume {watch.job_id} goes on without paying when the folder can be used again"
            )
        except RefVideoError as error:
            watch.trouble = error
        except Exception as error:  # noqa: BLE001 - nobody else would tell the person who waits
            # Without the error itself: the frames below it may hold the key.
            watch.trouble = RefVideoError(
                f"job {watch.job_id} is no longer watched, by a fault of refvideo_nb ({type(error).__name__}: "
                f"{one_line(error, limit=120)}); it is not lost: %refvideo resume {watch.job_id}"
            )
        finally:
            watch.next_poll = None
            watch.finish()

    async def _claimed(self, watch: Watch) -> bool:
        """Wait until the job is ours; False where another process brought it to its end meanwhile."""
        while self._ledger.claim(watch.job_id) is None:
            watch.changed()
            await self._sleep(_LOOK)
            if self._ledger.get(watch.job_id).state in SETTLED:
                return False
        return True

    async def _tend(self, watch: Watch) -> None:
        try:
            record = self._ledger.get(watch.job_id)
            if record.state in SETTLED:
                return
            try:
                client = await self.client(record.base_url)
            except RefVideoError as error:
                if record.state is State.DRAFTED:
                    self._ledger.advance(record.id, State.REJECTED, error=str(error))
                raise
            if record.state is State.DRAFTED and record.id not in self._submits:
                task = self._submits[record.id] = asyncio.create_task(
                    self._steps.submit(record, client, patient=watch.patient)
                )
                task.add_done_callback(lambda _: self._submitted(record.id))
            if record.id in self._submits:
                # Whoever stops watching now must not lose the answer to a paid request.
                await asyncio.shield(self._submits[record.id])
                watch.changed()
            await self._steps.follow(watch, client, lambda: self.client(record.base_url))
        finally:
            # A submit that is still on its way keeps its job: its answer must find it.
            if watch.job_id not in self._submits and self._watches.get(watch.job_id) is watch:
                self._ledger.release(watch.job_id)

    def _submitted(self, job_id: str) -> None:
        """A submit has ended; where nobody watches any more, others may take its job up."""
        task = self._submits.pop(job_id)
        if not task.cancelled():
            task.exception()  # whoever waits is told; nobody may be waiting
        watch = self._watches.get(job_id)
        if watch is None or watch.done.done():
            with contextlib.suppress(LedgerError):
                self._ledger.release(job_id)

    async def _stay_alive(self) -> None:
        while True:
            await asyncio.sleep(_HEARTBEAT)
            with contextlib.suppress(Exception):  # the next beat may succeed; without any, others take over
                self._ledger.renew()

    def close(self) -> None:
        """Stop watching everything and end the thread; jobs can be resumed by another engine.

        A submit that is under way is given some seconds, since its answer is worth money.
        """
        if self._loop.is_closed():
            return

        async def wind_up() -> None:
            submits = set(self._submits.values())
            me = asyncio.current_task()
            # Only what was spawned: a submit has tasks of its own below it, such as one that connects.
            await _end(task for task in self._spawned if task is not me)
            if submits:
                await asyncio.wait(submits, timeout=_SUBMIT_LIMIT)
            await _end(task for task in asyncio.all_tasks() if task is not me)
            for client in self._clients:
                await client.aclose()

        try:
            with contextlib.suppress(TimeoutError):
                self.spawn(wind_up()).result(_SUBMIT_LIMIT + _CLOSE_LIMIT)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_CLOSE_LIMIT)
            if not self._thread.is_alive():
                self._loop.close()


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    ending = [task for task in tasks if task.cancel()]
    await asyncio.gather(*ending, return_exceptions=True)
