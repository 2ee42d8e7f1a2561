"""The expected time: only from enough own jobs, and never thrown off by a single one."""

from hypothesis import given
from hypothesis import strategies as st

from refvideo_nb.core.pace import ENOUGH, expected


def test_fewer_than_enough_say_nothing():
    assert expected([]) is None
    assert expected([10.0] * (ENOUGH - 1)) is None
    assert expected([10.0] * ENOUGH) == (10.0, 10.0)


def test_one_job_that_was_stuck_does_not_spoil_the_range_of_many():
    assert expected([*range(40, 60), 1800]) == (42, 58)


def test_what_is_no_length_of_time_does_not_count():
    assert expected([40, 41, 42, 43, float("nan"), float("inf"), -1]) is None
    assert expected([40, 41, 42, 43, 44, float("nan"), -1]) == (40, 44)


@given(st.lists(st.floats(0, 1e6), min_size=ENOUGH, max_size=60))
def test_most_jobs_lie_in_the_range(durations):
    low, high = expected(durations)
    assert low in durations
    assert high in durations
    assert sum(low <= s <= high for s in durations) >= 0.8 * len(durations)
    assert expected(reversed(durations)) == (low, high)
