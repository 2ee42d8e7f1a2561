"""What a job that was written elsewhere must look like before this ledger takes it in.

A record has its types from the JSON reader. Here its values are looked at: an amount that is
no number, a name that is a path or an address of another kind would otherwise meet code that
was written for records of our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from refvideo_nb.core.job import SETTLED, JobRecord, State
from refvideo_nb.core.provenance import without_query
from refvideo_nb.core.roles import Role
from refvideo_nb.errors import SettingsError
from refvideo_nb.ledger.documents import references_of
from refvideo_nb.settings import check_base_url

if TYPE_CHECKING:
    from refvideo_nb.core.job import VideoFacts
    from refvideo_nb.core.references import Reference

__all__ = ["WrongError", "check_record"]

_SHA = re.compile(r"[0-9a-f]{64}\Z")
_ID = re.compile(r"rv-[a-z0-9-]{1,60}\Z")
_SUBTYPE = re.compile(r"[a-z0-9.+-]{1,60}\Z")
_LATEST = 3e10  # seconds since the epoch; the calendars of some systems end soon after
_MOST_MONEY = Decimal(10) ** 12  # USD
_DIGITS = 60  # of an amount, before or behind its point
_MOST_REFERENCES = 1000
_MOST_SIDE = 100_000  # pixels
_MOST_BYTES = 1e12
_LONGEST = 1e6  # seconds
_MOST_COUNT = 10**9
_LARGEST_SEED = 2**64
_FASTEST = 1e4  # frames a second
_MOST = {"name": 200, "model": 300, "api_id": 512, "url": 8_000}  # characters


class WrongError(ValueError):
    """What is wrong with what came, in words."""


def check_record(record: JobRecord, job_id: str) -> None:
    """Look at a job of a bundle.

    Parameters
    ----------
    record : JobRecord
    job_id : str
        What it is called in the bundle.

    Raises
    ------
    WrongError
        The first thing that no job of ours has.
    """
    for fits, what in _checks(record, job_id):
        if not fits:
            raise WrongError(f"job {job_id!r}: {what}")


_Checks = Iterator[tuple[bool, str]]  # whether something is as it must be, and how it is


def _checks(record: JobRecord, job_id: str) -> _Checks:
    request, estimate = record.request, record.estimate
    yield record.id == job_id and _ID.match(record.id) is not None, f"its id is {record.id!r}"
    yield record.state in SETTLED, f"it is {record.state.value}, so it has not ended"
    yield record.state is not State.DOWNLOADED or record.video is not None, "nothing is said of its clip"
    yield _is_json(record), "it holds a number that cannot be written down"
    for moment in filter(None, (record.created, record.updated, record.submitted, record.finished)):
        yield 0 <= moment < _LATEST, f"one of its times is {moment}"
    for amount in (record.cost, *((estimate.low, estimate.high) if estimate else ())):
        yield amount is None or _is_money(amount), f"an amount is {amount}"
    yield 0 <= record.polls < _MOST_COUNT, "it was asked after a wrong number of times"
    yield 0 <= (request.duration or 0) < _LONGEST, "its duration is none"
    yield abs(request.seed or 0) < _LARGEST_SEED, "its seed is none"
    yield not record.base_url or _is_base(record.base_url), f"its API is {record.base_url!r}"
    yield _is_line(record.api_id or "none", "api_id"), f"its id at the API is {record.api_id!r}"
    yield _is_line(request.model, "model"), f"its model is {request.model!r}"
    yield all(0 < side < _MOST_SIDE for side in request.size or ()), "its size is none"
    for names in ([r.name for r in request.references], [f.position for f in request.frames]):
        yield len(set(names)) == len(names) <= _MOST_REFERENCES, "it has too many references, or one twice"
    if record.video is not None:
        yield from _clip_checks(record.video)
    for reference in references_of(record):
        yield from _reference_checks(reference)


def _clip_checks(facts: VideoFacts) -> _Checks:
    yield _SHA.match(facts.sha256) is not None, f"the hash of its clip is {facts.sha256!r}"
    sides = 0 < facts.width < _MOST_SIDE and 0 < facts.height < _MOST_SIDE
    yield sides, "its clip has sides that no clip has"
    yield 0 < facts.nbytes < _MOST_BYTES, "its clip has a size that no file has"
    lasts = 0 <= facts.seconds < _LONGEST and 0 <= facts.fps < _FASTEST and 0 <= facts.frames < _MOST_COUNT
    yield lasts, f"its clip has {facts.seconds} s of {facts.fps} frames each"


def _reference_checks(reference: Reference) -> _Checks:
    yield _is_line(reference.name, "name"), f"a reference is called {reference.name!r}"
    called = f"reference {reference.name!r}"
    yield _SHA.match(reference.sha256) is not None, f"the hash of {called} is {reference.sha256!r}"
    kind, _, subtype = reference.media_type.partition("/")
    typed = kind == reference.kind and _SUBTYPE.match(subtype) is not None
    yield typed, f"{called} is {reference.kind} of type {reference.media_type!r}"
    yield not reference.role or reference.role in list(Role), f"the role of {called} is {reference.role!r}"
    for size in (reference.nbytes, reference.width or 0, reference.height or 0, reference.seconds or 0):
        yield 0 <= size < _MOST_BYTES, f"{called} is of a size that no file has"
    yield reference.url is None or _is_web(reference.url), f"the address of {called} is {reference.url!r}"


def _is_json(record: JobRecord) -> bool:
    try:
        msgspec.json.encode(record)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        return False
    return True


def _is_money(amount: Decimal) -> bool:
    return amount.is_finite() and 0 <= amount < _MOST_MONEY and abs(amount.as_tuple().exponent) < _DIGITS  # type: ignore[arg-type]  # of a finite one it is an int


def _is_line(text: str, what: str) -> bool:
    """Whether it is one line of readable text."""
    return 0 < len(text) <= _MOST[what] and text.isprintable()


def _is_base(url: str) -> bool:
    """Whether settings could have named it."""
    try:
        return check_base_url(url) == url
    except SettingsError:
        return False


def _is_web(url: str) -> bool:
    """Whether it is an address on the web, with nothing in it that may be a signature, and no path on a disk."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return (
        parts.scheme in {"https", "http"}
        and bool(parts.hostname)
        and _is_line(url, "url")
        and without_query(url) == url
    )
