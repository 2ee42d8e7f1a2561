"""The one retry policy: bounded, jittered, and `Retry-After` clamped.

It is used where a repetition costs nothing: reading, polling, downloading. A paid
submit passes `safe_to_resend`, which allows a second attempt only where the first
provably never arrived or was refused before acceptance.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from refvideo_nb.errors import APIError, MalformedAnswerError, NetworkError, RateLimitError, ServerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["LONGEST_WAIT", "parse_retry_after", "passing", "retrying", "safe_to_resend", "was_refused"]

LONGEST_WAIT = 120.0
"""Seconds; a server that asks for more is asked again after this."""

_backoff = wait_exponential(multiplier=0.5, max=20) + wait_random(0, 0.5)


def passing(error: BaseException) -> bool:
    """Whether an error may pass by itself, for requests that cost nothing."""
    return isinstance(error, (NetworkError, RateLimitError, ServerError, MalformedAnswerError))


def was_refused(status: int) -> bool:
    """Whether a submit that was answered so was not accepted; 408 and 499 do not tell, nor does a 5xx."""
    return 400 <= status < 500 and status not in {408, 499}  # noqa: PLR2004 - HTTP's own classes


def safe_to_resend(error: BaseException) -> bool:
    """Whether a paid submit may be sent again: it never left, or was refused unaccepted."""
    return isinstance(error, RateLimitError) or (isinstance(error, NetworkError) and not error.sent)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, APIError) else None
    own = _backoff(state)
    # A little more than was asked: many jobs must not come back in the same instant.
    return own if asked is None else min(asked + own * 0.2, LONGEST_WAIT)


def retrying(
    *,
    attempts: int = 5,
    when: Callable[[BaseException], bool] = passing,
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
) -> AsyncRetrying:
    """An iterator of attempts (``async for attempt in retrying(): with attempt: …``).

    The last error is raised as it came.
    """
    return AsyncRetrying(
        stop=stop_after_attempt(attempts),
        wait=_wait,
        retry=retry_if_exception(when),
        sleep=sleep,
        reraise=True,
    )


def parse_retry_after(value: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds from a `Retry-After` header (seconds or an HTTP date), clamped to 0…120.

    Examples
    --------
    >>> parse_retry_after("7")
    7.0
    >>> parse_retry_after("1e9")
    120.0
    >>> parse_retry_after("soon") is None
    True
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except (TypeError, ValueError, OverflowError):
            return None
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        seconds = (date - (now or datetime.now(UTC))).total_seconds()
    if seconds != seconds:  # noqa: PLR0124 - the test for NaN
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)
