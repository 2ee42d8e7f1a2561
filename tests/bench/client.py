"""One client in a process of its own: it sends jobs, asks after them, fetches their films, and tells when each came.

Every one of them sends the same bodies to the same server and writes the same bytes. What is imported
and made once for a session comes before the clock starts. ``httpx-16-checked`` does what only ours does
otherwise: it looks whether each file is a whole film, with our own check.
"""

import argparse
import asyncio
import base64
import json
import os
import resource
import sys
import time
from pathlib import Path

KEY = "sk-bench-not-a-key"
MODEL = "bytedance/seedance-2.0-fast"
SETTINGS = {"duration": 4, "resolution": "720p", "aspect_ratio": "16:9", "generate_audio": False}


def ours(asked):
    from refvideo_nb.core.job import State
    from refvideo_nb.engine.wish import Wish
    from refvideo_nb.notebook.session import Session
    from refvideo_nb.settings import Secret, Settings

    # Like the others: by itself ours would ask less often, and all of its jobs no more than some times a second.
    every = {"poll_interval": asked.poll, "poll_max": asked.poll, "requests_per_second": 10_000.0}
    session = Session(Settings(key=Secret(KEY), base_url=asked.address, home=asked.folder / "home", **every))
    session.catalogue()
    reference = asked.picture.read_bytes()

    def run():
        ended, watches = {}, []
        for n in range(asked.jobs):
            wish = Wish(prompt=prompt(n, "@cat"), references={"cat": reference}, model=MODEL, **SETTINGS)
            record, _ = session.submit(session.draft(wish), fresh=True)
            watch = session.engine.look_after(record.id)
            watch.done.add_done_callback(lambda _, job=record.id: ended.setdefault(job, time.time()))
            watches.append(watch)
        for watch in watches:
            watch.done.result()
        return ended

    def told(ended):
        records = [session.ledger.get(job) for job in ended]
        assert all(r.state is State.DOWNLOADED for r in records), [
            r for r in records if r.state is not State.DOWNLOADED
        ]
        session.close()
        return {r.api_id: ended[r.id] for r in records}

    return run, told


def of_httpx(connections=None, checked=False):
    def start(asked):
        import httpx

        limits = {} if connections is None else {"limits": httpx.Limits(max_connections=connections)}
        client = httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, timeout=httpx.Timeout(120), **limits)

        async def one(n, url):
            answer = await client.post(f"{asked.address}/videos", json=body(n, url))
            job = answer.raise_for_status().json()["id"]
            while True:
                await asyncio.sleep(asked.poll)
                state = (await client.get(f"{asked.address}/videos/{job}")).raise_for_status().json()
                if state["status"] == "completed":
                    break
            path = asked.folder / f"{job}.mp4"
            async with client.stream("GET", state["unsigned_urls"][0]) as response:
                response.raise_for_status()
                with path.open("wb") as file:
                    async for chunk in response.aiter_bytes():
                        file.write(chunk)
            if checked:
                from refvideo_nb.media.video import probe

                await asyncio.to_thread(probe, path)
            return job, time.time()

        return gathered(one, asked)

    return start


def sdk(asked):
    from openrouter import OpenRouter

    client = OpenRouter(api_key=KEY, server_url=asked.address, timeout_ms=120_000).video_generation

    async def one(n, url):
        job = (await client.generate_async(**body(n, url))).id
        while True:
            await asyncio.sleep(asked.poll)
            if (await client.get_generation_async(job_id=job)).status == "completed":
                break
        response = await client.get_video_content_async(job_id=job)
        with (asked.folder / f"{job}.mp4").open("wb") as file:
            async for chunk in response.aiter_bytes():
                file.write(chunk)
        return job, time.time()

    return gathered(one, asked)


def gathered(one, asked):
    """What runs every job at once, and what tells when each ended."""

    async def every():
        url = "data:image/jpeg;base64," + base64.b64encode(asked.picture.read_bytes()).decode()
        return dict(await asyncio.gather(*(one(n, url) for n in range(asked.jobs))))

    return lambda: asyncio.run(every()), dict


def prompt(n, name):
    return f"{name} walks across a wooden table, take {n}. Keep its fur pattern."


def body(n, url):
    reference = {"type": "image_url", "image_url": {"url": url}}
    return {"model": MODEL, "prompt": prompt(n, "[Image1]"), "input_references": [reference], **SETTINGS}


def most_memory(used=None):
    """Bytes that this process held at most; what Linux counts in `used` begins with the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(row.split()[1]) * 1024 for row in status.read_text().splitlines() if row.startswith("VmHWM"))
    used = used or resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


CLIENTS = {
    "ours": ours,
    "openrouter": sdk,
    "httpx": of_httpx(),
    "httpx-16": of_httpx(16),
    "httpx-16-checked": of_httpx(16, checked=True),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("address")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--poll", type=float, default=0.5)
    asked = parser.parse_args()
    run, told = CLIENTS[asked.client](asked)
    start = time.time()
    ended = run()
    wall = time.time() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "memory": most_memory(used), "ended": told(ended)}
    print(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # what a client does when it ends is not asked
