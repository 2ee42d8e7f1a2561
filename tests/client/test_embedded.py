"""The embedded simulator: one process a home folder, found again, started again, and given no key."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from refvideo_nb.client.embedded import Endpoint, ensure_simulator, stop_simulator
from refvideo_nb.errors import SimulatorError

STARTED = (
    "import sys; from pathlib import Path; from refvideo_nb.client.embedded import ensure_simulator;"
    "print(ensure_simulator(Path(sys.argv[1]), seconds=1).pid)"
)


@pytest.fixture
def home(tmp_path):
    yield tmp_path
    stop_simulator(tmp_path)


def alive(pid):
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone(pid):
    until = time.monotonic() + 15
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


def test_it_is_started_found_again_and_restarted(home, monkeypatch):
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-not-for-the-simulator")
    monkeypatch.setenv("OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    first = ensure_simulator(home, seconds=1)
    assert first.base_url.startswith("http://127.0.0.1:")
    assert first.api_key
    assert first.pid != os.getpid()
    assert first.api_key not in repr(first.secret)
    if sys.platform == "linux":
        environment = Path(f"/proc/{first.pid}/environ").read_bytes()
        assert b"OPENROUTER" not in environment
        assert b"sk-or" not in environment
    # Found, and not started a second time.
    assert ensure_simulator(home, seconds=1) == first
    # Restarted after it died, on the same jobs.
    (home / "simulator" / "state" / "mark").write_text("kept")
    os.kill(first.pid, signal.SIGKILL)
    assert gone(first.pid)
    second = ensure_simulator(home, seconds=1)
    assert second.pid != first.pid
    assert (home / "simulator" / "state" / "mark").read_text() == "kept"
    stop_simulator(home)
    assert gone(second.pid)
    assert not (home / "simulator" / "endpoint.json").exists()
    stop_simulator(home)


def serving(home):
    """Every simulator process of a home folder, whether or not it is the one that is announced."""
    found = set()
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(home / "simulator" / "state").encode() in command.read_bytes().split(b"\0"):
                found.add(int(command.parent.name))
    return found


def test_two_starts_at_once_give_one_process(home):
    with ThreadPoolExecutor(3) as pool:
        threads = [pool.submit(ensure_simulator, home, seconds=1) for _ in range(3)]
        others = [
            subprocess.Popen([sys.executable, "-c", STARTED, str(home)], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        pids = {t.result().pid for t in threads} | {int(p.communicate(timeout=60)[0]) for p in others}
    assert len(pids) == 1
    if sys.platform == "linux":
        assert serving(home) == pids, "none is left that nobody knows of"
    assert not (home / "simulator" / "starting").exists()


def test_a_lock_that_a_crash_left_ends_with_its_age(home):
    (home / "simulator").mkdir()
    lock = home / "simulator" / "starting"
    lock.touch()
    os.utime(lock, (time.time() - 60, time.time() - 60))
    assert ensure_simulator(home, seconds=1).pid


def test_a_start_that_fails_tells_why(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(SimulatorError, match="it wrote nothing"):
        ensure_simulator(tmp_path, seconds=1)
    assert not (tmp_path / "simulator" / "starting").exists(), "the next try need not wait"


def test_a_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "simulator").write_text("a file in its place")
    with pytest.raises(SimulatorError, match="cannot use"):
        ensure_simulator(tmp_path, seconds=1)


@pytest.mark.parametrize(
    "announced",
    [
        b"",
        b"{",
        b'{"base_url":7}',
        b'{"base_url":"http://127.0.0.1:port/api/v1","api_key":"x"}',
        b'{"base_url":"http://[broken","api_key":"x"}',
        b'{"base_url":"http://127.0.0.1:9/api/v1","api_key":"a\\r\\nb"}',
        b'{"base_url":"file:///etc","api_key":"x"}',
    ],
)
def test_an_announcement_that_is_none_stops_nothing(tmp_path, announced):
    (tmp_path / "simulator").mkdir()
    (tmp_path / "simulator" / "endpoint.json").write_bytes(announced)
    stop_simulator(tmp_path)


def announce(home, base_url, pid=0):
    (home / "simulator").mkdir(exist_ok=True)
    text = json.dumps({"base_url": base_url, "api_key": "x", "pid": pid})
    (home / "simulator" / "endpoint.json").write_text(text)


def test_another_program_on_the_port_is_not_taken_for_it(tmp_path, server, monkeypatch):
    kills = []
    monkeypatch.setattr(os, "kill", lambda *a: kills.append(a))
    announce(tmp_path, server.base, pid=12345)
    stop_simulator(tmp_path)
    server.otherwise = (401, {"X-Refvideo-Simulator": "1"}, b"")
    stop_simulator(tmp_path)
    assert len(server.asked) == 2
    assert kills == []


def test_a_folder_from_elsewhere_cannot_send_us_elsewhere(tmp_path, server, monkeypatch):
    # A cloned notebook may bring its home folder along, with an announcement of its own making.
    kills = []
    monkeypatch.setattr(os, "kill", lambda *a: kills.append(a))
    server.otherwise = (404, {"X-Refvideo-Simulator": "1"}, b"")
    import socket

    def looked_up(*args, **kwargs):
        raise AssertionError(args)

    monkeypatch.setattr(socket, "create_connection", looked_up)
    for url in ("http://simulator.example/api/v1", "https://simulator.example/api/v1", "http://10.0.0.1/api/v1"):
        announce(tmp_path, url, pid=12345)
        stop_simulator(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(os, "kill", lambda *a: kills.append(a))
    announce(tmp_path, server.base, pid=-1)
    stop_simulator(tmp_path)
    assert kills == []


def test_an_endpoint():
    assert Endpoint("http://127.0.0.1:1/api/v1", "k").secret.reveal() == "k"
