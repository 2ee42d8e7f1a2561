"""The one shape in which the API says no: ``{"error": {"code": int, "message": str}}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

# The path and the method decide these two, so the router raises them and not our own code.
_ROUTER_TEXTS = {404: "Resource not found", 405: "Method not allowed"}


class Refusal(Exception):  # noqa: N818 - a refusal is an answer here, not a fault of the program
    """A request that is answered with an error envelope.

    Parameters
    ----------
    status
        The HTTP status, repeated in the envelope as ``code``.
    message
        The text that the caller reads.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def envelope(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error answer in the API's shape."""
    # A text may repeat what was sent, and JSON can hold halves of characters that no encoding has.
    message = message.encode("utf-8", "replace").decode()
    return JSONResponse({"error": {"code": status, "message": message}}, status, headers=headers)


async def answer_refusal(_request: Request, exc: Exception) -> JSONResponse:
    """Handler for `Refusal`."""
    assert isinstance(exc, Refusal)
    return envelope(exc.status, exc.message)


async def answer_router(_request: Request, exc: Exception) -> JSONResponse:
    """Handler for what Starlette itself raises: unknown paths, wrong methods, unsatisfiable ranges."""
    assert isinstance(exc, HTTPException)
    text = _ROUTER_TEXTS.get(exc.status_code, exc.detail)
    return envelope(exc.status_code, text, exc.headers)


async def answer_crash(_request: Request, _exc: Exception) -> JSONResponse:
    """Handler for a bug of ours: the caller learns no more than the real API would say."""
    return envelope(500, "Internal Server Error")
