"""Fetching a reference that a person gave as an address, as a provider would.

No key, no cookies; https only, public hosts only. What only this machine can
reach is refused: a provider could not fetch it, and a notebook from elsewhere
must not make us read somebody's private network.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from refvideo_nb.client.client import open_http
from refvideo_nb.client.origin import resolve
from refvideo_nb.errors import BadReferenceError, one_line
from refvideo_nb.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["fetch"]

_MOST_REDIRECTS = 5
_LARGEST = 100_000_000
_LONGEST = 300.0  # seconds for all of it, so that a server that trickles does not hold a cell for ever
_OK = 200
_NAT64 = IPv6Network("64:ff9b::/96")


def _bad(url: str, why: str) -> BadReferenceError:
    shown = one_line(url.partition("?")[0].rpartition("@")[2], limit=120)
    return BadReferenceError(f"reference {shown!r} {why}", field="references", value=shown)


async def fetch(url: str, *, allow_loopback: bool = False, transport: httpx.AsyncBaseTransport | None = None) -> bytes:
    """The bytes at `url`.

    Parameters
    ----------
    url : str
        An https address.
    allow_loopback : bool
        Whether plain http to this machine is taken: only the simulator can fetch it again.

    Raises
    ------
    BadReferenceError
        Saying why a provider could not use this address, and what to do instead.
    """
    timeout = httpx.Timeout(20, connect=10)
    async with open_http(timeout=timeout, transport=transport, headers={"Accept": "*/*"}) as http:
        at = url
        for _ in range(_MOST_REDIRECTS + 1):
            await _check(at, url, allow_loopback=allow_loopback, look_up=transport is None)
            try:
                async with asyncio.timeout(_LONGEST), http.stream("GET", at) as response:
                    if response.has_redirect_location:
                        at = resolve(at, response.headers["location"])
                        http.cookies.clear()
                        continue
                    if response.status_code != _OK:
                        said = f"answered {response.status_code} instead of 200"
                        raise _bad(url, f"{said}: give an address that is public, or the file")
                    data = b"".join([c async for c in _bounded(response, url)])
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                why = one_line(error, limit=100) or type(error).__name__
                raise _bad(url, f"cannot be fetched ({why}): check the address, or give the file") from None
            except TimeoutError:
                raise _bad(url, f"did not come within {_LONGEST:g} s: give the file") from None
            start = data[:200].lstrip().lower()
            if start.startswith((b"<!doctype html", b"<html")):
                raise _bad(url, "is a web page, not an image: give the address of the image itself, or the file")
            if not data:
                raise _bad(url, "is empty: give another address, or the file")
            return data
        raise _bad(url, f"was redirected more than {_MOST_REDIRECTS} times: give the final address")


async def _bounded(response: httpx.Response, url: str) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > _LARGEST:
            raise _bad(url, f"is larger than {_LARGEST / 1e6:g} MB: give a smaller file")
        yield chunk


async def _check(at: str, url: str, *, allow_loopback: bool, look_up: bool) -> None:
    try:
        parts = urlsplit(at)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _bad(url, "is not an address: give https://…, or the file") from None
    if parts.username is not None or parts.password is not None:
        raise _bad(url, "holds a user name or password, which would be sent on: give a public address, or the file")
    if allow_loopback and is_loopback(host) and parts.scheme in {"http", "https"}:
        return
    if parts.scheme != "https" or not host:
        raise _bad(url, "is not https, which providers require: give an https address, or the file")
    if not _may_be_public(host) or (look_up and not await _is_public(host, port or 443)):
        raise _bad(
            url, "can be reached only from this machine or network, so no provider could: give the file or its bytes"
        )


def _may_be_public(host: str) -> bool:
    """False for an address, in whatever spelling, that is not out in the internet."""
    if is_loopback(host) or host.rstrip(".").endswith(("localhost", ".local", ".internal")):
        return False
    try:
        # The resolver reads 2130706433, 0x7f.1 and 127.1 as addresses too.
        return _is_global(str(IPv4Address(socket.inet_aton(host))))
    except (OSError, ValueError):
        pass
    try:
        return _is_global(host)
    except ValueError:
        return True  # a name


async def _is_public(host: str, port: int) -> bool:
    if (getproxies().keys() & {"https", "all"}) and not proxy_bypass(host):
        return True  # the proxy resolves names, and decides what it reaches
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True  # the request itself will say that the name is not known
    return all(_is_global(str(a[4][0])) for a in found)


def _is_global(address: str) -> bool:
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        # An IPv4 address in the clothes of IPv6: mapped, 6to4, or behind a translator.
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in _NAT64:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return found.is_global and not found.is_multicast
