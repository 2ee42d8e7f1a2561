"""Processes of this machine that carry out calls, one at a time each, as an executor.

The standard library's pool of spawned processes runs the main script once more in each of
them, and a script without a guard would plan and pay again; and one that ends takes all
others with it. Here a worker knows nothing of the script, and one that ends is replaced.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refvideo_nb.errors import RefVideoError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Workers", "cores"]

_TRIES = 2  # of a call whose worker ended: a second time it is the call that ends them
_SERVE = "from refvideo_nb.measure.workers import serve; serve()"


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


class Workers(Executor):
    """So many processes, begun when there is work for them.

    Parameters
    ----------
    count : int
    """

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="refvideo-worker")
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._over = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have ``fn(*args, **kwargs)`` called in one of them; `fn` can be imported there.

        What it raises comes as a RefVideoError with its words.
        """
        return self._threads.submit(self._carry, pickle.dumps((fn, args, kwargs), protocol=5))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End them: at once where `wait` is false, else when all is done."""
        if wait and not cancel_futures:
            self._threads.shutdown(wait=True)
        with self._lock:
            self._over = True
            left = list(self._processes)
        for process in left:
            process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in left:
            _close(process)

    def _carry(self, call: bytes) -> Any:
        for _ in range(_TRIES):
            process = self._process()
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(len(call).to_bytes(8, "big") + call)
                process.stdin.flush()
                fine, result = pickle.load(process.stdout)  # noqa: S301 - of our own process
            except (OSError, EOFError, pickle.UnpicklingError):
                self._forget(process)
                continue
            if fine:
                return result
            raise RefVideoError(result)
        raise RefVideoError(f"its process ended {_TRIES} times while measuring it: is there enough memory?")

    def _process(self) -> subprocess.Popen[bytes]:
        """The process of this thread."""
        process: subprocess.Popen[bytes] | None = getattr(self._mine, "process", None)
        if process is None:
            paths = os.pathsep.join(p or str(Path.cwd()) for p in sys.path)
            with self._lock:
                if self._over:
                    raise RefVideoError("it was stopped before this was measured")
                process = subprocess.Popen(  # noqa: S603 - our own words
                    [sys.executable, "-c", _SERVE],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=os.environ | {"PYTHONPATH": paths},
                    start_new_session=True,  # an interrupt is for who waits, not for them
                )
                self._processes.add(process)
            self._mine.process = process
        return process

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        self._mine.process = None
        with self._lock:
            self._processes.discard(process)
        process.kill()
        _close(process)


def _close(process: subprocess.Popen[bytes]) -> None:
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was not sent cannot be flushed
                pipe.close()


def serve() -> None:
    """Be a worker: calls come on the standard input, and end with it."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not come between
    calls = sys.stdin.buffer
    while head := calls.read(8):
        call = calls.read(int.from_bytes(head, "big"))
        try:
            fn, args, kwargs = pickle.loads(call)  # noqa: S301 - of our own parent
            answer = pickle.dumps((True, fn(*args, **kwargs)), protocol=5)
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            answer = pickle.dumps((False, f"{type(error).__name__}: {error}"))
        answers.write(answer)
        answers.flush()
