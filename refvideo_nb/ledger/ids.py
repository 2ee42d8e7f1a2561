"""Names of our own for jobs and sweeps."""

from __future__ import annotations

import secrets
import time

__all__ = ["new_id"]

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else


def new_id(now: float, prefix: str = "rv") -> str:
    """An id that people can read out, and that sorts by day."""
    return f"{prefix}-{time.strftime('%Y%m%d', time.gmtime(now))}-" + "".join(
        secrets.choice(_ALPHABET) for _ in range(6)
    )
