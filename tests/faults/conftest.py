"""Our engine against a simulator in which things go wrong, over real HTTP; only the waiting is not real."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
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
from refvideo_nb.errors import RefVideoError
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.ledger.store import Ledger, new_id
from refvideo_nb.notebook.job import Job
from refvideo_nb.settings import Secret, Settings
from refvideo_nb.simulator import Simulator

REQUEST = VideoRequest(
    prompt="a quiet studio", model="x-ai/grok-imagine-video", duration=1, resolution="480p", aspect_ratio="1:1"
)


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
        await asyncio.sleep(0.002)


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real clip of one second."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    noise = np.random.default_rng(0)
    with av.open(str(path), "w", format="mp4") as target:
        stream = target.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(24):
            picture = noise.integers(0, 255, (48, 64, 3), np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        target.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def simulator(film: Path) -> Iterator[Simulator]:
    """The API, for these tests alone. What it films is not the point here, so it films nothing new."""

    def render(order: Any, sources: Any, path: Path, *, stop: Any) -> dict[str, Any]:
        half = path.with_suffix(".half")
        shutil.copy(film, half)
        half.replace(path)
        return {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("refvideo_nb.simulator.stage.render.render", render)
        patch.setattr("os.fsync", lambda _: None)  # the disk's part in it is shown elsewhere, and takes long
        with Simulator(seconds=0) as simulator:
            yield simulator


@dataclass
class World:
    """A home folder with an engine at work in it."""

    simulator: Simulator
    ledger: Ledger
    media: MediaStore
    clock: Clock
    engine: Engine
    client: VideoClient
    home: Path

    def be_patient(self, seconds: float) -> None:
        """Wait so long for each part of an answer."""
        for http in (self.client.http, self.client._poll_http, self.client._submit_http):
            http.timeout = httpx.Timeout(seconds)

    def submit(self) -> JobRecord:
        """A new job, as far as it goes by itself."""
        now = self.clock()
        record = JobRecord(
            id=new_id(now),
            state=State.DRAFTED,
            base_url=self.simulator.base_url,
            request=REQUEST,
            sent_prompt=REQUEST.prompt,
            created=now,
            updated=now,
        )
        self.ledger.add(record, fingerprint=record.id)
        return self.go_on(record)

    def go_on(self, record: JobRecord) -> JobRecord:
        """Look after a job until the engine lets go of it."""
        self.engine.look_after(record.id).done.result(60)
        return self.ledger.get(record.id)

    def told(self, record: JobRecord) -> str:
        """What a person who waits for the job is told."""
        try:
            Job(self, record.id)._ended()  # type: ignore[arg-type]
        except RefVideoError as error:
            return str(error)
        return ""

    def files(self) -> list[str]:
        """What stands in the folder of videos."""
        return sorted(path.name for path in (self.home / "videos").iterdir())


@pytest.fixture(scope="module")
def world(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    key = Secret(simulator.api_key)
    home = tmp_path_factory.mktemp("home")
    settings = Settings(key=key, base_url=simulator.base_url, home=home, timeout=300)
    clock = Clock()
    ledger, media = Ledger(settings.home, clock=clock), MediaStore(settings.home)

    client = VideoClient(simulator.base_url, key)
    engine = Engine(ledger, media, settings, connect=lambda _: client, clock=clock, sleep=clock.sleep)
    yield World(simulator, ledger, media, clock, engine, client, home)
    engine.close()
    ledger.close()
