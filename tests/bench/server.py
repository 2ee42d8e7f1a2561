"""The API as lean as it can be, for measuring clients: jobs that end by the clock, and one film for all of them.

A process of its own, so that what it costs is nobody else's. It renders nothing, checks nothing, and
keeps the bytes of its film ready; ``/stats`` tells what was asked of it, and when.
"""

import argparse
import asyncio
import json
import mmap
import struct
import time
from pathlib import Path

BEGINS = 0.3  # of a job's time is over when it is in progress
CHUNK = 1 << 18
MODEL = {
    "id": "bytedance/seedance-2.0-fast",
    "name": "Seedance 2.0 fast",
    "supported_durations": [4],
    "supported_resolutions": ["480p", "720p"],
    "supported_aspect_ratios": ["16:9"],
    "generate_audio": True,
    "seed": True,
    "pricing_skus": {"duration_seconds": "0.05"},
}
REASONS = {200: "OK", 202: "Accepted", 404: "Not Found"}


class Api:
    """Every job, and what was seen of the clients."""

    def __init__(self, film, seconds, clock):
        self.film, self.seconds, self.clock = film, seconds, clock
        self.base = ""
        self.accepted, self.told = {}, {}
        self.requests = dict.fromkeys(("models", "submit", "poll", "content"), 0)
        self.open = self.most_open = self.connections = 0

    def answer(self, method, path):
        """Status and body; None where the film itself is asked for."""
        if path == "/stats":
            return 200, {
                "requests": self.requests,
                "connections": self.connections,
                "most_open": self.most_open,
                "ready": {job: at + self.seconds for job, at in self.accepted.items()},
                "told": self.told,
            }
        *_, job, last = path.partition("?")[0].split("/")
        if last == "models":
            self.requests["models"] += 1
            return 200, {"data": [MODEL]}
        if method == "POST":
            self.requests["submit"] += 1
            job = f"gen-vid-{len(self.accepted)}-bench"
            self.accepted[job] = self.clock()
            self.told[job] = {"pending": time.time()}
            return 202, {"id": job, "polling_url": f"/api/v1/videos/{job}", "status": "pending"}
        if last == "content":
            self.requests["content"] += 1
            return (200, None) if job in self.accepted else (404, {})
        self.requests["poll"] += 1
        return (200, self.state(last)) if last in self.accepted else (404, {})

    def state(self, job):
        gone = self.clock() - self.accepted[job]
        status = "completed" if gone >= self.seconds else "in_progress" if gone >= BEGINS * self.seconds else "pending"
        self.told[job].setdefault(status, time.time())
        told = {"id": job, "generation_id": job, "polling_url": f"/api/v1/videos/{job}", "status": status}
        if status == "completed":
            told |= {"unsigned_urls": [f"{self.base}/videos/{job}/content"], "usage": {"cost": 0.2, "is_byok": False}}
        return told


class Connection(asyncio.Protocol):
    """One connection: HTTP/1.1 with bodies of a known length."""

    def __init__(self, api):
        self.api, self.data, self.task = api, bytearray(), None
        self.may_write = asyncio.Event()
        self.may_write.set()

    def connection_made(self, transport):
        self.transport = transport
        self.api.connections += 1
        self.api.open += 1
        self.api.most_open = max(self.api.most_open, self.api.open)

    def connection_lost(self, _):
        self.api.open -= 1
        if self.task is not None:
            self.task.cancel()

    def pause_writing(self):
        self.may_write.clear()

    def resume_writing(self):
        self.may_write.set()

    def data_received(self, data):
        self.data += data
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self.data[:end])
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.data) < end + 4 + length:
            return
        del self.data[: end + 4 + length]
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        status, body = self.api.answer(method, path)
        if body is None:
            self.task = asyncio.create_task(self.send_film())
        else:
            self.send(status, json.dumps(body).encode(), "application/json")

    def send(self, status, body, kind):
        head = f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)

    async def send_film(self):
        film = memoryview(self.api.film)
        head = f"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-length: {len(film)}\r\n\r\n"
        self.transport.write(head.encode())
        for at in range(0, len(film), CHUNK):
            await self.may_write.wait()
            self.transport.write(film[at : at + CHUNK])


async def serve(api):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(api), "127.0.0.1", 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    api.base = f"http://127.0.0.1:{port}/api/v1"
    print(port, flush=True)
    await server.serve_forever()


def shared_clock(path):
    """The time that another process has written into a file: eight bytes, a double."""
    with path.open("r+b") as file:
        seen = mmap.mmap(file.fileno(), 8)
    return lambda: struct.unpack("<d", seen)[0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("film", type=Path)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clock", type=Path)
    asked = parser.parse_args()
    clock = shared_clock(asked.clock) if asked.clock else time.time
    asyncio.run(serve(Api(asked.film.read_bytes(), asked.seconds, clock)))
