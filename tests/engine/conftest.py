"""A small world for the engine: a ledger, a media store, time that stands still, and an API of scripted bytes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest

from refvideo_nb.client.client import VideoClient
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.engine.engine import Engine
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.ledger.store import Ledger, new_id
from refvideo_nb.settings import Secret, Settings

BASE = "https://api.example/api/v1"
Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(scope="session")
def mp4() -> bytes:
    """A real clip of one second."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as target:
        stream = target.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(24):
            picture = np.full((48, 64, 3), number * 10, np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        target.mux(stream.encode(None))
    return out.getvalue()


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@dataclass
class Script:
    """An API that answers as it is told, and counts."""

    submit: Answer
    poll: Answer
    content: Answer
    posts: int = 0
    polls: int = 0
    downloads: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.posts += 1
            return self.submit(request)
        if request.url.path.endswith("/content"):
            self.downloads += 1
            return self.content(request)
        self.polls += 1
        return self.poll(request)


def job(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "gen-vid-1", "polling_url": "/api/v1/videos/gen-vid-1", "status": status, **more}


@dataclass
class World:
    ledger: Ledger
    media: MediaStore
    clock: Clock
    script: Script
    engine: Engine
    settings: Settings

    def drafted(self, **more: Any) -> JobRecord:
        now = self.clock()
        record = JobRecord(
            id=new_id(now),
            state=State.DRAFTED,
            base_url=BASE,
            request=VideoRequest(prompt="a cat"),
            sent_prompt="a cat",
            created=now,
            updated=now,
            **more,
        )
        return self.ledger.add(record, fingerprint=record.id)

    def run(self, record: JobRecord) -> JobRecord:
        """Look after a job until the engine lets go of it."""
        self.engine.look_after(record.id).done.result(30)
        return self.ledger.get(record.id)

    def trouble(self, record: JobRecord) -> Exception | None:
        watch = self.engine.watch(record.id)
        return watch.trouble if watch else None


@pytest.fixture
def world(tmp_path: Path, mp4: bytes) -> Iterator[World]:
    script = Script(
        submit=lambda _: httpx.Response(202, json=job("pending")),
        poll=lambda _: httpx.Response(200, json=job("completed", usage={"cost": 0.25})),
        content=lambda _: httpx.Response(200, content=mp4),
    )
    settings = Settings(key=Secret("k"), base_url=BASE, home=tmp_path / "home")
    clock = Clock()
    ledger, media = Ledger(settings.home, clock=clock), MediaStore(settings.home)

    def connect(address: str) -> VideoClient:
        return VideoClient(BASE, Secret("k"), transport=httpx.MockTransport(script))

    engine = Engine(ledger, media, settings, connect=connect, clock=clock, sleep=clock.sleep)
    yield World(ledger, media, clock, script, engine, settings)
    engine.close()
    ledger.close()
