"""What is sent of an image file is the picture, and nothing of where it was taken."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from refvideo_nb.media.images import prepare
from refvideo_nb.media.metadata import without_metadata

SECRET = "Kept at home, 48 degrees north"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def picture(kind: str, mode: str = "RGB", **more: object) -> bytes:
    """A file with everything that can be hung on a picture."""
    values = np.random.default_rng(7).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    image = Image.fromarray(values).convert(mode)
    exif = Image.Exif()
    exif[0x010E] = SECRET
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 30.0)
    out = io.BytesIO()
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", SECRET)
        info.add_itxt("XML:com.adobe.xmp", SECRET)
        more["pnginfo"] = info
    elif kind == "JPEG":
        more |= {"comment": SECRET, "xmp": SECRET.encode()}
    else:
        more["xmp"] = SECRET.encode()
    image.save(out, kind, exif=exif, icc_profile=PROFILE, **more)
    return out.getvalue()


FILES = {
    "jpeg": picture("JPEG"),
    "jpeg progressive": picture("JPEG", progressive=True),
    "jpeg restarts": picture("JPEG", restart_marker_rows=1),
    "jpeg grey": picture("JPEG", mode="L"),
    "png": picture("PNG"),
    "png palette": picture("PNG", mode="P"),
    "png alpha": picture("PNG", mode="RGBA"),
    "webp": picture("WEBP"),
    "webp lossless alpha": picture("WEBP", mode="RGBA", lossless=True),
}


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("name", FILES)
def test_the_picture_stays_and_nothing_else_does(name: str) -> None:
    before = FILES[name]
    assert SECRET.encode() in before
    sent = prepare(before, name="x").data
    assert SECRET.encode() not in sent
    assert b"Exif" not in sent
    old, new = opened(before), opened(sent)
    assert new.format == old.format
    assert new.mode == old.mode
    assert np.array_equal(np.asarray(new), np.asarray(old))
    assert new.info.get("icc_profile") == PROFILE
    assert not new.getexif()


def test_what_stands_behind_the_end_goes_too() -> None:
    for name in ("jpeg", "png", "webp"):
        clean = without_metadata(FILES[name])
        assert without_metadata(FILES[name] + SECRET.encode()) == clean
        assert without_metadata(clean) == clean


@pytest.mark.parametrize("name", ["jpeg progressive", "png", "webp"])
@given(data=st.data())
def test_no_damage_makes_it_fail(name: str, data: st.DataObject) -> None:
    whole = FILES[name]
    start, length = data.draw(st.tuples(st.integers(0, len(whole)), st.integers(0, 64)))
    damaged = whole[:start] + data.draw(st.binary(max_size=16)) + whole[start + length :]
    assert isinstance(without_metadata(damaged), bytes)
    assert without_metadata(whole[:start]) is not None
