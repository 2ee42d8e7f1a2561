"""The connection itself: ASGI hides it, and a fault has to close it or to reset it."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

_TRANSPORT = "refvideo_simulator.transport"
_LINGER_NOT = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # close at once, with a reset
_LOOK = 0.01
_PATIENCE = 5.0  # seconds in which the other side takes what was already written
_ON_ITS_WAY = 0.02  # seconds for it to arrive: a reset may overtake it


class OpenProtocol(H11Protocol):
    """uvicorn's protocol, which lets each request know its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the transport where uvicorn copies every request's state from."""
        self.app_state = {**self.app_state, _TRANSPORT: transport}
        # asyncio does so itself, but not for a listening socket that was made without naming the protocol; every
        # answer would then wait 40 ms between its headers and its body.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)


def is_gone(scope: Scope) -> bool:
    """Whether the other side has left."""
    return _transport(scope).is_closing()


async def drain(receive: Receive) -> None:
    """Read the rest of a request and throw it away, so that the caller has sent all of it."""
    while (message := await receive())["type"] == "http.request":
        if not message.get("more_body", False):
            return


async def hang_up(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """End the connection when what was written has arrived, and return when uvicorn knows it."""
    transport = _transport(scope)
    for _ in range(int(_PATIENCE / _LOOK)):
        if transport.is_closing() or not transport.get_write_buffer_size():
            break
        await asyncio.sleep(_LOOK)
    if reset and not transport.is_closing():
        await asyncio.sleep(_ON_ITS_WAY)
        held = transport.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()
    # Until uvicorn has noticed, it would take an unanswered request for a fault of ours and answer it.
    while (await receive())["type"] != "http.disconnect":
        pass


def _transport(scope: Scope) -> asyncio.Transport:
    return cast("asyncio.Transport", scope["state"][_TRANSPORT])
