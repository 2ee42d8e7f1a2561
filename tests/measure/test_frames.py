"""Frames for measuring: which ones, when, how large, and how many at once."""

import tracemalloc
from fractions import Fraction

import av
import numpy as np
import pytest

from refvideo_nb.errors import DownloadError, InvalidRequestError
from refvideo_nb.media.sampling import frames_shown, sample_frames
from refvideo_nb.media.video import frames_at

NUMBERED = [np.full((90, 160, 3), 5 * n, np.uint8) for n in range(48)]


def film(path, frames=NUMBERED, *, moments=None, fps=24, codec="libx264", pixels="yuv420p", ratio=None):
    """A film whose frames are shown at the given moments, in steps of 1/24 s."""
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as target:
        track = target.add_stream(codec, rate=fps)
        track.width, track.height, track.pix_fmt = width, height, pixels
        track.codec_context.time_base = Fraction(1, fps)
        if codec == "libx264":
            track.options = {"crf": "12"}
        if ratio:
            track.codec_context.sample_aspect_ratio = ratio
        for number, frame in zip(moments or range(len(frames)), frames, strict=True):
            shown = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format=pixels)
            shown.pts, shown.time_base = number, Fraction(1, fps)
            target.mux(track.encode(shown))
        target.mux(track.encode(None))
    return path


def numbers(batches):
    """Which frames came, by their brightness."""
    return [round(float(image.mean()) / 5) for batch in batches for image in batch.images]


def times(batches):
    return [round(float(time), 4) for batch in batches for time in batch.times]


@pytest.fixture(scope="module")
def numbered(tmp_path_factory):
    return film(tmp_path_factory.mktemp("films") / "numbers.mp4")


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"count": 8}, range(0, 48, 6)),
        ({"count": 1}, [0]),
        ({"count": 5}, [0, 9, 19, 28, 38]),
        ({"count": 48}, range(48)),
        ({"count": 500}, range(48)),
        ({"count": None}, range(48)),
        ({"every": 0.5}, [0, 12, 24, 36]),
        ({"every": 0.3}, [0, 7, 14, 21, 28, 36, 43]),
        ({"every": 99}, [0]),
        ({"every": 1e-4}, range(48)),
    ],
)
def test_which_frames(numbered, how, expected):
    batches = list(sample_frames(numbered, short_side=48, **how))
    assert numbers(batches) == list(expected)
    assert times(batches) == [round(n / 24, 4) for n in expected]
    assert max(len(batch.images) for batch in batches) <= 8


def test_thirty_two_of_them_by_default(numbered):
    batches = list(sample_frames(numbered, short_side=32))
    assert [batch.images.shape for batch in batches] == [(8, 32, 57, 3)] * 4
    assert all(batch.images.dtype == np.uint8 and batch.times.dtype == np.float64 for batch in batches)
    assert times(batches)[0] == 0


def test_they_are_the_frames_of_their_moments(numbered):
    [batch] = sample_frames(numbered, count=6, short_side=90)
    expected = frames_at(numbered, list(batch.times), width=160)
    assert np.abs(batch.images.astype(int) - np.stack(expected)).max() <= 1


def test_single_moments_are_found_again_in_any_order(tmp_path, numbered):
    late = film(tmp_path / "late.mp4", moments=range(36, 84))
    for path in (numbered, late):
        [batch] = sample_frames(path, count=6, short_side=90)
        order = [4, 0, 5, 0, 2]
        again = frames_shown(path, [float(batch.times[n]) for n in order], short_side=90)
        assert all(np.array_equal(one, batch.images[n]) for one, n in zip(again, order, strict=True))
        [last] = frames_shown(path, [99.0], short_side=90)
        assert round(float(last.mean()) / 5) == 47


@pytest.mark.parametrize("name", ["late.mkv", "late.mp4", "late.mov"])
def test_time_begins_with_the_first_frame(tmp_path, name):
    path = film(tmp_path / name, moments=range(36, 84))
    batches = list(sample_frames(path, count=8, short_side=48))
    assert numbers(batches) == list(range(0, 48, 6))
    assert times(batches) == pytest.approx([n / 4 for n in range(8)], abs=0.002)  # Matroska counts milliseconds


def test_a_rate_that_varies(tmp_path):
    # Ten frames in a second, one that stands for two, and ten in the fourth second.
    moments = [*range(0, 24, 2), *range(72, 96, 2)]
    path = film(tmp_path / "varies.mp4", NUMBERED[: len(moments)], moments=moments)
    batches = list(sample_frames(path, count=8, short_side=48))
    step = (94 / 24 + 94 / 24 / 23) / 8
    shown = [max(n for n, moment in enumerate(moments) if moment / 24 <= k * step + 1e-6) for k in range(8)]
    assert numbers(batches) == list(dict.fromkeys(shown))  # what stands long comes once
    assert times(batches) == [round(moments[n] / 24, 4) for n in dict.fromkeys(shown)]


