"""A job in a person's hands: its state, its file, and ways to wait for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from refvideo_nb.core.job import FAILED, SETTLED, State
from refvideo_nb.errors import JobFailedError, OutcomeUnknownError, WaitTimeoutError
from refvideo_nb.notebook.card import card_of
from refvideo_nb.notebook.environment import Place, place

if TYPE_CHECKING:
    from collections.abc import Generator
    from decimal import Decimal
    from pathlib import Path

    from refvideo_nb.core.job import JobRecord
    from refvideo_nb.notebook.session import Session

__all__ = ["Job"]

_PATIENCE = 0.2  # seconds; an interrupt is noticed after no more than this


class Job:
    """One generation: started, watched in the background, finished or not.

    Made by :func:`refvideo_nb.generate`, ``%%refvideo`` and :func:`refvideo_nb.jobs`.
    """

    def __init__(self, session: Session, job_id: str, *, reused: bool = False) -> None:
        self._session = session
        self._id = job_id
        self._reused = reused

    @property
    def record(self) -> JobRecord:
        """All that the ledger knows of it now."""
        return self._session.ledger.get(self._id)

    @property
    def id(self) -> str:
        """Our id, which is there before anything is sent, such as ``"rv-20261123-k3f9q2"``."""
        return self._id

    @property
    def reused(self) -> bool:
        """Whether it is an earlier job of the very same request, for which nothing was paid again."""
        return self._reused

    def say_if_reused(self) -> None:
        """Tell a person in one line that nothing new was sent."""
        if self._reused:
            record = self.record
            day = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.created))
            came = ", which came in with a bundle" if record.imported else ""
            print(f"reused job {self._id} of {day}{came}; --fresh pays for a new one")  # noqa: T201 - to the person who asked

    @property
    def api_id(self) -> str | None:
        """The API's id, once it was accepted."""
        return self.record.api_id

    @property
    def status(self) -> str:
        """Where it stands.

        ``drafted``, ``submitting``, ``accepted``, ``running``, ``completed`` (paid, being
        fetched), ``downloaded``, or ``failed``, ``cancelled``, ``expired``, ``rejected``
        (nothing was paid) or ``outcome_unknown``.
        """
        return self.record.state.value

    @property
    def video(self) -> Path | None:
        """The MP4, once it is there and checked."""
        record = self.record
        path = self._session.media.video(record.id)
        return path if record.state is State.DOWNLOADED and path.exists() else None

    @property
    def cost(self) -> Decimal | None:
        """USD, as billed; None until it is known."""
        return self.record.cost

    @property
    def error(self) -> str | None:
        """What went wrong, in the API's words where it gave any."""
        return self.record.error or None

    @property
    def polls(self) -> int:
        """How often the API was asked after it."""
        return self.record.polls

    def wait(self, timeout: float | None = None) -> Job:
        """Wait here until the video is there.

        Parameters
        ----------
        timeout : float, optional
            Seconds; without it, as long as the job is watched.

        Returns
        -------
        Job
            This one.

        Raises
        ------
        JobFailedError
            It ended without a video.
        OutcomeUnknownError
            It may have been accepted; nothing more can be known from here.
        WaitTimeoutError
            The time is over; the job goes on.
        KeyboardInterrupt
            An interrupt ends the wait within 0.2 s; the job goes on.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        watch = self._look_after()
        while watch is not None and not watch.done.done():
            left = _PATIENCE if deadline is None else min(_PATIENCE, deadline - time.monotonic())
            if left <= 0:
                raise self._timeout(timeout)
            try:
                watch.done.result(left)
            except TimeoutError:
                continue
        return self._ended()

    def __await__(self) -> Generator[Any, None, Job]:
        return self._wait_async().__await__()

    async def _wait_async(self) -> Job:
        import asyncio  # noqa: PLC0415 - importing the package stays light

        watch = self._look_after()
        if watch is not None:
            done = asyncio.wrap_future(watch.done)
            while not done.done():
                # Short waits: one long await on another thread's future could not be interrupted.
                await asyncio.wait({done}, timeout=_PATIENCE)
        return self._ended()

    def _look_after(self) -> Any:
        """The watch of a job that is still open; None where it is settled."""
        if self.record.state in SETTLED:
            return None
        return self._session.engine.look_after(self._id)

    def _ended(self) -> Job:
        record = self.record
        if record.state is State.DOWNLOADED:
            return self
        said = f": {record.error}" if record.error else ""
        if record.state in FAILED:
            raise JobFailedError(f"job {record.id} {record.state.value}{said}", job_id=record.id, status=record.state)
        if record.state is State.OUTCOME_UNKNOWN:
            raise OutcomeUnknownError(
                f"job {record.id} was sent, but its answer was lost{said}. It may have been accepted and paid: look "
                f"for session {record.id} on the account's activity page. There: %refvideo found {record.id} "
                f"THE-ID-THERE fetches it, without paying; not there: %refvideo retry {record.id} sends it again",
                job_id=record.id,
                status=record.state,
            )
        watch = self._session.engine.watch(record.id)
        if watch is not None and watch.trouble is not None:
            raise watch.trouble
        raise self._timeout(None)

    def _timeout(self, timeout: float | None) -> WaitTimeoutError:
        after = "is no longer watched" if timeout is None else f"is not finished after {timeout:g} s"
        if self.record.state in {State.DRAFTED, State.SUBMITTING}:
            return WaitTimeoutError(
                f"job {self._id} {after}: it has not been accepted yet; wait() again, or look at %refvideo jobs",
                job_id=self._id,
                status=self.status,
            )
        return WaitTimeoutError(
            f"job {self._id} {after} and goes on at the API: wait() again, or %refvideo resume {self._id}; "
            "nothing is paid again",
            job_id=self._id,
            status=self.status,
        )

    def found(self, api_id: str) -> Job:
        """Go on with a job of unknown outcome, by the id that the account's activity page shows for it.

        Parameters
        ----------
        api_id : str
            Such as ``"gen-vid-1795590933-fzLAGBBjC4wRrJ2klNd6"``.

        Returns
        -------
        Job
            This one; nothing is sent, and nothing is paid again.

        Raises
        ------
        InvalidRequestError
            Where its outcome is known, or the id is another job's.
        NotFoundError
            Where the API does not know the id.
        """
        from refvideo_nb.notebook.found import take_up  # noqa: PLC0415 - seldom needed

        take_up(self._session, self._id, api_id)
        return self

    def stop_watching(self) -> None:
        """Stop asking after it. The API cannot cancel a job: it goes on, and ``wait()`` takes it up again."""
        self._session.engine.stop_watching(self._id)

    def show(self) -> None:
        """Show it as it is now: the video in a player beside its references, or what went wrong.

        The notebook keeps its card, which needs no kernel.
        """
        where = place()
        if where in {Place.SCRIPT, Place.TERMINAL}:
            print(self._bundle()["text/plain"])  # noqa: T201 - there is nothing else to show it on
            return
        if where is Place.NOTEBOOK and self.video is not None:
            from refvideo_nb.notebook.comparing import compare  # noqa: PLC0415 - only where there is something to play

            compare(self).show(still=self._bundle)
            return
        from IPython.display import display  # noqa: PLC0415 - only in a notebook

        display(self._bundle(), raw=True)  # type: ignore[no-untyped-call]

    def _bundle(self) -> dict[str, str]:
        return self._session.wait_for(card_of(self._session, self._id))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return self._bundle()

    def __repr__(self) -> str:
        record = self.record
        start = " ".join(record.request.prompt.split())[:48]
        return f"<Job {record.id} {record.state.value} {record.request.model} {start!r}>"
