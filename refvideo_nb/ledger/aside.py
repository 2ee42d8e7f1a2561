"""Calls that an interrupt cannot cut in two.

An interrupt is raised in the main thread, between any two steps of whatever runs there: also
just after a lock was taken and before anybody is there to give it back. So what the main thread
asks of the ledger is done on a thread of its own, and the main thread only waits. An interrupt
ends the wait; what was begun is brought to its end all the same.
"""

from __future__ import annotations

import os
import threading
import weakref
from functools import wraps
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Aside", "whole"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Call:
    """Something to be done, and what came of it. Its lock is free when it is done.

    The bare lock of the interpreter, since every better tool has steps of its own at which it could be
    interrupted: a `concurrent.futures.Future` would be left locked for whoever sets its result.
    """

    def __init__(self, does: Callable[[], Any]) -> None:
        self._does = does
        self._result: Any = None
        self._error: BaseException | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def carry_out(self) -> None:
        try:
            self._result = self._does()
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits for it
            self._error = error
        finally:
            self._done.release()

    def wait(self) -> Any:
        self._done.acquire()
        try:
            if self._error is not None:
                raise self._error
            return self._result
        finally:
            self._error = None  # a traceback that holds itself would be kept


class Aside:
    """One thread that does what the main thread must not be interrupted in; a call from elsewhere is done at once."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._pid = os.getpid()
        # The thread knows the calls alone: what nobody closes must not be kept by its own thread.
        self._thread = threading.Thread(target=_work, args=(self._calls,), name="refvideo_nb ledger", daemon=True)
        self._thread.start()
        weakref.finalize(self, self._calls.put, None).atexit = False

    def run(self, does: Callable[[], _T]) -> _T:
        """Carry it out to its end, and wait for that as long as nobody interrupts.

        In a forked child the thread is not there: the call is done at once, and finds out itself what is amiss.
        """
        here = threading.current_thread()
        if here is not threading.main_thread() or os.getpid() != self._pid or not self._thread.is_alive():
            return does()
        call = _Call(does)
        self._calls.put(call)
        result: _T = call.wait()
        return result

    def close(self) -> None:
        """End the thread after what was asked so far; calls after that are done at once."""
        self._calls.put(None)
        if os.getpid() == self._pid and threading.current_thread() is not self._thread:
            self._thread.join()


def _work(calls: SimpleQueue[_Call | None]) -> None:
    while (call := calls.get()) is not None:
        call.carry_out()
        del call  # and what it holds, while the next one is waited for


class _HasAside(Protocol):
    _aside: Aside


_S = TypeVar("_S", bound=_HasAside)


def whole(method: Callable[Concatenate[_S, _P], _T]) -> Callable[Concatenate[_S, _P], _T]:
    """Make a method one that an interrupt cannot cut in two; its object has an `Aside` as ``_aside``."""

    @wraps(method)
    def call(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return self._aside.run(lambda: method(self, *args, **kwargs))

    return call
