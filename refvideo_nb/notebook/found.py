"""A job whose answer was lost, taken up by the id that the account's activity page shows for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.errors import InvalidRequestError, TakenOverError, UnknownJobError, one_line

if TYPE_CHECKING:
    from refvideo_nb.client.wire import JobAnswer
    from refvideo_nb.notebook.session import Session

__all__ = ["take_up"]

_NOTE = "taken up by an id that was given by hand: nothing but that says that the clip is this request's"


def take_up(session: Session, job_id: str, api_id: str) -> JobRecord:
    """Go on with a job of unknown outcome as the API's job `api_id`; nothing is sent, and nothing paid again.

    Raises
    ------
    InvalidRequestError
        Where the outcome of the job is known, or the id belongs to another job of this ledger.
    NotFoundError
        Where the API knows no such job; the outcome then stays unknown.
    TakenOverError
        Where another process looks after the job.
    """
    record = session.ledger.get(job_id)
    if record.state is not State.OUTCOME_UNKNOWN:
        raise InvalidRequestError(
            f"job {record.id} is {record.state.value}: only a job of unknown outcome is found by the API's id",
            field="job_id",
            value=job_id,
        )
    try:
        other = session.ledger.get(api_id)
    except UnknownJobError:
        pass
    else:
        raise InvalidRequestError(
            f"{one_line(api_id, limit=60)!r} is job {other.id} already: give the id that the activity page shows "
            f"for session {record.id}",
            field="api_id",
            value=api_id,
        )

    async def ask() -> JobAnswer:
        client = await session.engine.client(record.base_url)
        return await client.poll(api_id)

    session.wait_for(ask())  # what the API does not know is not taken up
    if session.ledger.claim(record.id) is None:
        raise TakenOverError(f"job {record.id} is looked after by another process")
    notes = (*record.notes, _NOTE)
    taken = session.ledger.advance(record.id, State.ACCEPTED, api_id=api_id, error="", finished=None, notes=notes)
    session.engine.look_after(record.id)
    return taken
