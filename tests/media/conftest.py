"""Photographs of scikit-image, and small films of them."""

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image
from skimage import data


@pytest.fixture(scope="session")
def cat():
    """(300, 451, 3) uint8."""
    return data.chelsea()


@pytest.fixture(scope="session")
def coffee():
    """(400, 600, 3) uint8."""
    return data.coffee()


@pytest.fixture(scope="session")
def astronaut():
    """(512, 512, 3) uint8."""
    return data.astronaut()


def write_film(path, frames, *, fps=24, size=(320, 180), audio=False, codec="libx264", options=None, rate=2_000_000):
    with av.open(str(path), "w", options=options or {}) as target:
        track = target.add_stream(codec, rate=fps)
        track.width, track.height, track.pix_fmt, track.bit_rate = *size, "yuv420p", rate
        sound = target.add_stream("aac", rate=44100, layout="mono") if audio else None
        for number, frame in enumerate(frames):
            shown = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(*size, "yuv420p")
            shown.pts, shown.time_base = number, Fraction(1, fps)
            target.mux(track.encode(shown))
        target.mux(track.encode(None))
        if sound is not None:
            write_sound(target, sound, len(frames) / fps)
    return path


def write_sound(target, sound, seconds):
    count = int(44100 * seconds)
    wave = (0.2 * np.sin(np.arange(count) / 20)).astype(np.float32)
    for at in range(0, count, 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, at : at + 1024], format="fltp", layout="mono")
        frame.rate, frame.pts = 44100, at
        target.mux(sound.encode(frame))
    target.mux(sound.encode(None))


@pytest.fixture(scope="session")
def numbered(astronaut):
    """48 frames of which each shows by its brightness which it is: 5 n."""
    return [np.full((180, 320, 3), 5 * n, np.uint8) for n in range(48)]


@pytest.fixture(scope="session")
def film(tmp_path_factory, cat):
    """2 s, 24 fps, 320x180, moving photograph, with sound."""
    wide = np.asarray(Image.fromarray(cat).resize((420, 240)))
    frames = [np.ascontiguousarray(wide[n : n + 180, n : n + 320]) for n in range(48)]
    return write_film(tmp_path_factory.mktemp("films") / "film.mp4", frames, audio=True)


@pytest.fixture(scope="session")
def film_of_numbers(tmp_path_factory, numbered):
    return write_film(tmp_path_factory.mktemp("films") / "numbers.mp4", numbered)


@pytest.fixture(scope="session")
def write():
    return write_film


@pytest.fixture(scope="session")
def sound_only(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "sound.mp4"
    with av.open(str(path), "w") as target:
        write_sound(target, target.add_stream("aac", rate=44100, layout="mono"), 2.0)
    return path
