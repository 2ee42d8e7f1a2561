"""A job's life as a caller sees it."""

import re
import time

import httpx
import pytest

from refvideo_nb.simulator import Simulator
from refvideo_nb.simulator.jobs import Job


@pytest.fixture(scope="module")
def slow():
    with Simulator(seconds=0.5) as simulator:
        yield simulator


def test_statuses_come_in_order_and_no_sooner(slow, call, small):
    api = call(slow)
    began = time.monotonic()
    accepted = api.submit(**small)
    assert accepted.status_code == 202
    job = accepted.json()
    assert set(job) == {"id", "polling_url", "status"}
    assert re.fullmatch(r"gen-vid-\d{10}-[A-Za-z0-9]{20}", job["id"])
    assert job["polling_url"] == f"/api/v1/videos/{job['id']}"
    assert job["status"] == "pending"

    early = api.client.get(f"/videos/{job['id']}/content")
    assert early.status_code == 409
    assert early.json()["error"]["message"].startswith(f"Video job {job['id']} is not completed yet")
    assert api.client.get(f"/videos/{job['id']}/truth").status_code == 409

    seen = []
    while (told := api.poll(job["id"]))["status"] != "completed":
        seen.append(told["status"])
        assert "unsigned_urls" not in told
        time.sleep(0.02)
    assert time.monotonic() - began >= 0.5
    assert sorted(set(seen), key=seen.index) == ["pending", "in_progress"]
    assert told["unsigned_urls"] == [f"{slow.base_url}/videos/{job['id']}/content?index=0"]
    assert told["usage"] == {"cost": 0.05, "is_byok": False}
    assert told["generation_id"]


@pytest.mark.parametrize(
    ("elapsed", "filmed", "error", "status"),
    [
        (0, False, None, "pending"),
        (3, True, None, "pending"),
        (5, True, None, "in_progress"),
        (9.9, True, None, "in_progress"),
        (10, True, None, "completed"),
        (10, False, None, "in_progress"),
        (1e6, False, None, "in_progress"),
        (1e6, True, None, "completed"),
        (1, False, "Reference 1 is empty", "failed"),
    ],
)
def test_a_job_is_done_when_its_time_is_up_and_its_film_is_there(elapsed, filmed, error, status):
    job = Job(id="i", generation_id="g", accepted_at=1000.0, seconds=10, filmed=filmed, error=error)
    assert job.status(1000.0 + elapsed) == status


def test_polling_url_absolute(call, small):
    with Simulator(seconds=0, polling_url="absolute") as simulator:
        api = call(simulator)
        job = api.submit(**small).json()
        assert job["polling_url"] == f"{simulator.base_url}/videos/{job['id']}"
        assert api.client.get(job["polling_url"]).json()["id"] == job["id"]
    with pytest.raises(ValueError, match="'relative', 'absolute'"):
        Simulator(polling_url="sideways")


def test_content_needs_the_key_and_answers_ranges(api, small):
    film = api.film(**small)
    url = film.told["unsigned_urls"][0]
    assert httpx.get(url).status_code == 401
    whole = api.client.get(url)
    assert whole.headers["content-type"] == "video/mp4"
    assert int(whole.headers["content-length"]) == len(film.data)
    part = api.client.get(url, headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.headers["content-range"] == f"bytes 100-199/{len(film.data)}"
    assert part.content == film.data[100:200]
    beyond = api.client.get(url, headers={"Range": f"bytes={len(film.data)}-"})
    assert beyond.status_code == 416
    assert beyond.headers["x-refvideo-simulator"] == "1"

    content = f"/videos/{film.told['id']}/content"
    assert api.client.get(content).content == film.data
    assert api.client.get(content, params={"index": 1}).status_code == 404
    assert api.client.get(content, params={"index": "x"}).status_code == 400


def test_previous_job_must_be_completed(api, small):
    assert api.submit(**small, previous_job_id="gen-vid-1-nobody").status_code == 404
    first = api.film(**small).told["id"]
    assert api.submit(**small, previous_job_id=first).status_code == 202


def test_many_jobs_wait_while_the_api_answers(call, small, tmp_path):
    with Simulator(seconds=0, renders=1, state=tmp_path) as simulator:
        api = call(simulator)
        ids = [api.submit(**small, prompt_number=n).json()["id"] for n in range(40)]
        assert len(set(ids)) == 40
        states = [api.poll(job_id)["status"] for job_id in ids]
        assert set(states) <= {"in_progress", "completed"}
        assert states[-1] == "in_progress", "it answered for all of them before it had made all of them"
        assert simulator.stats()["paid_jobs"] == 40
    # Most films are unfinished, and nobody waited for them.
    assert len(list(tmp_path.rglob("*.mp4"))) < 40


async def _states(simulator, small):
    headers = {"Authorization": f"Bearer {simulator.api_key}"}
    async with httpx.AsyncClient(base_url=simulator.base_url, headers=headers) as client:
        job = (await client.post("/videos", json=small)).json()
        return (await client.get(f"/videos/{job['id']}")).status_code


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_from_within_a_loop(small):
    with Simulator(seconds=0) as simulator:
        assert await _states(simulator, small) == 200
