"""A film is whole or refused, and its frames are those of the moment."""

import hashlib

import av
import numpy as np
import pytest

from refvideo_nb.errors import DownloadError
from refvideo_nb.media.video import frames_at, length, open_media, probe


def refused(path):
    with pytest.raises(DownloadError) as caught:
        probe(path)
    assert path.name in str(caught.value)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_a_whole_film(film):
    data = film.read_bytes()
    seen = probe(film)
    assert seen.sha256 == hashlib.sha256(data).hexdigest()
    assert (seen.nbytes, seen.width, seen.height, seen.frames, seen.fps, seen.audio) == (
        len(data),
        320,
        180,
        48,
        24,
        True,
    )
    assert seen.seconds == pytest.approx(2, abs=0.05)


def test_a_silent_one(film_of_numbers):
    assert not probe(film_of_numbers).audio


@pytest.mark.parametrize("front", [True, False])
@pytest.mark.parametrize("share", [0.99, 0.9, 0.5, 0.1, 0.01])
def test_a_film_that_is_cut_off(tmp_path, write, cat, front, share):
    options = {"movflags": "faststart"} if front else {}
    frames = [np.roll(np.resize(cat, (180, 320, 3)), 7 * n, axis=1) for n in range(48)]
    whole = write(tmp_path / "whole.mp4", frames, options=options).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: int(len(whole) * share)])
    refused(path)
    path.write_bytes(whole[:-1])
    assert "1 bytes or more are missing" in refused(path)
    path.write_bytes(whole)
    assert probe(path).frames == 48


def test_a_fragmented_film_is_whole_too(tmp_path, write, numbered):
    path = write(tmp_path / "x.mp4", numbered, options={"movflags": "frag_keyframe+empty_moov"})
    assert probe(path).frames == 48


def test_other_containers(tmp_path, write, numbered):
    for name in ("x.mkv", "x.mov"):
        assert probe(write(tmp_path / name, numbered)).frames == 48


def test_sound_alone_is_no_film(sound_only):
    assert "no video track" in refused(sound_only)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<!DOCTYPE html><title>Sign in</title>" * 50,
        b"\x00\x00\x00\x20ftypisom" + bytes(20),
        b"\x00\x00\x00\x20ftypisom" + bytes(20) + b"\xff" * 5000,
        b"\x00\x00\x00\x01mdat",
        bytes(10_000),
        b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfilm.mp4\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile film.mp4\n",
        b"\x1b[31mtext that a terminal would colour",
    ],
)
def test_what_is_no_film(tmp_path, film, data):
    # A playlist beside a film must not show the film: what is refused is the file itself.
    (tmp_path / "film.mp4").write_bytes(film.read_bytes())
    path = tmp_path / "x.mp4"
    path.write_bytes(data)
    refused(path)
    with pytest.raises(DownloadError):
        frames_at(path, [0.0], width=32)
    assert length(path) is None


def test_a_file_that_is_gone(tmp_path):
    refused(tmp_path / "gone.mp4")
    assert length(tmp_path / "gone.mp4") is None
    with pytest.raises(DownloadError):
        frames_at(tmp_path / "gone.mp4", [0.0], width=32)


def test_length(film, sound_only):
    assert length(film) == pytest.approx(2, abs=0.1)
    assert length(sound_only) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        ([0.0], [0]),
        ([0.0, 0.5, 1.0], [0, 12, 24]),
        ([0.03, 0.05], [0, 1]),  # a frame is shown until the next one comes
        ([10 / 24, 10 / 24, 10 / 24 + 0.001], [10, 10, 10]),
        ([47 / 24], [47]),
        ([1.99, 2.0, 99.0], [47, 47, 47]),
        ([-1.0], [0]),
        ([], []),
    ],
)
def test_frames_of_a_moment(film_of_numbers, times, shown):
    found = frames_at(film_of_numbers, times, width=64)
    assert [f.shape for f in found] == [(36, 64, 3)] * len(times)
    assert all(f.dtype == np.uint8 and f.flags.c_contiguous for f in found)
    assert [round(float(f.mean()) / 5) for f in found] == shown


def test_frames_show_the_film(film, cat):
    from PIL import Image

    [first] = frames_at(film, [0.0], width=320)
    expected = np.asarray(Image.fromarray(cat).resize((420, 240)))[:180, :320].astype(int)
    assert np.abs(first.astype(int) - expected).mean() < 12


def test_a_title_that_is_no_utf8_does_not_cost_the_film(film, tmp_path):
    path = tmp_path / "titled.mp4"
    with av.open(str(film)) as source, av.open(str(path), "w", format="mp4") as target:
        target.metadata["title"] = "TITLE-HERE"
        copy = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    written = path.read_bytes()
    assert b"TITLE-HERE" in written
    path.write_bytes(written.replace(b"TITLE-HERE", b"\xff\xfe\x80ITLE-HE"))
    with open_media(path) as opened:
        assert opened.metadata["title"].endswith("ITLE-HE")
    assert probe(path).frames > 0
