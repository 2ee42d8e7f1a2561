"""One request each, one error a status, and a key that stays at home."""

import asyncio
import contextlib
import logging
import sys
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from refvideo_nb import errors
from refvideo_nb.client.client import VideoClient, network_error
from refvideo_nb.client.fetch import fetch
from refvideo_nb.errors import APIError, MalformedAnswerError, NetworkError, SettingsError
from refvideo_nb.settings import Secret

pytestmark = pytest.mark.anyio
SUBMITTED = (
    202,
    {"Content-Type": "application/json"},
    b'{"id":"gen-1","polling_url":"/api/v1/videos/gen-1","status":"pending"}',
)
# The date is made when the tests are collected: a slow machine only makes the wait shorter.
IN_A_MINUTE = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
STATUSES = [
    (400, "APIError"), (401, "AuthenticationError"), (402, "PaymentRequiredError"), (403, "PermissionDeniedError"),
    (404, "NotFoundError"), (408, "APIError"), (409, "NotReadyError"), (410, "GoneError"), (413, "APIError"),
    (422, "APIError"), (429, "RateLimitError"), (499, "APIError"), (500, "ServerError"), (502, "ServerError"),
    (503, "ServerError"), (504, "ServerError"), (524, "ServerError"),
]  # fmt: skip


async def test_a_submit(server, client, key):
    server.answers["/api/v1/videos"] = SUBMITTED
    answer = await client.submit(b'{"model":"a/b"}')
    assert (answer.id, answer.status, answer.polling_url) == ("gen-1", "pending", "/api/v1/videos/gen-1")
    [asked] = server.asked
    assert (asked.method, asked.body) == ("POST", b'{"model":"a/b"}')
    assert asked.headers["authorization"] == f"Bearer {key}"
    assert asked.headers["content-type"] == "application/json"
    assert not client.simulated


async def test_a_poll_follows_the_polling_url_of_its_own_origin(server, client, key):
    server.answers["/api/v2/jobs/7?x=y"] = (200, {}, b'{"id":"gen-1","status":"in_progress"}')
    assert (await client.poll("gen-1", "/api/v2/jobs/7?x=y")).status == "in_progress"
    assert server.keys == [f"Bearer {key}"]


async def test_the_model_list_needs_no_key_and_gets_none(server, client):
    server.answers["/api/v1/videos/models"] = (200, {}, b'{"data":[]}')
    assert await client.model_list() == b'{"data":[]}'
    assert server.keys == []


async def test_the_simulator_is_known_by_its_header(server, client):
    server.answers["/api/v1/videos/a"] = (404, {"X-Refvideo-Simulator": "1"}, b"{}")
    with pytest.raises(errors.NotFoundError):
        await client.poll("a")
    assert client.simulated


@pytest.mark.parametrize(("status", "name"), STATUSES)
async def test_every_status_has_its_error(server, client, status, name):
    envelope = b'{"error":{"code":1,"message":"the \\u001b[31mAPI\'s own words"}}'
    server.otherwise = (status, {}, envelope)
    for request in (client.submit(b"{}"), client.poll("a"), client.model_list()):
        with pytest.raises(APIError) as caught:
            await request
        assert type(caught.value) is getattr(errors, name)
        assert caught.value.status_code == status
        assert f"answered {status}" in str(caught.value)
        assert "[31mAPI's own words" in str(caught.value)
        assert str(caught.value).isprintable()
    # A refusal of a poll may be another job's, over a connection that is shared; nothing else is sent twice.
    doubted = status < 500 and status != 429
    assert [a.method for a in server.asked] == ["POST", *["GET"] * (3 if doubted else 2)]


async def test_what_to_do_is_said(server, client):
    for status, advice in ((401, "OPENROUTER_API_KEY"), (402, "add credits"), (413, "smaller or fewer")):
        server.otherwise = (status, {}, b"")
        with pytest.raises(APIError, match=advice):
            await client.submit(b"{}")


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [("3", 3, 3), ("soon", None, None), ("99999", 120, 120), pytest.param(IN_A_MINUTE, 0, 60, id="a date")],
)
async def test_retry_after(server, client, value, low, high):
    for status in (429, 503):
        server.otherwise = (status, {"Retry-After": value}, b"{}")
        with pytest.raises(APIError) as caught:
            await client.submit(b"{}")
        asked = caught.value.retry_after
        assert asked is None if low is None else low <= asked <= high


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(server, client, elsewhere, status):
    server.otherwise = (status, {"Location": f"{elsewhere.origin}/api/v1/videos"}, b"")
    for request in (client.submit(b"{}"), client.poll("a"), client.model_list()):
        with pytest.raises(MalformedAnswerError, match="redirect"):
            await request
    assert elsewhere.asked == []


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_a_success_without_a_job_is_malformed(server, client, status):
    server.otherwise = (status, {}, b"")
    for request in (client.submit(b"{}"), client.poll("a")):
        with pytest.raises(MalformedAnswerError):
            await request


