"""Which pixels a resolution and an aspect ratio stand for."""

import pytest

from refvideo_nb.simulator.catalogue import models
from refvideo_nb.simulator.frame_size import every_size, frame_size


@pytest.mark.parametrize(
    ("model", "resolution", "aspect_ratio", "size"),
    [
        ("bytedance/seedance-2.0", "480p", "16:9", (854, 480)),
        ("bytedance/seedance-2.0", "480p", "1:1", (480, 480)),
        ("bytedance/seedance-2.0", "4K", "21:9", (5040, 2160)),
        ("bytedance/seedance-2.5", "480p", "4:3", (752, 560)),
        ("bytedance/seedance-2.5", "720p", "1:1", (960, 960)),
        ("x-ai/grok-imagine-video", "720p", "3:2", (1080, 720)),
        ("alibaba/wan-3.0", "480p", "9:16", (480, 854)),
        ("heygen/heygen-video-1", "768p", "16:9", (1366, 768)),
        ("minimax/hailuo-3", "2K", "16:9", (2560, 1440)),
    ],
)
def test_frames(model, resolution, aspect_ratio, size):
    assert frame_size(models()[model], resolution, aspect_ratio) == size


@pytest.mark.parametrize("model", models().values(), ids=lambda model: model.id)
def test_every_listed_size_is_made_and_none_beside(model):
    made = every_size(model)
    assert not model.sizes or set(made) == set(model.sizes)
    assert all(int(side) % 2 == 0 for size in made for side in size.split("x"))
