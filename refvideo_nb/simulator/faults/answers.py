"""Answers as values: what a route said, taken before it leaves, and ways to spoil it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PAGE = b"<!DOCTYPE html><html><head><title>%s</title></head><body><h1>%s</h1></body></html>"
_KEPT = 32  # bytes of a file that say "MP4"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (names in lower case) and body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def with_body(self, body: bytes, media_type: bytes | None = None) -> Answer:
        """Another body, with its own length."""
        dropped = {b"content-length", *([b"content-type"] if media_type else [])}
        headers = [pair for pair in self.headers if pair[0] not in dropped]
        headers.append((b"content-length", str(len(body)).encode()))
        if media_type:
            headers.append((b"content-type", media_type))
        return replace(self, body=body, headers=tuple(headers))

    async def send(self, send: Send) -> None:
        """All of it."""
        await self.begin(send)
        await send({"type": "http.response.body", "body": self.body})

    async def begin(self, send: Send) -> None:
        """Status and headers."""
        await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})


async def carry_out(app: ASGIApp, scope: Scope, receive: Receive) -> Answer:
    """Let the routes do what was asked for, and keep their answer."""
    status, headers, body = 500, [], bytearray()

    async def keep(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], message.get("headers", [])
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, keep)
    return Answer(status, tuple((name.lower(), value) for name, value in headers), bytes(body))


def page(answer: Answer, title: str) -> Answer:
    """A web page instead."""
    told = title.encode()
    return answer.with_body(_PAGE % (told, told), b"text/html; charset=utf-8")


def malformed(answer: Answer) -> Answer:
    """The first half alone."""
    return answer.with_body(answer.body[: len(answer.body) // 2], b"application/json")


def without_length(answer: Answer) -> Answer:
    """The first half alone, of which nobody says how long it should be."""
    headers = tuple(pair for pair in answer.headers if pair[0] not in {b"content-length", b"etag"})
    return replace(answer, headers=headers, body=answer.body[: len(answer.body) // 2])


def garbage(answer: Answer) -> Answer:
    """As long as before, and like an MP4 where it begins."""
    noise = random.Random(0).randbytes(max(0, len(answer.body) - _KEPT))
    return replace(answer, body=answer.body[:_KEPT] + noise)


def with_fields(answer: Answer, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Answer:
    """The JSON object with other fields; anything else stays as it is."""
    try:
        told = json.loads(answer.body)
    except ValueError:
        return answer
    if not isinstance(told, dict):
        return answer
    changed = change(dict(told))
    return answer if changed == told else answer.with_body(json.dumps(changed).encode())


def wrong_types(told: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """Every field, or those named, as another type."""
    return {name: _other_type(value) if not names or name in names else value for name, value in told.items()}


def _other_type(value: Any) -> Any:
    if isinstance(value, str):
        return 17
    if isinstance(value, bool | int | float):
        return "seventeen"
    return {"seventeen": 17} if isinstance(value, list) else [17]
