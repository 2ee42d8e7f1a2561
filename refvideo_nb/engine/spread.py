"""Spreading requests in time, so that many jobs do not ask at once."""

from __future__ import annotations

import asyncio
from collections import deque
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
        self._ahead: deque[asyncio.Future[None]] = deque()
        self._behind: deque[asyncio.Future[None]] = deque()
        self._jumped = False  # whether the last turn was one of those ahead
        self._giving: asyncio.Task[None] | None = None

    async def turn(self, *, ahead: bool = False) -> None:
        """Wait for the next turn; at once where the last one was long enough ago.

        Parameters
        ----------
        ahead : bool
            Whether to go before all that wait without it. Every second turn is theirs nevertheless.
        """
        if self._giving is None and self._in() <= 0:
            self._next = self._seen + self._distance
            return
        mine = asyncio.get_running_loop().create_future()
        (self._ahead if ahead else self._behind).append(mine)
        if self._giving is None:
            self._begin()
        await self._wait(mine)

    def _in(self) -> float:
        """Seconds until the next turn."""
        now = self._clock()
        if now < self._seen:  # a clock that was set back must not stop everything until it catches up
            self._next -= self._seen - now
        self._seen = now
        return self._next - now

    def _begin(self) -> None:
        self._giving = asyncio.create_task(self._give())

    async def _wait(self, mine: asyncio.Future[None]) -> None:
        await mine

    async def _give(self) -> None:
        """One turn after the other, while anybody waits."""
        try:
            while self._ahead or self._behind:
                if (seconds := self._in()) > 0:
                    await self._sleep(seconds)
                if (mine := self._pick()) is not None:
                    late = max(0.0, -self._in())
                    self._next += late + self._distance  # a loop that stood still makes up for nothing
                    mine.set_result(None)
        finally:
            self._giving = None

    def _pick(self) -> asyncio.Future[None] | None:
        """Whose turn it is; nobody's where all have gone meanwhile."""
        jumps = bool(self._ahead) and not (self._jumped and self._behind)
        queue = self._ahead if jumps else self._behind
        while queue:
            mine = queue.popleft()
            if not mine.done():  # who stopped waiting has cancelled it
                self._jumped = jumps
                return mine
        return None
