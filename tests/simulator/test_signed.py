"""Addresses that need no key: signed, and good until their end."""

import time

import httpx
import pytest

from refvideo_nb.simulator import Simulator
from refvideo_nb.simulator.signing import Signer


@pytest.fixture(scope="module")
def sim():
    with Simulator(seconds=0, signed_urls=600) as sim:
        yield sim


def _finished(call, sim, small):
    api = call(sim)
    told = api.finish(api.submit(**small).json()["id"])
    assert told["status"] == "completed", told
    return api, told


def test_a_signed_address_is_enough(sim, call, small):
    api, told = _finished(call, sim, small)
    assert 590 < told["expires_at"] - time.time() < 601
    (url,) = told["urls"]
    film = api.client.get(told["unsigned_urls"][0]).content
    assert httpx.get(told["unsigned_urls"][0]).status_code == 401
    assert httpx.get(url).content == film
    head, _, signature = url.rpartition("signature=")
    for wrong in (
        f"{head}signature={signature[:-1]}{'1' if signature[-1] != '1' else '2'}",
        f"{head}signature=é",
        url.replace("expires=", "expires=9"),
        url.replace("index=0", "index=1"),
    ):
        assert httpx.get(wrong).status_code == 403, wrong


def test_it_ends(call, small):
    with Simulator(seconds=0, signed_urls=0, faults=["poll:clock=3600"]) as sim:
        _, told = _finished(call, sim, small)
        assert "urls" not in told
        assert "expires_at" not in told
    with Simulator(seconds=0) as sim:
        _, told = _finished(call, sim, small)
        assert "urls" not in told


def test_after_its_end_it_is_gone(sim, call, small):
    _, told = _finished(call, sim, small)
    origin = sim.base_url.removesuffix("/api/v1")
    signer = Signer(sim.api_key)
    now = int(time.time())
    assert httpx.get(origin + signer.path(told["id"], now + 60)).status_code == 200
    gone = httpx.get(origin + signer.path(told["id"], now - 1))
    assert gone.status_code == 410
    assert gone.json()["error"]["message"] == "This address has expired"
