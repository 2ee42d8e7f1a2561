"""Whatever is given as a picture: a correct one comes out, or a clear error."""

import contextlib
import io
import struct
import threading
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from refvideo_nb.core.catalogue import ImageLimits
from refvideo_nb.errors import BadReferenceError
from refvideo_nb.media.images import encode_array, encode_image, is_image, prepare, thumbnail


def encoded(image, kind, **options):
    out = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(out, kind, **options)
    return out.getvalue()


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def pixels(data):
    return np.asarray(opened(data).convert("RGB")).astype(int)


def near(a, b, most=6.0):
    """Whether two pictures show the same, but for what encoding costs."""
    return a.shape == b.shape and np.abs(a.astype(int) - b.astype(int)).mean() < most


def refused(data, **more):
    with pytest.raises(BadReferenceError) as caught:
        prepare(data, name="photos/pack.jpg", **more)
    assert "'photos/pack.jpg'" in str(caught.value)
    assert str(caught.value).isprintable()
    assert caught.value.field == "references"
    return str(caught.value)


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_what_providers_take_is_sent_as_it_is(cat, kind, media_type):
    data = encoded(cat, kind)
    done = prepare(data, name="x")
    assert done.data == data
    assert (done.media_type, done.width, done.height, done.note) == (media_type, 451, 300, "")


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "JPEG2000"])
def test_other_formats_become_png_without_a_loss(cat, kind):
    data = encoded(cat, kind)
    done = prepare(data, name="x")
    assert done.media_type == "image/png"
    assert (done.width, done.height) == (451, 300)
    assert np.array_equal(pixels(done.data), pixels(data))
    assert kind in done.note


def test_cmyk(cat):
    data = encoded(Image.fromarray(cat).convert("CMYK"), "JPEG", quality=95)
    done = prepare(data, name="x")
    assert done.media_type == "image/jpeg"
    assert opened(done.data).mode == "RGB"
    assert near(pixels(done.data), cat, 8)
    assert "CMYK" in done.note


def test_sixteen_bits_of_grey_are_scaled_and_not_cut(cat):
    grey = np.asarray(Image.fromarray(cat).convert("L"))
    data = encoded(Image.fromarray(grey.astype(np.uint16) * 257), "PNG")
    done = prepare(data, name="x")
    assert opened(done.data).mode in {"L", "RGB"}
    assert near(pixels(done.data)[..., 0], grey, 1)


@pytest.mark.parametrize("scale", [1 / 255, 1, 257])
def test_floating_point_tiff(cat, scale):
    grey = np.asarray(Image.fromarray(cat).convert("L"))
    done = prepare(encoded(Image.fromarray((grey.astype(float) * scale).astype(np.float32)), "TIFF"), name="x")
    assert near(pixels(done.data)[..., 0], grey, 1)


def test_a_palette_and_transparency_are_kept(cat):
    palette = Image.fromarray(cat).quantize(64)
    assert prepare(encoded(palette, "PNG"), name="x").note == ""
    clear = Image.fromarray(cat).convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    for kind in ("PNG", "TIFF"):
        done = prepare(encoded(clear, kind), name="x")
        assert np.array_equal(np.asarray(opened(done.data)), np.asarray(clear))
    gif = encoded(palette, "GIF", transparency=0)
    assert opened(prepare(gif, name="x").data).mode == "RGBA"