async def test_a_foreign_polling_url_is_not_asked(server, client, elsewhere, key):
    server.answers["/api/v1/videos/gen-1"] = (200, {}, b'{"id":"gen-1"}')
    foreign = [
        f"{elsewhere.origin}/api/v1/videos/gen-1",
        f"//127.0.0.1:{elsewhere.port}/x",
        f"http://127.0.0.1:{server.port}@127.0.0.1:{elsewhere.port}/x",
        f"http://user:pw@127.0.0.1:{server.port}/x",
        f"http://LOCALHOST:{server.port}/x",
        f"http://127.0.0.1.:{server.port}/x",
        f"https://127.0.0.1:{server.port}/x",
        "http://[broken",
    ]
    for url in foreign:
        assert (await client.poll("gen-1", url)).id == "gen-1"
    assert server.paths() == ["/api/v1/videos/gen-1"] * len(foreign)
    assert set(server.keys) == {f"Bearer {key}"}
    assert elsewhere.asked == []


async def test_the_key_goes_by_the_address_that_is_asked(server, elsewhere, key):
    client = VideoClient(server.base, Secret(key))
    for url, expected in ((f"{elsewhere.origin}/x", False), (f"{server.origin}/other", True)):
        response = await client.http.get(url, auth=client.auth)
        assert ("authorization" in response.request.headers) is expected
    await client.aclose()


async def test_an_answer_that_echoes_the_key_does_not_bring_it_back(server, client, key):
    server.otherwise = (401, {}, b'{"error":{"message":"Invalid header: Bearer ' + key.encode() + b'"}}')
    with pytest.raises(errors.AuthenticationError) as caught:
        await client.poll("a")
    assert key not in str(caught.value)
    assert "Bearer ***" in str(caught.value)


@pytest.mark.parametrize("how", ["refused", "reset", "status", "malformed"])
async def test_no_traceback_and_no_log_shows_the_key(server, key, how, misbehave, caplog, free_port):
    caplog.set_level(logging.DEBUG)
    base = f"http://127.0.0.1:{free_port}/api/v1" if how == "refused" else server.base
    client = VideoClient(base, Secret(key))
    server.otherwise = {"reset": misbehave.reset, "malformed": (200, {}, b"[")}.get(how, (500, {}, b""))
    for request in (client.submit(b"{}"), client.poll("a")):
        try:
            await request
        except errors.RefVideoError as error:
            told = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert error_is_clean(told, key)
    assert key not in caplog.text
    assert key not in repr(vars(client))
    await client.aclose()


def error_is_clean(told, key):
    text = "".join(told.format())
    # The frames of the test itself know the key.
    ours = [f for f in told.stack if f.filename != __file__]
    assert ours
    return all(key not in v for f in ours for v in (f.locals or {}).values()) and key not in str(told) and text


async def test_what_never_left_says_so(key, free_port):
    for base in (f"http://127.0.0.1:{free_port}/api/v1", "http://no-such-host.invalid/api/v1"):
        client = VideoClient(base, Secret(key))
        for request in (client.submit(b"{}"), client.poll("a")):
            with pytest.raises(NetworkError) as caught:
                await request
            assert caught.value.sent is False
        await client.aclose()


async def test_tls_that_was_not_established_never_left(server, key):
    client = VideoClient(server.base.replace("http:", "https:"), Secret(key))
    with pytest.raises(NetworkError) as caught:
        await client.submit(b"{}")
    assert caught.value.sent is False
    assert server.asked == []
    await client.aclose()


@pytest.mark.parametrize("way", ["reset", "nothing", "half a head", "half a body", "no http"])
async def test_an_answer_that_is_lost_may_have_been_paid_and_is_not_sent_again(server, client, misbehave, way):
    server.otherwise = {
        "reset": misbehave.reset,
        "nothing": misbehave.raw(b""),
        "half a head": misbehave.raw(b"HTTP/1.1 202 Acc"),
        "half a body": misbehave.raw(b'HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\n{"id":"a"'),
        "no http": misbehave.raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    }[way]
    with pytest.raises(NetworkError) as caught:
        await client.submit(b'{"paid":true}')
    assert caught.value.sent is True
    assert "ReadError" in str(caught.value) or "RemoteProtocolError" in str(caught.value)
    await asyncio.sleep(0.1)
    assert len(server.asked) == 1, "a paid request is never sent again"


async def test_a_read_time_out_may_have_been_paid(server, key, misbehave, monkeypatch):
    client = VideoClient(server.base, Secret(key))
    client._submit_http.timeout = httpx.Timeout(0.2)
    server.otherwise = misbehave.hang(1)
    with pytest.raises(NetworkError) as caught:
        await client.submit(b"{}")
    assert caught.value.sent is True
    assert len(server.asked) == 1
    await client.aclose()


