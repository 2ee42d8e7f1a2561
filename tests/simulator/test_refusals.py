"""What a model does not take is refused before anything is paid, in a text that names what it does take."""

import pytest

FAST = {"model": "bytedance/seedance-2.0-fast", "prompt": "p"}
GROK = {"model": "x-ai/grok-imagine-video", "prompt": "p"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"prompt": "p"}, "Invalid request parameters: model is required"),
        ({"model": 3, "prompt": "p"}, "Invalid request parameters: model must be a string"),
        ({"model": "x/y", "prompt": "p"}, "Model x/y does not exist"),
        (FAST | {"prompt": None}, "Invalid request parameters: prompt is required"),
        (FAST | {"prompt": " \n"}, "Invalid request parameters: prompt must not be empty"),
        (
            FAST | {"duration": 99},
            (
                "Duration 99s is not supported for this model. "
                "Supported durations: 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15"
            ),
        ),
        (FAST | {"duration": "4"}, "Invalid request parameters: duration must be an integer"),
        (FAST | {"duration": True}, "Invalid request parameters: duration must be an integer"),
        (FAST | {"duration": 4.5}, "Invalid request parameters: duration must be an integer"),
        (
            FAST | {"resolution": "1080p"},
            "Resolution 1080p is not supported for this model. Supported resolutions: 480p, 720p",
        ),
        (
            {"model": "google/veo-3.1", "prompt": "p", "aspect_ratio": "1:1"},
            "Aspect ratio 1:1 is not supported for this model. Supported aspect ratios: 16:9, 9:16",
        ),
        (
            {"model": "runway/gen-4.5", "prompt": "p", "size": "10x10"},
            "Size 10x10 is not supported for this model. Supported sizes: 1280x720, 720x1280",
        ),
        (
            FAST | {"size": "1280x720", "resolution": "480p"},
            "Size 1280x720 contradicts the resolution or aspect_ratio beside it. Send one or the other",
        ),
        (GROK | {"seed": 1}, "seed is not supported for this model"),
        ({"model": "minimax/hailuo-3", "prompt": "p", "seed": 1}, "seed is not supported for this model"),
        (GROK | {"generate_audio": True}, "generate_audio is not supported for this model"),
        (
            {"model": "heygen/heygen-video-1", "prompt": "p", "generate_audio": False},
            "generate_audio is not supported for this model",
        ),
        (FAST | {"generate_audio": "no"}, "Invalid request parameters: generate_audio must be true or false"),
        (FAST | {"session_id": "x" * 257}, "Invalid request parameters: session_id has at most 256 characters"),
        (FAST | {"trace": []}, "Invalid request parameters: trace must be an object"),
        (FAST | {"upscale_factor": 2}, "upscale_factor is not supported for this model"),
        (
            FAST | {"provider": {"options": {"seed": {"parameters": {"fps": 60}}}}},
            (
                "Passthrough parameter fps is not supported for this model. "
                "Supported passthrough parameters: watermark, req_key"
            ),
        ),
        (FAST | {"input_references": {}}, "Invalid request parameters: input_references must be an array"),
        (FAST | {"input_references": ["x"]}, "Invalid request parameters: input_references[] must be an object"),
        (
            FAST | {"input_references": [{"type": "text"}]},
            (
                "Invalid request parameters: input_references[].type text is unknown. "
                "Allowed: image_url, video_url, audio_url"
            ),
        ),
        (
            FAST | {"input_references": [{"type": "image_url", "image_url": {}}]},
            "Invalid request parameters: input_references[].image_url.url is required",
        ),
    ],
)
def test_bad_values(told_off, body, message):
    assert told_off(**body) == message


@pytest.mark.parametrize(
    ("model", "most"),
    [
        ("bytedance/seedance-2.5", 30),
        ("bytedance/seedance-2.0", 9),
        ("bytedance/seedance-2.0-fast", 9),
        ("alibaba/wan-3.0", 10),
        ("alibaba/wan-2.7", 5),
        ("alibaba/happyhorse-1.1", 9),
        ("x-ai/grok-imagine-video", 7),
        ("google/veo-3.1", 3),
        ("kwaivgi/kling-video-o1", 7),
    ],
)
def test_too_many_references(told_off, image, model, most):
    text = told_off(model=model, prompt="p", input_references=[image()] * (most + 1))
    assert text == f"Too many reference images: {most + 1}. Maximum allowed is {most}."


def test_grok_makes_shorter_clips_from_references(told_off, image):
    text = told_off(**GROK, duration=11, input_references=[image()])
    assert text == "Duration 11s is not supported with reference images. Maximum is 10s"


def test_frame_types(told_off, image):
    last = image() | {"frame_type": "last_frame"}
    assert told_off(**GROK, frame_images=[last]) == (
        "Frame type last_frame is not supported for this model. Supported frame types: first_frame"
    )
    assert "more than one frame image is last_frame" in told_off(**FAST, frame_images=[last, last])
    assert "frame_images[].frame_type is required" in told_off(**FAST, frame_images=[image()])


def test_audio_alone_is_refused(told_off):
    audio = {"type": "audio_url", "audio_url": {"url": "data:audio/mpeg;base64,AAAA"}}
    assert "at least one image or video" in told_off(**FAST, input_references=[audio])


@pytest.mark.parametrize(
    ("parameters", "allowed"),
    [
        ({"speed": 1}, "keys presence, area, strength, copy_first_frame"),
        ({"presence": [[[0, 1]], [[0, 1]]]}, "one list of [start, end] pairs for each of the 1"),
        ({"presence": [[0, 1]]}, "[start, end] pairs"),
        ({"presence": [[[0.5, 0.5]]]}, "in seconds from 0 to 1"),
        ({"presence": [[[0, 2]]]}, "in seconds from 0 to 1"),
        ({"area": 0.7}, "a number from 0.005 to 0.6"),
        ({"area": [0.1, 0.1]}, "a list of 1 of them"),
        ({"area": True}, "a number from 0.005 to 0.6"),
        ({"strength": 1.5}, "a number from 0 to 1"),
        ({"strength": None}, "a number from 0 to 1"),
        ({"copy_first_frame": 1}, "index below 1"),
    ],
)
def test_bad_truths(told_off, image, small, parameters, allowed):
    provider = {"options": {"simulator": {"parameters": parameters}}}
    text = told_off(**small, input_references=[image()], provider=provider)
    trouble, _, allows = text.partition(" Allowed: ")
    assert trouble.startswith(f"Simulator parameter {next(iter(parameters))} ")
    assert allowed in allows


def test_unknown_fields_and_known_ones_are_taken(api):
    answer = api.submit(
        **FAST,
        duration=4,
        size="854x480",
        resolution="480p",
        generate_audio=False,
        session_id="x" * 256,
        trace={"trace_id": "t"},
        user="u",
        nonsense={"a": 1},
        provider={"options": {"seed": {"parameters": {"watermark": False}}, "other": {"effort": "low"}}},
    )
    assert answer.status_code == 202
