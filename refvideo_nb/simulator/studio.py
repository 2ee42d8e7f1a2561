"""The workers: references are fetched, films rendered, results kept, while the event loop goes on answering."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from refvideo_nb.simulator.archive import Archive
from refvideo_nb.simulator.catalogue import models
from refvideo_nb.simulator.checks import read_order
from refvideo_nb.simulator.envelope import Refusal
from refvideo_nb.simulator.faults.catalogue import JOB
from refvideo_nb.simulator.fetch import Unusable, fetch_all
from refvideo_nb.simulator.jobs import Job, new_id
from refvideo_nb.simulator.price import cost

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from refvideo_nb.simulator.faults import FaultBox
    from refvideo_nb.simulator.order import Order
    from refvideo_nb.simulator.settings import Settings

_FETCHERS = 6  # waiting for somebody's server must not hold a place among the renders
_NICENESS = 3
_LOOK = 0.1  # seconds between two looks at whether to stop
_TOLD = 1000  # accepted jobs, the newest
_USUAL_FAILURE = "The provider failed to generate the video"
_log = logging.getLogger(__name__)


class Studio:
    """Every job of one simulator, and the threads that work on them."""

    def __init__(self, settings: Settings, state: Path, box: FaultBox) -> None:
        self._settings = settings
        self._box = box
        self._changing = threading.Lock()
        self.archive = Archive(state)
        self._stop = threading.Event()
        self._fetchers = ThreadPoolExecutor(_FETCHERS, "simulator-fetch")
        self._renders = ThreadPoolExecutor(settings.renders, "simulator-render", _step_back)
        self._jobs = {job.id: job for job in self.archive.jobs()}
        for job in self._jobs.values():
            if job.to_film():
                self._fetchers.submit(self._prepare, job)

    def submit(self, body: Any, raw: bytes) -> Job:
        """Accept a request; when this returns, the job is on the disk and counts as paid.

        Raises
        ------
        Refusal
            400 for a request that the API would refuse; nothing is kept then.
        """
        read_order(body)
        self._check_previous(body)
        now = self.now
        ident = new_id(now)
        met = self._box.take(JOB)
        text = None if met is None else met.fault.value
        if met is not None and met.fault.what == "failed":
            text = text or _USUAL_FAILURE
        job = Job(
            id=ident,
            generation_id=ident.replace("gen-vid-", "gen-", 1),
            accepted_at=now,
            seconds=self._settings.seconds,
            session_id=body.get("session_id"),
            ending=None if met is None else met.fault.what,
            ending_text=text,
        )
        self.archive.accept(job, raw)
        self._jobs[job.id] = job
        if job.to_film() and not self._stop.is_set():
            self._fetchers.submit(self._prepare, job)
        return job

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self._settings.clock()

    def knows(self, job_id: str) -> bool:
        """Whether such a job was accepted here."""
        return job_id in self._jobs

    def jump(self, job_id: str, seconds: float) -> None:
        """Move a job's clock, forwards or back."""
        self._change(job_id, accepted_at=self.find(job_id).accepted_at - seconds)

    def find(self, job_id: str) -> Job:
        """The job as it is now; a 404 for one that was never accepted here."""
        try:
            return self._jobs[job_id]
        except KeyError:
            raise Refusal(404, f"Video job {job_id} not found") from None

    @property
    def paid_jobs(self) -> int:
        """How many jobs were ever accepted in this state folder."""
        return len(self._jobs)

    @property
    def accepted(self) -> list[dict[str, str | None]]:
        """The newest accepted jobs, by our id and by the caller's."""
        return [{"id": job.id, "session_id": job.session_id} for job in tuple(self._jobs.values())[-_TOLD:]]

    @property
    def busy(self) -> bool:
        """Whether any job has still to come to its end."""
        now = self.now
        jobs = [job for job in tuple(self._jobs.values()) if job.ending != "endless"]
        return any(job.status(now) in {"pending", "in_progress"} for job in jobs)

    def close(self) -> None:
        """Drop what is queued and stop what is running; unfinished jobs stay on the disk for the next start."""
        self._stop.set()
        for pool in (self._fetchers, self._renders):
            pool.shutdown(wait=True, cancel_futures=True)

    def _check_previous(self, body: dict[str, Any]) -> None:
        previous = body.get("previous_job_id")
        if previous is not None and self.find(previous).status(self.now) != "completed":
            raise Refusal(400, f"Video job {previous} is not completed")

    def _prepare(self, job: Job) -> None:
        try:
            order = read_order(self.archive.request(job.id))
            wanted = [*order.references, *(material for _, material in order.frames)]
            data = asyncio.run(self._until_stopped(fetch_all(wanted)))
            self._renders.submit(self._film, job, order, data)
        except asyncio.CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - a worker has nobody above it: every fault is the job's
            self._fail(job, error)

    async def _until_stopped(self, fetching: Coroutine[Any, Any, dict[str, bytes]]) -> dict[str, bytes]:
        """Wait for the fetches, but no longer than this studio lives: a stranger's server may never answer."""
        task = asyncio.ensure_future(fetching)
        while not task.done():
            await asyncio.wait({task}, timeout=_LOOK)
            if self._stop.is_set():
                task.cancel()
        return await task

    def _film(self, job: Job, order: Order, data: dict[str, bytes]) -> None:
        # Imported late: numpy, Pillow and PyAV would triple the time to the first answer.
        from refvideo_nb.simulator.stage.render import Stopped, render  # noqa: PLC0415
        from refvideo_nb.simulator.stage.sources import load_sources  # noqa: PLC0415

        try:
            sources = load_sources(order, data)
            truth = render(order, sources, self.archive.film(job.id), stop=self._stop)
            self.archive.keep_truth(job.id, {"id": job.id, **truth})
            bill = cost(order, models()[order.model].skus, video_input_seconds=Decimal(str(sources.video_seconds)))
            self._change(job.id, filmed=True, cost=None if bill is None else str(bill))
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(job, error)

    def _fail(self, job: Job, error: Exception) -> None:
        if self._stop.is_set():
            return  # closing: the job goes on at the next start
        if not isinstance(error, Unusable | Refusal):
            _log.exception("job %s", job.id, exc_info=error)
        self._change(job.id, error=str(error) if isinstance(error, Unusable | Refusal) else _USUAL_FAILURE)

    def _change(self, job_id: str, **changes: Any) -> None:
        with self._changing:  # a worker and a jump of the clock may want to at once
            job = replace(self._jobs[job_id], **changes)
            self.archive.update(job)
            self._jobs[job_id] = job


def _step_back() -> None:
    """Let this thread (and the encoder's, which it starts) yield to those that answer, where the system can."""
    if sys.platform == "linux":  # elsewhere the call would change the whole process, a notebook's kernel perhaps
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
