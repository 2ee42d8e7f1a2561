"""Settings: from arguments, the environment, then defaults.

====================== ============================================================
OPENROUTER_API_KEY     the key; without it the embedded simulator answers
OPENROUTER_BASE_URL    another address of the API (plain http only to loopback)
REFVIDEO_HOME          folder of the ledger and the files (``refvideo`` where it is first used)
REFVIDEO_OFFLINE       ``1`` uses the simulator even where a key is set
REFVIDEO_POLL_INTERVAL seconds before the first poll is repeated (10; simulator 0.5)
REFVIDEO_TIMEOUT       seconds that we watch a job (1800); it can be resumed after
REFVIDEO_RATE          the most submits and polls a second (10; simulator 50)
REFVIDEO_EMBED_MB      the largest video embedded in a notebook, in MB (8)
REFVIDEO_SESSION_BUDGET USD that one session may spend in all (no limit)
REFVIDEO_SIMULATOR_SECONDS  seconds that a simulated job takes (4)
====================== ============================================================
"""

from __future__ import annotations

import os
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from refvideo_nb.errors import SettingsError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["DEFAULT_BASE_URL", "Secret", "Settings", "check_base_url", "is_loopback"]

DEFAULT_BASE_URL = "https://openrouter.ai/api/v1"
_SIMULATOR_POLL = 0.5
_API_POLL = 10.0
_SIMULATOR_RATE = 50.0
_API_RATE = 10.0


class Secret:
    """A string that no repr, format, pickle or traceback shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The string itself: call it only where it is sent."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    # Settings are looked up by value: the same key is the same account.
    def __eq__(self, other: object) -> bool:
        import hmac  # noqa: PLC0415 - it loads OpenSSL, and two keys are hardly ever compared

        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(Secret)  # a hash of the value would tell something of it

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How this process reaches the API and where it keeps things.

    Attributes
    ----------
    key : Secret or None
        None means the embedded simulator.
    base_url : str
        The API's address, without a trailing slash.
    home : pathlib.Path
        Folder of the ledger and the files.
    poll_interval, poll_max : float
        Seconds between polls at first and at most.
    timeout : float
        Seconds that a job is watched.
    requests_per_second : float
        The most submits and polls in any second.
    embed_bytes : int
        The largest video that is put into a notebook whole.
    simulator_seconds : float
        Seconds that a job of the embedded simulator takes.
    session_budget : Decimal or None
        USD that one session may spend in all.
    confirm_above : Decimal
        USD; the form asks once more before it sends what is estimated above it.
    """

    key: Secret | None = None
    base_url: str = DEFAULT_BASE_URL
    home: Path = msgspec.field(default_factory=lambda: Path("refvideo"))
    poll_interval: float = _API_POLL
    poll_max: float = 30.0
    timeout: float = 1800.0
    requests_per_second: float = _API_RATE
    embed_bytes: int = 8_000_000
    simulator_seconds: float = 4.0
    session_budget: Decimal | None = None
    confirm_above: Decimal = Decimal(1)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the environment.

        Raises
        ------
        SettingsError
            Naming the variable, its bad value and what it may be.
        """

        # No frame holds the environment or the key as text: a traceback with locals would show them.
        def read(name: str) -> str:
            return (os.environ if environ is None else environ).get(name, "").strip()

        key = Secret("" if _switch(read, "REFVIDEO_OFFLINE") else read("OPENROUTER_API_KEY"))
        if not _is_key(key):
            raise SettingsError(
                "OPENROUTER_API_KEY holds characters that no key has (spaces, line breaks or non-ASCII): "
                "set it again; the value is not shown here"
            )
        first = _number(read, "REFVIDEO_POLL_INTERVAL", _API_POLL if key else _SIMULATOR_POLL, low=0.01, high=600)
        return cls(
            key=key or None,
            # Without a key nothing is sent there.
            base_url=check_base_url((key and read("OPENROUTER_BASE_URL")) or DEFAULT_BASE_URL),
            home=_home(read("REFVIDEO_HOME"), fixed=environ is None),
            poll_interval=first,
            poll_max=max(first, 30.0 if key else 2.0),
            timeout=_number(read, "REFVIDEO_TIMEOUT", 1800, low=1, high=7 * 86400),
            requests_per_second=_number(
                read, "REFVIDEO_RATE", _API_RATE if key else _SIMULATOR_RATE, low=0.1, high=1000
            ),
            embed_bytes=int(_number(read, "REFVIDEO_EMBED_MB", 8, low=0, high=100) * 1e6),
            simulator_seconds=_number(read, "REFVIDEO_SIMULATOR_SECONDS", 4, low=0, high=3600),
            session_budget=_money(read, "REFVIDEO_SESSION_BUDGET"),
            confirm_above=Decimal(1) if (ask := _money(read, "REFVIDEO_CONFIRM_ABOVE")) is None else ask,
        )


_homes: dict[str, Path] = {}


def _home(text: str, *, fixed: bool) -> Path:
    """The home folder, which stays where it was first: after an os.chdir the same cell must not pay again."""
    if not fixed:
        return _folder(text or "refvideo")
    if text not in _homes:
        _homes[text] = _folder(text or "refvideo")
    return _homes[text]


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_base_url(url: str) -> str:
    """The address without a trailing slash, if a key may be sent there.

    Raises
    ------
    SettingsError
        Unless it is https, or http to this machine, without user name, query or fragment.
    """
    shown = one_line(url.rpartition("@")[2].partition("?")[0], limit=120)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise SettingsError(f"OPENROUTER_BASE_URL {shown!r} is not an address: use https://host/path") from None
    plain = url.isascii() and url.isprintable() and not set(url) & set(' \\@?#"<>')
    if not host or port == 0 or not plain:
        raise SettingsError(
            f"OPENROUTER_BASE_URL {shown!r} cannot be used: give https://host/path, "
            "without user name, password, query or fragment"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise SettingsError(
            f"OPENROUTER_BASE_URL {shown!r} would send the key unencrypted: use https (http only to this machine)"
        )
    return url.rstrip("/")


def _is_key(key: Secret) -> bool:
    """Whether a header can carry it; the text itself stays in this frame."""
    text = key.reveal()
    return text.isascii() and text.isprintable() and " " not in text


def _folder(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except (RuntimeError, ValueError):
        raise SettingsError(f"REFVIDEO_HOME={one_line(text, limit=80)!r} is no folder: give a path") from None


def _number(read: Callable[[str], str], name: str, default: float, *, low: float, high: float) -> float:
    text = read(name)
    if not text:
        return float(default)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        shown = one_line(text, limit=40)
        raise SettingsError(f"{name}={shown!r} cannot be used: give a number from {low:g} to {high:g}")
    return value


def _money(read: Callable[[str], str], name: str) -> Decimal | None:
    text = read(name)
    if not text:
        return None
    _number(read, name, 0, low=0, high=1e6)
    return Decimal(text)


def _switch(read: Callable[[str], str], name: str) -> bool:
    text = read(name).lower()
    if text in {"", "0", "false", "no", "off"}:
        return False
    if text in {"1", "true", "yes", "on"}:
        return True
    raise SettingsError(f"{name}={one_line(text, limit=40)!r} cannot be used: give 1 or 0")
