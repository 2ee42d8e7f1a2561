"""Each variable, good and bad; and a key that is seen nowhere."""

import contextlib
import copy
import dataclasses
import pickle
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import refvideo_nb.settings
from refvideo_nb.errors import SettingsError
from refvideo_nb.settings import DEFAULT_BASE_URL, Secret, Settings, check_base_url, is_loopback

KEY = "sk-or-v1-0123456789abcdef"


def read(**environ):
    return Settings.from_environment(environ)


def test_defaults_without_a_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = read()
    assert found.key is None
    assert found.base_url == DEFAULT_BASE_URL
    assert found.home == tmp_path / "refvideo"
    assert found.home.is_absolute(), "a later chdir must not lose the ledger"
    assert (found.poll_interval, found.poll_max, found.timeout) == (0.5, 2.0, 1800)
    assert (found.embed_bytes, found.simulator_seconds) == (8_000_000, 4)


def test_with_a_key_it_polls_slowly():
    found = read(OPENROUTER_API_KEY=f"  {KEY}\n")
    assert found.key.reveal() == KEY
    assert (found.poll_interval, found.poll_max) == (10, 30)
    assert (found.requests_per_second, read().requests_per_second) == (10, 50)


def test_the_process_environment_is_read(monkeypatch):
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.setenv("REFVIDEO_HOME", "~/clips")
    found = Settings.from_environment()
    assert found.key.reveal() == KEY
    assert found.home == Path("~/clips").expanduser()


@pytest.mark.parametrize(("text", "off"), [("1", True), ("yes", True), ("ON", True), ("0", False), ("", False)])
def test_offline_wins_over_a_key(text, off):
    assert (read(OPENROUTER_API_KEY=KEY, REFVIDEO_OFFLINE=text).key is None) is off


def test_a_broken_key_does_not_matter_offline():
    assert read(OPENROUTER_API_KEY="not a key", REFVIDEO_OFFLINE="1").key is None


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("REFVIDEO_OFFLINE", "maybe", "give 1 or 0"),
        ("REFVIDEO_POLL_INTERVAL", "soon", "from 0.01 to 600"),
        ("REFVIDEO_POLL_INTERVAL", "0", "from 0.01 to 600"),
        ("REFVIDEO_POLL_INTERVAL", "nan", "from 0.01 to 600"),
        ("REFVIDEO_TIMEOUT", "inf", "from 1 to 604800"),
        ("REFVIDEO_TIMEOUT", "-1", "from 1 to 604800"),
        ("REFVIDEO_RATE", "0", "from 0.1 to 1000"),
        ("REFVIDEO_EMBED_MB", "101", "from 0 to 100"),
        ("REFVIDEO_SIMULATOR_SECONDS", "4s", "from 0 to 3600"),
    ],
)
def test_a_bad_value_names_the_variable_itself_and_what_it_may_be(name, value, says):
    with pytest.raises(SettingsError) as caught:
        read(**{name: value})
    assert name in str(caught.value)
    assert repr(value) in str(caught.value)
    assert says in str(caught.value)


def test_a_home_of_nobody():
    with pytest.raises(SettingsError, match="REFVIDEO_HOME"):
        read(REFVIDEO_HOME="~nobody-of-this-name/x")


@pytest.mark.parametrize(
    ("name", "value", "attribute", "is_now"),
    [
        ("REFVIDEO_POLL_INTERVAL", "0.05", "poll_interval", 0.05),
        ("REFVIDEO_POLL_INTERVAL", "60", "poll_max", 60),
        ("REFVIDEO_TIMEOUT", "60", "timeout", 60),
        ("REFVIDEO_RATE", "2.5", "requests_per_second", 2.5),
        ("REFVIDEO_EMBED_MB", "0.5", "embed_bytes", 500_000),
        ("REFVIDEO_SIMULATOR_SECONDS", "0", "simulator_seconds", 0),
    ],
)
def test_a_good_value_counts(name, value, attribute, is_now):
    assert getattr(read(**{name: value}), attribute) == is_now


