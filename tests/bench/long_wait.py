"""Our engine with many jobs on a clock that jumps to the next moment at which anybody wakes.

The server is real, and reads the same clock from a shared file.
"""

import asyncio
import heapq
import itertools
import json
import mmap
import resource
import struct
import sys
from pathlib import Path

from client import KEY

from refvideo_nb.client.client import VideoClient
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.engine.engine import Engine
from refvideo_nb.engine.spread import Spread
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.ledger.store import Ledger, new_id
from refvideo_nb.settings import Secret, Settings

BEGIN = 1_800_000_000.0


TOGETHER = 0.25  # seconds; who would wake within them wakes at once, as many jobs do in a real loop


class Clock:
    """Time that passes only when every job sleeps."""

    def __init__(self, path, jobs):
        file = path.open("r+b")
        self._shared = mmap.mmap(file.fileno(), 8)
        self.awake, self._asleep, self._order = jobs, [], itertools.count()
        self._set(BEGIN)

    def _set(self, now):
        self._now = now
        self._shared[:] = struct.pack("<d", now)

    def __call__(self):
        return self._now

    async def sleep(self, seconds):
        wakes = asyncio.get_running_loop().create_future()
        heapq.heappush(self._asleep, (self._now + seconds, next(self._order), wakes))
        self.rest()
        await wakes

    def rest(self):
        """One less is awake; the last one lets time pass."""
        self.awake -= 1
        while self.awake == 0 and self._asleep:
            at, _, wakes = heapq.heappop(self._asleep)
            self._set(max(at, self._now))
            waking = [wakes]
            while self._asleep and self._asleep[0][0] <= at + TOGETHER:
                waking.append(heapq.heappop(self._asleep)[2])
            self.awake += len(waking)
            for each in waking:
                each.set_result(None)


class Turns(asyncio.Semaphore):
    """Turns of a client: who waits for one rests, since whoever has it may be asleep."""

    def __init__(self, clock, turns):
        super().__init__(turns)
        self._clock = clock

    async def acquire(self):
        waits = self.locked()
        if waits:
            self._clock.rest()
        try:
            return await super().acquire()
        finally:
            self._clock.awake += waits


class Pauses(Spread):
    """Turns of requests: who waits for one rests, and whoever gives them out is one more that is awake."""

    def _begin(self):
        self._clock.awake += 1
        super()._begin()
        self._giving.add_done_callback(lambda _: self._clock.rest())

    async def _wait(self, mine):
        self._clock.rest()
        try:
            await super()._wait(mine)
        finally:
            self._clock.awake += 1


def main(address, home, clock_file, count):
    settings = Settings(key=Secret(KEY), base_url=address, home=home)
    clock = Clock(clock_file, count)
    ledger, media = Ledger(home, clock=clock), MediaStore(home)
    client = VideoClient(address, settings.key)
    for turns in ("turn", "room", "_poll_room"):
        setattr(client, turns, Turns(clock, getattr(client, turns)._value))
    engine = Engine(ledger, media, settings, connect=lambda _: client, clock=clock, sleep=clock.sleep)
    engine._steps._spread = Pauses(settings.requests_per_second, clock=clock, sleep=clock.sleep)
    watches = []
    for n in range(count):
        record = JobRecord(
            id=new_id(clock()), state=State.DRAFTED, base_url=address, request=VideoRequest(prompt=f"take {n}"),
            sent_prompt=f"take {n}", created=clock(), updated=clock(),
        )  # fmt: skip
        ledger.add(record, fingerprint=record.id)
        watches.append(engine.look_after(record.id))
        watches[-1].done.add_done_callback(lambda _: clock.rest())
    for watch in watches:
        watch.done.result()
    assert {r.state for r in ledger.jobs()} == {State.DOWNLOADED}
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu": used.ru_utime + used.ru_stime}))


main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
