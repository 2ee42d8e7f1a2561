"""Getting references as a provider gets them: no cookies, no redirects, no patience, and nothing but media."""

from __future__ import annotations

import asyncio
import base64
import binascii
import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refvideo_nb.simulator.order import Material

LARGEST: Final = 20 * 1024 * 1024  # bytes of one reference
_TIMEOUT = 10.0  # seconds for the whole of one reference
_SHOWN = 120  # characters of a URL that an error text repeats
_OK = 200


class Unusable(Exception):  # noqa: N818 - it fails a job, not the program
    """A reference that cannot be used; its text becomes the job's error."""


async def fetch_all(materials: Sequence[Material]) -> dict[str, bytes]:
    """The bytes of every material by its name, got at the same time.

    Raises
    ------
    Unusable
        For the first, in the request's order, that cannot be used.
    """
    got = await asyncio.gather(*(_fetch(material) for material in materials), return_exceptions=True)
    data: dict[str, bytes] = {}
    for material, each in zip(materials, got, strict=True):
        if isinstance(each, BaseException):
            raise each
        data[material.name] = each
    return data


async def _fetch(material: Material) -> bytes:
    url = material.url
    if url.startswith("data:"):
        return _decode(material)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Unusable(f"{material.name} could not be fetched: {_shown(url)} is not a URL") from None
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return await _download(material, proxied=parts.scheme == "https")
    raise Unusable(f"{material.name} could not be fetched: {_shown(url)} is not an https URL or a data URL")


def _decode(material: Material) -> bytes:
    head, comma, payload = material.url.partition(",")
    if not comma or not head.endswith(";base64") or not head.startswith(f"data:{material.kind}/"):
        raise Unusable(f"{material.name} is not a data:{material.kind}/...;base64 URL")
    try:
        data = base64.b64decode(payload, validate=True)
    except binascii.Error:
        raise Unusable(f"{material.name} holds broken base64") from None
    return _checked(material, data)


async def _download(material: Material, *, proxied: bool) -> bytes:
    # Imported late: a simulator that never fetches must start fast.
    import httpx  # noqa: PLC0415

    what = f"{material.name} could not be fetched: {_shown(material.url)}"
    data = bytearray()
    try:
        async with (
            asyncio.timeout(_TIMEOUT),
            httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, trust_env=proxied) as client,
            client.stream("GET", material.url) as answer,
        ):
            if answer.status_code != _OK:
                raise Unusable(f"{what} answered {answer.status_code}")
            media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type.startswith("text/"):
                raise Unusable(f"{what} answered with {media_type}, which is not {_article(material.kind)}")
            async for chunk in answer.aiter_bytes():
                data += chunk
                if len(data) > LARGEST:
                    break
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise Unusable(f"{what} ({type(error).__name__})") from None
    return _checked(material, bytes(data))


def _checked(material: Material, data: bytes) -> bytes:
    if not data:
        raise Unusable(f"{material.name} is empty")
    if len(data) > LARGEST:
        raise Unusable(f"{material.name} is larger than {LARGEST // 1024**2} MB")
    return data


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(url: str) -> str:
    return url if len(url) <= _SHOWN else url[:_SHOWN] + "…"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "ai" else f"a {kind}"
