"""Our download of one file, with everything loaded before: seconds, and how much memory grew."""

import asyncio
import json
import sys
import time
from pathlib import Path

from client import KEY, most_memory

from refvideo_nb.client.client import VideoClient
from refvideo_nb.client.download import download
from refvideo_nb.media.video import probe
from refvideo_nb.settings import Secret


async def main(address, to):
    client = VideoClient(address, Secret(KEY))
    job = (await client.submit(b"{}")).id
    answer = await client.poll(job)
    before = most_memory()
    start = time.perf_counter()
    await download(client, answer, to)
    seconds = time.perf_counter() - start
    growth = most_memory() - before
    await asyncio.to_thread(probe, to)
    checked = time.perf_counter() - start
    await client.aclose()
    print(json.dumps({"job": job, "seconds": seconds, "checked": checked, "growth": growth}))


asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
