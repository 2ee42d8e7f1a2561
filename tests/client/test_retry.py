"""When something is asked again, and after how long."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refvideo_nb.client.retry import LONGEST_WAIT, parse_retry_after, passing, retrying, safe_to_resend
from refvideo_nb.errors import (
    APIError,
    AuthenticationError,
    DownloadError,
    InvalidRequestError,
    MalformedAnswerError,
    NetworkError,
    RateLimitError,
    ServerError,
)

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7),
        ("0", 0),
        ("-3", 0),
        ("1.5", 1.5),
        ("1e9", LONGEST_WAIT),
        ("inf", LONGEST_WAIT),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30),
        ("Mon, 23 Nov 2026 12:00:30 -0000", 30),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
        ("Tue, 23 Nov 2027 12:00:00 GMT", LONGEST_WAIT),
        ("Mon, 99 Nov 2026 99:99:99 GMT", None),
        ("7\r\nX: y", None),
    ],
)
def test_retry_after(value, seconds):
    assert parse_retry_after(value, now=NOW) == seconds


@given(st.text(max_size=40) | st.text(alphabet="MonTueNv 0123456789:,+-GMT", max_size=40))
def test_any_retry_after_is_read_or_not(value):
    seconds = parse_retry_after(value, now=NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT


PASSING = [
    NetworkError("x"),
    ServerError("x", status_code=500),
    RateLimitError("x", status_code=429),
    MalformedAnswerError("x"),
]
LASTING = [
    AuthenticationError("x", status_code=401),
    APIError("x", status_code=400),
    DownloadError("x"),
    InvalidRequestError("x"),
    ValueError(),
]


def test_what_passes_by_itself():
    assert all(map(passing, PASSING))
    assert not any(map(passing, LASTING))


def test_a_paid_submit_is_sent_again_only_where_nothing_was_accepted():
    assert safe_to_resend(NetworkError("refused", sent=False))
    assert safe_to_resend(RateLimitError("x", status_code=429))
    for error in [NetworkError("reset"), ServerError("x", status_code=503), MalformedAnswerError("x"), *LASTING]:
        assert not safe_to_resend(error)


async def fail(error, **options):
    """How often it was tried until the error came through."""
    tries = 0
    with pytest.raises(type(error)):  # noqa: PT012 - tenacity's loop is the statement
        async for attempt in retrying(**options):
            with attempt:
                tries += 1
                raise error
    return tries


@pytest.mark.anyio
async def test_it_is_bounded_and_waits_as_it_was_asked():
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    assert await fail(RateLimitError("slow", status_code=429, retry_after=7.0), attempts=4, sleep=sleep) == 4
    assert len(waits) == 3
    assert all(7 <= w <= 12 for w in waits)
    assert len(set(waits)) == 3, "jittered"


@pytest.mark.anyio
async def test_it_backs_off_within_bounds():
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    assert await fail(NetworkError("gone"), attempts=12, sleep=sleep) == 12
    assert waits[0] < 2
    assert max(waits) <= 20.5
    assert sorted(waits[:5]) == waits[:5]


@pytest.mark.anyio
async def test_what_lasts_is_raised_at_once():
    for error in LASTING:
        assert await fail(error) == 1
