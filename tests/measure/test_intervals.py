"""Intervals hold what they promise on data whose truth is known, and agree with scipy."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from refvideo_nb.errors import InvalidRequestError
from refvideo_nb.measure.intervals import (
    block_length,
    mean_interval,
    spearman,
    student,
    theil_sen,
)


def correlated(random, n, rho):
    """Values of mean 0 and variance 1, each alike to the one before."""
    x = np.empty(n)
    x[0] = random.normal()
    for k in range(1, n):
        x[k] = rho * x[k - 1] + np.sqrt(1 - rho**2) * random.normal()
    return x


def share_that_holds(n, rho, *, runs=300):
    random = np.random.default_rng(n)
    intervals = [mean_interval(correlated(random, n, rho), draws=400) for _ in range(runs)]
    return np.mean([low <= 0 <= high for low, high in intervals])


@pytest.mark.parametrize(("n", "rho", "least"), [(32, 0, 0.92), (32, 0.5, 0.84), (240, 0, 0.91), (240, 0.8, 0.85)])
def test_the_interval_of_a_mean_holds_it(n, rho, least):
    assert least <= share_that_holds(n, rho) <= 0.99


def test_frames_drawn_one_by_one_would_promise_too_much():
    random = np.random.default_rng(3)
    inside = 0
    for _ in range(300):
        x = correlated(random, 240, 0.8)
        low, high = np.quantile(x[random.integers(240, size=(400, 240))].mean(axis=1), [0.025, 0.975])
        inside += low <= 0 <= high
    assert inside / 300 < 0.65


def test_blocks_are_longer_where_neighbours_are_more_alike():
    random = np.random.default_rng(0)
    lengths = [np.mean([block_length(correlated(random, 240, rho)) for _ in range(40)]) for rho in (0, 0.5, 0.9)]
    assert lengths == sorted(lengths)
    assert lengths[2] > 2 * lengths[0]
    assert [block_length([1.0] * n) for n in (0, 1, 2, 3, 32)] == [1, 1, 1, 1, 3]


def test_nothing_that_varies_has_an_interval_of_no_width():
    assert mean_interval([0.5]) == (0.5, 0.5)
    assert mean_interval([0.25] * 32) == (0.25, 0.25)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60))
def test_an_interval_is_the_same_every_time_and_within_the_values(values):
    low, high = mean_interval(values, draws=100)
    assert mean_interval(values, draws=100) == (low, high)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(-100, 100)), min_size=2, max_size=40))
def test_the_slope_is_that_of_scipy(points):
    times, values = np.array(points, float).T / 8
    if np.ptp(times):
        with np.errstate(invalid="ignore"):  # scipy's own interval, of few points
            assert theil_sen(times, values) == pytest.approx(stats.theilslopes(values, times)[0])
    else:
        assert theil_sen(times, values) is None


def test_a_slope_is_not_moved_by_a_cut():
    times = np.arange(32) / 6
    values = 0.5 - 0.02 * times
    values[20:24] = -1
    assert theil_sen(times, values) == pytest.approx(-0.02, abs=0.01)
    assert theil_sen([0.0], [1.0]) is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), min_size=4, max_size=40))
def test_the_rank_correlation_is_that_of_scipy(pairs):
    a, b = np.array(pairs, float).T
    found = spearman(a, b)
    if found is None:
        assert not np.ptp(a) or not np.ptp(b)
    else:
        assert found[0] == pytest.approx(stats.spearmanr(a, b)[0])
        assert -1 <= found[1] <= found[0] <= found[2] <= 1


def test_the_interval_of_a_rank_correlation_holds_it():
    random = np.random.default_rng(4)
    truth, inside = 6 / np.pi * np.arcsin(0.6 / 2), 0  # of two normal variables of correlation 0.6
    for _ in range(400):
        a = random.normal(size=30)
        _, low, high = spearman(a, 0.6 * a + 0.8 * random.normal(size=30))
        inside += low <= truth <= high
    assert 0.92 <= inside / 400 <= 0.98


def test_a_few_pairs_in_order_prove_little():
    rho, low, high = spearman([1, 2, 3, 4], [1, 2, 3, 4])
    assert (rho, high) == (1, 1)
    assert low < 0
    assert spearman(range(40), range(40))[1] > 0.95
    assert spearman([1, 2, 3, float("nan"), 5], [1, 2, 3, 4, float("nan")]) is None
    assert spearman([1, 1, 1, 1], [1, 2, 3, 4]) is None


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 20, 100])
def test_student_is_that_of_scipy(freedom):
    assert student(0.025, freedom) == pytest.approx(stats.t.ppf(0.025, freedom), rel=2e-3)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [[1.0]]])
def test_what_has_no_mean_is_refused(values):
    with pytest.raises(InvalidRequestError, match="at least one finite number"):
        mean_interval(values)


def test_every_frame_of_a_long_film_takes_little_memory():
    """Ten minutes at 24 frames a second: gathered one by one, 2000 draws of them had half a gigabyte."""
    values = correlated(np.random.default_rng(0), 14_400, 0.9)
    tracemalloc.start()
    low, high = mean_interval(values)
    slope = theil_sen(np.arange(14_400) / 24, values)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert low < values.mean() < high
    assert slope == pytest.approx(0, abs=0.01)
    assert most < 100e6
