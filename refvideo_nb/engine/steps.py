"""The steps of one job: submit once, poll until it ends, fetch the file.

Each step writes to the ledger before it goes on, so that whatever happens to this
process, the next one finds where the job stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from refvideo_nb.client.download import download
from refvideo_nb.client.retry import passing, retrying, safe_to_resend, was_refused
from refvideo_nb.client.wire import encode_body
from refvideo_nb.core.job import RESUMABLE, JobRecord, State
from refvideo_nb.engine.draft import body_of
from refvideo_nb.errors import (
    APIError,
    AuthenticationError,
    DownloadError,
    GoneError,
    InvalidRequestError,
    LedgerError,
    MalformedAnswerError,
    NetworkError,
    NotFoundError,
    NotReadyError,
    PaymentRequiredError,
    RateLimitError,
    RefVideoError,
    UnknownJobError,
    WaitTimeoutError,
    one_line,
)
from refvideo_nb.ledger.sidecar import write_sidecar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from refvideo_nb.client.client import VideoClient
    from refvideo_nb.client.wire import JobAnswer
    from refvideo_nb.core.job import VideoFacts
    from refvideo_nb.engine.spread import Spread
    from refvideo_nb.engine.watch import Watch
    from refvideo_nb.ledger.media import MediaStore
    from refvideo_nb.ledger.store import Ledger
    from refvideo_nb.settings import Settings

    _Connect = Callable[[], Awaitable[VideoClient]]
    _Probe = Callable[[Path], VideoFacts]

__all__ = ["Steps"]

_STATES = {
    "pending": State.ACCEPTED,
    "completed": State.COMPLETED,
    "failed": State.FAILED,
    "cancelled": State.CANCELLED,
    "canceled": State.CANCELLED,
    "expired": State.EXPIRED,
}
_OF_THE_MOMENT = (RateLimitError, PaymentRequiredError, AuthenticationError, NetworkError)
_GROWTH = 1.25
_APART = 0.05  # of the wait
_LOOKS_AT_ONCE = 2  # at films that came; each thread that ever decoded keeps some megabytes
_YOUNG = 60.0  # seconds
_KEEP_TRYING = (0.2, 1.0, 5.0, 15.0, 30.0, 60.0, 60.0)  # seconds between tries to write a paid id down


class Steps:
    """What a job goes through; stateless but for what it was built with.

    Parameters
    ----------
    ledger, media, settings
        Where things are kept, and how often is asked.
    clock : callable
        Seconds since the epoch.
    sleep : callable
        Waits, seconds; injected so that a 30-minute limit is tested in milliseconds.
    spread : Spread
        The turns of requests.
    """

    def __init__(
        self,
        ledger: Ledger,
        media: MediaStore,
        settings: Settings,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
        spread: Spread,
    ) -> None:
        self._ledger = ledger
        self._media = media
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._looking = ThreadPoolExecutor(_LOOKS_AT_ONCE, "refvideo_nb film")
        self._spread = spread

    async def submit(self, record: JobRecord, client: VideoClient, *, patient: bool = True) -> JobRecord:
        """Send a drafted job, once, and write down what came of it.

        Parameters
        ----------
        record : JobRecord
        client : VideoClient
        patient : bool
            Whether a refusal that may pass is met by trying again; without it, each refusal
            that does not tell of the request itself is raised, and the job is rejected.
        """
        advance = self._ledger.advance
        flying = False
        try:
            async with client.turn:
                # Not before its turn: a body holds its references, and hundreds may be waiting.
                body = await asyncio.to_thread(
                    lambda: encode_body(
                        body_of(record.request, prompt=record.sent_prompt, media=self._media, session_id=record.id)
                    )
                )
                # Ahead of polls: what waits to be sent would wait for all that was sent before, again and again.
                await self._spread.turn(ahead=True)
                # On the disk before the first byte leaves: a crash from here on is found as "submitting".
                advance(record.id, State.SUBMITTING, submitted=self._clock())
                async for attempt in retrying(attempts=4 if patient else 1, when=safe_to_resend, sleep=self._sleep):
                    with attempt:
                        flying = True
                        try:
                            answer = await client.submit(body)
                        except RefVideoError as error:
                            flying = not safe_to_resend(error)
                            raise
        except InvalidRequestError as error:
            return advance(record.id, State.REJECTED, error=str(error))
        except (NetworkError, APIError, MalformedAnswerError) as error:
            state = State.REJECTED if _was_refused(error) else State.OUTCOME_UNKNOWN
            record = advance(record.id, state, error=str(error), finished=self._clock())
            if state is State.REJECTED and not patient and isinstance(error, _OF_THE_MOMENT):
                raise
            return record
        except BaseException as error:
            state = State.OUTCOME_UNKNOWN if flying else State.REJECTED
            said = (
                "this process ended, or failed, before the answer came"
                if flying
                else "it was not sent: nothing was paid"
            )
            with contextlib.suppress(LedgerError):  # it was not even begun
                advance(record.id, state, error=f"{said} ({type(error).__name__})", finished=self._clock())
            raise
        return await self._accept(record, answer, client)

    async def _accept(self, record: JobRecord, answer: JobAnswer, client: VideoClient) -> JobRecord:
        """Write the API's id down: it is paid for, and the one thing that must not be lost."""
        trouble: RefVideoError | None = None
        for pause in _KEEP_TRYING:
            try:
                return self._ledger.advance(
                    record.id,
                    State.ACCEPTED,
                    api_id=answer.id,
                    api_status=one_line(answer.status, limit=40),
                    polling_url=client.own_address(answer.polling_url),
                    simulated=client.simulated,
                    error="",
                )
            except (LedgerError, UnknownJobError) as error:  # the whole home folder may have been removed meanwhile
                trouble = error
                await self._sleep(pause)
        raise RefVideoError(
            f"job {record.id} was accepted by the API, and paid, as {one_line(answer.id)}: keep this id, which "
            f"cannot be written down ({trouble})"
        )

    async def follow(self, watch: Watch, client: VideoClient, connect: _Connect) -> None:
        """Ask after an accepted job until it ends, and fetch its file."""
        record = self._ledger.get(watch.job_id)
        if record.state in RESUMABLE:
            await self._follow(record, watch, client, connect)

    async def _follow(self, record: JobRecord, watch: Watch, client: VideoClient, connect: _Connect) -> None:
        waited = 0.0  # and not the time of day: a laptop that slept has not waited
        interval, apart = self._settings.poll_interval, True
        # A job taken up again may have finished long ago: ask at once, wait afterwards.
        wait = 0.0 if record.polls or record.state is State.COMPLETED else interval
        # Loaded while the job runs, on a thread: its film must not wait for it, nor other jobs stand still.
        loading = asyncio.get_running_loop().run_in_executor(None, _load_probe)
        while record.state in RESUMABLE:
            # Many jobs that were sent, taken up or turned away together must not ask in the same instant. Drawn
            # once, and not for each wait: a film would be noticed by half a wait later on the average.
            if wait and apart:
                wait, apart = wait * random.uniform(1.0, 1.0 + _APART), False  # noqa: S311 - nothing secret about it
            await self._pause(wait, watch)
            waited += wait
            wait, interval = interval, min(interval * _GROWTH, self._settings.poll_max)
            await self._spread.turn()
            try:
                answer = await client.poll(record.api_id or "", record.polling_url)
            except RefVideoError as error:
                watch.trouble = error
                # A job that was accepted a moment ago may not be known everywhere yet.
                young = record.polls == 0 and waited < _YOUNG
                if not (passing(error) or (young and isinstance(error, NotFoundError))):
                    watch.trouble = self._left(record, f"is no longer watched: {one_line(error)}")
                    if isinstance(error, NotFoundError):
                        watch.trouble = self._gone(record, error)
                    return
                if isinstance(error, NetworkError) and not record.base_url:
                    with contextlib.suppress(RefVideoError):  # the embedded simulator may have ended: start it anew
                        client = await connect()
                asked = error.retry_after if isinstance(error, APIError) else None
                wait, apart = max(wait, asked or 0.0), True
            else:
                watch.trouble = None
                record = self._note(record, answer, client)
                watch.changed()
                if record.state is State.COMPLETED:
                    await self._fetch(record, answer, watch, client, await loading)
                    return
            if waited > self._settings.timeout:
                how = (
                    f"but the last answer was of no use ({one_line(watch.trouble)})"
                    if watch.trouble
                    else "and still runs"
                )
                watch.trouble = self._left(record, f"was watched for {self._settings.timeout:g} s, {how}")
                return

    def _left(self, record: JobRecord, why: str) -> WaitTimeoutError:
        """That we stopped asking, which ends nothing."""
        return WaitTimeoutError(
            f"job {record.id} {why}. It was accepted and is not lost: %refvideo resume {record.id} goes on, "
            "and nothing is paid again",
            job_id=record.id,
            status=record.state.value,
        )

    def _gone(self, record: JobRecord, error: NotFoundError) -> WaitTimeoutError:
        """That the API does not know it: perhaps for now, perhaps for good."""
        return WaitTimeoutError(
            f"job {record.id} is not known to the API (any more): {one_line(error)}. %refvideo resume {record.id} asks "
            f"again without paying; --fresh, or %refvideo retry {record.id}, pays for a new one",
            job_id=record.id,
            status=record.state.value,
        )

    async def _pause(self, seconds: float, watch: Watch) -> None:
        if not seconds:
            return
        watch.next_poll = self._clock() + seconds
        watch.changed()
        await self._sleep(seconds)
        watch.next_poll = None

    def _note(self, record: JobRecord, answer: JobAnswer, client: VideoClient) -> JobRecord:
        status = one_line(answer.status, limit=40)
        state = _STATES.get(status.lower(), State.RUNNING)
        if record.state is State.RUNNING and state is State.ACCEPTED:
            state = State.RUNNING  # the API may queue a job again; for us it has begun
        if record.state is State.COMPLETED and state is not State.COMPLETED:
            # It was finished and paid. What runs again is not ours to explain; what failed since is gone.
            state = State.COMPLETED if state in {State.ACCEPTED, State.RUNNING} else State.EXPIRED
        ended = state not in {State.ACCEPTED, State.RUNNING}
        failed = ended and state is not State.COMPLETED
        return self._ledger.advance(
            record.id,
            state,
            api_status=status,
            polls=record.polls + 1,
            polling_url=client.own_address(answer.polling_url) or record.polling_url,
            cost=answer.cost if answer.cost is not None else record.cost,
            error=(answer.error_text or f"the API says only: {status}") if failed else "",
            finished=(record.finished or self._clock()) if ended else None,
        )

    async def _fetch(
        self, record: JobRecord, answer: JobAnswer, watch: Watch, client: VideoClient, probe: _Probe
    ) -> None:
        final = self._media.video(record.id)
        for left in self._media.parts(record.id):  # of a process that ended; a living one fetches anew
            with contextlib.suppress(OSError):
                left.unlink()
        part = self._media.part(record.id)
        try:
            async for attempt in retrying(attempts=5, when=_fetch_again, sleep=self._sleep):
                with attempt:
                    await download(client, answer, part)
                    facts = await asyncio.get_running_loop().run_in_executor(self._looking, probe, part)
                    part.replace(final)
        except (RefVideoError, OSError) as error:
            part.unlink(missing_ok=True)
            text = f"the video is finished and paid, but not here yet: {one_line(error)}"
            further = f"%refvideo resume {record.id} tries it again, without paying"
            if isinstance(error, GoneError):
                text = f"the video was finished and paid, but the API says that it is gone: {one_line(error)}"
                further = (
                    f"%refvideo resume {record.id} asks once more, without paying; --fresh, or %refvideo retry "
                    f"{record.id}, pays for a new one"
                )
            watch.trouble = DownloadError(f"{text}; {further}", passing=not isinstance(error, GoneError))
            self._ledger.advance(record.id, error=text)
            return
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        # Before the ledger says that the clip is here, so that it never stands alone; nothing depends on it.
        with contextlib.suppress(RefVideoError):
            here = msgspec.structs.replace(self._ledger.get(record.id), state=State.DOWNLOADED, video=facts, error="")
            await asyncio.to_thread(write_sidecar, here, self._media)
        self._ledger.advance(record.id, State.DOWNLOADED, video=facts, error="")


def _load_probe() -> _Probe:
    from refvideo_nb.media.video import probe  # noqa: PLC0415 - PyAV takes long to import; only who waits for a film needs it

    return probe


def _was_refused(error: RefVideoError) -> bool:
    """Whether nothing can have been accepted, so that nothing is paid."""
    if isinstance(error, APIError):
        return was_refused(error.status_code)
    return isinstance(error, NetworkError) and not error.sent


def _fetch_again(error: BaseException) -> bool:
    if isinstance(error, DownloadError):
        return error.passing
    return passing(error) or isinstance(error, NotReadyError)
