"""A reference by its address: public, https, and what it says it is."""

import asyncio
from urllib.request import getproxies

import httpx
import pytest

from refvideo_nb.client import fetch as fetching
from refvideo_nb.client.fetch import fetch
from refvideo_nb.errors import BadReferenceError

pytestmark = pytest.mark.anyio
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    monkeypatch.setattr(fetching, "getproxies", dict)


async def refused(url, **more):
    with pytest.raises(BadReferenceError) as caught:
        await fetch(url, **more)
    assert str(caught.value).isprintable()
    assert caught.value.field == "references"
    return str(caught.value)


@pytest.fixture
def public():
    """A public host that answers from a table."""

    def make(table):
        asked = []

        def answer(request):
            asked.append(request)
            found = table[str(request.url)]
            if isinstance(found, Exception):
                raise found
            return found

        transport = httpx.MockTransport(answer)
        transport.asked = asked
        return transport

    return make


async def test_a_picture(public):
    web = public({"https://a.example/x.png?v=1": httpx.Response(200, content=PNG)})
    assert await fetch("https://a.example/x.png?v=1", transport=web) == PNG
    [asked] = web.asked
    assert asked.method == "GET"
    assert not {"authorization", "cookie"} & set(asked.headers)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://a.example/x.png", "not https"),
        ("ftp://a.example/x.png", "not https"),
        ("file:///etc/passwd", "not https"),
        ("https://", "not https"),
        ("https://user:hunter2@a.example/x.png", "user name or password"),
        ("https://@a.example/x.png", "user name or password"),
        ("https://[::1/x.png", "not an address"),
        ("https://a.example:99999/x.png", "not an address"),
    ],
)
async def test_addresses_that_are_refused_unasked(public, url, says):
    web = public({})
    told = await refused(url, transport=web)
    assert says in told
    assert "hunter2" not in told
    assert "the file" in told, "it says what to do instead"
    assert web.asked == []


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "x.localhost",
        "printer.local",
        "metadata.google.internal",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[fe80::1]",
        "[fc00::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[ff02::1]",
    ],
)
@pytest.mark.parametrize("proxy", [False, True])
async def test_what_only_this_machine_or_network_reaches(host, proxy, monkeypatch):
    monkeypatch.setattr(fetching, "getproxies", lambda: {"https": "http://127.0.0.1:9"} if proxy else {})
    told = await refused(f"https://{host}/x.png")
    assert "only from this machine or network" in told
    assert "give the file or its bytes" in told


@pytest.mark.parametrize("found", ["127.0.0.1", "10.0.0.9", "::1", "fe80::1%eth0"])
async def test_a_name_that_leads_inside(found, monkeypatch):
    async def answers(*args, **kwargs):
        return [(None, None, None, "", ("93.184.216.34", 443)), (None, None, None, "", (found, 443))]

    import asyncio

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answers)
    assert "only from this machine or network" in await refused("https://inside.example/x.png")


async def test_a_public_address_is_public():
    assert fetching._may_be_public("93.184.216.34")
    assert fetching._may_be_public("a.example")
    assert fetching._may_be_public("[2606:4700::1]".strip("[]"))


async def test_redirects_are_followed_and_each_is_checked(public):
    web = public(
        {
            "https://a.example/1": httpx.Response(302, headers={"location": "/2", "set-cookie": "id=1"}),
            "https://a.example/2": httpx.Response(301, headers={"location": "https://b.example/x.png"}),
            "https://b.example/x.png": httpx.Response(200, content=PNG),
        }
    )
    assert await fetch("https://a.example/1", transport=web) == PNG
    assert all("cookie" not in r.headers for r in web.asked)


@pytest.mark.parametrize(
    "location",
    ["https://127.0.0.1/x", "https://localhost/x", "http://a.example/x", "https://10.0.0.1/x", "https://[::1]/x",
     "//169.254.169.254/latest", "file:///etc/passwd", "https://[broken", "https://u:p@a.example/"],
)  # fmt: skip
async def test_redirects_inside_are_refused(public, location):
    web = public({"https://a.example/1": httpx.Response(302, headers={"location": location})})
    await refused("https://a.example/1", transport=web)
    assert len(web.asked) == 1


async def test_a_redirect_without_an_end(public):
    web = public({"https://a.example/1": httpx.Response(302, headers={"location": "/1"})})
    assert "redirected more than 5 times" in await refused("https://a.example/1", transport=web)
    assert len(web.asked) == 6


@pytest.mark.parametrize(
    ("response", "says"),
    [
        (httpx.Response(404), "answered 404 instead of 200"),
        (httpx.Response(403), "answered 403"),
        (httpx.Response(204), "answered 204"),
        (httpx.Response(206, content=PNG), "answered 206"),
        (httpx.Response(200), "is empty"),
        (httpx.Response(200, content=b"\n <!DOCTYPE html><p>hi"), "is a web page"),
        (httpx.Response(200, content=b"<HTML>"), "is a web page"),
        (httpx.ReadTimeout("slow"), "cannot be fetched (slow)"),
        (httpx.ConnectError(""), "cannot be fetched (ConnectError)"),
        (httpx.DecodingError("gzip"), "cannot be fetched (gzip)"),
    ],
)
async def test_answers_that_no_provider_could_use(public, response, says):
    told = await refused(
        "https://a.example/x?key=hunter2", transport=public({"https://a.example/x?key=hunter2": response})
    )
    assert says in told
    assert "hunter2" not in told


async def test_too_large(public, monkeypatch):
    monkeypatch.setattr(fetching, "_LARGEST", 1000)
    web = public({"https://a.example/x": httpx.Response(200, content=bytes(1001))})
    assert "is larger than" in await refused("https://a.example/x", transport=web)


@pytest.mark.parametrize(
    "host", ["a..b.example", "a" * 70 + ".example", "-.example", "no-such-host.invalid", "ex ample.org", "é" * 70]
)
async def test_hosts_that_are_none(host):
    await refused(f"https://{host}/x.png")


async def test_the_simulator_may_fetch_from_this_machine(server, elsewhere):
    server.answers["/x.png"] = (200, {}, PNG)
    assert await fetch(f"{server.origin}/x.png", allow_loopback=True) == PNG
    assert await fetch(f"http://localhost:{server.port}/x.png", allow_loopback=True) == PNG
    await refused(f"{server.origin}/x.png")
    await refused("http://10.0.0.1/x.png", allow_loopback=True)
    await refused("http://a.example/x.png", allow_loopback=True)


async def test_a_name_that_goes_past_the_proxy_is_looked_up(monkeypatch):
    async def look_up(*_, **__):
        return [(2, 1, 6, "", ("10.0.0.7", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    monkeypatch.setattr(fetching, "getproxies", getproxies)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", ".corp.example")
    assert "no provider could" in await refused("https://wiki.corp.example/x.png")
    assert "cannot be fetched" in await refused("https://a.example/x.png")


async def test_a_body_that_trickles(server, misbehave, monkeypatch):
    monkeypatch.setattr(fetching, "_LONGEST", 0.3)
    server.answers["/x.png"] = misbehave.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", 2)
    assert "did not come within" in await refused(f"{server.origin}/x.png", allow_loopback=True)


async def test_no_key_of_the_environment_goes_along(server, monkeypatch, tmp_path):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login a password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    server.answers["/x.png"] = (200, {}, PNG)
    await fetch(f"{server.origin}/x.png", allow_loopback=True)
    assert server.keys == []
