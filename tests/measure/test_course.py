"""Coverage, onset, gaps, steadiness and binding, on small cases that are counted by hand."""

import numpy as np
import pytest

from refvideo_nb.measure.course import binding, presence, sameness, stability

TIMES = np.arange(6) * 0.5


def seen(text):
    return np.array([letter == "x" for letter in text])


@pytest.mark.parametrize(
    ("frames", "coverage", "onset", "gap"),
    [
        ("xxxxxx", 1, 0, 0),
        ("......", 0, None, 3),
        ("..xx..", 2 / 6, 1, 1),
        ("x....x", 2 / 6, 0, 2),
        (".x.xxx", 4 / 6, 0.5, 0.5),
        ("xxxxx.", 5 / 6, 0, 0.5),
    ],
)
def test_presence(frames, coverage, onset, gap):
    found = presence(seen(frames), TIMES, 3.0)
    assert found.coverage == pytest.approx(coverage)
    assert found.onset == onset
    assert found.longest_gap == gap


def test_a_gap_lasts_as_long_as_its_frames_do():
    assert presence(seen("x.x"), np.array([0, 1, 5.0]), 6.0).longest_gap == 4
    assert presence(seen("xx."), np.array([0, 1, 5.0]), 5.0).longest_gap == 0


def test_steadiness_is_that_within_shots():
    similarity = np.array([0.5, 0.6, 0.1, 0.1], np.float32)
    no_cut, cut = np.zeros(3, bool), np.array([False, True, False])
    assert stability(similarity, no_cut) == pytest.approx(0.1)
    assert stability(similarity, cut) == pytest.approx(0.05)
    assert stability(similarity[:1], no_cut[:0]) is None
    neighbours = np.array([0.9, 0.2, 0.8], np.float32)
    assert sameness(neighbours, seen("xxxx"), cut) == pytest.approx(0.85)
    assert sameness(neighbours, seen("xx.x"), no_cut) == pytest.approx(0.9)
    assert sameness(neighbours, seen("x.x."), no_cut) is None


def test_binding_counts_covered_frames_by_whose_they_are_nearest_to():
    alike = np.array([[[0.9, 0.4], [0.7, 0.5]], [[0.8, 0.1], [0.2, 0.6]], [[0.1, 0.9], [0.2, 0.6]]], np.float32)
    found = binding(alike, np.array([[True, True], [True, True], [False, True]]))
    assert found.confusion.tolist() == [[2, 0], [1, 2]]
    assert found.share == (1.0, pytest.approx(2 / 3))
    assert found.margin == (pytest.approx(0.6), pytest.approx((-0.2 + 0.4 + 0.4) / 3))


def test_nothing_covered_binds_nothing():
    found = binding(np.zeros((4, 2, 2), np.float32), np.zeros((4, 2), bool))
    assert found.share == found.margin == (None, None)
    assert not found.confusion.any()
