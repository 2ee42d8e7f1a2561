"""A file comes whole or not at all, and no key goes with it anywhere else."""

import asyncio
import gzip
import logging
from pathlib import Path

import pytest

from refvideo_nb import errors
from refvideo_nb.client.download import addresses, download
from refvideo_nb.client.wire import JobAnswer
from refvideo_nb.errors import DownloadError, MalformedAnswerError, NetworkError, RefVideoError

pytestmark = pytest.mark.anyio
FILM = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + bytes(range(256)) * 4000
OWN = "/api/v1/videos/gen-1/content?index=0"


@pytest.fixture
def to(tmp_path):
    path = tmp_path / "clip.mp4.part"
    yield path
    assert [p.name for p in tmp_path.iterdir()] in ([], ["clip.mp4.part"])


def answer(**more):
    return JobAnswer(id="gen-1", status="completed", **more)


async def refused(client, to, kind=RefVideoError, **more):
    with pytest.raises(kind) as caught:
        await download(client, answer(**more), to)
    assert not to.exists(), "nothing half-done is left"
    assert str(caught.value).isprintable()
    return caught.value


async def test_a_file(server, client, to, key):
    server.answers[OWN] = (200, {"Content-Type": "video/mp4"}, FILM)
    assert await download(client, answer(), to) == len(FILM)
    assert to.read_bytes() == FILM
    assert server.keys == [f"Bearer {key}"]
    assert server.asked[0].headers["accept-encoding"] == "identity"


async def test_without_a_content_length(server, client, to):
    server.answers[OWN] = (200, {"Connection": "close"}, FILM)
    assert await download(client, answer(), to) == len(FILM)


async def test_a_206_is_taken_as_well(server, client, to):
    server.answers[OWN] = (206, {"Content-Range": f"bytes 0-{len(FILM) - 1}/{len(FILM)}"}, FILM)
    assert await download(client, answer(), to) == len(FILM)


async def test_a_proxy_that_compresses(server, client, to):
    server.answers[OWN] = (200, {"Content-Encoding": "gzip"}, gzip.compress(FILM))
    assert await download(client, answer(), to) == len(FILM)
    assert to.read_bytes() == FILM


async def test_what_stood_there_before_is_replaced(server, client, to):
    to.write_bytes(b"older and longer" * 10**5)
    server.answers[OWN] = (200, {}, FILM)
    await download(client, answer(), to)
    assert to.read_bytes() == FILM


async def test_unsigned_addresses_need_the_key(server, client, to, key):
    server.answers["/api/v1/elsewhere?n=1"] = (200, {}, FILM)
    for url in (f"{server.origin}/api/v1/elsewhere?n=1", "/api/v1/elsewhere?n=1"):
        await download(client, answer(unsigned_urls=[url]), to)
    assert server.keys == [f"Bearer {key}"] * 2


async def test_foreign_addresses_get_no_key(server, elsewhere, client, to):
    elsewhere.answers["/film?signature=1"] = (200, {}, FILM)
    await download(client, answer(unsigned_urls=[f"{elsewhere.origin}/film?signature=1"]), to)
    await refused(client, to, unsigned_urls=[f"http://127.0.0.1:{server.port}@127.0.0.1:{elsewhere.port}/film"])
    assert len(elsewhere.asked) == 1


async def test_a_redirect_to_another_host_loses_the_key(server, elsewhere, client, to, key):
    server.answers[OWN] = (302, {"Location": f"{elsewhere.origin}/film?signature=1"}, b"")
    elsewhere.answers["/film?signature=1"] = (200, {}, FILM)
    assert await download(client, answer(), to) == len(FILM)
    assert server.keys == [f"Bearer {key}"]
    assert len(elsewhere.asked) == 1


async def test_a_redirect_on_its_own_origin_keeps_it(server, client, to, key):
    server.answers[OWN] = (307, {"Location": "../film"}, b"")
    server.answers["/api/v1/videos/film"] = (200, {}, FILM)
    await download(client, answer(), to)
    assert server.keys == [f"Bearer {key}"] * 2


@pytest.mark.parametrize(
    "location",
    ["http://files.example/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://[broken", "https://u:p@h.example/"],
)
async def test_redirects_that_lead_nowhere(server, client, to, location):
    server.otherwise = (302, {"Location": location}, b"")
    found = await refused(client, to, MalformedAnswerError)
    assert "u:p" not in str(found)


async def test_a_redirect_without_an_end(server, client, to):
    server.otherwise = (302, {"Location": OWN}, b"")
    await refused(client, to, MalformedAnswerError)
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "APIError"), (401, "AuthenticationError"), (403, "PermissionDeniedError"), (404, "NotFoundError"),
     (409, "NotReadyError"), (410, "GoneError"), (429, "RateLimitError"), (500, "ServerError"), (502, "ServerError")],
)  # fmt: skip
async def test_every_status(server, client, to, status, kind):
    server.otherwise = (status, {}, b'{"error":{"code":1,"message":"words"}}')
    found = await refused(client, to, unsigned_urls=[f"{server.origin}/one"], urls=[f"{server.origin}/two"])
    assert type(found) is getattr(errors, kind)
    assert "words" in str(found)
    # What the API says itself it says at its other addresses too.
    assert len(server.asked) == (1 if status in {401, 409, 429} else 3)


