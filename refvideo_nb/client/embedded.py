"""The embedded simulator: found where it runs, started where it does not.

It is a process of its own, so that its jobs outlive the kernel that started it;
it ends by itself when nobody has asked it anything for a while, and knows its
jobs again when it is started on the same folder.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import msgspec

from refvideo_nb.errors import SimulatorError
from refvideo_nb.settings import Secret, is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Endpoint", "ensure_simulator", "stop_simulator"]

_START_LIMIT = 30.0
_IDLE_LIMIT = 180  # seconds; it knows its jobs again when it is started anew


class Endpoint(msgspec.Struct, frozen=True):
    """Where a simulator listens, as it announces itself."""

    base_url: str
    api_key: str
    pid: Annotated[int, msgspec.Meta(ge=0)] = 0  # a negative one would mean a whole group of processes

    @property
    def secret(self) -> Secret:
        """The simulator's key, treated like any other."""
        return Secret(self.api_key)


_ENDPOINT = msgspec.json.Decoder(Endpoint)  # made once: see wire.py


def ensure_simulator(home: Path, *, seconds: float) -> Endpoint:
    """A simulator that answers, on the jobs kept under `home`.

    Parameters
    ----------
    home : pathlib.Path
        The home folder; its state is kept in ``simulator/`` below it.
    seconds : float
        How long its jobs take, where one has to be started.

    Raises
    ------
    SimulatorError
        With the last lines that it wrote.
    """
    folder = home / "simulator"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _find_or_start(folder, seconds)
    except OSError as error:
        raise SimulatorError(
            f"the embedded simulator cannot use {folder} ({error.strerror}): set REFVIDEO_HOME to a folder of yours"
        ) from None


def _find_or_start(folder: Path, seconds: float) -> Endpoint:
    announce = folder / "endpoint.json"
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline:
        if (endpoint := _running(announce)) is not None:
            return endpoint
        with _only_one(folder / "starting") as mine:
            if mine:
                if (endpoint := _running(announce)) is not None:
                    return endpoint
                return _start(folder, announce, seconds, deadline)
        time.sleep(0.05)
    raise SimulatorError(
        f"another process has been starting the simulator in {folder} for {_START_LIMIT:g} s: "
        f"remove {folder / 'starting'} and try again"
    )


def stop_simulator(home: Path) -> None:
    """End the simulator of a home folder, if one runs; its jobs are kept."""
    announce = home / "simulator" / "endpoint.json"
    endpoint = _running(announce)  # only what answers with our key is ours to end
    if endpoint is None or not endpoint.pid:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(endpoint.pid, signal.SIGTERM)
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline and _running(announce) is not None:
        time.sleep(0.05)
    announce.unlink(missing_ok=True)


def _running(announce: Path) -> Endpoint | None:
    """The simulator that this file announces, if it answers with the key that stands there."""
    try:
        endpoint = _ENDPOINT.decode(announce.read_bytes())
        parts = urlsplit(endpoint.base_url)
        if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
            return None  # a home folder that came from elsewhere must not send our references there
        # http.client, since this is asked before each job and an httpx client takes 50 ms to make.
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        try:
            # Another program may have taken the port since: only our key proves that it is ours.
            headers = {"Authorization": f"Bearer {endpoint.api_key}"}
            connection.request("GET", f"{parts.path}/videos/none", headers=headers)
            answer = connection.getresponse()
        finally:
            connection.close()
    except (OSError, ValueError, msgspec.MsgspecError, http.client.HTTPException):
        return None
    ours = answer.getheader("x-refvideo-simulator") == "1" and answer.status == http.HTTPStatus.NOT_FOUND
    return endpoint if ours else None


@contextlib.contextmanager
def _only_one(lock: Path) -> Iterator[bool]:
    """True for the one process that may start the simulator; a lock left by a crash ends with its age."""
    with contextlib.suppress(OSError):
        if time.time() - lock.stat().st_mtime > _START_LIMIT:
            lock.unlink(missing_ok=True)
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        yield False
        return
    try:
        yield True
    finally:
        lock.unlink(missing_ok=True)


def _start(folder: Path, announce: Path, seconds: float, deadline: float) -> Endpoint:
    announce.unlink(missing_ok=True)
    log = folder / "log.txt"
    command = [
        *(sys.executable, "-m", "refvideo_nb", "simulator", "--port", "0", "--seconds", str(seconds)),
        *("--state", str(folder / "state"), "--announce", str(announce), "--idle-timeout", str(_IDLE_LIMIT)),
    ]
    # A real key must not even be in the environment of something that only pretends.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENROUTER_")}
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # an interrupt in the notebook must not reach it
        )
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if announce.exists() and (endpoint := _running(announce)) is not None:
            # It is meant to outlive us: without this, Python would warn that it still runs.
            process.returncode = 0
            return endpoint
        time.sleep(0.02)
    else:
        process.kill()
        process.wait()
    tail = log.read_bytes()[-600:].decode("utf-8", "replace").strip().splitlines()[-3:]
    raise SimulatorError(f"the embedded simulator did not start: {' | '.join(tail) or 'it wrote nothing'}")
