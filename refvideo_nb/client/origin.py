"""Where a URL leads, and whether the key may go there.

The key goes to the API's origin (scheme, host, port) and nowhere else: not to a
CDN, not across a redirect, not to a `polling_url` that names another host.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote, urljoin, urlsplit

from refvideo_nb.errors import MalformedAnswerError, one_line
from refvideo_nb.settings import is_loopback

__all__ = ["allowed_url", "content_url", "job_url", "origin", "resolve", "same_origin"]

_PORTS = {"https": 443, "http": 80}


def origin(url: str) -> tuple[str, str, int] | None:
    """(scheme, host, port); None where the URL cannot be trusted to have one."""
    try:
        parts = urlsplit(url)
        port = _PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    except ValueError:
        return None
    # A host with a dot behind it is left another host: names and certificates may differ.
    host = (parts.hostname or "").lower()
    if parts.scheme not in _PORTS or not host or parts.username is not None or parts.password is not None:
        return None
    return parts.scheme, host, port


_known = lru_cache(maxsize=8)(origin)  # of the API's own address, which is compared with every other


def same_origin(url: str, base_url: str) -> bool:
    """Whether the key may be sent to `url`."""
    found = origin(url)
    return found is not None and found == _known(base_url)


def resolve(base: str, address: str) -> str:
    """An address of an answer as a whole URL; "" where it is none, which leads nowhere.

    Examples
    --------
    >>> resolve("https://openrouter.ai/api/v1/", "/api/v1/videos/a")
    'https://openrouter.ai/api/v1/videos/a'
    >>> resolve("https://openrouter.ai/api/v1/", "https://[broken")
    ''
    """
    try:
        return urljoin(base, address)
    except ValueError:
        return ""


def job_url(base_url: str, job_id: str, polling_url: str | None = None) -> str:
    """Where to poll: the answer's `polling_url` on the API's own origin, else the documented path."""
    if polling_url:
        resolved = resolve(base_url + "/", polling_url)
        if same_origin(resolved, base_url):
            return resolved
    return f"{base_url}/videos/{_segment(job_id)}"


def content_url(base_url: str, job_id: str, index: int) -> str:
    """The documented address of a job's file."""
    return f"{base_url}/videos/{_segment(job_id)}/content?index={index}"


def _segment(job_id: str) -> str:
    # ".." alone would be a step up in the path, whatever else is quoted.
    return quote(job_id, safe="", errors="replace").replace(".", "%2E")


def allowed_url(url: str, base_url: str) -> str:
    """The URL, if a file may be fetched from it at all.

    Raises
    ------
    MalformedAnswerError
        Unless it is https; plain http is for an API on this machine only.
    """
    found = origin(url)
    base = _known(base_url)
    local = base is not None and is_loopback(base[1])
    if found is None or (found[0] != "https" and not (local and is_loopback(found[1]))):
        shown = url.partition("?")[0].rpartition("@")[2]  # what stands around may be a secret
        why = "is not https" if "@" not in url.partition("?")[0] else "holds a user name, so it is not asked"
        raise MalformedAnswerError(f"the file's address {one_line(shown, limit=80)!r} {why}")
    return url
