"""The figure for a paper: of the width and resolution that were asked for, and readable there."""

import io

import numpy as np
import pytest
from PIL import Image

from refvideo_nb.display.figure import Strip, figure
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.display.sides import Seen
from refvideo_nb.media.video import frames_at, probe


def strip(path, **more):
    facts = probe(path)
    return Strip(video=path, seconds=facts.seconds, width=facts.width, height=facts.height, **more)


def opened(data):
    return Image.open(io.BytesIO(data))


@pytest.fixture
def seen(photos):
    return [Seen(name=f"@{n}", colour=reference_colour(i), data=d) for i, (n, d) in enumerate(photos.items())]


@pytest.mark.parametrize(("width", "dpi"), [(2100, 300), (1050, 150), (300, 36)])
def test_it_has_the_width_and_says_its_resolution(clip, seen, width, dpi):
    sheet = opened(figure([strip(clip, caption="seed 7")], references=seen, width=width, dpi=dpi))
    assert sheet.format == "PNG"
    assert sheet.width == width
    assert sheet.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)


def test_the_same_input_gives_the_same_bytes(clip, seen):
    one, two = (figure([strip(clip)], references=seen, width=600, dpi=100) for _ in range(2))
    assert one == two


def test_its_frames_are_those_of_their_times(clip):
    """Without references the frames stand three in a row from the left edge; each is found there."""
    width, dpi = 1500, 72
    sheet = np.asarray(opened(figure([strip(clip)], width=width, dpi=dpi)).convert("RGB")).astype(int)
    gap, line = 4, 12
    wide = (width - 2 * gap) // 3
    tall = round(wide * 496 / 864)
    frames = frames_at(clip, [4 * (n + 0.5) / 6 for n in range(6)], width=wide)
    for n in range(6):
        x, y = n % 3 * (wide + gap), line + n // 3 * (tall + line)
        found = sheet[y : y + tall, x : x + wide]
        apart = [np.abs(found[10:-10, 10:-10] - other[:tall][10:-10, 10:-10]).mean() for other in frames]
        assert np.argmin(apart) == n
        assert apart[n] < 5, "what is left is the smaller size"


def test_several_videos_each_have_a_row_under_their_name(clip, upright, seen):
    one = opened(figure([strip(clip, name="A  seed 7")], references=seen[:1], width=900, dpi=100))
    two = opened(figure([strip(clip, name=n) for n in ("A", "B")], references=seen[:1], width=900, dpi=100))
    mixed = opened(figure([strip(clip, name="A"), strip(upright, name="B")], references=seen[:1], width=900, dpi=100))
    assert two.height < 2 * one.height, "six frames in a row, not three"
    assert mixed.height > two.height
    upper, lower = (np.asarray(two.convert("L")).astype(int)[h : h + two.height // 2] for h in (0, two.height // 2 + 3))
    rows = min(len(upper), len(lower))
    frames = slice(30, rows - 30), slice(200, None)
    assert np.abs(upper[:rows][frames] - lower[:rows][frames]).mean() < 40, "the same film twice"


def test_a_reference_without_a_picture_and_words_that_are_too_long(clip, seen):
    bad = [
        *seen,
        Seen(name="@x\x1b[31m" * 60, colour="#2f6fed", data=b"none"),
        Seen(name="@s", colour="#000", data=None),
    ]
    sheet = opened(figure([strip(clip, name="x" * 900, caption="y" * 900)], references=bad, width=900, dpi=100))
    assert sheet.width == 900
    pixels = np.asarray(sheet.convert("RGB"))
    assert (pixels == (0xE4, 0xE4, 0xE7)).all(-1).sum() > 5000, "a blank stands for it"


def test_text_grows_with_the_resolution(clip):
    """A caption of seven and a half points has so many pixels; its dark rows are counted."""

    def text_height(dpi):
        made = figure([strip(clip, caption="Hxg" * 3)], width=1200, dpi=dpi)
        grey = np.asarray(opened(made).convert("L"))
        line = round(12 * dpi / 72)
        return (grey[-line:] < 140).any(1).sum()

    assert text_height(300) == pytest.approx(2 * text_height(150), rel=0.15)
