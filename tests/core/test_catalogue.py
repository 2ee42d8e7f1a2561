"""The frame that a resolution and a ratio stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refvideo_nb.client.models import captured
from refvideo_nb.core.catalogue import Model, nominal_size

MODELS = {m.id: m for m in captured().models}
ASKED = [(m, r, a) for m in MODELS.values() for r in m.resolutions or () for a in m.aspect_ratios or ()]
# What these three list for a ratio is of other resolutions; the nearest area stands for it.
SHORT_SIDE = {"1K": 1024, "2K": 1440, "4K": 2160}


def near(size, ratio):
    wide, high = map(int, ratio.split(":"))
    return abs(size[0] / size[1] / (wide / high) - 1) <= 0.04


def test_there_are_fifteen_models():
    assert len(MODELS) == 15
    assert len(ASKED) > 120


@pytest.mark.parametrize(("model", "resolution", "ratio"), ASKED, ids=[f"{m.id}-{r}-{a}" for m, r, a in ASKED])
def test_a_listed_size_of_that_ratio_where_there_is_one(model, resolution, ratio):
    size = nominal_size(model, resolution, ratio)
    assert near(size, ratio), size
    of_that_ratio = [s for s in model.sizes or () if near(s, ratio)]
    if of_that_ratio:
        assert size in of_that_ratio
        short = SHORT_SIDE.get(resolution) or int(resolution[:-1])
        if any(min(s) == short for s in of_that_ratio):
            assert min(size) == short
    else:
        assert all(side % 2 == 0 for side in size), "H.264 takes even sides only"


@pytest.mark.parametrize(
    ("model", "resolution", "ratio", "size"),
    [
        ("bytedance/seedance-2.0-fast", "720p", "16:9", (1280, 720)),
        ("bytedance/seedance-2.0-fast", "480p", "16:9", (854, 480)),
        ("bytedance/seedance-2.0-fast", "480p", "9:16", (480, 854)),
        ("bytedance/seedance-2.5", "480p", "21:9", (992, 432)),
        ("bytedance/seedance-2.5", "720p", "21:9", (1470, 630)),
        ("bytedance/seedance-2.5", "480p", "4:3", (752, 560)),
        ("bytedance/seedance-2.0", "4K", "16:9", (3840, 2160)),
        ("bytedance/seedance-2.0", "4K", "9:16", (2160, 3840)),
        ("google/veo-3.1", "4K", "9:16", (2160, 3840)),
        ("alibaba/wan-3.0", "480p", "1:1", (480, 480)),
        ("x-ai/grok-imagine-video", "720p", "3:2", (1080, 720)),
    ],
)
def test_by_hand(model, resolution, ratio, size):
    assert nominal_size(MODELS[model], resolution, ratio) == size


@pytest.mark.parametrize(
    ("resolution", "ratio"),
    [("", "16:9"), ("720p", ""), ("720p", "16:"), ("720p", "0:9"), ("720p", "16:0"), ("p", "1:1"), ("²p", "1:1"),
     ("720p", "²:1"), ("9" * 5000 + "p", "1:1"), ("720p", "9" * 5000 + ":1")],
)  # fmt: skip
def test_what_is_no_resolution_or_ratio_has_no_size(resolution, ratio):
    assert nominal_size(Model(id="a/b"), resolution, ratio) is None


@given(
    st.text(max_size=8) | st.sampled_from(["720p", "4K", "1k"]),
    st.text(max_size=8) | st.sampled_from(["16:9", "99999:1"]),
)
def test_nominal_size_never_raises(resolution, ratio):
    for model in (Model(id="a/b"), MODELS["google/veo-3.1"]):
        size = nominal_size(model, resolution, ratio)
        assert size is None or (size[0] >= 0 and size[1] >= 0)
