"""What a simulator can be told when it starts, in one frozen value."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

PollingUrl = Literal["relative", "absolute"]


def new_key() -> str:
    """A key that no other simulator accepts, and that nobody can mistake for a real one."""
    return f"sk-sim-{secrets.token_urlsafe(24)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one simulator.

    Parameters
    ----------
    state
        Folder that holds jobs, films and truths, which then survive the process; None for a temporary one.
    seconds
        Time from acceptance to completion in seconds; a film that takes longer to render delays it.
    polling_url
        The real API has answered with both forms, so a client must live with either.
    renders
        How many films are rendered at the same time.
    signed_urls
        For how many seconds after completion a file can be had by a signed address, without a key; None for no such
        addresses.
    clock
        Seconds since the epoch; a wall clock, since jobs go on after a restart.
    """

    state: Path | None = None
    seconds: float = 5.0
    polling_url: PollingUrl = "relative"
    port: int = 0
    api_key: str = field(default_factory=new_key, repr=False)
    renders: int = 2
    signed_urls: float | None = None
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        if self.polling_url not in {"relative", "absolute"}:
            raise ValueError(f"polling_url is {self.polling_url!r}; allowed: 'relative', 'absolute'")
        if not 0 <= self.seconds < float("inf"):
            raise ValueError(f"seconds is {self.seconds}; allowed: 0 or more")
        if self.signed_urls is not None and not 0 <= self.signed_urls < float("inf"):
            raise ValueError(f"signed_urls is {self.signed_urls}; allowed: None, or 0 or more seconds")
