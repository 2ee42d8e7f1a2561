"""Every fault, in one list: its name, where it can happen, what stands behind its ``=``, and what it does.

``python -m refvideo_nb simulator --fault help`` prints this list.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

ROUTES = ("models", "submit", "poll", "content")
ANY = "any"  # whichever of the routes is asked next
JOB = "job"  # not a request: the next job that is accepted
PLACES = ("foreign", "port", "userinfo")

SYNTAX = """\
WHERE:FAULT[=VALUE][*TIMES]

WHERE   models, submit, poll, content (the download), any (whichever comes next), or job (the next one accepted)
VALUE   what the fault needs to know; a S is a number of seconds, a PLACE is
          foreign    another host and port, which records whether it was told the key
          port       this host, another port, which does the same
          userinfo   foreign again, in a URL that begins like this API's own: http://API@HOST/...
          or any URL
TIMES   how many requests (or jobs) meet it, 1 if left out; * alone means all of them, for ever

A request meets the first fault that fits it and is not used up. Polls and downloads meet faults only where their
job exists, and the other port, where the places are, has none. Examples:

  submit:reset-after     poll:503=2*3     content:truncate*     job:failed=The provider refused reference 2
"""


def _nothing(value: str | None) -> bool:
    return value is None


def _anything(_value: str | None) -> bool:
    return True


def _something(value: str | None) -> bool:
    return bool(value)


def _span(value: str | None) -> bool:
    return _jump(value) and float(value or 0) >= 0


def _jump(value: str | None) -> bool:
    try:
        return math.isfinite(float(value or ""))
    except ValueError:
        return False


def _retry_after(value: str | None) -> bool:
    return value is None or _jump(value.removeprefix("date:"))


def _place(value: str | None) -> bool:
    # A misspelt word must not become a URL of its own; whatever else is hostile is welcome.
    return value in PLACES or any(mark in (value or "") for mark in ":/")


def _place_or_none(value: str | None) -> bool:
    return value == "none" or _place(value)


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of fault.

    Parameters
    ----------
    value
        How its value is written, empty where it takes none.
    fits
        Whether a value, or None for none, will do.
    """

    name: str
    where: tuple[str, ...]
    value: str
    fits: Callable[[str | None], bool]
    says: str


_ALL = (*ROUTES, ANY)
STATUS = "NNN"
STATUS_AFTER = "NNN-after"

KINDS = (
    Kind("drop-before", _ALL, "", _nothing, "The connection is closed when the request has come; it is not carried "
         "out, so that a submit is not accepted."),
    Kind("drop-after", _ALL, "", _nothing, "The request is carried out, so that a submit makes a job that is paid; "
         "then the connection is closed without an answer."),
    Kind("reset-before", _ALL, "", _nothing, "A TCP reset as soon as the request's head has come; not carried out."),
    Kind("reset-after", _ALL, "", _nothing, "Carried out; then a TCP reset instead of an answer."),
    Kind("reset", _ALL, "", _nothing, "Carried out; a TCP reset in the middle of the answer's body."),
    Kind("truncate", _ALL, "", _nothing, "Carried out; Content-Length is right, but the connection is closed in the "
         "middle of the body."),
    Kind(STATUS, _ALL, "[=S or =date:S]", _retry_after, "A status from 400 to 599, such as 429, 503 or 410, without "
         "carrying the request out; Retry-After says S, or the HTTP date in S seconds. 502 is a proxy's HTML page, "
         "all others have the API's envelope."),
    Kind(STATUS_AFTER, _ALL, "[=S or =date:S]", _retry_after, "The same after the request was carried out: a submit "
         "with 500-after makes a job that is paid."),
    Kind("delay", _ALL, "=S", _span, "Carried out at once, answered S seconds later."),
    Kind("trickle", _ALL, "=S", _span, "The answer's body comes in small pieces, the last one after S seconds."),
    Kind("malformed", _ALL, "", _nothing, "The right status, and half of the JSON as the whole body."),
    Kind("wrong-types", _ALL, "[=FIELD,…]", _anything, "Every field of the answer, or only those named, has a value of "
         "another type."),
    Kind("empty", _ALL, "", _nothing, "The right status and an empty body."),
    Kind("html", _ALL, "", _nothing, "The right status (200 for a download) and a web page for a body."),
    Kind("status", ("submit", "poll"), "=WORD", _something, "The answer's status is this word, known or unknown."),
    Kind("polling-url", ("submit", "poll"), "=PLACE or =none", _place_or_none, "polling_url leads there."),
    Kind("unsigned-urls", ("poll",), "=PLACE or =none", _place_or_none, "unsigned_urls lead there; at the places of "
         "the list the file can be had without a key. Answers without unsigned_urls do not count."),
    Kind("clock", ("poll",), "=S", _jump, "The job's clock jumps by S seconds, forwards or (negative) back, before "
         "the poll is answered."),
    Kind("cut", ("content",), "", _nothing, "No Content-Length, and half of the file, ended in good order."),
    Kind("garbage", ("content",), "", _nothing, "The right length and type, and noise after an MP4's first bytes."),
    Kind("no-range", ("content",), "", _nothing, "A Range is ignored: 200 and the whole file."),
    Kind("redirect", ("content",), "=PLACE", _place, "302 to there; at the places of the list the file can be had "
         "without a key."),
    Kind("failed", (JOB,), "[=TEXT]", _anything, "The job ends as failed, with this text or a usual one."),
    Kind("cancelled", (JOB,), "[=TEXT]", _anything, "The job ends as cancelled, with this text or none."),
    Kind("expired", (JOB,), "[=TEXT]", _anything, "The job ends as expired, with this text or none."),
    Kind("endless", (JOB,), "", _nothing, "The job goes on for ever."),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}


def explain() -> str:
    """The language and the list, for a terminal."""
    lines = [SYNTAX]
    for kind in KINDS:
        where = ANY if kind.where == _ALL else ", ".join(kind.where)
        lines.append(f"{kind.name}{kind.value}   ({where})")
        lines.append(textwrap.indent(textwrap.fill(kind.says, 96), "    "))
    return "\n".join(lines) + "\n"
