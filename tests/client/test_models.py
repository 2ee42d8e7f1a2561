"""Live, cached for an hour, an older copy, the captured list: and it says which."""

import json
import time

import pytest

from refvideo_nb.client import models
from refvideo_nb.client.models import captured, load_catalogue

pytestmark = pytest.mark.anyio
PATH = "/api/v1/videos/models"
LIST = (200, {}, b'{"data":[{"id":"new/model","supported_durations":[4]},{"id":"bytedance/seedance-2.0-fast"}]}')
DOWN = (503, {"Retry-After": "0"}, b"{}")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("refvideo_nb.client.retry._backoff", lambda state: 0.01)
    monkeypatch.setattr(models, "is_loopback", lambda host: False)


async def test_an_api_on_this_machine_is_asked_each_time(server, client, tmp_path, monkeypatch):
    monkeypatch.undo()
    server.answers[PATH] = LIST
    for _ in range(2):
        assert (await load_catalogue(client, tmp_path)).origin == "live"
    assert len(server.asked) == 2
    assert list(tmp_path.iterdir()) == []


def ids(catalogue):
    return [m.id for m in catalogue.models]


async def test_live_and_then_cached(server, client, tmp_path):
    server.answers[PATH] = LIST
    first = await load_catalogue(client, tmp_path)
    assert (first.origin, first.note) == ("live", "")
    assert ids(first) == ["new/model", "bytedance/seedance-2.0-fast"]
    assert first.models[0].references.status == "unknown"
    assert first.models[1].references.max_images == 9, "the overlay is joined to the live list"
    again = await load_catalogue(client, tmp_path)
    assert (again.origin, ids(again)) == ("cached", ids(first))
    assert len(server.asked) == 1
    assert server.keys == []
    assert [p.suffix for p in tmp_path.iterdir()] == [".json"]


async def test_after_an_hour_it_is_asked_again(server, client, tmp_path):
    server.answers[PATH] = LIST
    await load_catalogue(client, tmp_path)
    assert (await load_catalogue(client, tmp_path, now=lambda: time.time() + 3500)).origin == "cached"
    assert (await load_catalogue(client, tmp_path, now=lambda: time.time() + 3700)).origin == "live"
    assert (await load_catalogue(client, tmp_path, now=lambda: time.time() - 9999)).origin == "live", (
        "a clock that jumped"
    )


async def test_an_older_copy_is_better_than_none(server, client, tmp_path):
    server.answers[PATH] = LIST
    await load_catalogue(client, tmp_path)
    server.answers[PATH] = DOWN
    found = await load_catalogue(client, tmp_path, now=lambda: time.time() + 9999)
    assert (found.origin, ids(found)) == ("cached", ["new/model", "bytedance/seedance-2.0-fast"])
    assert "could not be fetched" in found.note
    assert "older copy" in found.note


@pytest.mark.parametrize(
    "answer", [DOWN, (404, {}, b""), (200, {}, b"<html>"), (200, {}, b'{"data":[]}'), (200, {}, b'{"data":[7]}')]
)
async def test_the_captured_list_when_there_is_nothing_else(server, client, tmp_path, answer):
    server.answers[PATH] = answer
    found = await load_catalogue(client, tmp_path)
    assert found.origin == "captured"
    assert found.models == captured().models
    assert "the list of 2026-10-10 is used" in found.note
    assert list(tmp_path.iterdir()) == [], "nothing of it is kept"


async def test_one_failure_is_asked_again(server, client, tmp_path):
    server.answers[PATH] = [DOWN, LIST]
    assert (await load_catalogue(client, tmp_path)).origin == "live"


@pytest.mark.parametrize("data", [b"", b"{", b'{"data":[]}', b"\xff"])
async def test_a_cache_that_is_broken_is_not_believed(server, client, tmp_path, data):
    server.answers[PATH] = LIST
    await load_catalogue(client, tmp_path)
    [path] = tmp_path.iterdir()
    path.write_bytes(data)
    assert (await load_catalogue(client, tmp_path)).origin == "live"


async def test_a_cache_that_cannot_be_written_is_only_slower(server, client, tmp_path):
    in_its_place = tmp_path / "cache"
    in_its_place.write_text("a file")
    server.answers[PATH] = LIST
    assert (await load_catalogue(client, in_its_place)).origin == "live"
    assert (await load_catalogue(client, in_its_place)).origin == "live"


async def test_each_address_has_its_own_cache(server, elsewhere, client, tmp_path, key):
    from refvideo_nb.client.client import VideoClient
    from refvideo_nb.settings import Secret

    server.answers[PATH] = LIST
    elsewhere.answers[PATH] = (200, {}, b'{"data":[{"id":"other/model"}]}')
    other = VideoClient(elsewhere.base, Secret(key))
    await load_catalogue(client, tmp_path)
    assert ids(await load_catalogue(other, tmp_path)) == ["other/model"]
    assert ids(await load_catalogue(client, tmp_path))[0] == "new/model"
    await other.aclose()


def test_the_captured_list_is_whole():
    raw = json.loads(models._data("captured_models.json"))["data"]
    found = captured()
    assert len(found.models) == len(raw) == 15
    assert all(m.references.evidence and m.references.sources for m in found.models), "each with its evidence"
    assert {m["id"]: m["pricing_skus"] for m in raw} == {m.id: m.prices for m in found.models}
