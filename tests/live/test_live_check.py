"""The check of the live API, tried on a second simulator in its place: it finds what was planted, tells no secret."""

import copy
import json
from decimal import Decimal

import pytest

from refvideo_nb.settings import Secret
from refvideo_nb.simulator import Simulator
from refvideo_nb.simulator.catalogue import listing
from tests.live import check
from tests.live.shapes import shape

FAST = {"poll_interval": 0.1, "poll_max": 0.3}


@pytest.fixture(scope="module")
def double():
    with Simulator(seconds=0.3) as simulator:
        yield simulator


def checked(double, tmp_path, **live):
    """What is found where the API is a simulator like this one."""
    with Simulator(seconds=0.3, **live) as api:
        to = tmp_path / "seen.json"
        found = check.check(
            api.base_url, Secret(api.api_key), most=Decimal(1), patience=60, simulator=double, to=to, settings=FAST
        )
        text = to.read_text()
        for secret in (api.api_key, api.base_url, "127.0.0.1", "@cat", "wooden", "gen-vid-1", "rv-2"):
            assert secret not in text, secret
        assert api.stats()["paid_jobs"] == 1
        return found, json.loads(text)


def test_what_is_as_it_is_simulated_has_not_drifted(double, tmp_path):
    found, seen = checked(double, tmp_path)
    assert found == {"answers": [], "model list": [], "price": [], "clip": []}
    assert {note["kind"] for note in seen["live"]} == {"models", "submit", "poll", "content"}


def test_an_answer_of_another_type_is_found(double, tmp_path):
    found, _ = checked(double, tmp_path, faults=["poll:wrong-types=usage*"])
    assert found["answers"] == ["poll (200 completed).usage: live [number], simulated {cost, is_byok}"]
    assert found["price"] == ["no bill came with the answer"]


def test_a_status_that_nobody_knew_is_found(double, tmp_path):
    found, _ = checked(double, tmp_path, faults=["poll:status=dreaming*1"])
    assert "poll: the live API answers '200 dreaming', which the simulator did not" in found["answers"]


def test_signed_addresses_are_found_and_not_told(double, tmp_path):
    found, _ = checked(double, tmp_path, signed_urls=60)
    assert "poll (200 completed).urls: only live ([address])" in found["answers"]


def test_another_model_list_and_other_prices_are_found(double, tmp_path, monkeypatch):
    models = copy.deepcopy(listing())
    cheapest, gone = models["data"][0], models["data"].pop()
    cheapest["supported_durations"] = [1, 2]
    monkeypatch.setattr("refvideo_nb.simulator.app.listing", lambda: models)
    lines = checked(double, tmp_path)[0]["model list"]
    assert f"{gone['id']}: gone from the list" in lines
    assert any(line.startswith(f"{cheapest['id']}.supported_durations: live [1, 2]") for line in lines)


def test_a_bill_outside_the_estimate_is_found():
    from types import SimpleNamespace

    from refvideo_nb.core.pricing import Estimate

    def record(cost):
        return SimpleNamespace(cost=Decimal(cost), estimate=Estimate(Decimal("0.20"), Decimal("0.24"), "4 s × 0.05"))

    assert [check.priced(record(cost)) == [] for cost in ("0.19", "0.20", "0.25", "0.27")] == [False, True, True, False]


def test_without_consent_nothing_is_paid(monkeypatch, capsys):
    monkeypatch.delenv("REFVIDEO_LIVE", raising=False)
    assert check.main() == 2
    assert "REFVIDEO_LIVE=1 make live-check" in capsys.readouterr().err
    monkeypatch.setenv("REFVIDEO_LIVE", "1")
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    assert check.main() == 2
    assert "OPENROUTER_API_KEY" in capsys.readouterr().err


def test_a_shape_holds_no_text_that_came_from_outside():
    odd = {"Bearer sk-or-secret": {"status": "a person's words, not a status"}, "url": "https://a.example/?key=1"}
    assert shape(odd) == {"(a key)": {"status": "text"}, "url": "address"}
