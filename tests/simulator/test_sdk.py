"""The official SDK is content with what it gets: the simulator's answers are the API's."""

import time

import pytest
from openrouter import OpenRouter
from openrouter.errors import OpenRouterError


@pytest.fixture
def sdk(simulator):
    with OpenRouter(api_key=simulator.api_key, server_url=simulator.base_url) as sdk:
        yield sdk


def test_submit_poll_download(sdk, small, image, simulator):
    paid = simulator.stats()["paid_jobs"]
    job = sdk.video_generation.generate(**small, input_references=[image()])
    assert job.status == "pending"
    deadline = time.monotonic() + 30
    while (told := sdk.video_generation.get_generation(job_id=job.id)).status != "completed":
        assert time.monotonic() < deadline, told
        time.sleep(0.02)
    assert told.usage.cost == pytest.approx(0.052)
    assert told.unsigned_urls == [f"{simulator.base_url}/videos/{job.id}/content?index=0"]
    film = sdk.video_generation.get_video_content(job_id=job.id)
    assert film.read()[4:8] == b"ftyp"
    assert simulator.stats()["paid_jobs"] == paid + 1


def test_the_models_parse(sdk):
    models = sdk.video_generation.list_videos_models().data
    assert len(models) == 15
    assert models[0].pricing_skus


def test_errors_are_understood(sdk, simulator):
    with pytest.raises(OpenRouterError, match="Duration 99s is not supported") as caught:
        sdk.video_generation.generate(model="runway/gen-4.5", prompt="p", duration=99)
    assert caught.value.status_code == 400
    with pytest.raises(OpenRouterError, match="not found"):
        sdk.video_generation.get_generation(job_id="gen-vid-1-x")
    with (
        OpenRouter(api_key="sk-wrong", server_url=simulator.base_url) as stranger,
        pytest.raises(OpenRouterError, match="User not found"),
    ):
        stranger.video_generation.get_generation(job_id="gen-vid-1-x")
