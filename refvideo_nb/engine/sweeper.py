"""Running sweeps: each by one process at a time, which others watch and from which they take over."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING

from refvideo_nb.core.sweep import SweepState
from refvideo_nb.engine.course import Course
from refvideo_nb.errors import RefVideoError, TakenOverError, one_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.engine.engine import Engine
    from refvideo_nb.ledger.media import MediaStore
    from refvideo_nb.ledger.store import Ledger
    from refvideo_nb.settings import Settings

__all__ = ["Run", "Sweeper"]

_LOOK = 1.0  # seconds between looks at a sweep that another process runs


class Run:
    """One sweep as this process runs it, or waits for another process that does.

    Attributes
    ----------
    sweep_id : str
    done : concurrent.futures.Future
        Ends when the sweep has, or has stopped; it never raises.
    trouble : RefVideoError or None
        What ended it beside what the ledger says.
    elsewhere : bool
        Whether another living process runs it.
    anew : frozenset of int
        Cells for which a new job is paid whatever the ledger has.
    """

    def __init__(self, sweep_id: str, *, anew: Iterable[int] = ()) -> None:
        self.sweep_id, self.anew = sweep_id, frozenset(anew)
        self.done: Future[None] = Future()
        self.trouble: RefVideoError | None = None
        self.elsewhere = False
        self.stopping = ""
        self.wake = asyncio.Event()

    def finish(self) -> None:
        """Let every waiter go on."""
        if not self.done.done():
            self.done.set_result(None)


class Sweeper:
    """Runs sweeps on an engine.

    Parameters
    ----------
    engine : Engine
    ledger : Ledger
    media : MediaStore
    settings : Settings
    allow : callable
        Called before a job is written down; what it raises prevents it.
    clock, sleep : callable
        Time, injected for tests.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        media: MediaStore,
        settings: Settings,
        *,
        allow: Callable[[JobRecord], None],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.engine, self.ledger, self.media, self.settings = engine, ledger, media, settings
        self.allow, self.clock, self.sleep = allow, clock, sleep
        self._runs: dict[str, Run] = {}

    def run(self, sweep_id: str, *, anew: Iterable[int] = ()) -> Run:
        """Run a sweep that the ledger has, from where it stands; the same run while it lasts.

        Parameters
        ----------
        sweep_id : str
        anew : iterable of int
            See `Run`.
        """
        run = self._runs.get(sweep_id)
        if run is None or run.done.done():
            run = self._runs[sweep_id] = Run(sweep_id, anew=anew)
            try:
                self.engine.spawn(self._run(run))
            except BaseException:
                run.finish()
                raise
        return run

    def get(self, sweep_id: str) -> Run | None:
        """The latest run of a sweep in this process."""
        return self._runs.get(sweep_id)

    def stop(self, sweep_id: str, why: str) -> None:
        """Send nothing more; what is in flight is paid, and goes on until it ends."""
        run = self._runs.get(sweep_id)
        if run is not None and not run.done.done():
            self.engine.spawn(_ask_to_stop(run, why))

    async def _run(self, run: Run) -> None:
        sweeps = self.ledger.sweeps
        try:
            while True:
                if not sweeps.claim(run.sweep_id):
                    run.elsewhere = True
                    if run.stopping:
                        return
                    await self.sleep(_LOOK)
                    if sweeps.get(run.sweep_id).state is not SweepState.RUNNING:
                        return
                    continue
                run.elsewhere = False
                try:
                    await Course(self, run, sweeps.get(run.sweep_id)).go()
                except TakenOverError:
                    continue  # this machine slept: another process goes on with it
                finally:
                    sweeps.release(run.sweep_id)
                return
        except RefVideoError as error:
            run.trouble = error
        except Exception as error:  # noqa: BLE001 - nobody else would tell the person who waits
            run.trouble = RefVideoError(
                f"sweep {run.sweep_id} is no longer run, by a fault of refvideo_nb ({type(error).__name__}: "
                f"{one_line(error, limit=120)}); nothing is lost: %refvideo resume {run.sweep_id}"
            )
        finally:
            run.finish()


async def _ask_to_stop(run: Run, why: str) -> None:
    run.stopping = run.stopping or why
    run.wake.set()
