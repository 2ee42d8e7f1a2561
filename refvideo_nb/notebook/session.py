"""The composition root: settings, ledger, media store, client and engine, put together once.

Where no key is set, the embedded simulator is started and stands in for the API.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from refvideo_nb.core.job import FAILED, JobRecord, State
from refvideo_nb.core.pricing import about, usd
from refvideo_nb.core.sweep import charged
from refvideo_nb.errors import (
    BudgetError,
    InvalidRequestError,
    LedgerError,
    OutcomeUnknownError,
    SettingsError,
    UnknownJobError,
)
from refvideo_nb.settings import DEFAULT_BASE_URL, Secret, Settings

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

    from refvideo_nb.client.client import VideoClient
    from refvideo_nb.client.models import Catalogue
    from refvideo_nb.core.catalogue import Model
    from refvideo_nb.core.sweep import Plan
    from refvideo_nb.engine.draft import Draft
    from refvideo_nb.engine.sweep_wish import SweepWish
    from refvideo_nb.engine.wish import Wish

__all__ = ["Session"]

_T = TypeVar("_T")
_OVER = FAILED | {State.DOWNLOADED}
_accounts: dict[Path, list[str]] = {}


class Session:
    """Everything that one process needs; made when it is first asked for something.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        # Imported here: loading the extension must not load the HTTP and database stacks.
        from refvideo_nb.engine.engine import Engine  # noqa: PLC0415 - as above
        from refvideo_nb.engine.sweeper import Sweeper  # noqa: PLC0415 - as above
        from refvideo_nb.ledger.media import MediaStore  # noqa: PLC0415 - as above
        from refvideo_nb.ledger.store import Ledger  # noqa: PLC0415 - as above

        self.settings = settings
        self._simulated = settings.key is None
        with _unsent():
            self.ledger = Ledger(settings.home)
            self.ledger.settle_abandoned()
        self.media = MediaStore(settings.home)
        self.engine = Engine(self.ledger, self.media, settings, connect=self._connect)
        self.sweeper = Sweeper(self.engine, self.ledger, self.media, settings, allow=self._affordable, clock=time.time)
        self._catalogue: Catalogue | None = None
        self._fetched = 0.0
        self._clients: dict[tuple[str, Secret], VideoClient] = {}
        # Of this process, whatever else was set anew meanwhile: a time-out does not refill a purse.
        self._paid_for = _accounts.setdefault(settings.home, [])
        self._billed: dict[str, Decimal] = {}
        self.budget = settings.session_budget
        self.confirm_above = settings.confirm_above
        self.closed = False
        self._lock = threading.Lock()
        atexit.register(self.close)

    @property
    def address(self) -> str:
        """The API's address, by which the ledger knows where a job belongs; empty for the embedded simulator."""
        return "" if self.settings.key is None else self.settings.base_url

    def _connect(self, address: str) -> VideoClient:
        if not address:
            from refvideo_nb.client.embedded import ensure_simulator  # noqa: PLC0415 - only where it is needed

            # Asked each time: it ends by itself when it is idle, and comes back on another port.
            endpoint = ensure_simulator(self.settings.home, seconds=self.settings.simulator_seconds)
            return self._client(endpoint.base_url, endpoint.secret)
        if address != self.settings.base_url or self.settings.key is None:
            raise SettingsError(
                f"this job was sent to {address}: set OPENROUTER_API_KEY"
                + ("" if address == DEFAULT_BASE_URL else f" and OPENROUTER_BASE_URL={address}")
                + " to go on with it; nothing is lost meanwhile"
            )
        return self._client(address, self.settings.key)

    def _client(self, base_url: str, key: Secret) -> VideoClient:
        from refvideo_nb.client.client import VideoClient  # noqa: PLC0415 - as above

        with self._lock:
            # By the key too: a simulator that was started anew may have got its old port.
            client = self._clients.get((base_url, key))
            if client is None:
                client = self._clients[base_url, key] = VideoClient(base_url, key)
            return client

    def close(self) -> None:
        """Stop watching; every job can be taken up again later."""
        atexit.unregister(self.close)
        self.closed = True
        try:
            self.engine.close()
        finally:
            self.ledger.close()

    def wait_for(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run something on the engine's loop and wait here; an interrupt ends the wait."""
        future = self.engine.spawn(coroutine)
        try:
            while True:
                try:
                    return future.result(0.2)
                except TimeoutError:
                    if future.done():
                        return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def catalogue(self) -> Catalogue:
        """The model list: live, at most an hour old, else the captured one."""
        now = time.monotonic()
        if self._catalogue is None or now - self._fetched > 3600:  # noqa: PLR2004 - seconds in an hour
            self._catalogue, self._fetched = self.wait_for(self._load()), now
        return self._catalogue

    @property
    def known_models(self) -> tuple[Model, ...]:
        """The model list if it is already at hand, else empty."""
        return self._catalogue.models if self._catalogue is not None else ()

    async def _load(self) -> Catalogue:
        from refvideo_nb.client.models import load_catalogue  # noqa: PLC0415 - as above

        client = await self.engine.client(self.address)
        found = await load_catalogue(client, self.settings.home / "cache")
        self._simulated = self._simulated or client.simulated
        return found

    @property
    def simulated(self) -> bool:
        """Whether the simulator answers, ours or another one."""
        return self._simulated

    def model(self, model_id: str) -> Model | None:
        """A model of the list, or None."""
        return next((m for m in self.catalogue().models if m.id == model_id), None)

    def draft(self, wish: Wish) -> Draft:
        """Check and price a wish.

        Raises
        ------
        InvalidRequestError
            Before anything is written or paid.
        """
        from refvideo_nb.engine.draft import draft  # noqa: PLC0415 - as above

        models = self.catalogue().models
        if wish.previous_job_id is not None:
            wish = msgspec.structs.replace(wish, previous_job_id=self._extended(wish.previous_job_id))
        return self.wait_for(draft(wish, models=models, media=self.media, simulated=self.simulated))

    def plan(self, asked: SweepWish, *, fresh: bool = False) -> Plan:
        """Check, price and look up every cell of a sweep; sends nothing.

        Raises
        ------
        InvalidRequestError
            Where no cell can be sent.
        """
        from refvideo_nb.engine.planning import plan  # noqa: PLC0415 - as above

        models = self.catalogue().models
        coming = plan(
            asked, models=models, media=self.media, ledger=self.ledger, address=self.address,
            simulated=self.simulated, fresh=fresh,
        )  # fmt: skip
        return self.wait_for(coming)

    def _extended(self, job_id: str) -> str:
        """The API's id of a job that is to be extended; an id that we do not know passes as it is."""
        if not isinstance(job_id, str):
            raise InvalidRequestError(
                f"previous_job_id is of type {type(job_id).__name__}: give the id of a job, such as job.id",
                field="previous_job_id",
            )
        if not job_id.startswith("rv-"):
            return job_id
        record = self._of_this_api(job_id, "extended")
        if record.api_id is None:
            raise InvalidRequestError(
                f"job {record.id} is {record.state.value} and has no id at the API: it cannot be extended",
                field="previous_job_id",
                value=job_id,
            )
        return record.api_id

    def submit(self, draft: Draft, *, fresh: bool = False) -> tuple[JobRecord, bool]:
        """Write a drafted request into the ledger and send it, once.

        Parameters
        ----------
        draft : Draft
        fresh : bool
            Pay for a new job even where the ledger has one of the very same request.

        Returns
        -------
        JobRecord, bool
            The job, and whether it is an earlier one of the same request.

        Raises
        ------
        BudgetError
            The session's budget would be passed.
        OutcomeUnknownError
            The same request was sent before and nobody knows what became of it.
        """
        from refvideo_nb.engine.draft import fingerprint  # noqa: PLC0415 - as above
        from refvideo_nb.ledger.store import new_id  # noqa: PLC0415 - as above

        now = time.time()
        drafted = JobRecord(
            id=new_id(now),
            state=State.DRAFTED,
            request=draft.request,
            sent_prompt=draft.compiled.text,
            created=now,
            updated=now,
            estimate=draft.prices,
            simulated=self.simulated,
            base_url=self.address,
            notes=draft.notes,
        )
        mark = fingerprint(draft.request, draft.compiled.text, self.address)
        with _unsent():
            record = self.ledger.add(drafted, fingerprint=mark, reuse=not fresh, allow=self._affordable)
        if record.state is State.OUTCOME_UNKNOWN:
            raise OutcomeUnknownError(
                f"this very request was sent as job {record.id}, and its answer was lost: it may have been paid. "
                f"Look at the account's activity page. There: %refvideo found {record.id} THE-ID-THERE fetches it; "
                f"not there: %refvideo retry {record.id} or --fresh sends it again",
                job_id=record.id,
                status=record.state,
            )
        if record.state is State.DOWNLOADED and not self.media.video(record.id).exists():
            record = self.ledger.advance(record.id, State.COMPLETED)  # its file was deleted: fetch it again
        if record.state is not State.DOWNLOADED:
            self.engine.look_after(record.id)
        return record, record.id != drafted.id

    def retry(self, job_id: str, *, max_cost: Any = None) -> JobRecord:
        """Send the request of an earlier job again, as a new job: a deliberate act, which pays again."""
        from refvideo_nb.engine.draft import redraft  # noqa: PLC0415 - as above

        record = self._of_this_api(job_id, "sent again")
        model = self.model(record.request.model)
        return self.submit(redraft(record, model, max_cost=max_cost), fresh=True)[0]

    def _of_this_api(self, job_id: str, done: str) -> JobRecord:
        record = self.ledger.get(job_id)
        if record.base_url != self.address:
            # A simulated job may even name addresses of this machine.
            there, here = (a or "the embedded simulator" for a in (record.base_url, self.address))
            raise InvalidRequestError(
                f"job {record.id} belongs to {there} and cannot be {done} at {here}: make the request anew",
                field="previous_job_id",
                value=job_id,
            )
        return record

    def spent(self) -> Decimal:
        """USD that the jobs of this session cost: as billed, else as estimated."""
        total = Decimal(0)
        for job_id in self._paid_for:
            if job_id not in self._billed:
                with contextlib.suppress(UnknownJobError):  # it was allowed, but could not be written
                    record = self.ledger.get(job_id)
                    if record.state not in _OVER:
                        total += charged(record)
                        continue
                    self._billed[job_id] = charged(record)  # it will not change: a sweep asks for each of its jobs
            total += self._billed.get(job_id, Decimal(0))
        return total

    def _affordable(self, drafted: JobRecord) -> None:
        """Whether the session's budget covers one more job; called before it is written."""
        if self.budget is None:
            self._paid_for.append(drafted.id)
            return
        spent = self.spent()
        if drafted.estimate is None:
            raise BudgetError(
                f"there is no estimate to count against the session's budget of {usd(self.budget)}: "
                "set duration and resolution, or raise the budget to None; nothing was sent",
                field="session_budget",
                value=self.budget,
            )
        if spent + drafted.estimate.high > self.budget:
            raise BudgetError(
                f"{about(drafted.estimate)} with {usd(spent)} spent in this session is more than its budget of "
                f"{usd(self.budget)}: %config RefVideoMagics.session_budget = … raises it; nothing was sent",
                field="session_budget",
                value=self.budget,
            )
        self._paid_for.append(drafted.id)


@contextlib.contextmanager
def _unsent() -> Iterator[None]:
    """Say of a ledger that cannot be used what only is true before a submit."""
    try:
        yield
    except LedgerError as error:
        raise LedgerError(f"{error}; nothing was sent") from None
