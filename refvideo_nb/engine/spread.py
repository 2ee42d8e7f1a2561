"""Spreading requests in time, so that many jobs do not ask at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Spread"]


class Spread:
    """Gives out turns at even distances: no second has more than `rate` of them.

    Parameters
    ----------
    rate : float
        Turns a second.
    clock, sleep : callable
        Time, injected for tests.
    """

    def __init__(self, rate: float, *, clock: Callable[[], float], sleep: Callable[[float], Awaitable[object]]) -> None:
        self._distance = 1 / rate
        self._clock, self._sleep = clock, sleep
        self._next = self._seen = clock()

    async def turn(self) -> None:
        """Wait for the next turn; at once where the last one was long enough ago."""
        now = self._clock()
        if now < self._seen:  # a clock that was set back must not stop everything until it catches up
            self._next -= self._seen - now
        self._seen = now
        at = max(now, self._next)
        self._next = at + self._distance
        if at > now:
            await self._sleep(at - now)