async def test_addresses_are_tried_in_order(server, elsewhere, client, to):
    signed = f"{elsewhere.origin}/signed"
    given = answer(unsigned_urls=["/first", "/other"], urls=[signed])
    assert addresses(client, given) == [f"{server.origin}/first", f"{server.origin}{OWN}", signed]
    assert addresses(client, given, 1)[0] == f"{server.origin}/other"
    assert addresses(client, given, 1)[1].endswith("index=1")
    assert addresses(client, answer(unsigned_urls=[f"{server.origin}{OWN}"])) == [f"{server.origin}{OWN}"]
    server.answers["/first"] = (404, {}, b"")
    server.answers[OWN] = (410, {}, b"")
    elsewhere.answers["/signed"] = (200, {}, FILM)
    assert await download(client, given, to) == len(FILM)
    assert server.paths() == ["/first", OWN]


@pytest.mark.parametrize("status", [401, 403, 429, 500])
async def test_a_refusal_elsewhere_does_not_keep_us_from_the_api(server, elsewhere, client, to, status):
    elsewhere.otherwise = (status, {}, b"no")
    server.answers[OWN] = (200, {}, FILM)
    assert await download(client, answer(unsigned_urls=[f"{elsewhere.origin}/x"]), to) == len(FILM)


async def test_addresses_that_are_none_are_passed_over(server, client, to):
    server.answers[OWN] = (200, {}, FILM)
    for odd in ("http://[broken", "", "javascript:alert(1)", "http://files.example/x"):
        assert await download(client, answer(unsigned_urls=[odd]), to) == len(FILM)


async def test_the_first_refusal_is_told(server, client, to):
    server.answers[OWN] = (404, {}, b'{"error":{"message":"the job is gone"}}')
    found = await refused(client, to, errors.NotFoundError, urls=["https://[broken"])
    assert "the job is gone" in str(found)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>" * 9, "a web page"),
        (b"\xef\xbb\xbf\n <html>", "a web page"),
        (b'{"error":"gone"}', "JSON"),
        (b"#EXTM3U\nhttp://169.254.169.254/x\n", "text"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "text"),
        (b"", "empty"),
    ],
)
async def test_what_is_no_film(server, client, to, body, says):
    server.otherwise = (200, {"Content-Type": "video/mp4"}, body)
    assert says in str(await refused(client, to, DownloadError))


async def test_another_container_is_left_to_the_decoder(server, client, to):
    # It was paid for: whether it is a film is for who decodes it to say.
    server.answers[OWN] = (200, {}, b"\x1aE\xdf\xa3\x01\x00\x00\x00webm")
    assert await download(client, answer(), to) == 12


async def test_a_cut_off_body(server, client, to, misbehave):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(FILM)
    server.otherwise = misbehave.raw(head + FILM[:5000])
    await refused(client, to, NetworkError)
    server.otherwise = misbehave.reset
    await refused(client, to, NetworkError)


async def test_a_body_that_trickles(server, client, to, misbehave, monkeypatch):
    monkeypatch.setattr("refvideo_nb.client.download._LONGEST", 0.3)
    server.otherwise = misbehave.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + FILM[:100], 2)
    found = await refused(client, to, NetworkError)
    assert "0.3 s" in str(found)


async def test_too_large(server, client, to, monkeypatch):
    monkeypatch.setattr("refvideo_nb.client.download._LARGEST_FILE", 10_000)
    server.otherwise = (200, {}, FILM)
    assert "larger than" in str(await refused(client, to, DownloadError))


async def test_an_endless_refusal(server, client, to, monkeypatch):
    monkeypatch.setattr("refvideo_nb.client.client._LARGEST_ANSWER", 10_000)
    server.otherwise = (500, {}, FILM)
    await refused(client, to, MalformedAnswerError)


async def test_a_full_disk(server, client, to, monkeypatch):
    server.answers[OWN] = (200, {}, FILM)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("refvideo_nb.client.download.os.fsync", full)
    found = await refused(client, to, DownloadError)
    assert "No space left on device" in str(found)
    assert "free some space" in str(found)


async def test_a_folder_that_is_gone(server, client, tmp_path):
    server.answers[OWN] = (200, {}, FILM)
    with pytest.raises(DownloadError, match="cannot be written"):
        await download(client, answer(), tmp_path / "gone" / "clip.part")


async def test_a_cancelled_download_leaves_nothing(server, client, to, misbehave):
    server.otherwise = misbehave.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + FILM[:100], 2)
    task = asyncio.create_task(download(client, answer(), to))
    await asyncio.sleep(0.3)
    assert to.exists()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not to.exists()


async def test_signed_addresses_stay_out_of_the_log(server, elsewhere, client, to, caplog):
    caplog.set_level(logging.DEBUG)
    server.answers[OWN] = (302, {"Location": f"{elsewhere.origin}/film?signature=hunter2"}, b"")
    elsewhere.answers["/film?signature=hunter2"] = (200, {}, FILM)
    await download(client, answer(urls=[f"{elsewhere.origin}/film?signature=hunter2"]), to)
    server.otherwise = (404, {}, b"")
    elsewhere.answers.clear()
    found = await refused(client, to, unsigned_urls=[f"{elsewhere.origin}/film?signature=hunter2"])
    assert "hunter2" not in caplog.text
    assert "hunter2" not in str(found)
    await client.http.get(f"{server.origin}/seen")
    assert "/seen" in caplog.text, "only what is secret is kept out"


async def test_nothing_is_written_but_the_file_that_was_named(server, client, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    server.otherwise = (200, {"Content-Disposition": 'attachment; filename="../../evil.mp4"'}, FILM)
    await download(client, JobAnswer(id="../../evil", status="completed"), inner / "x.part")
    assert [p.relative_to(tmp_path) for p in tmp_path.rglob("*")] == [Path("inner"), Path("inner/x.part")]
    assert server.paths() == ["/api/v1/videos/%2E%2E%2F%2E%2E%2Fevil/content?index=0"]
