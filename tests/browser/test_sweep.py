"""The card of a sweep in the front ends: planned, started, watched, looked into cell by cell, reloaded, left behind."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror='window.hit=1'>"
PLAN = (
    "%%refvideo_sweep --grid colour=red,blue --grid model=alibaba/wan-3.0,runway/gen-4.5 --grid seed=0..1 "
    "--duration 2 --resolution 480p --aspect-ratio 1:1 --no-audio -o planned\na {{colour}} ball says "
    + EVIL
    + " for $5"
)
# A sweep of another day in which everything happened, with whatever a stranger may put into an error.
EARLIER = f"""
from msgspec.structs import replace
from decimal import Decimal
from itertools import cycle
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.core.design import Axis, Design
from refvideo_nb.core.sweep import Cell, SweepRecord, SweepState
from refvideo_nb.notebook.current import current_session
sweeps, evil, at = current_session().ledger.sweeps, {EVIL!r}, 1_700_000_000.0
price = Estimate(Decimal("0.10"), Decimal("0.10"), "")
def earlier(name, counts, ends):
    axes = [Axis(n, tuple(f"{{n}} {{k}}" for k in range(count))) for n, count in counts.items()]
    axes[0] = Axis("prompt", tuple(f"{{label}}, which is as long as prompts are {{evil}}" for label in axes[0].labels))
    design = Design(tuple((axis,) for axis in axes))
    def cell(n):
        asked = VideoRequest(prompt="a ball", model="a/b", seed=n)
        why = ("the model takes no seed " + evil,) if n % 37 == 5 else ()
        return Cell(number=n, request=asked, estimate=price, fingerprint=f"{{name}} {{n}}", refused=why)
    cells = [cell(n + 1) for n in range(len(design))]
    sweeps.add(SweepRecord(id=name, state=SweepState.RUNNING, design=design, created=at, updated=at,
                           max_cost=Decimal(len(cells)) / 10), cells)
    for cell, state in zip(cells, cycle(ends)):
        if state is None or cell.refused:
            continue
        job = JobRecord(id=f"rv-{{name}}-{{cell.number}}", state=state, request=cell.request, sent_prompt="x",
                        created=at, updated=at, estimate=price, error=evil if state is State.FAILED else "")
        sweeps.begin(name, cell.number, job, fingerprint=cell.fingerprint, reuse=False, allow=lambda _: None)
    sweeps.advance(name, state=SweepState.STOPPED, reason="the API answered 402: no credits " + evil)
    sweeps.release(name)
S = State
earlier("sw-small", {{"prompt": 3, "model": 4, "seed": 8}},
        [S.DOWNLOADED] * 7 + [S.FAILED, S.DOWNLOADED, S.OUTCOME_UNKNOWN, S.DOWNLOADED, S.RUNNING, None])
earlier("sw-large", {{"prompt": 50, "model": 10, "seed": 20}}, [S.DOWNLOADED, S.FAILED] + [None] * 40)
"""


class Card:
    """The card below a cell."""

    def __init__(self, notebook, cell):
        self.page = notebook.page
        self.output = notebook.output(cell)
        self.cells = self.output.get_by_role("gridcell")

    def cell(self, number):
        return self.output.locator(f"[role=gridcell][data-number='{number}']")

    def button(self, name):
        return self.output.get_by_role("button", name=name)

    def safe(self):
        return self.page.evaluate("window.hit") is None


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_from_the_plan_to_the_last_cell(server, open_notebook, tmp_path, app):
    server.theme("Light")
    path = server.written(f"sweep-{app}", ["%load_ext refvideo_nb", PLAN, "planned.spent"])
    notebook = open_notebook(path, app=app, height=1400)
    card = Card(notebook, "refvideo_sweep --grid")
    notebook.run_all()
    expect(card.cells).to_have_count(8, timeout=60_000)
    head = card.output.filter(visible=True).first
    expect(head).to_contain_text("A sweep of 8 cells: 4 jobs to pay, about USD 0.40 in all")
    expect(head).to_contain_text("resolution '480p' is not offered by runway/gen-4.5")
    expect(card.cell(3)).to_have_attribute("aria-label", "cell 3, refused: colour red, model runway/gen-4.5, seed 0")
    notebook.kernel_is_idle()
    notebook.picture(tmp_path / f"sweep-plan-{app}.png", height=900)

    # Nothing is sent before it is started; the button says what it will cost.
    card.button("Start: pay about USD 0.40").click()
    expect(card.button("Stop")).to_be_visible()
    expect(card.button("Start: pay about USD 0.40")).to_be_hidden()
    expect(head).to_contain_text("Sweep finished · 4 of 8 done · 4 refused", timeout=60_000)
    expect(head).to_contain_text("USD 0.40 of at most USD 0.50")
    expect(card.button("Stop")).to_be_hidden()

    # A cell opens its job; by keyboard too.
    card.cell(1).focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "Enter"):
        card.page.keyboard.press(key)
    expect(card.output.get_by_text(re.compile("^cell 3, refused"))).to_have_count(1)
    card.cell(2).click()
    card.output.locator("video").wait_for()
    expect(
        card.output.get_by_text(re.compile("^cell 2, done: colour red, model alibaba/wan-3.0, seed 1"))
    ).to_have_count(1)
    assert card.safe()
    notebook.picture(tmp_path / f"sweep-done-{app}.png", height=1800)
    notebook.save()

    # After a reload it is as it was; without its kernel the still one stands there, with what became of it.
    notebook.open()
    expect(card.cells).to_have_count(8)
    notebook.save()
    notebook.shut_down_kernel()
    server.end_kernels()
    notebook.open()
    expect(card.output.get_by_text("4 of 8 done").filter(visible=True)).to_have_count(1)
    expect(card.cells).to_have_count(0)
    notebook.picture(tmp_path / f"sweep-still-{app}.png", height=900)
    assert card.safe()


@pytest.mark.parametrize("look", [("notebook", "Dark", 480), ("lab", "Light", 1280)], ids=["narrow", "wide"])
def test_small_and_large_in_every_state(server, open_notebook, tmp_path, look):
    app, theme, width = look
    server.theme(theme)
    cells = ["%load_ext refvideo_nb", EARLIER, "%refvideo show sw-small", "%refvideo show sw-large"]
    notebook = open_notebook(server.written(f"sweeps-{theme}", cells), app=app, width=width, height=1400)
    notebook.run_all()
    small, large = Card(notebook, "show sw-small"), Card(notebook, "show sw-large")
    expect(small.cells).to_have_count(96, timeout=60_000)
    expect(large.cells).to_have_count(10_000, timeout=60_000)
    notebook.kernel_is_idle()
    for stands in ("done", "failed", "unknown", "running", "waiting", "refused"):
        assert small.output.locator(f"[role=gridcell][data-stands={stands}]").count(), stands
    expect(small.output.get_by_text("it stopped: the API answered 402").filter(visible=True)).to_have_count(1)
    large.cell(9_990).scroll_into_view_if_needed()
    large.cell(9_990).click()
    found = large.output.get_by_text(re.compile("^cell 9990, ")).last
    expect(found).to_contain_text("model model 9, seed seed 9", timeout=30_000)
    assert small.page.evaluate("document.scrollingElement.scrollWidth") <= width
    faint, looked = notebook.faint(".refvideo-grid")
    assert faint == []
    assert looked
    notebook.picture(tmp_path / f"sweeps-{theme}-{width}.png", width=width, height=2200)
    assert small.safe()
