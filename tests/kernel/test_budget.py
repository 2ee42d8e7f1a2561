"""A limit that is set in a cell holds before anything is sent, and the money counts as it was billed."""

import copy
from decimal import Decimal

import pytest

from refvideo_nb.simulator.catalogue import listing

pytestmark = pytest.mark.kernel

# What it costs is left open by as much as the ratio is; the bill is for one of them.
MODEL = "bytedance/seedance-2.0-fast"
OPTIONS = f"--model {MODEL} --duration 4 --resolution 480p"


class Purse:
    """What a kernel is let spend, and what arrived at its API."""

    def __init__(self, kernel, api):
        self.kernel = kernel
        self._api = api

    def cell(self, prompt, options=OPTIONS):
        return self.kernel.run(f"%%refvideo {options} --out clip\n{prompt}")

    def allow(self, amount):
        self.kernel.ok(f"%config RefVideoMagics.session_budget = {amount}")

    @property
    def sent(self):
        """How many submits arrived, refused ones too."""
        return self._api.simulator.stats()["requests"].get("POST /api/v1/videos", 0)

    def refused(self, ran, *said):
        """That a cell or a line was refused in one line, which says this."""
        line = ran.stream("stderr")
        assert (ran.status, ran.ename) == ("error", "UsageError")
        assert line.count("\n") == 1
        assert [each for each in (*said, "nothing was sent") if each not in line] == [], line

    def money(self, expression):
        """USD, exactly."""
        return Decimal(self.kernel.value(f"str({expression})"))

    def wait(self):
        """End every job, and wait for it."""
        # Only what the API has can be ended.
        self.kernel.ok(
            "import time\n"
            "while [job for job in refvideo_nb.jobs() if job.status in {'drafted', 'submitting'}]:\n"
            "    time.sleep(0.01)"
        )
        self._api.finish()
        assert set(self.kernel.value("[job.wait().status for job in refvideo_nb.jobs()]")) == {"downloaded"}


@pytest.fixture
def purse(start_kernel, workplace, held_api, tmp_path):
    """A kernel that has spent nothing yet; its jobs run until they are told to end."""
    with workplace(tmp_path / "place", **held_api.env) as place, start_kernel(place) as kernel:
        kernel.ok("%load_ext refvideo_nb\nimport refvideo_nb")
        yield Purse(kernel, held_api)


def test_a_budget_counts_estimates_until_the_bill_comes(purse):
    sent = purse.sent
    purse.allow(0)
    purse.refused(purse.cell("a cat"), "its budget of USD 0.00")
    assert (purse.sent, purse.kernel.value("len(refvideo_nb.jobs())")) == (sent, 0)

    purse.allow("None")
    assert purse.cell("a cat").status == "ok"
    estimate = purse.money("clip.record.estimate.high")
    budget = estimate * 2 * Decimal("0.99")
    purse.allow(budget)
    purse.refused(purse.cell("a dog"), "spent in this session", "session_budget = … raises it")
    assert purse.sent <= sent + 1
    purse.wait()
    bill = purse.money("clip.cost")
    assert bill + estimate <= budget, "the bill is no less than the estimate, and this test shows nothing"
    assert purse.sent == sent + 1

    # The same cell again: what was estimated is now billed, and there is room for it.
    assert purse.cell("a dog").status == "ok"
    purse.wait()
    assert purse.sent == sent + 2

    # Once more, by way of %refvideo retry: there is room for a bill, and none for an estimate.
    purse.allow(2 * bill + estimate * Decimal("0.99"))
    job = purse.kernel.value("clip.id")
    purse.refused(purse.kernel.run(f"%refvideo retry {job}"), "spent in this session")
    purse.refused(purse.kernel.run(f"%refvideo retry {job} --max-cost 0.01"), "more than max_cost USD 0.01")
    assert purse.kernel.value("len(refvideo_nb.jobs())") == 2
    assert purse.cell("a dog").status == "ok", "what is reused costs nothing"
    assert purse.sent == sent + 2
    purse.allow("None")
    purse.kernel.ok(f"%refvideo retry {job}")
    purse.wait()
    assert purse.sent == sent + 3


def test_a_limit_refuses_what_cannot_be_estimated(purse, monkeypatch):
    # A list of prices with a key that nobody knows: a guess would be believed.
    models = copy.deepcopy(listing())
    for model in models["data"]:
        if model["id"] == MODEL:
            model["pricing_skus"]["per_dream"] = "0.000001"
    monkeypatch.setattr("refvideo_nb.simulator.app.listing", lambda: models)
    sent = purse.sent
    purse.refused(purse.cell("a cat", f"{OPTIONS} --max-cost 1000"), "no estimate", "USD 1000.00")
    purse.kernel.ok("%config RefVideoMagics.max_cost = 1000.0")
    purse.refused(purse.cell("a cat"), "no estimate", "USD 1000.00")
    purse.kernel.ok("%config RefVideoMagics.max_cost = None")
    purse.allow(1000)
    purse.refused(purse.cell("a cat"), "no estimate", "USD 1000.00")
    assert (purse.sent, purse.kernel.value("len(refvideo_nb.jobs())")) == (sent, 0)
    purse.allow("None")
    # Without a limit it is for the person to decide.
    assert purse.cell("a cat").status == "ok"
    purse.wait()
    assert purse.sent == sent + 1


@pytest.mark.parametrize("amount", ["float('nan')", "float('inf')", "-1"])
def test_what_is_no_amount_is_no_limit(purse, amount):
    purse.kernel.ok("%config RefVideoMagics.session_budget = 0.0")
    for name in ("session_budget", "max_cost", "confirm_above"):
        ran = purse.kernel.run(f"%config RefVideoMagics.{name} = {amount}")
        assert "is no amount: give USD" in ran.stream("stderr")
        assert "Traceback" not in ran.stream("stderr")
    purse.refused(purse.cell("a cat"), "its budget of USD 0.00")


def test_the_form_begins_with_what_config_says(purse):
    purse.kernel.ok(
        "%config RefVideoMagics.max_cost = 0.0123\n%config RefVideoMagics.model = 'alibaba/wan-2.7'\n%refvideo form"
    )
    purse.kernel.ok("from ipywidgets.widgets.widget import _instances")
    shown = purse.kernel.value("[str(getattr(each, 'value', '')) for each in _instances.values()]")
    assert "0.0123" in shown
    assert any("alibaba/wan-2.7" in text for text in shown)


def test_the_doctor_speaks_where_no_session_can_be_made(purse):
    ran = purse.kernel.ok("import os\nos.environ['OPENROUTER_API_KEY'] = 'no key'\n%refvideo doctor")
    assert "cannot be used" in ran.bundles[-1]["text/plain"]