def test_one_bit(cat):
    done = prepare(encoded(Image.fromarray(cat).convert("1"), "PNG"), name="x")
    assert opened(done.data).mode == "RGB"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(coffee, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying = Image.fromarray(coffee)
    data = encoded(lying, kind, exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    done = prepare(data, name="x")
    assert (done.width, done.height) == ((600, 400) if orientation < 5 else (400, 600))
    # Read without regard to EXIF, as a provider might.
    assert near(pixels(done.data), upright)
    assert opened(done.data).getexif().get(0x0112, 1) == 1
    assert ("turned upright" in done.note) is (orientation > 1)


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_is_none_changes_nothing(coffee, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(coffee, "JPEG", exif=exif)
    done = prepare(data, name="x")
    assert done.note == ""
    assert done.data == encoded(coffee, "JPEG")


def test_the_colours_of_a_wide_gamut_survive_turning(coffee):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    done = prepare(encoded(coffee, "JPEG", exif=exif, icc_profile=profile), name="x")
    assert opened(done.data).info["icc_profile"] == profile


def test_an_animation_gives_its_first_frame(cat, coffee):
    frames = [Image.fromarray(cat), Image.fromarray(coffee).resize((451, 300))]
    for kind in ("GIF", "WEBP", "PNG"):
        done = prepare(encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100), name="x")
        assert "first frame of an animation" in done.note
        assert near(pixels(done.data), cat, 12)
        assert not getattr(opened(done.data), "is_animated", False)


def test_a_photograph_with_a_preview_behind_it(cat):
    small = Image.fromarray(cat).resize((45, 30))
    done = prepare(encoded(cat, "MPO", save_all=True, append_images=[small]), name="x")
    assert (done.media_type, done.width, done.height) == ("image/jpeg", 451, 300)
    assert "animation" not in done.note
    assert near(pixels(done.data), cat)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty (0 bytes)"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\n <?xml version='1.0'?><svg/>", "SVG"),
        (b"<!DOCTYPE html><html>", "no picture"),
        (b"hello", "no picture"),
        (b"\x00" * 1000, "no picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n", "no picture"),
        (b"\x89PNG\r\n\x1a\n", "no picture"),
        (b"\xff\xd8\xff\xe0", "no picture"),
        (b"GIF89a", "no picture"),
    ],
)
def test_what_is_no_picture(data, says):
    assert says in refused(data)
    assert not is_image(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_picture_that_is_cut_off(cat, kind):
    data = encoded(cat, kind)
    told = refused(data[: len(data) // 2])
    assert "damaged or cut off" in told or "no picture" in told


def bomb(width, height):
    """A PNG of one bit a pixel, all black: a few kilobytes that unfold to `width` x `height`."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [20_000, 12_000])
def test_a_decompression_bomb(side):
    data = bomb(side, side)
    assert len(data) < 100_000
    assert "million" in refused(data)


def test_small_bombs_are_pictures():
    assert prepare(bomb(800, 800), name="x").width == 800


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_too_many_pixels_are_made_fewer(coffee, kind):
    done = prepare(encoded(coffee, kind), name="x", limits=ImageLimits(max_side=300))
    assert (done.width, done.height) == (300, 200)
    assert opened(done.data).size == (300, 200)
    assert near(pixels(done.data), np.asarray(Image.fromarray(coffee).resize((300, 200), Image.Resampling.LANCZOS)))
    assert "600x400 made smaller" in done.note
    assert prepare(encoded(coffee, kind), name="x", limits=ImageLimits(max_side=600)).note == ""


@pytest.mark.parametrize("most", [150_000, 40_000, 8_000, 2_000])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_too_many_bytes_are_made_fewer(astronaut, kind, most):
    data = encoded(astronaut, kind)
    done = prepare(data, name="x", limits=ImageLimits(max_bytes=most))
    if len(data) > most:
        assert len(done.data) <= most
        assert "MB instead of" in done.note
    image = opened(done.data)
    assert image.size == (512, 512) or most < 40_000
    assert (done.width, done.height) == image.size, "what is said is what is sent"


def test_what_cannot_be_made_small_enough(astronaut):
    assert "cannot be made as small" in refused(encoded(astronaut, "JPEG"), limits=ImageLimits(max_bytes=10))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 400),
    st.integers(1, 400),
    st.integers(1, 500),
    st.integers(700, 20_000),
    st.sampled_from(["RGB", "RGBA", "L", "P"]),
)
def test_limits_are_kept(width, height, side, most, mode):
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise).convert(mode), "PNG")
    done = prepare(data, name="x", limits=ImageLimits(max_side=side, max_bytes=most))
    assert max(done.width, done.height) <= side
    assert len(done.data) <= most
    assert opened(done.data).size == (done.width, done.height)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\x00", b"RIFF\x00\x00\x00\x00WEBP", b"%!PS"]
    ),
)
def test_any_bytes_are_a_picture_or_refused(data, head):
    with contextlib.suppress(BadReferenceError):
        assert prepare(head + data, name="x").data


def test_no_warning_reaches_the_notebook(cat):
    exif = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\xff\xff\x00\x06"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prepare(encoded(cat, "JPEG", exif=exif), name="x")


def test_an_image_that_a_person_has_opened(cat, coffee):
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.open(io.BytesIO(encoded(coffee, "JPEG", exif=exif)))
    assert opened(encode_image(lying)).size == (400, 600)
    deep = Image.fromarray(np.asarray(Image.fromarray(cat).convert("L")).astype(np.uint16) * 257)
    assert near(pixels(encode_image(deep))[..., 0], np.asarray(Image.fromarray(cat).convert("L")), 1)
    clear = Image.fromarray(cat).convert("RGBA").quantize(32)
    clear.info["transparency"] = 0
    assert opened(encode_image(clear)).mode == "RGBA"
    for mode in ("RGB", "RGBA", "L", "LA", "CMYK", "YCbCr", "HSV", "LAB", "1", "F", "I"):
        image = Image.fromarray(cat).convert("RGB").convert(mode) if mode != "LAB" else Image.new("LAB", (4, 4))
        assert opened(encode_image(image)).format == "PNG"


@pytest.mark.parametrize("shape", [(30, 40, 3), (30, 40, 4), (30, 40), (1, 1, 3)])
def test_arrays(shape):
    values = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(np.asarray(opened(encode_array(values, name="x"))), values)
    assert np.array_equal(np.asarray(opened(encode_array(values[::-1], name="x"))), values[::-1]), (
        "whatever its strides"
    )


@pytest.mark.parametrize(
    "array",
    [
        *(np.zeros((4, 4, 3), kind) for kind in (float, np.float32, np.int64, bool)),
        *(np.zeros(shape, np.uint8) for shape in ((3, 5, 5), (4, 4, 1), (2, 4, 4, 3), (4,), (0, 4, 3), ())),
        np.array([["a"]]),
        [[object()]],
        "text",
    ],
)
def test_arrays_that_are_no_pictures(array):
    with pytest.raises(BadReferenceError) as caught:
        encode_array(array, name="cat")
    shape = np.asarray(array).shape
    assert f"of shape {shape}" in str(caught.value)
    assert "(height, width, 3) uint8" in str(caught.value)


@pytest.mark.parametrize("size", [(160, 90), (90, 160), (64, 64), (600, 400)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_thumbnail_fills_its_box(coffee, size, kind):
    image = opened(thumbnail(encoded(coffee, kind), width=size[0], height=size[1]))
    assert (image.format, image.size, image.mode) == ("JPEG", size, "RGB")
    expected = ImageOps.fit(Image.fromarray(coffee), size, Image.Resampling.LANCZOS, centering=(0.5, 0.25))
    assert near(np.asarray(image), np.asarray(expected), 8)


def test_a_thumbnail_of_what_is_clear_lies_on_white():
    clear = Image.new("RGBA", (100, 100), (255, 0, 0, 0))
    assert near(pixels(thumbnail(encoded(clear, "PNG"), width=10, height=10)), np.full((10, 10, 3), 255))


def test_thumbnails_of_many_threads(cat):
    data, made = encoded(cat, "JPEG"), []
    threads = [threading.Thread(target=lambda: made.append(thumbnail(data, width=32, height=32))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
