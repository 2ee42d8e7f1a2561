"""The contact sheet: what a viewer shows that keeps no HTML."""

import io

import numpy as np
import pytest
from PIL import Image

from refvideo_nb.display.contact import contact_sheet, draw_sheet, frame_times
from refvideo_nb.display.palette import reference_colour


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.format == "PNG"
    return image


def near(image, colour, slack=0):
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(np.asarray(image.convert("RGB")).astype(int) - wanted).max(axis=2) <= slack).sum())


@pytest.mark.parametrize("width", [480, 960, 1280])
def test_it_opens_opaque_and_has_the_width_asked_for(clip, photos, width):
    sheet = opened(contact_sheet(clip, seconds=4.0, references=list(photos.items()), width=width))
    assert sheet.width == width
    assert "transparency" not in sheet.info
    assert sheet.getpixel((2, 2)) == sheet.getpixel((width - 3, sheet.height - 3)), "one quiet ground"


def test_names_are_underlined_in_their_colours(clip, photos):
    sheet = opened(contact_sheet(clip, seconds=4.0, references=list(photos.items())))
    for index in range(4):
        assert near(sheet, reference_colour(index)) >= 30


def test_the_frames_are_different_moments(clip):
    wide = opened(contact_sheet(clip, seconds=4.0, columns=6, width=960))
    tall = opened(contact_sheet(clip, seconds=4.0, columns=2, width=960))
    assert wide.height < tall.height
    pixels = np.asarray(wide.convert("RGB")).astype(int)
    first, last = pixels[40:110, 20:160], pixels[40:110, 800:940]
    assert np.abs(first - last).mean() > 10


def test_upright_frames_stand_in_one_row(upright):
    sheet = opened(contact_sheet(upright, seconds=1.0))
    assert sheet.height < 400


def test_a_picture_that_cannot_be_read_leaves_a_blank(clip, photos):
    sheet = contact_sheet(clip, seconds=4.0, references=[("@cat", photos["cat"]), ("@x\x1b[31m" * 40, b"no picture")])
    assert opened(sheet).width == 960


def test_it_is_small(clip, photos):
    assert len(contact_sheet(clip, seconds=4.0, references=list(photos.items()), caption="x" * 1000)) <= 130_000


def test_even_noise_stays_small():
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 256, (270, 480, 3), dtype=np.uint8) for _ in range(6)]
    assert len(draw_sheet(frames, frame_times(4.0))) <= 130_000