@pytest.mark.parametrize("key", ["two words", "line\nbreak-secret", "schlüssel-secret", "nul\x00-secret"])
def test_what_is_no_key_is_refused_without_being_shown(key):
    with pytest.raises(SettingsError) as caught:
        read(OPENROUTER_API_KEY=key)
    assert key not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_secret_is_not_shown():
    secret = Secret(KEY)
    settings = read(OPENROUTER_API_KEY=KEY)
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r}", "%s" % secret, repr(settings), str([secret])):  # noqa: UP031
        assert KEY not in shown
    for spread in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            spread(secret)
        with pytest.raises(TypeError):
            pickle.dumps(settings)
    with pytest.raises(TypeError):
        dataclasses.asdict(settings)
    assert not hasattr(secret, "__dict__")


def test_secrets_are_compared_by_value():
    assert Secret(KEY) == Secret(KEY)
    assert Secret(KEY) != Secret(KEY + "x")
    assert Secret(KEY) != KEY
    assert {read(OPENROUTER_API_KEY=KEY): 1}[read(OPENROUTER_API_KEY=KEY)] == 1
    assert not Secret("")


@pytest.mark.parametrize(
    "bad",
    [{"REFVIDEO_TIMEOUT": "x"}, {"OPENROUTER_BASE_URL": "http://a.example"}, {"OPENROUTER_API_KEY": f"{KEY} {KEY}"}],
)
def test_no_frame_of_a_traceback_holds_the_key(bad, monkeypatch):
    # IPython's %xmode Verbose prints the variables of each frame.
    for name, value in ({"OPENROUTER_API_KEY": KEY} | bad).items():
        monkeypatch.setenv(name, value)
    try:
        Settings.from_environment()
    except SettingsError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [f for f in told.stack if f.filename == refvideo_nb.settings.__file__]
    assert ours
    assert all(KEY not in text for f in ours for text in (f.locals or {}).values())


@pytest.mark.parametrize(
    "url",
    [
        "https://openrouter.ai/api/v1",
        "https://gateway.example:8443/or",
        "http://127.0.0.1:8080/api/v1",
        "http://localhost:1/x",
        "http://[::1]:9/x",
        "https://10.0.0.7/x",
    ],
)
def test_addresses_to_which_a_key_may_go(url):
    assert check_base_url(url) == url
    assert check_base_url(url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://openrouter.ai/api/v1",
        "http://127.0.0.1.evil.example/x",
        "http://10.0.0.7/x",
        "http://0.0.0.0/x",
        "ftp://openrouter.ai",
        "openrouter.ai/api/v1",
        "https://",
        "https://user@openrouter.ai",
        "https://user:hunter2@openrouter.ai",
        "https://openrouter.ai/x?key=hunter2",
        "https://openrouter.ai/x?",
        "https://openrouter.ai/x#y",
        "https://openrouter.ai:0/x",
        "https://openrouter.ai:99999/x",
        "https://openrouter.ai:port/x",
        "https://[::1",
        "https://openrouter.ai\\.evil.example",
        "https://open\nrouter.ai",
        "https://open router.ai",
        "https://öpenrouter.ai",
        "file:///etc/passwd",
        "",
    ],
)
def test_addresses_to_which_no_key_may_go(url):
    with pytest.raises(SettingsError, match="OPENROUTER_BASE_URL") as caught:
        check_base_url(url)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=60) | st.text(alphabet="https:/@?#[]\\.%01:ab", max_size=40))
def test_any_address_is_taken_or_refused(url):
    with contextlib.suppress(SettingsError):
        assert check_base_url(url).lower().startswith(("https://", "http://"))


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost.evil.example", False),
        ("127.0.0.1.nip.io", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_is_loopback(host, local):
    assert is_loopback(host) is local
