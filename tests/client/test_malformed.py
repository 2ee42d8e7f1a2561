"""Thousands of malformed answers to each endpoint: each ends in an error of ours, and none hangs."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refvideo_nb.client.client import VideoClient
from refvideo_nb.client.download import download
from refvideo_nb.client.wire import JobAnswer, read_models
from refvideo_nb.errors import RefVideoError
from refvideo_nb.settings import Secret

if TYPE_CHECKING:
    from pathlib import Path

BASE = "https://api.example/api/v1"
NAMES = ("id", "status", "polling_url", "error", "unsigned_urls", "urls", "usage", "cost", "data", "code", "message")
WORDS = st.sampled_from(["", "completed", "failed", "x" * 600, "https://[x", "//evil", "../..", "\0", "NaN", "é\ud7ff"])
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=20)
JSON = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
WIDE = 2000


def as_bytes(value: object) -> bytes:
    import json

    return json.dumps(value).encode("utf-8", "surrogatepass")


BODIES = st.one_of(
    JSON.map(as_bytes),
    st.tuples(JSON.map(as_bytes), st.integers(0, 40)).map(lambda both: both[0][: both[1]]),
    st.binary(max_size=200),
    st.sampled_from([b"", b"<html>", b"[" * 100_000, b'{"id":' * 5000, b"\xff\xfe", b"null", b"9" * 5000]),
)
STATUSES = st.sampled_from([200, 202, 204, 206, 301, 307, 400, 401, 402, 404, 409, 410, 418, 429, 499, 500, 503, 599])
HEADERS = st.dictionaries(
    st.sampled_from(["location", "retry-after", "content-length", "content-type", "content-range", "content-encoding"]),
    st.sampled_from(["", "0", "-1", "1e400", "soon", "bytes 5-", "https://[x", "/", "gzip", "Thu, 99 Foo 2026"]),
    max_size=3,
)


@pytest.fixture(scope="module")
def api() -> object:
    """A client whose next answer is whatever is put into it."""
    held: dict[str, httpx.Response] = {}

    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = held["next"]
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    class Raw:
        """An answer as it is put together here; httpx would not build some of them."""

        def __init__(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.status_code, self.headers, self.content = status, headers, content

    with asyncio.Runner() as runner:
        client = VideoClient(BASE, Secret("a-long-enough-key"), transport=Transport())

        def ask(endpoint: str, status: int, headers: dict[str, str], content: bytes, to: Path) -> None:
            held["next"] = Raw(status, headers, content)  # type: ignore[assignment]

            async def once() -> None:
                if endpoint == "models":
                    read_models(await client.model_list(), {})
                elif endpoint == "submit":
                    await client.submit(b"{}")
                elif endpoint == "poll":
                    await client.poll("gen-vid-1", "/x")
                else:
                    await download(client, JobAnswer(id="gen-vid-1", unsigned_urls=["/file"]), to)

            with contextlib.suppress(RefVideoError):
                runner.run(asyncio.wait_for(once(), 20))

        yield ask
        runner.run(client.aclose())


@pytest.mark.parametrize("endpoint", ["models", "submit", "poll", "content"])
def test_every_malformed_answer_ends_in_an_error_of_ours(api: object, endpoint: str, tmp_path: Path) -> None:
    seen: set[int] = set()

    @settings(max_examples=WIDE, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(STATUSES, HEADERS, BODIES)
    def answered(status: int, headers: dict[str, str], content: bytes) -> None:
        seen.add(status)
        api(endpoint, status, headers, content, tmp_path / "clip.part")  # type: ignore[operator]

    answered()
    assert len(seen) > 10
