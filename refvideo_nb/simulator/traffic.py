"""What stands before every route: it counts, marks every answer, and bounds what a body may weigh."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect

from refvideo_nb.simulator.envelope import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MARK = (b"x-refvideo-simulator", b"1")
_REMEMBERED = 1000  # requests with a key, the newest
LARGEST_BODY = 64 * 1024 * 1024
_log = logging.getLogger(__name__)


class Traffic:
    """ASGI middleware around the routes.

    Parameters
    ----------
    app
        What answers.
    log
        Where requests are counted.
    """

    def __init__(self, app: ASGIApp, log: TrafficLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        answered = False

        async def marked(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                message["headers"] = [*message.get("headers", []), _MARK]
            await send(message)

        self._log.note(scope)
        try:
            await self._app(scope, receive, marked)
        except Exception:
            if not answered:
                raise
            # The caller has its 500. Raised further, it would cost the connection too, and with it the next request.
            _log.exception("%s %s", scope["method"], scope["path"])
        finally:
            self._log.touch()


class TrafficLog:
    """What ``GET /__sim__/stats`` tells."""

    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()
        self._with_key: deque[dict[str, str]] = deque(maxlen=_REMEMBERED)
        self._last = time.monotonic()

    def note(self, scope: Scope) -> None:
        """Count a request before it is answered."""
        method, path = scope["method"], scope["path"]
        self._requests[f"{method} {_route(path)}"] += 1
        if any(name == b"authorization" for name, _ in scope["headers"]):
            host = next((value for name, value in scope["headers"] if name == b"host"), b"")
            self._with_key.append({"method": method, "path": path, "host": host.decode("latin-1")})
        self.touch()

    def touch(self) -> None:
        """Somebody is here."""
        self._last = time.monotonic()

    @property
    def idle(self) -> float:
        """Seconds since the last request began or ended."""
        return time.monotonic() - self._last

    def tell(self) -> dict[str, Any]:
        """The counts by route, and where a key was seen."""
        return {"requests": dict(self._requests), "authorization_seen": list(self._with_key)}


def _route(path: str) -> str:
    """A path with its job id left out, so that the counts are by route."""
    parts = path.split("/")
    if parts[:4] == ["", "api", "v1", "videos"] and len(parts) > 4 and parts[4] not in {"", "models"}:  # noqa: PLR2004
        parts[4] = "{id}"
    return "/".join(parts)


async def read_body(request: Request) -> bytes:
    """The whole body.

    Raises
    ------
    Refusal
        413 above the limit; the rest is read and thrown away first, so that the caller hears the answer.
    """
    body = bytearray()
    too_large = False
    try:
        async for chunk in request.stream():
            if too_large or len(body) + len(chunk) > LARGEST_BODY:
                too_large = True
                body.clear()
            else:
                body += chunk
    except ClientDisconnect:  # nobody hears this; it only keeps a caller's end from looking like a fault of ours
        raise Refusal(499, "Client closed request") from None
    if too_large:
        raise Refusal(413, f"Request body too large. Maximum is {LARGEST_BODY // 1024**2} MB")
    return bytes(body)
