"""A simulator that is asked over real HTTP, and the few things that every test here does with it."""

from __future__ import annotations

import base64
import io
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import httpx
import numpy as np
import pytest
from PIL import Image

from refvideo_nb.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The smallest film on offer: 1 s of 480x480, 24 frames.
SMALL = {
    "model": "x-ai/grok-imagine-video",
    "prompt": "a quiet studio",
    "duration": 1,
    "resolution": "480p",
    "aspect_ratio": "1:1",
}


def data_url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@dataclass
class Api:
    """The caller's side."""

    client: httpx.Client

    def submit(self, **body: Any) -> httpx.Response:
        return self.client.post("/videos", json=body)

    def poll(self, job_id: str) -> dict[str, Any]:
        return self.client.get(f"/videos/{job_id}").json()

    def finish(self, job_id: str, *, within: float = 60) -> dict[str, Any]:
        """Poll until the job is at its end."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            told = self.poll(job_id)
            if told["status"] not in {"pending", "in_progress"}:
                return told
            time.sleep(0.02)
        raise TimeoutError(told)

    def film(self, **body: Any) -> Film:
        """Submit, wait, download."""
        answer = self.submit(**body)
        assert answer.status_code == 202, answer.text
        told = self.finish(answer.json()["id"])
        assert told["status"] == "completed", told
        truth = self.client.get(f"/videos/{told['id']}/truth").json()
        return Film(self.client.get(told["unsigned_urls"][0]).content, told, truth)


@dataclass
class Film:
    data: bytes
    told: dict[str, Any]
    truth: dict[str, Any]

    def frames(self) -> np.ndarray:
        """(frames, height, width, 3) uint8."""
        with av.open(io.BytesIO(self.data)) as container:
            return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def caller(simulator: Simulator) -> Api:
    return Api(httpx.Client(base_url=simulator.base_url, headers={"Authorization": f"Bearer {simulator.api_key}"}))


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with Simulator(seconds=0) as simulator:
        yield simulator


@pytest.fixture(scope="session")
def api(simulator: Simulator) -> Iterator[Api]:
    api = caller(simulator)
    with api.client:
        yield api


@pytest.fixture
def call() -> Iterator[Callable[[Simulator], Api]]:
    """Make a caller of another simulator, whose connections end with the test."""
    made = []

    def make(simulator: Simulator) -> Api:
        made.append(caller(simulator))
        return made[-1]

    yield make
    for api in made:
        api.client.close()


@pytest.fixture(scope="session")
def small() -> dict[str, Any]:
    return dict(SMALL)


@pytest.fixture(scope="session")
def image() -> Callable[..., dict[str, Any]]:
    """An image reference of one colour, or of random noise."""

    def make(colour: tuple[int, int, int] | None = (230, 20, 20), size: tuple[int, int] = (300, 300)) -> dict[str, Any]:
        if colour is None:
            picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (*size[::-1], 3), np.uint8))
        else:
            picture = Image.new("RGB", size, colour)
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        return {"type": "image_url", "image_url": {"url": data_url(buffer.getvalue())}}

    return make


@pytest.fixture
def told_off(api: Api) -> Callable[..., str]:
    """Submit what must be refused with a 400; its text."""

    def submit(**body: Any) -> str:
        before = api.client.get("../../__sim__/stats").json()["paid_jobs"]
        answer = api.submit(**body)
        assert answer.status_code == 400, answer.text
        error = answer.json()["error"]
        assert error["code"] == 400
        assert api.client.get("../../__sim__/stats").json()["paid_jobs"] == before
        return error["message"]

    return submit
