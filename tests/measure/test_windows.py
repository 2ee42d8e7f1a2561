"""Windows of a map: all squares, each compared as if it were cut out, no two of one place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refvideo_nb.measure.embedders.protocol import normalised
from refvideo_nb.measure.windows import likeness, overlaps, square_windows, strongest

sides = st.integers(1, 9)


@given(rows=sides, columns=sides)
def test_all_squares_within_the_map(rows, columns):
    windows = square_windows(rows, columns, 3)
    x0, y0, x1, y1 = windows.T
    assert np.array_equal(x1 - x0, y1 - y0)
    assert windows.min() >= 0
    assert x1.max() <= columns
    assert y1.max() <= rows
    short = min(rows, columns)
    assert set(x1 - x0) == set(range(min(3, short), short + 1))
    assert len(np.unique(windows, axis=0)) == len(windows)
    assert len(windows) == sum((rows - s + 1) * (columns - s + 1) for s in range(min(3, short), short + 1))


@given(rows=sides, columns=sides, seed=st.integers(0, 99))
def test_a_window_is_as_alike_as_the_mean_of_its_cells(rows, columns, seed):
    random = np.random.default_rng(seed)
    values = random.random((rows, columns, 12), np.float32)
    targets = normalised(random.random((3, 12), np.float32))
    found = likeness(values, targets, smallest=3)
    for window, alike in zip(square_windows(rows, columns, 3), found, strict=True):
        x0, y0, x1, y1 = window
        mean = values[y0:y1, x0:x1].reshape(-1, 12).mean(axis=0)
        assert alike == pytest.approx(targets @ mean / np.linalg.norm(mean), abs=1e-5)


@given(rows=sides, columns=sides)
def test_overlaps_are_those_of_sets_of_cells(rows, columns):
    windows = square_windows(rows, columns, 3)
    cells = [{(x, y) for x in range(w[0], w[2]) for y in range(w[1], w[3])} for w in windows[::7]]
    same = overlaps(rows, columns, 0.4, 3)[::7, ::7]
    expected = [[len(a & b) >= 0.4 * len(a | b) for b in cells] for a in cells]
    assert same.tolist() == expected


@given(seed=st.integers(0, 999))
def test_the_strongest_windows_are_apart_and_in_order(seed):
    scores = np.random.default_rng(seed).random((len(square_windows(7, 9, 3)), 3)).astype(np.float32)
    same = overlaps(7, 9, 0.4, 3)
    chosen = strongest(scores, same, 4)
    for target, windows in enumerate(chosen):
        assert windows[0] == scores[:, target].argmax()
        assert np.all(np.diff(scores[windows, target]) <= 0)
        among = same[np.ix_(windows, windows)]
        assert np.array_equal(among, np.eye(4, dtype=bool))
        # What was left out is one place with something that was chosen, or weaker than all of it.
        left = np.setdiff1d(np.arange(len(scores)), windows)
        assert np.all(same[np.ix_(left, windows)].any(axis=1) | (scores[left, target] <= scores[windows[-1], target]))


def test_where_places_run_out_the_best_comes_again():
    scores = np.array([[0.5]], dtype=np.float32)
    assert strongest(scores, overlaps(2, 2, 0.4, 3), 4).tolist() == [[0, 0, 0, 0]]
