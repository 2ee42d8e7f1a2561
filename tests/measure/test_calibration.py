"""A similarity among those of unrelated pictures."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from refvideo_nb.measure.calibration import calibrate, grouped
from refvideo_nb.measure.pool import bundled
from refvideo_nb.measure.search import search


def kolmogorov_smirnov(p, count):
    """The largest distance between how p are spread and how uniform ranks 1 / (1 + K) … 1 are."""
    steps = np.arange(1, count + 2) / (count + 1)
    return np.abs((np.asarray(p)[:, None] <= steps + 1e-9).mean(axis=0) - steps).max()


@pytest.mark.parametrize("spread", ["normal", "cauchy", "two kinds"])
def test_p_of_what_could_have_been_a_negative_is_uniform(spread):
    """Frames of one picture are nearly the same, pictures are of any spread: ranks do not mind."""
    random = np.random.default_rng(3)
    frames, count, runs = 8, 30, 1500
    found = []
    for _ in range(runs):
        each = {
            "normal": lambda: random.normal(0.3, 0.1, count + 1),
            "cauchy": lambda: random.standard_cauchy(count + 1),
            "two kinds": lambda: random.choice([0.1, 0.6], count + 1) + random.normal(0, 0.01, count + 1),
        }[spread]()
        rows = (each + random.normal(0, 0.01, (frames, 1))).astype(np.float32)
        found.append(calibrate(rows[:, 0], rows[:, 1:], names=[""] * count).p)
    # 1.95 / sqrt(n) is reached by chance in 1 of 1000.
    assert kolmogorov_smirnov(found, count) < 1.95 / np.sqrt(runs)
    assert min(found) == pytest.approx(1 / 31)


def test_p_of_what_is_there_is_the_smallest():
    random = np.random.default_rng(0)
    negatives = random.normal(0.3, 0.05, (10, 30)).astype(np.float32)
    found = calibrate(np.full(10, 0.8, np.float32), negatives, names=[""] * 30)
    assert found.p == pytest.approx(1 / 31)
    assert found.z.mean() == pytest.approx(10, rel=0.15)


def test_one_of_twenty_of_the_negatives_is_above_the_threshold():
    negatives = np.random.default_rng(1).normal(size=(40, 50)).astype(np.float32)
    negatives = calibrate(negatives[:, 0], negatives, names=[""] * 50).negatives, negatives
    assert (negatives[1] > negatives[0].threshold).mean() == pytest.approx(0.05)


def test_z_counts_from_the_frame_and_spread_is_pooled():
    """A frame in which everything is alike, such as a portrait for portraits, raises nothing."""
    random = np.random.default_rng(2)
    negatives = random.normal(0, 0.1, (500, 30)) + np.linspace(0, 5, 500)[:, None]
    found = calibrate((negatives.mean(axis=1) + 0.2).astype(np.float32), negatives.astype(np.float32), names="x" * 30)
    assert found.negatives.sigma == pytest.approx(0.1, rel=0.03)
    assert np.allclose(found.z, 0.2 / found.negatives.sigma, atol=1e-3)


def test_pictures_that_score_the_same_leave_no_division_by_zero():
    found = calibrate(np.zeros(3, np.float32), np.zeros((3, 30), np.float32), names=[""] * 30)
    assert found.z.tolist() == [0, 0, 0]
    assert found.p == 1


def test_groups_hold_each_negative_with_others():
    negatives = np.arange(12, dtype=np.float32)[None] * np.ones((2, 1), np.float32)
    assert grouped(negatives, 1, seed=0) is negatives
    three = grouped(negatives, 3, seed=0)
    assert three.shape == negatives.shape
    assert np.all(three >= negatives)
    assert np.sort(three[0]).tolist() != np.sort(negatives[0]).tolist()
    assert np.array_equal(three, grouped(negatives, 3, seed=0))
    assert grouped(negatives, 99, seed=0).min() == 11


def test_p_of_several_pictures_is_uniform_where_they_are_unrelated():
    random = np.random.default_rng(5)
    found = []
    for run in range(1200):
        chance = random.normal(size=(1, 33)).astype(np.float32)
        found.append(calibrate(chance[:, :3].max(axis=1), grouped(chance[:, 3:], 3, seed=run), names="x" * 30).p)
    assert kolmogorov_smirnov(found, 30) < 1.95 / np.sqrt(1200)


def test_p_of_photographs_that_are_not_there_is_uniform(lite0):
    """Each bundled picture in turn as a reference, held against those of other groups, in frames without either.

    It shows the search and the rank, not that a person's reference is one of these: see `calibrate`.
    """
    pool = bundled(lite0)
    groups = np.array(pool.groups)
    found = []
    for name, image in (("coffee", data.coffee()), ("rocket", data.rocket()), ("astronaut", data.astronaut())):
        frame = np.asarray(Image.fromarray(image).resize((910, 512)))
        alike = search(frame, coarse=pool.vectors.coarse, fine=pool.vectors.fine, embedder=lite0).similarity
        absent = np.array([name not in group for group in groups])
        for one in np.flatnonzero(absent):
            others = absent & (groups != groups[one])
            found.append(calibrate(alike[[one]], alike[None, others], names=[""] * int(others.sum())).p)
    assert len(found) > 90
    steps = np.linspace(0, 1, 101)
    apart = np.abs((np.array(found)[:, None] <= steps).mean(axis=0) - steps).max()
    assert apart < 1.63 / np.sqrt(len(found))  # reached by chance in 1 of 100
