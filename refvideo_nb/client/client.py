"""The API, one method an endpoint; every refusal becomes one of our errors.

Nothing here retries: whoever calls knows whether a repetition costs money.
"""

from __future__ import annotations

import asyncio
import platform
from typing import TYPE_CHECKING, Any, NoReturn

import httpx

from refvideo_nb.client.origin import job_url, origin, resolve, same_origin
from refvideo_nb.client.retry import parse_retry_after, was_refused
from refvideo_nb.client.wire import JobAnswer, error_text, read_job
from refvideo_nb.errors import (
    APIError,
    AuthenticationError,
    GoneError,
    MalformedAnswerError,
    NetworkError,
    NotFoundError,
    NotReadyError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    SettingsError,
    one_line,
)
from refvideo_nb.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from contextlib import AbstractAsyncContextManager

    from refvideo_nb.settings import Secret

__all__ = ["KeyForOrigin", "VideoClient", "network_error", "open_http", "raise_for_status", "read_bounded"]

_ERRORS: dict[int, type[APIError]] = {
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: NotReadyError,
    410: GoneError,
    429: RateLimitError,
}
_SUBMIT, _POLL = "the submit", "a poll"
_ADVICE = {
    401: "check OPENROUTER_API_KEY",
    402: "add credits to the account, then run it again",
    413: "use smaller or fewer reference files, or https addresses",
    429: "try it again later",
}
_PLAIN: dict[type[Exception], str] = {
    httpx.ReadError: "the connection was lost while it was read",
    httpx.WriteError: "the connection was lost while it was sent",
    httpx.ReadTimeout: "none came in time",
    httpx.WriteTimeout: "it could not be sent in time",
    httpx.ConnectTimeout: "no connection came about in time",
    httpx.RemoteProtocolError: "the connection was closed before it was whole",
}
_LARGEST_ANSWER = 16_000_000  # bytes of JSON; a model list has about 50 kB
_LONGEST_ANSWER = 120.0  # seconds for all of it: each byte alone may come in time and the whole never
_LONGEST_SUBMIT = 900.0  # seconds; megabytes of references may go up a slow line
_SUBMITS_AT_ONCE, _POLLS_AT_ONCE, _OTHERS_AT_ONCE = 4, 4, 8  # sixteen connections in all
_KEPT = 60.0  # seconds; a job is asked after twice in that time
_LONG_TURN = 0.3  # seconds that a poll waits for a shared connection; where answers are slow it takes its own
_SHORTEST_KEY = 8  # characters; a shorter text may stand in any answer by chance
_SERVER_ERROR = 500
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.InvalidURL,
    httpx.PoolTimeout,
    httpx.ProxyError,  # the proxy opened no tunnel to the API
    httpx.UnsupportedProtocol,
)


class KeyForOrigin(httpx.Auth):
    """Puts the key on requests to one origin, and on no other.

    Here and not in a dict of headers: no frame of ours then holds the key, and no
    traceback that prints local variables can show it.
    """

    def __init__(self, key: Secret, base_url: str) -> None:
        self._key = key
        self._base_url = base_url

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """One request, never a second one."""
        if same_origin(str(request.url), self._base_url):
            request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        yield request


