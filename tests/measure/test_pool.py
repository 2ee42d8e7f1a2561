"""Unrelated pictures: enough of them, on every machine, embedded once."""

import numpy as np
import pytest

from refvideo_nb.errors import MissingDependencyError
from refvideo_nb.measure import pool as module
from refvideo_nb.measure.embedders import storage
from refvideo_nb.measure.embedders.protocol import normalised
from refvideo_nb.measure.pool import ENOUGH, bundled


class Counting:
    """The mean colour of pictures, and how many were asked for."""

    side, sha256 = 64, "of colours"

    def __init__(self):
        self.asked = 0

    def embed(self, images):
        self.asked += len(images)
        return normalised(images.reshape(len(images), -1, 3).mean(axis=1).astype(np.float32))

    def features(self, images):
        from refvideo_nb.measure.embedders import FeatureMap

        values = images.mean(axis=(1, 2), keepdims=True).astype(np.float32)
        return FeatureMap(values=values, left=1, top=1, step_x=2, step_y=2, width=2, height=2)


def test_there_are_enough_of_them_and_no_two_are_one_thing(lite0):
    pool = bundled(lite0)
    assert len(pool) == len(set(pool.names)) >= ENOUGH
    assert pool.vectors.fine.shape == (len(pool), 1280)
    alike = pool.vectors.fine @ pool.vectors.fine.T - np.eye(len(pool))
    assert np.abs(np.diagonal(alike)).max() < 1e-5
    # Parts of one picture have its light in common, so more is allowed there.
    other = np.array([[a != b for b in pool.groups] for a in pool.groups])
    assert alike[other].max() < 0.55
    assert alike.max() < 0.65


def test_a_group_is_left_out_as_a_whole(lite0):
    pool = bundled(lite0)
    rest = pool.without({"skimage/astronaut.png"})
    assert len(pool) - len(rest) == 6
    assert not any("astronaut" in name for name in rest.names)
    kept = [number for number, group in enumerate(pool.groups) if group != "skimage/astronaut.png"]
    assert np.array_equal(rest.vectors.fine, pool.vectors.fine[kept])
    assert len(rest) == len(rest.groups) == len(rest.vectors.coarse)


def test_they_are_embedded_once(monkeypatch, tmp_path):
    monkeypatch.setattr(storage, "folder", lambda: tmp_path)
    first, second = Counting(), Counting()
    one, two = bundled(first), bundled(second)
    assert (first.asked, second.asked) == (len(one), 0)
    assert np.array_equal(one.vectors.fine, two.vectors.fine)
    assert one.names == two.names


@pytest.mark.parametrize("harm", [lambda data: data[:-9], lambda data: data[:40] + b"x" + data[41:], lambda _: b""])
def test_a_harmed_cache_is_made_anew(harm, monkeypatch, tmp_path):
    monkeypatch.setattr(storage, "folder", lambda: tmp_path)
    bundled(Counting())
    (file,) = tmp_path.glob("negatives-*.npz")
    file.write_bytes(harm(file.read_bytes()))
    again = Counting()
    assert len(bundled(again)) == again.asked


def test_another_network_has_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr(storage, "folder", lambda: tmp_path)
    bundled(Counting())
    other = Counting()
    other.sha256 = "of other colours"
    bundled(other)
    assert other.asked
    assert len(list(tmp_path.glob("negatives-*.npz"))) == 2


def test_without_scikit_image_the_command_is_told(monkeypatch):
    def missing(name):
        raise MissingDependencyError(f"{name} is not installed", name=name)

    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(module, "needed", missing)
    with pytest.raises(MissingDependencyError, match="skimage"):
        bundled(Counting())


def test_pictures_that_a_distribution_left_out_are_left_out(monkeypatch, tmp_path):
    monkeypatch.setattr(storage, "folder", lambda: tmp_path / "cache")
    parts = [part for part in module._PARTS if part[1] != "coffee.png"]
    whole = bundled(Counting())
    gone = (("skimage", "nowhere"), "coffee.png", {"cup": (0, 0, 1, 1)})
    monkeypatch.setattr(module, "_PARTS", (*parts, gone))
    assert len(bundled(Counting())) == len(whole) - 2