def test_a_single_frame(tmp_path):
    path = film(tmp_path / "one.mp4", NUMBERED[7:8])
    for how in ({}, {"count": None}, {"every": 2}):
        [batch] = sample_frames(path, short_side=48, **how)
        assert (numbers([batch]), times([batch])) == ([7], [0])


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(90, 160, (64, 114)), (160, 90, (114, 64)), (33, 33, (64, 64)), (20, 400, (64, 256)), (181, 321, (64, 114))],
)
def test_the_size_is_that_of_the_shorter_side(tmp_path, height, width, expected):
    ramp = np.linspace(0, 255, width, dtype=np.uint8)[None, :, None].repeat(height, axis=0).repeat(3, axis=2)
    path = film(tmp_path / "odd.mkv", [ramp] * 3, codec="ffv1", pixels="yuv444p")
    [batch] = sample_frames(path, count=None, short_side=64)
    assert batch.images.shape == (3, *expected, 3)
    assert batch.images.flags.c_contiguous
    row = batch.images[0, expected[0] // 2, :, 0].astype(int)
    assert np.abs(row - np.linspace(0, 255, expected[1])).max() < 8


def halves(*, upper, lower, shape=(90, 160, 3)):
    frame = np.full(shape, upper, np.uint8)
    frame[shape[0] // 2 :] = lower
    return frame


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_film_that_was_held_another_way(tmp_path, turn):
    path = film(tmp_path / "held.mp4", [halves(upper=200, lower=50)] * 4)
    data = bytearray(path.read_bytes())
    # The matrix of the track's header says how it is to be turned, clockwise (ISO 14496-12, 8.3.2).
    one, cos, sin = 1 << 16, *{0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[turn]
    matrix = [cos * one, sin * one, 0, -sin * one, cos * one, 0, 0, 0, 1 << 30]
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(bytes(data))
    [batch] = sample_frames(path, count=1, short_side=40)
    expected = np.rot90(halves(upper=200, lower=50, shape=(40, 71, 3)), -turn // 90)
    assert batch.images[0].shape == expected.shape
    quarters = [(slice(0, n // 3), slice(-(n // 3), None)) for n in expected.shape[:2]]
    for rows in quarters[0]:
        for columns in quarters[1]:
            found, meant = batch.images[0][rows, columns], expected[rows, columns]
            assert np.abs(found.astype(int).mean() - meant.mean()) < 8


def test_pixels_that_are_no_squares(tmp_path):
    path = film(tmp_path / "wide.mp4", ratio=Fraction(3, 2))
    [batch] = sample_frames(path, count=1, short_side=90)
    assert batch.images.shape == (1, 90, 240, 3)


def test_frames_of_another_size_on_the_way(tmp_path):
    # Two films behind one another in a container that allows it.
    small, large = (
        film(tmp_path / "a.ts", NUMBERED[:6]),
        film(tmp_path / "b.ts", [np.zeros((120, 120, 3), np.uint8)] * 6),
    )
    path = tmp_path / "both.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    shapes = {batch.images.shape[1:] for batch in sample_frames(path, count=None, short_side=60)}
    assert (60, 107, 3) in shapes


def test_sound_alone_is_no_film(tmp_path):
    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w", format="mp4") as target:
        track = target.add_stream("aac", rate=44100, layout="mono")
        for at in range(0, 44100, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.rate, frame.pts = 44100, at
            target.mux(track.encode(frame))
        target.mux(track.encode(None))
    with pytest.raises(DownloadError, match=r"sound\.m4a has no video track"):
        next(sample_frames(path))


@pytest.mark.parametrize(
    "data", [b"", b"<!DOCTYPE html>" * 99, bytes(9999), b"\x00\x00\x00\x20ftypisom" + b"\xff" * 5000]
)
def test_what_is_no_film(tmp_path, data):
    path = tmp_path / "x.mp4"
    path.write_bytes(data)
    with pytest.raises(DownloadError, match=r"x\.mp4"):
        next(sample_frames(path))


def test_a_file_that_is_gone(tmp_path):
    with pytest.raises(DownloadError, match=r"gone\.mp4"):
        next(sample_frames(tmp_path / "gone.mp4"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", 0),
        ("count", -3),
        ("every", 0),
        ("every", float("nan")),
        ("every", float("inf")),
        ("short_side", 0),
        ("batch", 0),
    ],
)
def test_numbers_that_cannot_be_used(numbered, field, value):
    with pytest.raises(InvalidRequestError, match=f"{field}=") as caught:
        sample_frames(numbered, **{field: value})  # at once, not when the first frame is asked for
    assert caught.value.field == field


def test_what_is_held_does_not_grow_with_the_film(tmp_path, numbered):
    long = film(tmp_path / "long.mp4", NUMBERED * 6)

    def peak(path):
        tracemalloc.start()
        count = sum(len(batch.images) for batch in sample_frames(path, count=None, short_side=180, batch=4))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return count, most

    (few, short_peak), (many, long_peak) = peak(numbered), peak(long)
    assert (few, many) == (48, 288)
    assert long_peak < short_peak * 1.2 + 200_000
