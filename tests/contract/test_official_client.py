"""OpenRouter's own Python client and we agree about the API: on what the simulator answers, and on what we send."""

import io
import json
import time

import av
import pytest
from msgspec.structs import replace
from openrouter import OpenRouter, components, errors
from openrouter.utils import BackoffStrategy, RetryConfig
from PIL import Image

from refvideo_nb.client.models import captured
from refvideo_nb.client.wire import encode_body
from refvideo_nb.core.references import Reference
from refvideo_nb.engine.draft import body_of, draft
from refvideo_nb.engine.wish import Wish
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.simulator import Simulator

FAST = "bytedance/seedance-2.0-fast"
MODELS = captured().models
AT_ONCE = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)


def picture(colour, size=(400, 400)):
    return Image.new("RGB", size, colour)


@pytest.fixture(scope="module", params=["relative", "absolute"])
def api(request):
    with Simulator(seconds=0.3, polling_url=request.param) as simulator:
        yield simulator


@pytest.fixture
def sdk(api):
    with OpenRouter(api_key=api.api_key, server_url=api.base_url, retry_config=AT_ONCE) as client:
        yield client.video_generation


@pytest.fixture
def media(tmp_path):
    return MediaStore(tmp_path)


@pytest.fixture
def anyio_backend():
    return "asyncio"


def ended(sdk, job):
    """The first answer that is neither pending nor in progress."""
    deadline = time.monotonic() + 100
    while (answer := sdk.get_generation(job_id=job.id)).status in {"pending", "in_progress"}:
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
    return answer


async def drafted(media, **wish):
    wish = {"prompt": "@cat beside @cup", "model": FAST, **wish}
    return await draft(Wish(**wish), models=MODELS, media=media, simulated=False)


@pytest.mark.anyio
async def test_it_submits_polls_and_downloads_what_we_would_send(sdk, api, media):
    made = await drafted(
        media,
        references={"cat": picture("orange"), "cup": picture("teal")},
        duration=4,
        resolution="480p",
        aspect_ratio="1:1",
        generate_audio=False,
        seed=3,
    )
    body = body_of(made.request, prompt=made.compiled.text, media=media, session_id="rv-20260101-aaaaaa")
    accepted = sdk.generate(**body)
    assert (accepted.status, accepted.error) == ("pending", None)
    answer = ended(sdk, accepted)
    assert (answer.status, answer.error) == ("completed", None)
    # The price list's words for it: the official client reads the cost as we do.
    assert made.prices is not None
    assert float(made.prices.low) * 0.9 <= answer.usage.cost <= float(made.prices.high) * 1.1
    assert len(answer.unsigned_urls) == 1
    response = sdk.get_video_content(job_id=accepted.id)
    film = b"".join(response.iter_bytes())
    with av.open(io.BytesIO(film)) as opened:
        (track,) = opened.streams
        assert (track.type, track.codec_context.name, track.frames) == ("video", "h264", 96)
        assert track.width == track.height
    assert api.stats()["paid_jobs"] >= 1


def test_the_official_list_of_models_is_the_one_we_read(sdk):
    listed = sdk.list_videos_models().data
    assert [m.id for m in listed] == [m.id for m in MODELS]
    for theirs, ours in zip(listed, MODELS, strict=True):
        assert tuple(theirs.supported_durations or ()) == (ours.durations or ()), ours.id
        assert tuple(theirs.supported_resolutions or ()) == (ours.resolutions or ()), ours.id
        assert (theirs.pricing_skus or None) == (ours.prices or None), ours.id


def test_refusals_are_the_typed_errors_of_the_official_client(api):
    body = {"model": FAST, "prompt": "a cat", "duration": 4}
    with (
        OpenRouter(api_key="sk-or-v1-wrong", server_url=api.base_url, retry_config=AT_ONCE) as client,
        pytest.raises(errors.UnauthorizedResponseError, match="User not found"),
    ):
        client.video_generation.generate(**body)
    with OpenRouter(api_key=api.api_key, server_url=api.base_url, retry_config=AT_ONCE) as client:
        with pytest.raises(errors.BadRequestResponseError, match="Duration 99s"):
            client.video_generation.generate(**(body | {"duration": 99}))
        with pytest.raises(errors.NotFoundResponseError):
            client.video_generation.get_generation(job_id="gen-vid-0-none")


def test_a_failed_job_is_a_status_with_a_text(sdk):
    unreachable = {"type": "image_url", "image_url": {"url": "https://refvideo.invalid/cat.png"}}
    job = sdk.generate(
        model=FAST, prompt="[Image1] runs", duration=4, resolution="480p", input_references=[unreachable]
    )
    answer = ended(sdk, job)
    assert answer.status == "failed"
    assert answer.error


WISHES = {
    "prompt alone": {},
    "data URLs": {"references": {"cat": picture("orange"), "cup": picture("teal")}},
    "everything": {
        "references": [picture("orange")],
        "duration": 5,
        "resolution": "720p",
        "aspect_ratio": "9:16",
        "seed": 0,
        "generate_audio": True,
    },
    "silence": {"generate_audio": False},
    "size": {"size": "1280x720", "duration": 4},
    "first frame": {"frames": {"first": picture("teal")}},
    "both frames": {"frames": {"first": picture("teal"), "last": picture("orange")}},
    "provider options": {"provider": {"seed": {"watermark": True, "req_key": "abc"}}},
    "an extension": {"previous_job_id": "gen-vid-1790000000-abcdefghij0123456789"},
    "4K": {"model": "bytedance/seedance-2.0", "resolution": "4k", "references": [picture("teal")]},
    "words": {"model": "google/veo-3.1", "references": {"cup": picture("teal", (1280, 720))}, "duration": 8},
}


def understood(body):
    """What the official request model makes of the bytes that we send."""
    sent = json.loads(encode_body(body))
    model = components.VideoGenerationRequest.model_validate(sent)
    return sent, model.model_dump(mode="json", by_alias=True)


@pytest.mark.anyio
@pytest.mark.parametrize("what", WISHES)
async def test_nothing_that_we_send_is_unknown_to_the_official_model(what, media):
    made = await drafted(media, **WISHES[what])
    body = body_of(made.request, prompt=made.compiled.text, media=media, session_id="rv-20260101-aaaaaa")
    sent, kept = understood(body)
    assert kept == sent


@pytest.mark.anyio
async def test_addresses_sound_and_films_are_known_to_it_too(media):
    made = await drafted(media, references={"cat": picture("orange")})
    (cat,) = made.request.references
    sources = [replace(cat, url="https://example.org/cat.png")]
    for kind, kind_of_file in (("video", "video/mp4"), ("audio", "audio/mpeg")):
        sources.append(
            Reference(
                name=kind,
                kind=kind,
                sha256="0" * 64,
                media_type=kind_of_file,
                nbytes=1,
                url=f"https://example.org/{kind}",
            )
        )
    request = replace(made.request, references=(cat, *sources))
    sent, kept = understood(body_of(request, prompt="all", media=media, session_id=""))
    assert kept == sent
    assert [part["type"] for part in sent["input_references"]] == ["image_url", "image_url", "video_url", "audio_url"]
    # What the official model does not know it drops, so the comparison above can fail.
    _, kept = understood({**sent, "input_referenses": []})
    assert "input_referenses" not in kept
