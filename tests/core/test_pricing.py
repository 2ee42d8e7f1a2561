"""Prices worked by hand, and no estimate where the list does not tell."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from refvideo_nb.core.catalogue import Model
from refvideo_nb.core.pricing import Estimate, about, estimate, usd
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import Frame, VideoRequest

FAST = "bytedance/seedance-2.0-fast"
IMAGE = Reference(name="a", kind="image", sha256="", media_type="image/png", nbytes=1, width=512, height=512)
CLIP = Reference(name="b", kind="video", sha256="", media_type="video/mp4", nbytes=1, seconds=5.0)
FIRST = (Frame("first", IMAGE),)


def price(models, model, **settings):
    return estimate(VideoRequest(prompt="x", model=model, **settings), models[model])


@pytest.mark.parametrize(
    ("model", "settings", "low", "high"),
    [
        # 5 cents a second and 0.2 cents an image.
        ("x-ai/grok-imagine-video", {"duration": 1, "resolution": "480p", "references": (IMAGE,)}, "0.052", "0.052"),
        ("x-ai/grok-imagine-video", {"duration": 10, "resolution": "720p"}, "0.70", "0.70"),
        ("x-ai/grok-imagine-video", {"duration": 2, "size": (480, 720), "frames": FIRST}, "0.102", "0.102"),
        # 1280 x 720 x 4 x 24 / 1024 = 86,400 tokens.
        (FAST, {"duration": 4, "resolution": "720p", "aspect_ratio": "16:9"}, "0.36288", "0.36288"),
        (FAST, {"duration": 4, "size": (1280, 720), "generate_audio": False}, "0.36288", "0.36288"),
        (
            FAST,
            {"duration": 4, "resolution": "720p", "aspect_ratio": "16:9", "references": (IMAGE,) * 9},
            "0.36288",
            "0.36288",
        ),
        # 5 s more of reference at another price: 194,400 tokens x 0.000002475.
        (
            FAST,
            {"duration": 4, "resolution": "720p", "aspect_ratio": "16:9", "references": (CLIP,)},
            "0.48114",
            "0.48114",
        ),
        # No ratio: from 720x720 (48,600 tokens) to 1680x720 (113,400).
        (FAST, {"duration": 4, "resolution": "720p"}, "0.20412", "0.47628"),
        ("bytedance/seedance-2.0", {"duration": 4, "resolution": "4K", "aspect_ratio": "16:9"}, "3.1104", "3.1104"),
        ("bytedance/seedance-2.0", {"duration": 4, "size": (2160, 3840)}, "3.1104", "3.1104"),
        (
            "bytedance/seedance-2.0",
            {"duration": 4, "resolution": "1080p", "aspect_ratio": "9:16"},
            "1.49688",
            "1.49688",
        ),
        (
            "bytedance/seedance-2.0",
            {"duration": 4, "resolution": "4K", "aspect_ratio": "16:9", "references": (CLIP,)},
            "4.19904",
            "4.19904",
        ),
        # 1112 x 834 x 4 x 24 / 1024 = 86,944.5 tokens.
        (
            "bytedance/seedance-2.5",
            {"duration": 4, "resolution": "720p", "aspect_ratio": "4:3"},
            "0.93030615",
            "0.93030615",
        ),
        ("minimax/hailuo-3", {"duration": 5, "resolution": "2K", "references": (IMAGE, IMAGE)}, "0.73", "0.73"),
        ("minimax/hailuo-3", {"duration": 5}, "0.65", "0.65"),
        ("minimax/hailuo-3", {"duration": 5, "resolution": "2K", "frames": FIRST}, "0.65", "0.65"),
        ("heygen/heygen-video-1", {"duration": 5, "resolution": "480p", "references": (IMAGE,)}, "0.20", "0.20"),
        ("heygen/heygen-video-1", {"duration": 5, "resolution": "480p"}, "0.10", "0.10"),
        ("heygen/heygen-video-1", {"duration": 5, "resolution": "2K", "references": (IMAGE,)}, "0.90", "0.90"),
        ("alibaba/wan-2.6", {"duration": 5, "resolution": "720p", "references": (IMAGE,)}, "0.40", "0.50"),
        ("alibaba/wan-2.6", {"duration": 5, "resolution": "1080p", "frames": FIRST}, "0.75", "0.75"),
        ("alibaba/wan-2.6", {"duration": 10, "resolution": "720p"}, "0.80", "0.80"),
        ("alibaba/wan-2.7", {"duration": 2, "resolution": "1080p", "references": (IMAGE,)}, "0.20", "0.20"),
        ("alibaba/wan-3.0", {"duration": 5, "resolution": "480p", "references": (IMAGE,)}, "0.25", "0.25"),
        ("alibaba/happyhorse-1.1", {"duration": 5, "resolution": "720p", "references": (IMAGE,)}, "0.494", "0.494"),
        ("google/veo-3.1", {"duration": 8, "resolution": "1080p", "generate_audio": True}, "3.20", "3.20"),
        ("google/veo-3.1", {"duration": 8, "resolution": "1080p", "generate_audio": False}, "1.60", "1.60"),
        ("google/veo-3.1", {"duration": 8, "resolution": "1080p"}, "1.60", "3.20"),
        ("google/veo-3.1", {"duration": 8, "resolution": "4K", "generate_audio": True}, "4.80", "4.80"),
        ("google/veo-3.1", {"duration": 8, "size": (2160, 3840), "generate_audio": False}, "3.20", "3.20"),
        ("google/veo-3.1-fast", {"duration": 8, "resolution": "720p", "generate_audio": True}, "0.80", "0.80"),
        ("google/veo-3.1-fast", {"duration": 8, "resolution": "1080p", "generate_audio": True}, "0.96", "0.96"),
        ("google/veo-3.1-fast", {"duration": 8, "resolution": "720p", "generate_audio": False}, "0.64", "0.64"),
        ("kwaivgi/kling-v3.0-std", {"duration": 5, "resolution": "720p", "generate_audio": True}, "0.63", "0.63"),
        ("kwaivgi/kling-v3.0-std", {"duration": 5, "resolution": "720p", "generate_audio": False}, "0.42", "0.42"),
        ("kwaivgi/kling-v3.0-std", {"duration": 5, "frames": FIRST}, "0.42", "0.63"),
        ("kwaivgi/kling-v3.0-std", {"duration": 5, "references": (IMAGE,), "generate_audio": True}, "0.63", "0.63"),
        ("kwaivgi/kling-video-o1", {"duration": 5, "references": (IMAGE,)}, "0.56", "0.56"),
        ("runway/gen-4.5", {"duration": 4, "resolution": "720p", "frames": FIRST}, "0.48", "0.48"),
    ],
)
def test_by_hand(models, model, settings, low, high):
    found = price(models, model, **settings)
    assert (found.low, found.high) == (Decimal(low), Decimal(high))
    assert isinstance(found.low, Decimal)
    assert isinstance(found.high, Decimal)
    assert found.working


def test_every_captured_model_has_an_estimate_for_all_that_it_offers(models):
    for model in models.values():
        for resolution in model.resolutions:
            for ratio in model.aspect_ratios:
                found = price(models, model.id, duration=model.durations[0], resolution=resolution, aspect_ratio=ratio)
                assert found is not None, (model.id, resolution, ratio)
                assert 0 < found.low <= found.high


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        (FAST, {"resolution": "720p"}),  # no duration
        (FAST, {"duration": 4}),  # no size to count tokens of
        (FAST, {"duration": 4, "resolution": "720p", "references": (replace(CLIP, seconds=None),)}),
        (FAST, {"duration": 4, "resolution": "720p", "previous_job_id": "x"}),
        ("google/veo-3.1", {"duration": 4}),  # 4K would cost more
        ("alibaba/wan-3.0", {"duration": 4}),
        ("alibaba/wan-3.0", {"duration": 4, "resolution": "360p"}),
        ("heygen/heygen-video-1", {"duration": 5, "resolution": "720p", "references": (IMAGE,)}),
    ],
)
def test_what_the_request_leaves_open_gives_no_estimate(models, model, settings):
    assert price(models, model, **settings) is None


def test_a_reference_price_is_not_replaced_by_the_lower_one():
    model = Model(id="a/b", prices={"duration_seconds": "0.01", "reference_duration_seconds_480p": "0.04"})
    request = VideoRequest(prompt="x", duration=5, resolution="720p", references=(IMAGE,))
    assert estimate(request, model) is None
    assert estimate(replace(request, references=()), model).high == Decimal("0.05")
    assert estimate(replace(request, resolution="480p"), model).high == Decimal("0.20")


def test_the_least_charge():
    model = Model(id="a/b", prices={"cents_per_second_output": "1", "minimum_cents_per_generation": "10"})
    assert estimate(VideoRequest(prompt="x", duration=4), model).high == Decimal("0.10")
    assert estimate(VideoRequest(prompt="x", duration=40), model).high == Decimal("0.40")


@pytest.mark.parametrize(
    "prices",
    [
        None,
        {},
        {"duration_seconds": "0.1", "surcharge_at_night": "0.1"},
        {"duration_seconds": "0.1", "video_tokens": "0.1"},
        {"cents_per_second_output": "1", "duration_seconds": "0.1"},
        {"duration_seconds_720": "0.1"},
        {"video_tokens_720p_hdr": "0.1"},
        {"Duration_seconds": "0.1"},
        {"duration_seconds\n": "0.1"},
        {"duration_seconds": "variable"},
        {"duration_seconds": ""},
        {"duration_seconds": "NaN"},
        {"duration_seconds": "Infinity"},
        {"duration_seconds": "sNaN"},
        {"duration_seconds": "-0.1"},
        {"duration_seconds": "1e999999"},
        {"duration_seconds": "1e-999999"},
        {"duration_seconds": "1e999999999999999999999"},
        {"reference_images": "0.1"},
        {"cents_per_image_input": "0.1"},
    ],
)
def test_a_list_that_is_not_understood_gives_no_estimate(prices):
    request = VideoRequest(prompt="x", duration=4, resolution="720p", aspect_ratio="16:9")
    assert estimate(request, Model(id="a/b", prices=prices)) is None


KEYS = st.sampled_from(
    ["duration_seconds", "duration_seconds_720p", "text_to_video_duration_seconds_4k", "duration_seconds_with_audio",
     "reference_duration_seconds", "reference_images", "cents_per_second_output", "cents_per_image_input",
     "minimum_cents_per_generation", "video_tokens", "video_tokens_4k_with_video_input", "video_tokens_without_audio"]
)  # fmt: skip
VALUES = (
    st.decimals().map(str) | st.sampled_from(["0.1", "0", "1e-30", "9e99", "٣", "1_0", " 1 "]) | st.text(max_size=6)
)


@given(
    st.dictionaries(KEYS | st.text(max_size=12), VALUES, max_size=4),
    st.builds(
        VideoRequest,
        prompt=st.just("x"),
        duration=st.none() | st.integers(0, 10**6),
        resolution=st.none() | st.text(max_size=5) | st.sampled_from(["720p", "4K"]),
        aspect_ratio=st.none() | st.text(max_size=5) | st.sampled_from(["16:9", "1:1"]),
        size=st.none() | st.tuples(st.integers(1, 10**5), st.integers(1, 10**5)),
        generate_audio=st.none() | st.booleans(),
        references=st.lists(st.sampled_from([IMAGE, CLIP, replace(CLIP, seconds=None)]), max_size=3).map(tuple),
    ),
)
def test_estimate_never_raises_and_is_never_a_float(prices, request):
    found = estimate(request, Model(id="a/b", prices=prices))
    if found is not None:
        assert type(found.low) is type(found.high) is Decimal
        assert 0 <= found.low <= found.high
    assert about(found)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "USD 0.00"),
        ("0.36288", "USD 0.36"),
        ("0.005", "USD 0.005"),
        ("0.00999", "USD 0.01"),
        ("0.0000021", "USD 0.0000021"),
        ("0.005000", "USD 0.005"),
        ("0.125", "USD 0.13"),
        ("12", "USD 12.00"),
        ("1e30", "USD 1e+30"),
        ("1E+999999999", "USD 1e+999999999"),
        ("1e-30", "USD 1e-30"),
    ],
)
def test_usd(amount, text):
    assert usd(Decimal(amount)) == text


def test_about():
    assert about(None) == "no estimate"
    assert about(Estimate(Decimal("0.401"), Decimal("0.404"), "")) == "about USD 0.40", (
        "what reads the same is said once"
    )
    assert about(Estimate(Decimal("0.4"), Decimal("0.5"), "")) == "about USD 0.40 to 0.50"
