"""A job as the API tells it: what is stored of it, and what it says of itself at a moment in time."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from typing import Any

# The share of a job's time for which it still says "pending".
_PENDING_SHARE = 0.35
_ALPHANUMERICS = string.ascii_letters + string.digits
_TAIL = 20


def new_id(now: float) -> str:
    """An id as the API makes them: ``gen-vid-<unix seconds>-<20 alphanumerics>``."""
    return f"gen-vid-{int(now)}-{''.join(secrets.choice(_ALPHANUMERICS) for _ in range(_TAIL))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is stored of an accepted job.

    Parameters
    ----------
    accepted_at
        Seconds since the epoch: a job's time goes on while no simulator runs.
    seconds
        How long after acceptance it is completed, if its film is ready by then.
    filmed
        Whether the film and its truth are on the disk.
    error
        Why it failed; a job with an error has no film.
    cost
        USD, as a decimal string; None where the price list has a shape that is not known.
    session_id
        What the caller calls it.
    ending
        How it will end by somebody's wish: failed, cancelled, expired, or endless for not at all.
    ending_text
        What it will say then.
    """

    id: str
    generation_id: str
    accepted_at: float
    seconds: float
    filmed: bool = False
    error: str | None = None
    cost: str | None = None
    session_id: str | None = None
    ending: str | None = None
    ending_text: str | None = None

    def status(self, now: float) -> str:
        """One of pending, in_progress, completed, failed; cancelled and expired only where a fault asked for it."""
        if self.error is not None:
            return "failed"
        elapsed = now - self.accepted_at
        if elapsed >= self.seconds and self.ending not in {None, "endless"}:
            return str(self.ending)
        if self.filmed and elapsed >= self.seconds:
            return "completed"
        return "pending" if elapsed < self.seconds * _PENDING_SHARE else "in_progress"

    def to_film(self) -> bool:
        """Whether a film has still to be made."""
        return not self.filmed and self.error is None and self.ending is None

    def tell(self, now: float, *, origin: str, absolute: bool, signed: tuple[str, int] | None = None) -> dict[str, Any]:
        """The JSON of a poll.

        Parameters
        ----------
        origin
            Where the caller reached us; content URLs name it, so they stay right after a restart on another port.
        absolute
            Whether ``polling_url`` names the origin too.
        signed
            A path that needs no key and its end in seconds since the epoch; None where there is no stored copy.
        """
        path = f"/api/v1/videos/{self.id}"
        status = self.status(now)
        told: dict[str, Any] = {"id": self.id, "polling_url": origin + path if absolute else path, "status": status}
        if status == "completed":
            told["generation_id"] = self.generation_id
            told["unsigned_urls"] = [f"{origin}{path}/content?index=0"]
            told["usage"] = {"cost": None if self.cost is None else float(self.cost), "is_byok": False}
            if signed is not None and now < signed[1]:
                told["urls"], told["expires_at"] = [origin + signed[0]], signed[1]
        error = self.ending_text if self.error is None and status == self.ending else self.error
        if error is not None:
            told["error"] = error
        return told
