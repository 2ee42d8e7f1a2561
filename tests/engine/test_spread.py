"""Turns at even distances, whatever the clock does, and what is to be sent before what is only asked."""

import asyncio
import itertools
import threading
from contextlib import closing

import httpx
import pytest
from msgspec.structs import replace

from refvideo_nb.client.client import VideoClient
from refvideo_nb.engine.engine import Engine
from refvideo_nb.engine.spread import Spread


class Time:
    def __init__(self):
        self.now = 1000.0

    async def sleep(self, seconds):
        await asyncio.sleep(0)  # who was given a turn looks at the clock first
        self.now += seconds

    def spread(self, rate=10):
        return Spread(rate, clock=lambda: self.now, sleep=self.sleep)


@pytest.fixture
def time():
    return Time()


def took(time, spread, count):
    """When each of so many that come together has its turn, seconds from the beginning of all."""

    async def take():
        turns = []

        async def one():
            await spread.turn()
            turns.append(round(time.now - 1000, 6))

        await asyncio.gather(*(one() for _ in range(count)))
        return turns

    return asyncio.run(take())


@pytest.mark.parametrize(("rate", "turns"), [(10, [0, 0.1, 0.2, 0.3]), (2, [0, 0.5, 1.0, 1.5])])
def test_all_at_once_they_are_spread(time, rate, turns):
    assert took(time, time.spread(rate), 4) == turns


def test_one_that_comes_late_does_not_wait_and_saves_nothing_up(time):
    spread = time.spread()
    took(time, spread, 1)
    time.now += 60
    assert took(time, spread, 3) == [60, 60.1, 60.2]


def test_a_clock_that_is_set_back_stops_nothing(time):
    spread = time.spread()
    took(time, spread, 1)
    time.now -= 86_400
    assert max(took(time, spread, 2)) <= 0.3 - 86_400


def test_a_loop_that_stood_still_does_not_give_all_turns_at_once(time):
    spread, stalls = time.spread(), iter([0.0, 5.0])

    async def sleep(seconds):
        await Time.sleep(time, seconds + next(stalls, 0.0))

    spread._sleep = sleep
    turns = took(time, spread, 20)
    assert all(after - before >= 0.1 - 1e-6 for before, after in itertools.pairwise(turns)), turns


def order(time, spread, *waiting, leaving=()):
    """The names of those that come together, in the order of their turns."""

    async def take():
        had = []

        async def one(name, ahead):
            await spread.turn(ahead=ahead)
            had.append(name)

        await spread.turn()
        tasks = {name: asyncio.create_task(one(name, ahead)) for name, ahead in waiting}
        await asyncio.sleep(0)
        for name in leaving:
            tasks[name].cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        return had

    return asyncio.run(asyncio.wait_for(take(), 10))


def test_who_goes_ahead_shares_the_turns_with_those_that_came_first(time):
    polls, submits = [(f"poll {n}", False) for n in range(6)], [(f"submit {n}", True) for n in range(3)]
    had = order(time, time.spread(), *polls, *submits)
    assert had == ["submit 0", "poll 0", "submit 1", "poll 1", "submit 2", "poll 2", "poll 3", "poll 4", "poll 5"]


def test_whoever_stops_waiting_takes_nobodys_turn(time):
    waiting = [("a", False), ("b", False), ("c", True), ("d", True), ("e", False)]
    had = order(time, time.spread(), *waiting, leaving=["a", "c"])
    assert had == ["d", "b", "e"]
    assert time.now == pytest.approx(1000.3), "a turn was given to nobody"


def test_it_goes_on_after_everybody_left(time):
    spread = time.spread()
    assert order(time, spread, ("a", False), leaving=["a"]) == []
    assert order(time, spread, ("b", False)) == ["b"]


def test_jobs_that_run_do_not_keep_others_from_being_sent(world):
    count, order, sent = 60, [], threading.Event()

    def answer(request):
        name = request.url.path.rpartition("/")[2]
        if request.method == "POST":
            name = f"gen-vid-{order.count('submit')}"
            order.append("submit")
            if order.count("submit") == count:
                sent.set()
        else:
            order.append("poll")
        return httpx.Response(200, json={"id": name, "polling_url": f"/api/v1/videos/{name}", "status": "in_progress"})

    # They would ask ten times as often as they may, all together.
    settings = replace(world.settings, poll_interval=0.03, poll_max=0.03, requests_per_second=200.0)
    client = VideoClient(settings.base_url, settings.key, transport=httpx.MockTransport(answer))
    with closing(Engine(world.ledger, world.media, settings, connect=lambda _: client)) as engine:
        for _ in range(count):
            engine.look_after(world.drafted().id)
        assert sent.wait(60)
    polls = order[: len(order) - order[::-1].index("submit")].count("poll")
    assert polls <= 2 * count, "submits waited for the polls of all that had been sent before them"
