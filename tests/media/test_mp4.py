"""Following the tables of a film finds whatever decoding it would find, and says the same of it."""

import random
import struct
from collections import Counter

import pytest

from refvideo_nb.errors import DownloadError
from refvideo_nb.media import video
from refvideo_nb.media.mp4 import look

DAMAGES = {
    "zeros": lambda data, at, n, _: data[:at] + bytes(n) + data[at + n :],
    "noise": lambda data, at, n, dice: data[:at] + dice.randbytes(n) + data[at + n :],
    "lost": lambda data, at, n, _: data[:at] + data[at + n :] + bytes(n),
    "twice": lambda data, at, n, _: data[: at + n] + data[at : len(data) - n],
    "cut": lambda data, at, _n, _d: data[:at],
}


def decoded(path):
    """What decoding it from end to end says, or None where that fails."""
    try:
        return video._decoded(path)
    except (DownloadError, video.av.FFmpegError):
        return None


@pytest.mark.parametrize("options", [{}, {"movflags": "faststart"}])
def test_nothing_that_decoding_finds_is_overlooked(tmp_path, film, write, cat, options):
    whole = film
    if options:
        frames = [cat[n : n + 180, n : n + 320].copy() for n in range(48)]
        whole = write(tmp_path / "whole.mp4", frames, audio=True, options=options)
    data, path, dice, found = whole.read_bytes(), tmp_path / "x.mp4", random.Random(20261125), Counter()
    begin = data.index(b"mdat") + 4
    for number in range(150):
        what = list(DAMAGES)[number % len(DAMAGES)]
        length = dice.choice([1, 16, 512, 4096])
        path.write_bytes(DAMAGES[what](data, dice.randrange(begin, len(data) - 8192), length, dice))
        try:
            video.probe(path)
        except DownloadError:
            found[what] += 1
        else:
            seen = decoded(path)
            assert seen is not None, (what, number)
    print(dict(found))
    assert found["cut"] == 30
    assert found["zeros"] > 5, "a hole in the middle, which decoders paint over"


def test_the_length_is_that_of_its_frames_whatever_the_head_of_the_track_announces(tmp_path, film):
    data = bytearray(film.read_bytes())
    at = data.index(b"mdhd") + 4 + 12
    scale, duration = struct.unpack_from(">II", data, at)
    struct.pack_into(">I", data, at + 4, duration + scale // 24)  # as muxers write that count the delay of reordering
    path = tmp_path / "x.mp4"
    path.write_bytes(data)
    before, after = video.probe(film), video.probe(path)
    assert (after.seconds, after.fps, after.frames) == (before.seconds, before.fps, before.frames)
    assert after.seconds == pytest.approx(after.frames / after.fps, abs=1e-3)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("audio", [True, False])
@pytest.mark.parametrize("fps", [24, 30])
def test_it_says_what_decoding_says(tmp_path, write, numbered, codec, audio, fps):
    try:
        path = write(tmp_path / "x.mp4", numbered, codec=codec, audio=audio, fps=fps)
    except ValueError:
        pytest.skip(f"this FFmpeg has no {codec}")
    tracks = look(path)
    assert (tracks.frames, tracks.problem) == (48, "")
    assert video._followed(path, tracks) == video._decoded(path)


def test_a_hole_says_which_frame(tmp_path, film):
    data = film.read_bytes()
    path = tmp_path / "x.mp4"
    at = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 3
    path.write_bytes(data[:at] + bytes(4096) + data[at + 4096 :])
    with pytest.raises(DownloadError, match=r"x\.mp4 is not whole: frame \d+ of 48 is damaged"):
        video.probe(path)


@pytest.mark.parametrize("kind", ["x.mkv", "fragments.mp4", "mpeg4.mp4"])
def test_other_kinds_are_left_to_the_decoder(tmp_path, write, numbered, kind):
    options = {"movflags": "frag_keyframe+empty_moov"} if kind == "fragments.mp4" else {}
    codec = "mpeg4" if kind == "mpeg4.mp4" else "libx264"
    path = write(tmp_path / kind, numbered, codec=codec, options=options)
    assert look(path) is None
    assert video.probe(path).frames == 48


def test_no_table_makes_it_read_elsewhere(tmp_path, film):
    """Tables of any content end in an answer, and quickly."""
    data, path, dice = film.read_bytes(), tmp_path / "x.mp4", random.Random(7)
    at = data.index(b"moov")
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(dice.choice([1, 4, 40])):
            broken[dice.randrange(at + 4, len(data))] = dice.choice([0, 1, 127, 255, dice.randrange(256)])
        path.write_bytes(broken)
        tracks = look(path)
        assert tracks is None or tracks.problem or 0 < tracks.frames <= 2_000_000
