"""Stands before the routes and lets happen what was asked for."""

from __future__ import annotations

import asyncio
import threading
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from refvideo_nb.simulator.envelope import envelope
from refvideo_nb.simulator.faults import answers
from refvideo_nb.simulator.faults.answers import Answer, carry_out
from refvideo_nb.simulator.faults.catalogue import STATUS, STATUS_AFTER
from refvideo_nb.simulator.faults.line import drain, hang_up, is_gone

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from refvideo_nb.simulator.doors import Doors
    from refvideo_nb.simulator.faults.box import FaultBox
    from refvideo_nb.simulator.faults.spec import Fault
    from refvideo_nb.simulator.signing import Signer
    from refvideo_nb.simulator.studio import Studio

_LOOK = 0.05  # seconds between two looks at whether waiting still makes sense
_PIECES = 40  # of an answer that trickles
_VALID = 3600  # seconds for which the addresses that faults lead to are good
_BEFORE = {"drop-before", "reset-before", STATUS}


class Saboteur:
    """ASGI middleware between the traffic and the routes.

    Parameters
    ----------
    app
        The routes.
    box
        What is to go wrong.
    studio
        The jobs: faults of polls and downloads are for those that exist.
    """

    def __init__(self, app: ASGIApp, box: FaultBox, studio: Studio, doors: Doors, signer: Signer) -> None:
        self._app = app
        self._box = box
        self._studio = studio
        self._doors = doors
        self._signer = signer
        self.closing = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or fail to."""
        where, job_id = _route(scope)
        if (
            where is None
            or scope["server"][1] != self._doors.api
            or (job_id is not None and not self._studio.knows(job_id))
            or (met := self._box.take(where)) is None
        ):
            await self._app(scope, receive, send)
            return
        fault = met.fault
        if fault.name in _BEFORE:
            await self._refuse(fault, scope, receive, send)
            return
        if fault.what == "clock":
            self._studio.jump(job_id or "", fault.seconds)
        if fault.what == "no-range":
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"range"]}
        answer = await carry_out(self._app, scope, receive)
        spoilt = self._spoil(fault, answer, job_id)
        if fault.what == "unsigned-urls" and spoilt is answer:
            self._box.put_back(met)
        await self._deliver(fault, spoilt, scope, receive, send)

    async def _refuse(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """Not carried out."""
        if fault.what != "reset-before":
            await drain(receive)
        if fault.name == STATUS:
            await _refusal(fault).send(send)
        else:
            await hang_up(scope, receive, reset=fault.what == "reset-before")

    def _spoil(self, fault: Fault, answer: Answer, job_id: str | None) -> Answer:
        """The answer that is given instead."""
        if fault.name == STATUS_AFTER:
            return _refusal(fault)
        if fault.what == "redirect":
            where = self._doors.url(fault.value or "", self._signed(job_id))
            return Answer(302, ((b"location", where.encode()),), b"").with_body(b"")
        if fault.what in _WHOLE:
            return _WHOLE[fault.what](answer)
        if fault.what in {"status", "polling-url", "unsigned-urls", "wrong-types"}:
            return answers.with_fields(answer, lambda told: self._change(fault, told))
        return answer

    def _change(self, fault: Fault, told: dict[str, Any]) -> dict[str, Any]:
        value = fault.value or ""
        if fault.what == "wrong-types":
            return answers.wrong_types(told, {name for name in value.split(",") if name})
        if fault.what == "status" and "status" in told:
            return {**told, "status": value}
        name = fault.what.replace("-", "_")
        if name not in told:
            return told
        if value == "none":
            return {key: each for key, each in told.items() if key != name}
        if name == "polling_url":
            return {**told, name: self._doors.url(value, f"/api/v1/videos/{told.get('id')}")}
        if name == "unsigned_urls":
            return {**told, name: [self._doors.url(value, self._signed(told.get("id")))]}
        return told

    def _signed(self, job_id: str | None) -> str:
        return self._signer.path(job_id or "", int(self._studio.now) + _VALID)

    async def _deliver(self, fault: Fault, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        """The way in which it is told, or not told."""
        if fault.what in {"drop-after", "reset-after"}:
            await hang_up(scope, receive, reset=fault.what == "reset-after")
        elif fault.what in {"truncate", "reset"}:
            await answer.begin(send)
            half = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await hang_up(scope, receive, reset=fault.what == "reset")
        elif fault.what == "trickle":
            await self._trickle(answer, fault.seconds, scope, send)
        else:
            if fault.what == "delay":
                await self._pause(fault.seconds, scope)
            await answer.send(send)

    async def _trickle(self, answer: Answer, seconds: float, scope: Scope, send: Send) -> None:
        await answer.begin(send)
        size = max(1, -(-len(answer.body) // _PIECES))
        pieces = [answer.body[at : at + size] for at in range(0, len(answer.body), size)]
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await self._pause(seconds / len(pieces), scope)
        await send({"type": "http.response.body", "body": b""})

    async def _pause(self, seconds: float, scope: Scope) -> None:
        """Wait, but not for somebody who has left, nor when the simulator is to end."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.closing.is_set() and not is_gone(scope):  # noqa: ASYNC110 - three ends, one of them set by another thread
            await asyncio.sleep(min(left, _LOOK))


_WHOLE: dict[str, Callable[[Answer], Answer]] = {
    "malformed": answers.malformed,
    "empty": lambda answer: answer.with_body(b""),
    "html": lambda answer: answers.page(answer, "Just a moment"),
    "cut": answers.without_length,
    "garbage": answers.garbage,
}


def _refusal(fault: Fault) -> Answer:
    known = fault.status in set(HTTPStatus)
    said = envelope(fault.status, f"Simulated: {HTTPStatus(fault.status).phrase if known else fault.status}")
    headers = list(said.raw_headers)
    if fault.value is not None:
        dated = fault.value.startswith("date:")
        told = formatdate(time.time() + fault.seconds, usegmt=True) if dated else fault.value
        headers.append((b"retry-after", told.encode()))
    answer = Answer(fault.status, tuple(headers), bytes(said.body))
    return answers.page(answer, "502 Bad Gateway") if fault.status == HTTPStatus.BAD_GATEWAY else answer


def _route(scope: Scope) -> tuple[str | None, str | None]:
    """Which route a request is for, as faults call it, and which job's."""
    method, parts = scope["method"], scope["path"].split("/")[1:]
    if parts[:3] != ["api", "v1", "videos"]:
        return None, None
    match method, parts[3:]:
        case "POST", []:
            return "submit", None
        case "GET", ["models"]:
            return "models", None
        case "GET", [job_id]:
            return "poll", job_id
        case "GET", [job_id, "content"]:
            return "content", job_id
    return None, None
