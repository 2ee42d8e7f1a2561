"""Turns at even distances, whatever the clock does."""

import asyncio

import pytest

from refvideo_nb.engine.spread import Spread


class Time:
    def __init__(self):
        self.now, self.slept = 1000.0, []

    async def sleep(self, seconds):
        self.slept.append(round(seconds, 6))


def turns(spread, count):
    async def take():
        for _ in range(count):
            await spread.turn()

    asyncio.run(take())


@pytest.mark.parametrize(("rate", "slept"), [(10, [0.1, 0.2, 0.3]), (2, [0.5, 1.0, 1.5])])
def test_all_at_once_they_are_spread(rate, slept):
    time = Time()
    turns(Spread(rate, clock=lambda: time.now, sleep=time.sleep), 4)
    assert time.slept == slept


def test_one_that_comes_late_does_not_wait_and_saves_nothing_up():
    time = Time()
    spread = Spread(10, clock=lambda: time.now, sleep=time.sleep)
    turns(spread, 1)
    time.now += 60
    turns(spread, 3)
    assert time.slept == [0.1, 0.2]


def test_a_clock_that_is_set_back_stops_nothing():
    time = Time()
    spread = Spread(10, clock=lambda: time.now, sleep=time.sleep)
    turns(spread, 1)
    time.now -= 86_400
    turns(spread, 2)
    assert max(time.slept) <= 0.3
