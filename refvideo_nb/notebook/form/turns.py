"""One thing at a time: what people do and what arrives comes on several threads.

A front end's messages are handled on the kernel's thread or on a subshell's, cells run
on the main one, and references are read on the engine's. All of them take turns here.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from refvideo_nb.notebook.jobcard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Turns"]


class Turns:
    """Turns at a form.

    A handler waits for its turn. What arrives never waits, but is left for whoever has
    the turn: a thread of the engine's that waited would hold up the jobs that need it.

    Parameters
    ----------
    settle : callable
        Called at the end of every turn in which something has changed; it must not raise,
        and what it changes itself does not call it again.
    """

    def __init__(self, settle: Callable[[], None]) -> None:
        self._settle = settle
        self._lock = threading.RLock()
        self._depth = 0
        self._stale = self._settling = False
        self._left: deque[Callable[[], None]] = deque()

    def __enter__(self) -> Self:
        self._lock.acquire()
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        outermost = self._depth == 1
        try:
            if outermost:
                self._wind_up()
        finally:
            self._depth -= 1
            self._lock.release()
        if outermost:
            self._take_up()  # what was left in the moment in which the turn ended

    def handler(self, does: Callable[..., Any], tell: Callable[[str], None]) -> Callable[..., None]:
        """A handler that takes a turn; what it raises is told in one line.

        Parameters
        ----------
        does : callable
        tell : callable
        """

        def handle(*given: Any) -> None:
            def in_turn() -> None:
                with self:
                    does(*given)

            guarded(in_turn, tell)

        return handle

    def changed(self) -> None:
        """Something changed: it is looked at when the turn ends."""
        with self:
            self._stale = self._stale or not self._settling

    def leave(self, does: Callable[[], Any], tell: Callable[[str], None]) -> None:
        """Have something done in a turn: at once if nobody has it, else by whoever has it.

        Parameters
        ----------
        does : callable
        tell : callable
            Told in one line what it raises.
        """
        self._left.append(partial(guarded, does, tell))
        self._take_up()

    def _take_up(self) -> None:
        while self._left and self._lock.acquire(blocking=False):
            try:
                if self._depth:
                    return  # in the midst of a turn of this very thread, which finds it at its end
                self._depth = 1
                try:
                    self._wind_up()
                finally:
                    self._depth = 0
            finally:
                self._lock.release()

    def _wind_up(self) -> None:
        while self._left or self._stale:
            while self._left:
                self._left.popleft()()
            if self._stale:
                self._stale, self._settling = False, True
                try:
                    self._settle()
                finally:
                    self._settling = False
