"""The live tables in the front ends that people use: the jobs panel from opening to forgetting, and the models."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror='window.hit=1'>"
# Jobs of an earlier day, with whatever a stranger may put into a model's name, a prompt or an error.
EARLIER = """
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.notebook.current import current_session
ledger = current_session().ledger
for n in range(12):
    at = 1_700_000_000.0 + 60 * n
    asked = VideoRequest(prompt=f"ball {n} {evil}", model=f"some/{evil}")
    made = JobRecord(id=f"rv-20231114-{n:06}", state=State.FAILED, request=asked, sent_prompt="", created=at,
                     updated=at, error=evil)
    ledger.add(made, fingerprint=str(n))
    ledger.release(made.id)
"""
CELLS = [
    f"%load_ext refvideo_nb\nfrom skimage import data\ncat, evil = data.chelsea(), {EVIL!r}",
    "%%refvideo --ref cat --duration 4 --resolution 480p --no-audio --wait --out clip\n@cat says {{evil}} for $5",
    EARLIER,
    "%refvideo jobs",
]


class Shown:
    """A live table under the cell with this text."""

    def __init__(self, notebook, cell):
        expect.set_options(timeout=60_000)
        self.notebook, self.page, self.output = notebook, notebook.page, notebook.output(cell)
        self.rows = self.output.locator(".refvideo-table tbody tr")
        self.total = self.output.locator(".refvideo-foot [role=status]")

    def button(self, name):
        return self.output.get_by_role("button", name=name, exact=True)

    def heading(self, name):
        return self.output.get_by_role("columnheader", name=name)

    def search(self, text):
        self.output.get_by_role("textbox", name="Search").fill(text)

    def safe(self):
        """Whether nothing of the hostile text has run or become an element."""
        found = self.page.locator(".jp-OutputArea img[src='x'], .jp-OutputArea script").count()
        return self.page.evaluate("window.hit") is None and not found


@pytest.mark.timeout(240)
@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_the_jobs_panel(server, open_notebook, app, tmp_path):
    server.theme("Light")
    notebook = open_notebook(server.written(f"panel-{app}", CELLS), app=app, height=1400)
    panel = Shown(notebook, "%refvideo jobs")
    notebook.run_all()

    # It opens with the newest jobs, their pictures, and hostile text as text; the still table is out of the way.
    expect(panel.total).to_have_text("13 jobs")
    expect(panel.rows).to_have_count(10)
    expect(panel.rows.first).to_contain_text("@cat says " + EVIL)
    expect(panel.rows.nth(1)).to_contain_text("some/" + EVIL)
    expect(panel.rows.first.locator("img")).to_have_attribute("src", re.compile("^data:image/jpeg;base64,"))
    expect(panel.output.locator("table")).to_have_count(2)
    expect(panel.output.locator("table").filter(visible=True)).to_have_count(1)
    notebook.kernel_is_idle()
    by_keyboard(panel)
    by_heading_and_page(panel)
    assert panel.safe()

    # Found by its text, chosen by keyboard, shown: the video plays.
    panel.search("@cat")
    expect(panel.total).to_have_text("1 job found")
    panel.rows.first.focus()
    panel.page.keyboard.press("Enter")
    panel.button("Show").click()
    panel.output.locator("video").wait_for()
    assert notebook.plays() == [notebook.PLAYING] * 2
    notebook.picture(tmp_path / f"panel-{app}.png", height=2400)
    notebook.save()

    # After a reload with the same kernel it is as it was, and alive.
    notebook.open()
    expect(panel.total).to_have_text("1 job found")
    panel.output.locator("video").wait_for()
    forget_the_latest(panel)
    assert panel.safe()

    # Without its kernel the still table is there, as it was saved, and nothing else.
    notebook.shut_down_kernel()
    server.end_kernels()
    notebook.open()
    still = panel.output.locator("table")
    expect(still).to_be_visible()
    expect(still).to_contain_text("ball 11 " + EVIL)
    gone = panel.output.filter(has_text="model not found")
    expect(gone).to_have_count(1)
    expect(gone).to_be_hidden()
    expect(still).to_be_visible()
    notebook.picture(tmp_path / f"panel-still-{app}.png")
    assert panel.safe()


def by_keyboard(panel):
    """One row has the Tab stop, arrows go on from there, Enter chooses, and the notebook around stays as it is."""
    active = "[...document.querySelectorAll('.jp-Cell')].map(e => e.classList.contains('jp-mod-active'))"
    panel.rows.first.click()
    expect(panel.rows.first).to_have_attribute("aria-selected", "true")
    before = panel.page.evaluate(active)
    press = panel.page.keyboard.press
    press("ArrowDown")
    expect(panel.rows.nth(1)).to_be_focused()
    press("End")
    press("ArrowUp")
    expect(panel.rows.nth(8)).to_be_focused()
    expect(panel.output.locator("tbody tr[tabindex='0']")).to_have_count(1)
    press("Enter")
    expect(panel.rows.nth(8)).to_have_attribute("aria-selected", "true")
    press("d")
    press("d")
    expect(panel.rows.nth(8)).to_be_focused()
    assert panel.page.evaluate(active) == before


def by_heading_and_page(panel):
    """Sorted by its heading, the oldest come first; the last page has the newest."""
    heading = panel.heading("when")
    expect(heading).to_have_attribute("aria-sort", "descending")
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(panel.rows.first).to_contain_text("ball 0 ")
    panel.button("Next").click()
    expect(panel.rows).to_have_count(3)
    expect(panel.rows.last).to_contain_text("@cat")


def forget_the_latest(panel):
    """It asks once more; then the job is gone."""
    panel.search("ball 11")
    expect(panel.rows.first).to_contain_text("ball 11 ")
    panel.rows.first.click()
    panel.button("Forget").click()
    expect(panel.output.get_by_text("Forget rv-20231114-000011?")).to_be_visible()
    panel.button("Keep it").click()
    expect(panel.button("Forget it")).to_be_hidden()
    panel.button("Forget").click()
    panel.button("Forget it").click()
    expect(panel.total).to_have_text("0 jobs found")
    panel.search("")
    expect(panel.total).to_have_text("12 jobs")


@pytest.mark.parametrize("look", [("notebook", "Dark", 480), ("lab", "Light", 1280)], ids=["narrow", "wide"])
def test_the_models_table(server, open_notebook, look, tmp_path):
    app, theme, width = look
    server.theme(theme)
    path = server.written(f"models-{app}", ["%load_ext refvideo_nb", "%refvideo models"])
    notebook = open_notebook(path, app=app, width=width, height=1400)
    models = Shown(notebook, "%refvideo models")
    rows, output, page = models.rows, models.output, models.page
    notebook.run_all()
    expect(models.total).to_have_text(re.compile(r"^\d+ models$"))
    notebook.kernel_is_idle()

    # What is needed leaves models out; on demand they stand at the end, with the reason.
    count = rows.count()
    output.get_by_role("checkbox", name="Sound").check()
    output.get_by_role("combobox", name="Seconds").select_option("12")
    expect(models.total).to_have_text(re.compile("more do not do$"))
    output.get_by_role("checkbox", name="Also those").check()
    expect(rows).to_have_count(count)
    expect(rows.last).to_contain_text("does not do: ")

    # Sorted in the page, those that do still come first.
    heading = models.heading("model")
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    names = [row.locator("td").first.inner_text() for row in rows.all()]
    fit = count - output.locator("tr.refvideo-second").count()
    assert 0 < fit < count
    assert (names[:fit], names[fit:]) == (sorted(names[:fit]), sorted(names[fit:]))
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    rows.nth(1).focus()
    page.keyboard.press(" ")
    expect(output.locator("tr[aria-selected=true] td").first).to_have_text(names[fit - 2])
    expect(output.get_by_text(f"--model {names[fit - 2]}")).to_be_visible()

    # The table scrolls by itself, the page does not; everything can be read.
    box = output.locator(".refvideo-scroll").bounding_box()
    assert box["x"] + box["width"] <= width
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    faint, looked = notebook.faint(".refvideo-table")
    assert faint == []
    assert {"model", "why here"} <= set(looked), looked
    notebook.picture(tmp_path / f"models-{theme}-{width}.png", width=width, height=1600)
