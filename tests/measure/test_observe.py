"""Frames side by side: in order, a few at a time, and unrelated pictures only where the picture changed."""

import threading
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from skimage import data

from refvideo_nb.measure.looks import Seen
from refvideo_nb.measure.observe import CUT, HOLD, observe


class Brightness:
    """A way to look that needs no network: how bright a frame is, and who looked at it."""

    columns = (1, 0)

    def __init__(self):
        self.fresh, self.threads = [], set()

    def see(self, frame):
        self.threads.add(threading.get_ident())
        bright = np.float32(frame.image.mean() / 255)
        self.fresh.append((float(bright), frame.fresh))
        return Seen(
            similarity=np.array([bright, -bright]),
            boxes=np.array([[0, 0, 910, 512], [91, 51.2, 182, 102.4]], np.float32),
            vectors=np.array([[1, 0], [0, 1]], np.float32) * bright,
            chance=np.array([bright, 0, 0]) if frame.fresh else None,
            crops=2,
        )

    def alike(self, vectors):
        return vectors

    def near(self, before, now):
        return (before * now).sum(axis=1)


class Eye:
    """Whole frames that are alike as their colours are."""

    def embed(self, images):
        colours = images.reshape(len(images), -1, 3).mean(axis=1)
        return (colours / np.linalg.norm(colours, axis=1, keepdims=True)).astype(np.float32)


def plain(*colours):
    return [np.full((360, 640, 3), colour, np.uint8) for colour in colours]


@pytest.fixture(autouse=True)
def no_copies(monkeypatch):
    monkeypatch.setattr("refvideo_nb.measure.observe.copy_points", lambda frame, originals: [0] * len(originals))


def test_frames_come_in_their_order_and_columns_in_theirs(filmed):
    path = filmed(plain(*[(20 * n, 20 * n, 20 * n) for n in range(1, 12)]))
    done = []
    look = Brightness()
    found = observe(path, [look], [None, None], embedder=Eye(), frames=None, every=None, threads=3, seen=done.append)
    assert done == list(range(1, 12))
    assert found.similarity[:, 1] == pytest.approx(np.arange(1, 12) * 20 / 255, abs=0.02)
    assert np.array_equal(found.similarity[:, 0], -found.similarity[:, 1])
    assert found.boxes[5].tolist() == [pytest.approx([64, 36, 128, 72], abs=0.1), pytest.approx([0, 0, 640, 360])]
    assert found.neighbours.shape == (10, 2)
    assert found.alike.shape == (11, 2, 2)
    assert (found.width, found.height, found.crops) == (640, 360, 22)


def test_unrelated_pictures_are_looked_for_where_the_picture_changed(filmed):
    grey, red, blue = (100, 100, 100), (200, 20, 20), (20, 20, 200)
    path = filmed(plain(grey, grey, grey, red, red, blue, blue))
    look = Brightness()
    found = observe(path, [look], [None, None], embedder=Eye(), frames=None, every=None, threads=1)
    assert [fresh for _, fresh in look.fresh] == [True, False, False, True, False, True, False]
    assert found.cuts.tolist() == [False, False, True, False, True, False]
    chance = found.chance[0]
    assert found.chance[1] is chance
    assert np.array_equal(chance[1], chance[0])
    assert not np.array_equal(chance[3], chance[2])


def test_and_after_some_frames_in_any_case(filmed):
    look = Brightness()
    path = filmed(plain(*[(90, 90, 90)] * (HOLD + 3)))
    observe(path, [look], [None, None], embedder=Eye(), frames=None, every=None, threads=1)
    assert [fresh for _, fresh in look.fresh] == [True] + [False] * (HOLD - 1) + [True, False, False]


def test_memory_does_not_grow_with_the_film(filmed):
    def peak(count):
        path = filmed(plain(*[(n % 200, 90, 90) for n in range(count)]))
        tracemalloc.start()
        observe(path, [Brightness()], [None, None], embedder=Eye(), frames=None, every=None, threads=2)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few, many = peak(16), peak(96)
    assert many < 1.5 * few


def test_an_error_in_one_frame_ends_it_all(filmed):
    class Blind(Brightness):
        def see(self, frame):
            raise ValueError("blind")

    with pytest.raises(ValueError, match="blind"):
        observe(filmed(plain(*[(9, 9, 9)] * 9)), [Blind()], [None, None], embedder=Eye(), frames=None, every=None)


def test_a_cut_is_seen_by_the_network_and_a_pan_is_none(lite0):
    """The limit lies between: neighbours of one photograph that is panned over, and two photographs."""
    rocket, street = (Image.fromarray(image) for image in (data.rocket(), data.stereo_motorcycle()[0]))
    pan = [np.asarray(rocket.crop((x, 60, x + 420, 296)).resize((640, 360))) for x in range(0, 220, 40)]
    vectors = lite0.embed(np.stack([*pan, np.asarray(street.resize((640, 360)))]))
    steps = (vectors[1:] * vectors[:-1]).sum(axis=1)
    assert steps[:-1].min() > CUT
    assert steps[-1] < CUT
