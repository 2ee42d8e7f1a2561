"""The life of a job: its states, and which may follow which.

::

    drafted → submitting → accepted → running → completed → downloaded
                 │  │           └─────────┴──→ failed | cancelled | expired
                 │  └→ rejected (the API said no, or it never left: nothing was paid)
                 └→ outcome_unknown (sent, but the answer was lost)

`submitting` is written before the first byte leaves, so that a crash in between
is found afterwards. `completed` means paid and waiting to be fetched; only
`downloaded` has a file.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.request import VideoRequest

__all__ = ["FAILED", "LEGAL", "RESUMABLE", "SETTLED", "JobRecord", "State", "VideoFacts", "may_follow"]


class State(StrEnum):
    """Where a job stands, by our own reckoning."""

    DRAFTED = "drafted"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    RUNNING = "running"
    COMPLETED = "completed"
    DOWNLOADED = "downloaded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    OUTCOME_UNKNOWN = "outcome_unknown"


_ENDINGS = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED})

LEGAL: dict[State, frozenset[State]] = {
    State.DRAFTED: frozenset({State.SUBMITTING, State.REJECTED}),
    State.SUBMITTING: frozenset({State.ACCEPTED, State.REJECTED, State.OUTCOME_UNKNOWN}),
    State.ACCEPTED: frozenset({State.ACCEPTED, State.RUNNING}) | _ENDINGS,
    State.RUNNING: frozenset({State.RUNNING}) | _ENDINGS,
    State.COMPLETED: frozenset({State.COMPLETED, State.DOWNLOADED, State.EXPIRED}),
    # A file that was deleted is fetched again while the API still has it.
    State.DOWNLOADED: frozenset({State.COMPLETED}),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
    State.EXPIRED: frozenset(),
    State.REJECTED: frozenset(),
    # A person who found the job on the account's activity page may attach its id.
    State.OUTCOME_UNKNOWN: frozenset({State.ACCEPTED, State.REJECTED}),
}

FAILED = frozenset({State.FAILED, State.CANCELLED, State.EXPIRED, State.REJECTED})
"""States that end without a video, for good."""

SETTLED = FAILED | {State.DOWNLOADED, State.OUTCOME_UNKNOWN}
"""States in which nothing more happens by itself."""

RESUMABLE = frozenset({State.ACCEPTED, State.RUNNING, State.COMPLETED})
"""States from which the video can still be had without another submit."""


def may_follow(before: State, after: State) -> bool:
    """Whether a job may go from `before` to `after`.

    Examples
    --------
    >>> may_follow(State.SUBMITTING, State.ACCEPTED)
    True
    >>> may_follow(State.FAILED, State.RUNNING)
    False
    """
    return after in LEGAL[before]


class VideoFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished file is, by looking into it.

    Attributes
    ----------
    sha256 : str
        Hash of the file, hexadecimal.
    nbytes : int
        Size in bytes.
    width, height : int
        Pixels.
    seconds : float
        Length.
    fps : float
        Frames a second.
    frames : int
        How many frames were decoded or, where only the head was read, are announced.
    audio : bool
        Whether it has a sound track.
    """

    sha256: str
    nbytes: int
    width: int
    height: int
    seconds: float
    fps: float
    frames: int
    audio: bool


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A job as the ledger knows it at one moment.

    Attributes
    ----------
    id : str
        Our own id, such as ``"rv-20261123-k3f9q2"``; also the name of the file.
    state : State
        Where it stands.
    request : VideoRequest
        What was asked for.
    sent_prompt : str
        The prompt in the model's words.
    estimate : Estimate or None
        USD, made before paying.
    cost : Decimal or None
        USD, as billed.
    simulated : bool
        Whether the simulator answered.
    base_url : str
        The API's address that it was sent to; empty for the embedded simulator.
    api_id : str or None
        The API's id; None until it was accepted.
    api_status : str
        The API's own word for the state, as it came.
    polling_url : str or None
        As it came.
    polls : int
        How often it was asked after.
    error : str
        What went wrong, in the API's words or ours; else empty.
    notes : tuple of str
        What a person should know about the result.
    created, updated : float
        Seconds since the epoch.
    submitted, finished : float or None
        The same, when it was sent and when it ended.
    video : VideoFacts or None
        The file, once it is there.
    imported : bool
        Whether it came in with a bundle: then it was paid for elsewhere, if at all.
    """

    id: str
    state: State
    request: VideoRequest
    sent_prompt: str
    created: float
    updated: float
    estimate: Estimate | None = None
    cost: Decimal | None = None
    simulated: bool = False
    base_url: str = ""
    api_id: str | None = None
    api_status: str = ""
    polling_url: str | None = None
    polls: int = 0
    error: str = ""
    notes: tuple[str, ...] = msgspec.field(default=())
    submitted: float | None = None
    finished: float | None = None
    video: VideoFacts | None = None
    imported: bool = False

    @property
    def seconds_taken(self) -> float | None:
        """Seconds from the submit to the end."""
        if self.submitted is None or self.finished is None:
            return None
        return max(self.finished - self.submitted, 0.0)
