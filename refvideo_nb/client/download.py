"""Fetching a finished file: streamed to a temporary file, whole or not at all.

The caller checks that it decodes and renames it; nothing half-done is ever seen
under the final name.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import httpx

from refvideo_nb.client.client import network_error, raise_for_status, read_bounded
from refvideo_nb.client.hush import hushed
from refvideo_nb.client.origin import allowed_url, content_url, resolve, same_origin
from refvideo_nb.errors import APIError, DownloadError, MalformedAnswerError, NetworkError, RefVideoError, one_line

if TYPE_CHECKING:
    from pathlib import Path

    from refvideo_nb.client.client import VideoClient
    from refvideo_nb.client.wire import JobAnswer

__all__ = ["addresses", "download"]

_MOST_REDIRECTS = 5
_MOST_CUTS = 4  # each after some bytes came; whoever calls tries again later, with a pause
_LARGEST_FILE = 4_000_000_000
_LONGEST = 3600.0  # seconds; a file that trickles is given up, and can be fetched again
_FLUSHED = 16_000_000  # bytes; a clip is smaller
_HEAD = 64  # bytes; enough to tell text from a film
_FINAL = frozenset({401, 402, 409, 429})  # what the API says itself is the same at its other addresses


def addresses(client: VideoClient, answer: JobAnswer, index: int = 0) -> list[str]:
    """Where the file can be had, best first; signed addresses last, since they are secrets."""
    own = content_url(client.base_url, answer.id, index)
    found: list[str] = []
    if answer.unsigned_urls and index < len(answer.unsigned_urls):
        found.append(resolve(client.base_url + "/", answer.unsigned_urls[index]))
    found.append(own)
    if answer.urls and index < len(answer.urls):
        found.append(resolve(client.base_url + "/", answer.urls[index]))
    return list(dict.fromkeys(found))


async def download(client: VideoClient, answer: JobAnswer, to: Path, *, index: int = 0) -> int:
    """Fetch output `index` of a finished job into the file `to`.

    Returns
    -------
    int
        Bytes written, flushed to the disk. That they are a film is for the caller to find
        by decoding them; what is plainly text is refused here.

    Raises
    ------
    APIError, NetworkError, DownloadError, MalformedAnswerError
        After every address was tried; `to` is then removed.
    """
    first: RefVideoError | None = None
    for url in addresses(client, answer, index):
        try:
            with hushed():
                async with client.room:
                    return await _fetch(client, allowed_url(url, client.base_url), to)
        except RefVideoError as error:
            to.unlink(missing_ok=True)
            # The first address is the documented one: its refusal tells the most.
            first = first or error
            own = same_origin(url, client.base_url)
            if own and isinstance(error, APIError) and error.status_code in _FINAL:
                break
        except BaseException:
            to.unlink(missing_ok=True)
            raise
    assert first is not None
    raise first


async def _fetch(client: VideoClient, url: str, to: Path) -> int:
    hops, cuts, have = 0, 0, 0
    while hops <= _MOST_REDIRECTS:
        headers = {"Accept": "video/mp4, */*;q=0.5", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        try:
            request = client.http.stream("GET", url, headers=headers, auth=client.auth)
            async with asyncio.timeout(_LONGEST), request as response:
                if response.has_redirect_location:
                    url = allowed_url(resolve(url, response.headers["location"]), client.base_url)
                    hops += 1
                    continue
                if not response.is_success:
                    data = client.without_key(await read_bounded(response, "the download"))
                    raise_for_status(response.status_code, data, response.headers, "the download")
                return await _write(response, to, after=_continues(response, have))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            got = to.stat().st_size if to.exists() else 0
            if got > have and cuts < _MOST_CUTS:
                # Ranges are not documented: they are asked for, and whatever comes is taken.
                have, cuts = got, cuts + 1
                continue
            raise network_error(error, "the download") from None
        except TimeoutError:
            raise NetworkError(f"the download was not whole within {_LONGEST:g} s") from None
    raise MalformedAnswerError(f"the download was redirected more than {_MOST_REDIRECTS} times")


def _continues(response: httpx.Response, have: int) -> int:
    """How many bytes of the file are kept: all that are there where the answer goes on after them, else none."""
    said = response.headers.get("content-range", "")
    goes_on = response.status_code == httpx.codes.PARTIAL_CONTENT and said.startswith(f"bytes {have}-")
    if response.status_code == httpx.codes.PARTIAL_CONTENT and not goes_on:
        raise DownloadError(f"the server answered with another part of the file ({one_line(said, limit=40)!r})")
    return have if goes_on else 0


async def _write(response: httpx.Response, to: Path, *, after: int) -> int:
    said = response.headers.get("content-length", "")
    expected = int(said) + after if said.isascii() and said.isdigit() else None
    written = after
    try:
        with to.open("r+b" if after else "wb") as file:
            file.seek(after)
            disk = _Disk(file.fileno())
            try:
                async for chunk in response.aiter_bytes():
                    written += len(chunk)
                    if written > _LARGEST_FILE:
                        raise DownloadError(
                            f"the file is larger than {_LARGEST_FILE / 1e9:g} GB: download stopped", passing=False
                        )
                    file.write(chunk)
                    disk.grown_to(written)
                file.flush()
            finally:
                await disk.settle()
            await asyncio.to_thread(os.fsync, file.fileno())  # other jobs go on meanwhile
        with to.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise DownloadError(
            f"{to.name} cannot be written: {error.strerror}; free some space, then resume", passing=False
        ) from None
    # A proxy may have compressed it in spite of our asking; the length is then that of what was sent.
    came = response.num_bytes_downloaded if "content-encoding" in response.headers else written
    if expected is not None and came != expected:
        raise DownloadError(f"the file came incomplete: {came} of {expected} bytes")
    if not written:
        raise DownloadError("the file that came is empty")
    if (kind := _text_kind(head)) is not None:
        raise DownloadError(f"what came instead of the video is {kind} ({written} bytes)")
    return written


class _Disk:
    """Lets the disk write while more of a large file still comes, so that the end need not wait for all of it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._flushed = 0
        self._flush: asyncio.Future[None] | None = None

    def grown_to(self, size: int) -> None:
        if size - self._flushed >= _FLUSHED and (self._flush is None or self._flush.done()):
            self._flushed = size
            self._flush = asyncio.get_running_loop().run_in_executor(None, os.fsync, self._descriptor)
            self._flush.add_done_callback(lambda flush: flush.cancelled() or flush.exception())

    async def settle(self) -> None:
        """Wait for what is under way, since the file is closed next; what is wrong with it the last flush tells."""
        if self._flush is not None:
            await asyncio.wait({self._flush})


def _text_kind(head: bytes) -> str | None:
    """What a text is, by its beginning; None for what may be a film in whatever container."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<"):
        return "a web page"
    if start.startswith((b"{", b"[")):
        return "JSON"
    return None if any(b < 9 or b > 126 for b in head) else "text"  # noqa: PLR2004 - no text holds these