class VideoClient:
    """One API at one address with one key.

    Parameters
    ----------
    base_url : str
        Such as ``"https://openrouter.ai/api/v1"``.
    key : Secret
        Sent to that address's origin only.
    transport : httpx.AsyncBaseTransport, optional
        For tests that need bytes no real server would send.
    """

    def __init__(self, base_url: str, key: Secret, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.base_url = base_url
        self._key = key
        self.simulated = False
        self.auth = KeyForOrigin(key, base_url)
        found = origin(base_url)
        # What is on this machine is asked directly: a proxy would read the key, since it is not encrypted.
        proxied = found is None or not (found[0] == "http" and is_loopback(found[1]))
        headers = {"User-Agent": f"refvideo_nb (Python {platform.python_version()})", "Accept": "application/json"}

        def opened(at_once: int, *, seconds: float, kept: int = 0, more: Mapping[str, str] = {}) -> httpx.AsyncClient:
            return open_http(
                headers={**headers, **more},
                timeout=httpx.Timeout(seconds, connect=15, pool=None),
                limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=kept, keepalive_expiry=_KEPT),
                transport=transport,
                trust_env=proxied,
            )

        # A connection is used once. Over a second use, a proxy that answered twice before would give one job the
        # answer of another; and a paid request must not meet a connection that died while idle: the error would
        # look as if it had been sent. Polls alone share theirs: they are many, their answers say whose they are, and
        # what is in doubt is asked again.
        self.http = opened(_OTHERS_AT_ONCE, seconds=60)
        self._poll_http = opened(_POLLS_AT_ONCE, seconds=60, kept=_POLLS_AT_ONCE)
        self._submit_http = opened(_SUBMITS_AT_ONCE, seconds=180, more={"Content-Type": "application/json"})
        self._mixed_up = False  # whether a shared connection ever gave the answer of another job
        # Whoever waits, waits here: the pool looks through all of its waiting requests whenever one of them ends.
        self.room, self._poll_room = asyncio.Semaphore(_OTHERS_AT_ONCE), asyncio.Semaphore(_POLLS_AT_ONCE)
        # To be had before a submit is written down as under way: waiting for a turn sends nothing.
        self.turn = asyncio.Semaphore(_SUBMITS_AT_ONCE)

    async def aclose(self) -> None:
        """Close every connection."""
        for each in (self.http, self._poll_http, self._submit_http):
            await each.aclose()

    def own_address(self, polling_url: str | None) -> str | None:
        """A polling address that may be kept: one on the API's own origin. Others may hold a signature."""
        resolved = resolve(self.base_url + "/", polling_url or "")
        plain = polling_url is not None and "?" not in polling_url  # a query may be a signature
        return polling_url if plain and same_origin(resolved, self.base_url) else None

    async def model_list(self) -> bytes:
        """The raw model list; it needs no key, so none is sent."""
        return await self._get(f"{self.base_url}/videos/models", "the model list", auth=None)

    async def submit(self, body: bytes) -> JobAnswer:
        """Send a paid request, once.

        Raises
        ------
        NetworkError
            With ``sent=False`` only where it provably never left.
        APIError
            The API refused it; below 500 nothing was accepted, except that 408 and 499 do not tell.
        MalformedAnswerError
            It was perhaps accepted, but the answer cannot be read.
        """
        request = self._submit_http.stream("POST", f"{self.base_url}/videos", content=body, auth=self.auth)
        data = await self._answer(request, _SUBMIT, within=_LONGEST_SUBMIT)
        return read_job(data, what=_SUBMIT)

    async def poll(self, job_id: str, polling_url: str | None = None) -> JobAnswer:
        """Where a job stands."""
        url = job_url(self.base_url, job_id, polling_url)
        if (answer := await self._shared_poll(url, job_id)) is not None:
            return answer
        answer = read_job(await self._get(url, _POLL, auth=self.auth), what=_POLL)
        if answer.id != job_id:
            # What was asked for: another job's film must not be fetched, nor its bill be noted.
            answer.id, answer.polling_url, answer.unsigned_urls, answer.urls, answer.usage = job_id, *[None] * 4
        return answer

    async def _shared_poll(self, url: str, job_id: str) -> JobAnswer | None:
        """The answer over a connection that was used before, where it is certainly this job's; else None."""
        try:
            async with asyncio.timeout(_LONG_TURN if self._poll_room.locked() else None):
                await self._poll_room.acquire()
        except TimeoutError:
            return None
        try:
            if self._mixed_up:
                return None
            request = self._poll_http.stream("GET", url, auth=self.auth)
            answer = read_job(await self._answer(request, _POLL, within=_LONGEST_ANSWER), what=_POLL)
        except (RateLimitError, ServerError):
            raise  # whosever it is: the next poll asks again
        except (APIError, MalformedAnswerError):
            return None  # that a job is gone must not be believed of another one
        finally:
            self._poll_room.release()
        self._mixed_up = self._mixed_up or answer.id != job_id
        return None if answer.id != job_id else answer

    async def _get(self, url: str, what: str, *, auth: httpx.Auth | None) -> bytes:
        async with self.room:
            return await self._answer(self.http.stream("GET", url, auth=auth), what, within=_LONGEST_ANSWER)

    async def _answer(self, request: AbstractAsyncContextManager[httpx.Response], what: str, *, within: float) -> bytes:
        """The body of a success; every other outcome is one of our errors."""
        try:
            async with asyncio.timeout(within), request as response:
                self._note(response)
                data = self.without_key(await read_bounded(response, what))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise network_error(error, what) from None
        except TimeoutError:
            raise NetworkError(f"no whole answer to {what} within {within:g} s") from None
        if not response.is_success:
            raise_for_status(response.status_code, data, response.headers, what)
        return data

    def without_key(self, data: bytes) -> bytes:
        """An answer in which the key does not stand."""
        # Whatever an answer echoes may be kept and shown; the key must not be part of it.
        key = self._key.reveal().encode()
        return data.replace(key, b"***") if len(key) >= _SHORTEST_KEY else data

    def _note(self, response: httpx.Response) -> None:
        # The simulator says so in every answer, wherever it was started.
        self.simulated = self.simulated or response.headers.get("x-refvideo-simulator") == "1"


def open_http(**how: Any) -> httpx.AsyncClient:
    """An HTTP client, as the environment says.

    Raises
    ------
    SettingsError
        Where it names a proxy or certificates that cannot be used.
    """
    try:
        return httpx.AsyncClient(**how)
    except (ImportError, OSError, ValueError) as error:
        raise SettingsError(
            f"the environment's proxy or certificates cannot be used ({one_line(error, limit=160)}): look at "
            "HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR"
        ) from None


async def read_bounded(response: httpx.Response, what: str) -> bytes:
    """A body that is no file, whole.

    Raises
    ------
    MalformedAnswerError
        Where it is larger than any answer that the API documents.
    """
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > _LARGEST_ANSWER:
            raise MalformedAnswerError(f"the answer to {what} is larger than {_LARGEST_ANSWER} bytes")
    return bytes(data)


def network_error(error: Exception, what: str) -> NetworkError:
    """Our error for one of httpx's; `sent` is False only where nothing was written."""
    unsent = isinstance(error, _NEVER_LEFT)
    said = one_line(error, limit=120)
    detail = _PLAIN.get(type(error)) or said or type(error).__name__
    return NetworkError(f"no answer to {what}: {detail} ({type(error).__name__})", sent=not unsent)


def raise_for_status(status: int, data: bytes, headers: Mapping[str, str], what: str) -> NoReturn:
    """The typed error for an answer that is no success."""
    if status < 400:  # noqa: PLR2004 - redirects: the key must not follow one, so none is followed
        raise MalformedAnswerError(f"the answer to {what} is a redirect ({status}), which the API does not document")
    kind = _ERRORS.get(status) or (ServerError if status >= _SERVER_ERROR else APIError)
    text = error_text(data) or "no reason given"
    advice = [_ADVICE[status]] if status in _ADVICE else []
    if what == _SUBMIT and was_refused(status):
        advice.append("nothing was paid")
    raise kind(
        f"the API answered {status} to {what}: {text}" + (f" ({'; '.join(advice)})" if advice else ""),
        status_code=status,
        retry_after=parse_retry_after(headers.get("retry-after")),
    )
