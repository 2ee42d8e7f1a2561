"""What polls leave in the ledger: all that they tell at once, and their mere number not each time."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from refvideo_nb.client.client import VideoClient
from refvideo_nb.core.job import State
from refvideo_nb.engine.engine import Engine


def job(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "gen-vid-1", "polling_url": "/api/v1/videos/gen-vid-1", "status": status, **more}


def followed(world: Any, statuses: list[str], *, every: float) -> tuple[Any, list[tuple[Any, ...]]]:
    """The record in the end, and what the ledger said of the job at each poll."""
    left, seen = iter(statuses), []

    def poll(_: httpx.Request) -> httpx.Response:
        now = world.ledger.get(record.id)
        seen.append((now.state, now.polls, world.clock() - now.updated))
        return httpx.Response(200, json=job(next(left), usage={"cost": 0.25}))

    world.script.poll = poll
    settings = replace(world.settings, poll_interval=every, poll_max=every, requests_per_second=1000.0)
    client = VideoClient(settings.base_url, settings.key, transport=httpx.MockTransport(world.script))
    record = world.drafted()
    made = Engine(
        world.ledger, world.media, settings, connect=lambda _: client, clock=world.clock, sleep=world.clock.sleep
    )
    with closing(made) as engine:
        engine.look_after(record.id).done.result(30)
    return world.ledger.get(record.id), seen


@pytest.mark.parametrize("every", [0.5, 2.0, 30.0])
def test_a_change_is_written_at_once_and_the_number_of_polls_some_seconds_later_at_the_most(
    world: Any, every: float
) -> None:
    statuses = ["pending"] * 3 + ["in_progress"] * 40 + ["completed"]
    record, seen = followed(world, statuses, every=every)
    assert (record.state, record.polls) == (State.DOWNLOADED, len(statuses))
    states = [state for state, _, _ in seen]
    assert states == [State.ACCEPTED] * 4 + [State.RUNNING] * 40, "each answer is known before the next is asked for"
    assert max(age for _, _, age in seen) <= max(5.0, every) + 2 * every
    written = len({polls for _, polls, _ in seen})
    assert written == len(seen) if every > 5 else written < len(seen) / 2
