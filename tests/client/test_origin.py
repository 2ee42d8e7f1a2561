"""Where a URL leads, and that the key goes nowhere else."""

from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from refvideo_nb.client.origin import allowed_url, content_url, job_url, origin, resolve, same_origin
from refvideo_nb.errors import MalformedAnswerError

BASE = "https://openrouter.ai/api/v1"


@pytest.mark.parametrize(
    "url",
    ["https://openrouter.ai/x", "https://openrouter.ai:443/x", "HTTPS://OpenRouter.AI/x", "https://openrouter.ai?x", "https://openrouter.ai"],
)  # fmt: skip
def test_the_same(url):
    assert same_origin(url, BASE)


@pytest.mark.parametrize(
    "url",
    [
        "http://openrouter.ai/x",
        "https://openrouter.ai:444/x",
        "https://openrouter.ai:0/x",
        "https://openrouter.ai./x",
        "https://api.openrouter.ai/x",
        "https://openrouter.ai.evil.example/x",
        "https://evil.example/openrouter.ai",
        "https://openrouter.ai@evil.example/x",
        "https://evil.example@openrouter.ai/x",
        "https://user:pw@openrouter.ai/x",
        "https://@openrouter.ai/x",
        "https://openrouter.ai\\@evil.example/x",
        "https://openrouter.ai%2eevil.example/x",
        "https://openrouter.ai:port/x",
        "https://[openrouter.ai/x",
        "//openrouter.ai/x",
        "https:openrouter.ai/x",
        "https:///openrouter.ai/x",
        "ws://openrouter.ai/x",
        "file://openrouter.ai/x",
        "javascript:alert(1)//openrouter.ai",
        " https://evil.example/https://openrouter.ai",
        "https://ｏpenrouter.ai/x",
        "",
    ],
)
def test_not_the_same(url):
    assert not same_origin(url, BASE)


@pytest.mark.parametrize(
    ("polling_url", "asked"),
    [
        (None, f"{BASE}/videos/gen-1"),
        ("", f"{BASE}/videos/gen-1"),
        ("/api/v1/videos/gen-1", f"{BASE}/videos/gen-1"),
        ("https://openrouter.ai/api/v2/jobs/1?x=y", "https://openrouter.ai/api/v2/jobs/1?x=y"),
        ("https://evil.example/api/v1/videos/gen-1", f"{BASE}/videos/gen-1"),
        ("//evil.example/x", f"{BASE}/videos/gen-1"),
        ("http://openrouter.ai/api/v1/videos/gen-1", f"{BASE}/videos/gen-1"),
        ("https://[broken", f"{BASE}/videos/gen-1"),
        ("\\\\evil.example\\x", "https://openrouter.ai/api/v1/\\\\evil.example\\x"),
    ],
)
def test_where_a_job_is_asked_after(polling_url, asked):
    assert job_url(BASE, "gen-1", polling_url) == asked


@pytest.mark.parametrize(
    "job_id", ["..", ".", "../../keys", "a/b", "a?b=c", "a#b", "%2e%2e", "\\..\\x", "é 日", "\ud800"]
)
def test_an_id_is_never_a_path(job_id):
    for url in (job_url(BASE, job_id), content_url(BASE, job_id, 0)):
        path = httpx.URL(url).raw_path.decode().partition("?")[0]
        assert path.startswith("/api/v1/videos/")
        segments = path.split("/")[4:]
        assert segments[0] not in {"", ".", ".."}
        assert segments[1:] in ([], ["content"])


@given(st.text(max_size=80) | st.text(alphabet="htps:/\\@.?#[]%\t\n evil", max_size=40))
@example("https://[")
@example("//[")
@example("https://openrouter.ai\t.evil.example/")
def test_whatever_a_polling_url_is_the_key_stays_at_home(polling_url):
    url = job_url(BASE, "gen-1", polling_url)
    assert same_origin(url, BASE)
    try:
        host = httpx.URL(url).host
    except httpx.InvalidURL:
        return  # not sent at all
    # The two parsers must agree, or the check is about another host than the request.
    assert host == urlsplit(url).hostname == "openrouter.ai"


@given(st.text(max_size=60) | st.text(alphabet="htps:/\\@.?#[]%0a", max_size=40))
def test_an_origin_never_raises(url):
    origin(url)
    resolve(BASE + "/", url)


@pytest.mark.parametrize(
    ("url", "base", "fine"),
    [
        ("https://cdn.example/x?sig=secret", BASE, True),
        ("http://cdn.example/x?sig=secret", BASE, False),
        ("http://127.0.0.1:1/x", BASE, False),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:2/api", True),
        ("http://localhost:1/x", "http://127.0.0.1:2/api", True),
        ("http://cdn.example/x", "http://127.0.0.1:2/api", False),
        ("file:///etc/passwd", BASE, False),
        ("https://user:secret@cdn.example/x", BASE, False),
        ("", BASE, False),
    ],
)
def test_where_a_file_may_be_fetched(url, base, fine):
    if fine:
        assert allowed_url(url, base) == url
    else:
        with pytest.raises(MalformedAnswerError) as caught:
            allowed_url(url, base)
        assert "sig=secret" not in str(caught.value)
