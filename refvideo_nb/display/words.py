"""How facts are said: states, settings, money, times and sizes, in one voice everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from refvideo_nb.core.catalogue import Model, nominal_size
from refvideo_nb.core.job import State
from refvideo_nb.core.pricing import about, usd
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refvideo_nb.core.catalogue import ReferenceSupport
    from refvideo_nb.core.job import JobRecord, VideoFacts
    from refvideo_nb.core.request import VideoRequest

__all__ = [
    "clock",
    "differences",
    "kinds",
    "model_facts",
    "money",
    "nbytes",
    "paid",
    "polls",
    "ranges",
    "settings",
    "span",
    "state_words",
    "when",
]

_STATES = {
    State.DRAFTED: "not sent yet",
    State.SUBMITTING: "submitting",
    State.ACCEPTED: "waiting in the queue",
    State.RUNNING: "in progress",
    State.COMPLETED: "completed, fetching the file",
    State.DOWNLOADED: "done",
    State.FAILED: "failed",
    State.CANCELLED: "cancelled",
    State.EXPIRED: "expired",
    State.REJECTED: "not accepted",
    State.OUTCOME_UNKNOWN: "outcome unknown",
}
_API_WORDS = {"pending": "waiting in the queue", "queued": "waiting in the queue", "in_progress": "in progress"}
_LEAST_DIFFERENCE = 0.2  # seconds; a clip of 4 s has 96 or 97 frames
_MINUTE, _HOUR = 60, 3600


def state_words(record: JobRecord) -> str:
    """The state for people; a word of the API that we do not know is shown as it came."""
    if record.state in {State.ACCEPTED, State.RUNNING} and record.api_status:
        return _API_WORDS.get(record.api_status) or one_line(record.api_status, limit=40)
    return _STATES[record.state]


def clock(seconds: float) -> str:
    """Elapsed time as on a stopwatch.

    Examples
    --------
    >>> clock(41.9), clock(3725)
    ('0:41', '1:02:05')
    """
    whole = max(int(seconds), 0)
    hours, minutes = whole // _HOUR, whole % _HOUR // _MINUTE
    return f"{hours}:{minutes:02}:{whole % _MINUTE:02}" if hours else f"{minutes}:{whole % _MINUTE:02}"


def span(seconds: float) -> str:
    """A length of time.

    Examples
    --------
    >>> span(41.2), span(125), span(3.96), span(7260)
    ('41 s', '2 min 5 s', '4 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def nbytes(count: int) -> str:
    """A size in decimal units.

    Examples
    --------
    >>> nbytes(999), nbytes(412_300), nbytes(1_240_000)
    ('999 bytes', '412 kB', '1.2 MB')
    """
    if count < 1000:  # noqa: PLR2004 - kilo
        return f"{count} bytes"
    return f"{count / 1e3:.0f} kB" if count < 999_500 else f"{count / 1e6:.1f} MB"  # noqa: PLR2004 - rounds to 1000 kB


def when(epoch: float) -> str:
    """A moment, in UTC: a saved notebook travels.

    Examples
    --------
    >>> when(1795436569)
    '2026-11-23 12:22:49 UTC'
    """
    try:
        return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return "?"


def polls(record: JobRecord) -> str:
    """How often it was asked after, with the separator that follows; nothing for never."""
    return "" if not record.polls else "1 poll · " if record.polls == 1 else f"{record.polls} polls · "


def money(record: JobRecord) -> str:
    """What it was thought to cost, and what was billed."""
    guess = about(record.estimate)
    return guess if record.cost is None else f"{guess}, billed {usd(record.cost)}"


def paid(record: JobRecord) -> str:
    """For a job that ended without a video: one sentence on the money."""
    if record.simulated or record.state is State.REJECTED:
        return "Nothing was paid."
    if record.cost is None:
        return "The API reported no charge."
    return f"Billed {usd(record.cost)}." if record.cost else "Nothing was billed."


def settings(record: JobRecord) -> list[str]:
    """The settings as short phrases: what was asked, and where nothing was, what came."""
    request, facts = record.request, record.video
    return [w for w in (one_line(request.model, limit=80), *_shape(request, facts), _sound(request, facts)) if w]


def model_facts(model: Model) -> list[str]:
    """What a model takes, as short phrases; what its list does not say is left out."""
    support = model.references
    sound = {True: "sound", False: "no sound", None: ""}[model.audio]
    seed = {True: "seed", False: "no seed", None: ""}[model.seed]
    seconds = f"{ranges(model.durations)} s" if model.durations else ""
    shapes = [", ".join(one_line(r, limit=20) for r in v or ()) for v in (model.resolutions, model.aspect_ratios)]
    takes = "no references" if support.status == "none" else f"references: {kinds(support)}"
    return [w for w in (seconds, *shapes, sound, seed, takes) if w]


def kinds(support: ReferenceSupport) -> str:
    """What may be given, such as ``up to 9 images, video, audio``."""
    images = f"up to {support.max_images} images" if support.max_images is not None else "images"
    return ", ".join(images if kind == "image" else kind for kind in support.kinds)


def ranges(numbers: Sequence[int] | None) -> str:
    """Whole numbers as ranges.

    Examples
    --------
    >>> ranges([4, 5, 6, 10])
    '4–6, 10'
    """
    runs: list[list[int]] = []
    for number in sorted(set(numbers or ())):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{r[0]}–{r[-1]}" if len(r) > 1 else str(r[0]) for r in runs)


def _shape(request: VideoRequest, facts: VideoFacts | None) -> list[str]:
    seconds = f"{request.duration} s" if request.duration is not None else f"{facts.seconds:.3g} s" if facts else ""
    asked = " ".join(one_line(w, limit=20) for w in (request.resolution, request.aspect_ratio) if w)
    if request.size:
        asked = f"{request.size[0]}×{request.size[1]}"
    elif not asked and facts:
        asked = f"{facts.width}×{facts.height}"
    return [seconds, asked, f"seed {request.seed}" if request.seed is not None else ""]


def _sound(request: VideoRequest, facts: VideoFacts | None) -> str:
    audio = facts.audio if facts else request.generate_audio
    return "" if audio is None else "sound" if audio else "silent"


def differences(record: JobRecord, model: Model | None) -> list[str]:
    """Where the file is not what was asked for: providers round, and a person should know."""
    request, facts = record.request, record.video
    if facts is None:
        return []
    size = request.size
    if size is None and request.resolution and request.aspect_ratio:
        size = nominal_size(model or Model(id=request.model), request.resolution, request.aspect_ratio)
    found = []
    if size and size != (facts.width, facts.height):
        found.append(f"came as {facts.width}×{facts.height}, asked {size[0]}×{size[1]}")
    if request.duration is not None and abs(facts.seconds - request.duration) > _LEAST_DIFFERENCE:
        found.append(f"came as {facts.seconds:.3g} s, asked {request.duration} s")
    if request.generate_audio is not None and request.generate_audio != facts.audio:
        found.append("came with sound, asked silent" if facts.audio else "came silent, asked with sound")
    return found
