"""Polls share connections, and none of them believes an answer that may be another job's."""

import asyncio
import contextlib

import pytest

from refvideo_nb.client.client import VideoClient
from refvideo_nb.settings import Secret

pytestmark = pytest.mark.anyio


@contextlib.asynccontextmanager
async def proxied(key, told):
    """A client of a proxy that writes `told(job, before)` for each poll: the last two jobs of the connection."""
    connections = []

    async def proxy(reader, writer):
        jobs = [b""]
        connections.append(jobs)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                jobs.append(head.split()[1].rpartition(b"/")[2])
                for status, body in told(jobs[-1], jobs[-2]):
                    writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(proxy, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        client = VideoClient(f"http://127.0.0.1:{port}/api/v1", Secret(key))
        yield client, connections
        await client.aclose()


def of(job):
    """An answer whose status tells the job, too."""
    return 200, b'{"id":"%s","status":"of %s"}' % (job, job)


THREE = ["one", "two", "three"]


async def test_polls_share_a_connection(key):
    async with proxied(key, lambda job, _: [of(job)]) as (client, connections):
        assert [(await client.poll(job)).status for job in THREE] == ["of one", "of two", "of three"]
        assert connections == [[b"", b"one", b"two", b"three"]]


@pytest.mark.parametrize(
    "told",
    [
        lambda job, _: [of(job), of(job)],  # each answer twice: the next poll finds one that is left
        lambda job, before: [of(before or job)],  # always that of the poll before
        lambda job, before: [(404, b'{"error":{"message":"gone"}}') if before else of(job)],
        lambda job, before: [(200, b"not an answer") if before else of(job)],
    ],
)
async def test_a_proxy_that_mixes_answers_up_mixes_no_two_jobs_up(key, told):
    async with proxied(key, told) as (client, _):
        assert [(await client.poll(job)).status for job in THREE] == ["of one", "of two", "of three"]


async def test_where_answers_were_mixed_up_no_connection_is_used_twice(key):
    async with proxied(key, lambda job, before: [of(before or job)]) as (client, connections):
        for job in (*THREE, "four"):
            assert (await client.poll(job)).id == job
        assert connections == [[b"", b"one", b"two"], [b"", b"two"], [b"", b"three"], [b"", b"four"]]


async def test_slow_answers_hold_no_other_poll_up(key):
    arrived, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def api(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                job = head.split()[1].rpartition(b"/")[2]
                if job.startswith(b"slow"):
                    arrived.release()
                    await go_on.wait()
                _, body = of(job)
                writer.write(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(api, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        client = VideoClient(f"http://127.0.0.1:{port}/api/v1", Secret(key))
        slow = [asyncio.create_task(client.poll(f"slow-{n}")) for n in range(4)]  # as many as share a connection
        for _ in slow:
            await asyncio.wait_for(arrived.acquire(), 30)
        assert (await asyncio.wait_for(client.poll("quick"), 30)).status == "of quick"
        assert not any(task.done() for task in slow)
        go_on.set()
        assert [answer.status for answer in await asyncio.gather(*slow)] == [f"of slow-{n}" for n in range(4)]
        await client.aclose()
