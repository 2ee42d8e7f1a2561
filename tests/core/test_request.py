"""Sizes as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refvideo_nb.core.request import VideoRequest, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1280x720", (1280, 720)),
        ("1280X720", (1280, 720)),
        ("1280×720", (1280, 720)),
        ("0x720", None),
        ("1280x", None),
        ("x", None),
        ("720p", None),
        ("-1x2", None),
        ("1280x720x1", None),
        ("²x²", None),
        ("9" * 5000 + "x1", None),
        ("1280x720\n", None),
    ],
)
def test_parse_size(text, size):
    assert parse_size(text) == size


@given(st.text(max_size=30) | st.text(alphabet="0123456789x×٣²", max_size=30))
def test_parse_size_never_raises(text):
    assert parse_size(text) is None or len(parse_size(text)) == 2


def test_count(reference):
    request = VideoRequest(prompt="x", references=(reference("a"), reference("b", "video"), reference("c")))
    assert [request.count(k) for k in ("image", "video", "audio")] == [2, 1, 0]
