"""Signed addresses: whoever holds one can download, without a key, until it expires."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from refvideo_nb.simulator.envelope import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping


class Signer:
    """Signs paths and checks them.

    Parameters
    ----------
    secret
        From it a key of its own is made, so that a signature tells nothing about the secret.
    """

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"signed addresses\0" + secret.encode()).digest()

    def path(self, job_id: str, expires_at: int, index: int = 0) -> str:
        """Path and query under which an output can be had until then (seconds since the epoch)."""
        signature = self._sign(job_id, str(index), str(expires_at))
        return f"/api/v1/videos/{job_id}/content?index={index}&expires={expires_at}&signature={signature}"

    def check(self, job_id: str, query: Mapping[str, str], now: float) -> None:
        """Let a signed request pass.

        Raises
        ------
        Refusal
            403 for a signature that is not ours, 410 after its end.
        """
        expires = query.get("expires", "")
        signature = self._sign(job_id, query.get("index", "0"), expires)
        if not hmac.compare_digest(signature.encode(), query.get("signature", "").encode()):
            raise Refusal(403, "The signature of this address is not valid")
        if now >= int(expires):
            raise Refusal(410, "This address has expired")

    def _sign(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()
