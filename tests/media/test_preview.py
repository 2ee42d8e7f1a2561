"""A small copy is small, and plays."""

import numpy as np
import pytest

from refvideo_nb.errors import DownloadError
from refvideo_nb.media.preview import preview
from refvideo_nb.media.video import probe


@pytest.mark.parametrize("most", [60_000, 30_000, 20_000])
def test_it_keeps_its_bound_and_plays(tmp_path, film, most):
    data = preview(film, most_bytes=most, seconds=2.0)
    assert len(data) <= most
    path = tmp_path / "small.mp4"
    path.write_bytes(data)
    seen = probe(path)
    assert seen.frames == 48
    assert seen.seconds == pytest.approx(2, abs=0.05)
    assert seen.width <= 320
    assert seen.width % 2 == seen.height % 2 == 0
    assert abs(seen.width / seen.height - 320 / 180) < 0.03
    assert not seen.audio


@pytest.mark.parametrize("most", [20_000, 40_000])
def test_noise_that_no_encoder_makes_small_keeps_the_bound_too(tmp_path, write, most):
    noise = np.random.default_rng(0).integers(0, 256, (24, 180, 320, 3), dtype=np.uint8)
    path = write(tmp_path / "noise.mp4", noise, rate=8_000_000)
    data = preview(path, most_bytes=most, seconds=1.0)
    assert data is None or len(data) <= most


def test_what_cannot_be_that_small_is_none(film):
    assert preview(film, most_bytes=5_000, seconds=2.0) is None
    assert preview(film, most_bytes=0, seconds=2.0) is None
    assert preview(film, most_bytes=60_000, seconds=60.0) is None


def test_what_is_no_film(tmp_path, sound_only):
    path = tmp_path / "x.mp4"
    path.write_bytes(b"<html>")
    for bad in (path, sound_only, tmp_path / "gone.mp4"):
        with pytest.raises(DownloadError, match="cannot be decoded"):
            preview(bad, most_bytes=60_000, seconds=2.0)
