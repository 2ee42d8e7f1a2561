"""An interrupt or an exit at the worst moment: nothing stays locked, and no paid request is torn.

The tests with real processes meet these moments by chance; here they are met for sure.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx

from refvideo_nb.client.client import VideoClient
from refvideo_nb.core.job import State
from refvideo_nb.engine.wish import Wish
from refvideo_nb.ledger.store import Ledger
from refvideo_nb.notebook.session import Session
from refvideo_nb.settings import Secret, Settings
from refvideo_nb.simulator import Simulator

INTERRUPTED = Path(__file__).parent / "interrupted.py"


def test_an_interrupt_at_any_moment_leaves_the_ledger_usable(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, str(INTERRUPTED), str(tmp_path / "home")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [line.split() for line in process.stdout]
    assert not [line for line in lines if line[0] == "locked"], lines
    met = {name: int(moments) for name, moments in lines}
    assert set(met) == {"get", "jobs", "add", "advance", "claim", "release", "renew"}
    assert min(met.values()) > 0, met


class InATask(httpx.AsyncBaseTransport):
    """A transport that works in a task of its own, as the HTTP library does while it connects."""

    def __init__(self) -> None:
        self.arrived, self.go_on = threading.Event(), threading.Event()
        self._real = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await asyncio.create_task(self._send(request))

    async def _send(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.arrived.set()
            await asyncio.to_thread(self.go_on.wait, 10)
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()


def test_closing_tears_no_request_that_is_on_its_way(tmp_path: Path) -> None:
    with Simulator(seconds=0.1) as simulator:
        key, home = Secret(simulator.api_key), tmp_path / "home"
        session = Session(Settings(key=key, base_url=simulator.base_url, home=home, poll_interval=0.05))
        draft = session.draft(
            Wish(prompt="a ball", model="x-ai/grok-imagine-video", duration=1, resolution="480p", aspect_ratio="1:1")
        )
        transport = InATask()
        session.engine._connect = lambda _: VideoClient(simulator.base_url, key, transport=transport)
        record, _ = session.submit(draft)
        assert transport.arrived.wait(10)
        watch = session.engine.watch(record.id)
        assert watch is not None
        with ThreadPoolExecutor(1) as pool:
            closed = pool.submit(session.close)
            # Whatever closing does to the tasks that are there, it has done when the watch has ended.
            watch.done.result(10)
            transport.go_on.set()
            closed.result(30)
        with closing(Ledger(home)) as ledger:
            assert ledger.get(record.id).state is State.ACCEPTED
            assert ledger.get(record.id).api_id == simulator.stats()["accepted"][0]["id"]