async def test_each_submit_has_a_connection_of_its_own(server, client, misbehave):
    # An idle connection that the server has closed would make a sent request look lost.
    server.answers["/api/v1/videos"] = [SUBMITTED, SUBMITTED]
    for _ in range(2):
        await client.submit(b"{}")
    assert client._submit_http._transport._pool.connections == []


@pytest.mark.parametrize("constant", [500, 502, 503, 429])
async def test_the_client_itself_retries_nothing(server, client, constant):
    server.otherwise = (constant, {"Retry-After": "0"}, b"{}")
    with pytest.raises(APIError):
        await client.submit(b"{}")
    assert len(server.asked) == 1


async def test_an_answer_that_trickles_ends(server, client, misbehave, monkeypatch):
    monkeypatch.setattr("refvideo_nb.client.client._LONGEST_ANSWER", 0.3)
    monkeypatch.setattr("refvideo_nb.client.client._LONGEST_SUBMIT", 0.3)
    server.otherwise = misbehave.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", 2)
    for request in (client.submit(b"{}"), client.poll("a")):
        with pytest.raises(NetworkError, match="within") as caught:
            await request
        assert caught.value.sent is True


async def test_an_endless_answer_ends(server, client, misbehave, monkeypatch):
    monkeypatch.setattr("refvideo_nb.client.client._LARGEST_ANSWER", 10_000)
    server.otherwise = (200, {}, b" " * 20_000)
    for request in (client.submit(b"{}"), client.poll("a"), client.model_list()):
        with pytest.raises(MalformedAnswerError, match="larger than"):
            await request


async def test_many_submits_at_once_all_arrive_once(server, client):
    server.answers["/api/v1/videos"] = SUBMITTED
    await asyncio.gather(*(client.submit(b"%d" % n) for n in range(30)))
    assert sorted(a.body for a in server.asked) == sorted(b"%d" % n for n in range(30))


async def test_a_proxy_gets_no_key_of_an_api_on_this_machine(server, elsewhere, key, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, elsewhere.origin)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    server.answers["/api/v1/videos"] = SUBMITTED
    client = VideoClient(server.base, Secret(key))
    assert (await client.submit(b"{}")).id == "gen-1"
    assert elsewhere.asked == []
    await client.aclose()


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (httpx.ConnectError("x"), False),
        (httpx.ConnectTimeout("x"), False),
        (httpx.PoolTimeout("x"), False),
        (httpx.UnsupportedProtocol("x"), False),
        (httpx.ProxyError("407"), False),
        (httpx.InvalidURL("x"), False),
        (httpx.ReadTimeout("x"), True),
        (httpx.WriteTimeout("x"), True),
        (httpx.ReadError("x"), True),
        (httpx.WriteError("x"), True),
        (httpx.CloseError("x"), True),
        (httpx.RemoteProtocolError("x"), True),
        (httpx.LocalProtocolError("x"), True),
        (httpx.DecodingError("x"), True),
        (httpx.TooManyRedirects("x"), True),
    ],
)
async def test_what_httpx_says_becomes_ours(error, sent):
    ours = network_error(error, "the submit")
    assert ours.sent is sent
    assert type(error).__name__ in str(ours)


async def test_every_error_of_httpx_becomes_ours(key):
    kinds, new = set(), {httpx.HTTPError}
    while new:
        kinds |= new
        new = {s for k in new for s in k.__subclasses__()} - kinds
    for kind in sorted(kinds - {httpx.HTTPStatusError}, key=str):

        def fail(request, kind=kind):
            raise kind("x")

        client = VideoClient("https://api.example/v1", Secret(key), transport=httpx.MockTransport(fail))
        for request in (client.submit(b"{}"), client.poll("a"), client.model_list()):
            with pytest.raises(NetworkError):
                await request
        await client.aclose()


async def test_a_cancelled_wait_is_not_swallowed(server, client, misbehave):
    server.otherwise = misbehave.hang(1)
    task = asyncio.create_task(client.poll("a"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:1"), ("HTTPS_PROXY", "nonsense://x"), ("SSL_CERT_FILE", "/no/such/file.pem")],
)
async def test_an_environment_that_cannot_be_used_is_our_error(key, monkeypatch, name, value):
    # The SOCKS package may be there.
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        VideoClient("https://api.example/api/v1", Secret(key))
    with pytest.raises(SettingsError, match=name):
        await fetch("https://a.example/x.png")


async def test_a_base_url_that_httpx_refuses_is_our_error(key):
    client = VideoClient("https://api.example/\x00", Secret(key))
    with pytest.raises(NetworkError) as caught:
        await client.submit(b"{}")
    assert caught.value.sent is False
    with contextlib.suppress(NetworkError):
        await client.poll("a")
    await client.aclose()
