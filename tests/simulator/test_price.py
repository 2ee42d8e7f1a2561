"""Bills, each worked out by hand from the list's own numbers."""

from decimal import Decimal

import pytest

from refvideo_nb.simulator.catalogue import models
from refvideo_nb.simulator.checks import read_order
from refvideo_nb.simulator.price import cost

REF = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
FRAME = [REF[0] | {"frame_type": "first_frame"}]


def bill(model, **body):
    order = read_order({"model": model, "prompt": "p", **body})
    return cost(order, models()[model].skus)


@pytest.mark.parametrize(
    ("model", "body", "usd"),
    [
        # cents a second by resolution, and 0.2 cents an image: a real bill
        (
            "x-ai/grok-imagine-video",
            {"duration": 1, "resolution": "480p", "aspect_ratio": "1:1", "input_references": REF},
            "0.052",
        ),
        ("x-ai/grok-imagine-video", {"duration": 3, "resolution": "720p"}, "0.21"),
        # 1280 x 720 x 4 s x 24 / 1024 = 86,400 tokens
        ("bytedance/seedance-2.0-fast", {"duration": 4, "size": "1280x720", "input_references": REF}, "0.36288"),
        # 1920 x 1080 x 4 x 24 / 1024 = 194,400 tokens at the rate for 1080p, with sound or without
        ("bytedance/seedance-2.0", {"duration": 4, "resolution": "1080p"}, "1.49688"),
        ("bytedance/seedance-2.0", {"duration": 4, "resolution": "1080p", "generate_audio": False}, "1.49688"),
        ("bytedance/seedance-2.0", {"duration": 4, "size": "3840x2160"}, "3.1104"),
        ("alibaba/wan-3.0", {"duration": 5, "resolution": "480p"}, "0.25"),
        ("alibaba/wan-2.7", {"duration": 5, "resolution": "1080p"}, "0.5"),
        ("alibaba/wan-2.6", {"duration": 5, "resolution": "720p"}, "0.40"),
        ("alibaba/wan-2.6", {"duration": 5, "resolution": "1080p", "input_references": REF}, "0.75"),
        ("alibaba/happyhorse-1.1", {"duration": 3, "resolution": "1080p"}, "0.3834"),
        # 5 x 0.13 and two references at 0.04
        ("minimax/hailuo-3", {"duration": 5, "input_references": REF * 2}, "0.73"),
        ("heygen/heygen-video-1", {"duration": 5, "resolution": "2K"}, "0.45"),
        ("heygen/heygen-video-1", {"duration": 5, "resolution": "2K", "input_references": REF}, "0.9"),
        ("heygen/heygen-video-1", {"duration": 5, "resolution": "2K", "frame_images": FRAME}, "0.45"),
        ("google/veo-3.1", {"duration": 4, "resolution": "4K"}, "2.4"),
        ("google/veo-3.1", {"duration": 4, "resolution": "720p", "generate_audio": False}, "0.8"),
        ("google/veo-3.1-fast", {"duration": 4, "resolution": "720p"}, "0.4"),
        ("google/veo-3.1-fast", {"duration": 4, "resolution": "1080p"}, "0.48"),
        ("kwaivgi/kling-v3.0-std", {"duration": 3}, "0.378"),
        ("kwaivgi/kling-v3.0-std", {"duration": 3, "generate_audio": False, "frame_images": FRAME}, "0.252"),
        ("kwaivgi/kling-video-o1", {"duration": 5}, "0.56"),
        ("runway/gen-4.5", {"duration": 2}, "0.24"),
    ],
)
def test_bills(model, body, usd):
    assert bill(model, **body) == Decimal(usd)


def test_a_smallest_bill_and_an_unknown_shape():
    order = read_order({"model": "runway/gen-4.5", "prompt": "p", "duration": 2})
    assert cost(order, {"cents_per_second_output": "1", "minimum_cents_per_generation": "50"}) == Decimal("0.5")
    assert cost(order, {"price_per_mood": "1"}) is None


def test_frames_win_over_references():
    body = {"model": "x-ai/grok-imagine-video", "prompt": "p", "duration": 1, "resolution": "480p"}
    order = read_order(body | {"frame_images": FRAME, "input_references": REF * 3})
    assert order.references == ()
    assert order.dropped_images == 3
    assert cost(order, models()[order.model].skus) == Decimal("0.052")
