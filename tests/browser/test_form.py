"""The form in the front ends that people use: filled in by its labels, watched, reloaded, left behind."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = "import refvideo_nb\nfrom skimage import data\ncat, cup = data.chelsea(), data.coffee()"
FORM = "refvideo_nb.form(references={'cat': cat}, roles={'cat': 'subject'}, confirm_above=0.01)"
FILLED = (
    "refvideo_nb.form('@cat sits beside @cup on a wooden table; keep both as they are',\n"
    "    references={'cat': cat, 'cup': cup}, roles={'cat': 'subject', 'cup': 'subject'},\n"
    "    duration=4, resolution='480p', aspect_ratio='16:9', generate_audio=False)"
)
# In the order of the keyboard's Tab.
ORDER = [
    *("Model", "Compare models"),
    *("Name", "Role", "Remove cat", "Reference", "Called", "Add", "Upload"),
    *("Prompt", "@cat", "Duration", "Resolution", "Aspect ratio", "Size", "Seed", "Audio", "Max cost"),
    *("Provider options", "See the request", "Generate"),
]
NAMES = """() => {
    const e = document.activeElement;
    return e.labels?.[0]?.textContent || e.textContent.trim().replace(/ \\(\\d+\\)$/, "") || e.title;
}"""
# How the request begins in each of its forms.
BEGINS = {"Cell": "%%refvideo", "Python": "refvideo_nb.generate(", "JSON": "{"}
# All that a button says from now on: some of it stands for a moment only.
HEAR = """button => {
    window.heard = [];
    new MutationObserver(() => window.heard.push(button.textContent)).observe(button, {childList: true});
}"""
# What reaches beyond the form's right edge, or the window's; a table scrolls by itself.
WIDER = """form => {
    const edge = Math.min(form.getBoundingClientRect().right, innerWidth) + 1;
    const beyond = [...form.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > edge);
    return beyond.filter(e => !e.closest(".refvideo-scroll > *")).map(e => [e.tagName, e.className, edge]);
}"""


class Filled:
    """The form below a cell, by what is written on it."""

    def __init__(self, notebook):
        expect.set_options(timeout=60_000)
        self.notebook, self.page = notebook, notebook.page
        self.root = self.page.locator(".refvideo-form")
        # In a live output; a saved one stands in the same cell.
        self.lines = self.root.locator("[role=status][aria-live=off]")
        self.results = self.root.locator("video")

    def named(self, role, name):
        return self.root.get_by_role(role, name=name, exact=True)

    def button(self, name):
        return self.named("button", name)

    def ready(self, pictures=1):
        expect(self.root.locator("img")).to_have_count(pictures)
        expect(self.button("Generate")).to_be_enabled()

    def fill_everything(self, upload):
        self.named("combobox", "Model").fill("bytedance/seedance-2.0")
        self.named("combobox", "Model").press("Tab")
        expect(self.root).to_contain_text("480p, 720p, 1080p, 4K")
        self.named("textbox", "Prompt").fill("@cat and @cup on a table, keep their shapes")
        for label, value in (
            ("Duration", "4 s"),
            ("Resolution", "480p"),
            ("Aspect ratio", "16:9"),
            ("Audio", "silent"),
        ):
            self.named("combobox", label).select_option(value)
        self.named("textbox", "Seed").fill("7")
        self.named("textbox", "Max cost").fill("5")
        self.named("textbox", "Provider options").fill("seed.watermark=false")
        # A reference by the name of a variable, with the keyboard alone; another one from the computer.
        self.named("combobox", "Reference").fill("cup")
        self.named("combobox", "Reference").press("Enter")
        expect(self.root.locator("img[alt='Reference cup']")).to_be_visible()
        with self.page.expect_file_chooser() as chosen:
            self.root.get_by_role("button", name="Upload").click()
        chosen.value.set_files(upload)
        expect(self.root.locator("img[alt='Reference my_pack']")).to_be_visible()
        self.button("Remove my_pack").click()
        self.ready(pictures=2)

    def copied(self, kind):
        self.button(kind).click()
        # The kernel writes the text; one that comes after the click would take the button's word back.
        expect(self.root.locator(".refvideo-request pre")).to_contain_text(BEGINS[kind])
        copy = self.button("Copy")
        copy.evaluate(HEAR)
        copy.click()
        self.page.wait_for_function("window.heard.includes('Copied')")
        return self.page.evaluate("navigator.clipboard.readText()")


@pytest.fixture
def upload(tmp_path):
    from skimage import data, io

    path = tmp_path / "my pack.png"
    io.imsave(path, data.rocket(), check_contrast=False)
    return path


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("app", "kernel"), [("lab", "newest"), ("notebook", "older")])
def test_a_request_by_hand(server, open_notebook, held_api, upload, tmp_path, app, kernel):
    server.theme("Light")
    cells = [f"import os\nos.environ |= {held_api.env}", PICTURES, FORM]
    path = server.written(f"form-{app}", cells, kernel)
    notebook = open_notebook(path, app=app, height=1400)
    form = Filled(notebook)
    before = held_api.simulator.stats()["paid_jobs"]
    notebook.run_all()
    form.ready()
    form.fill_everything(upload)

    # Seen before it is paid, and asked once more; two clicks make one job.
    form.button("See the request").click()
    cell = form.copied("Cell")
    assert cell.startswith("%%refvideo --model bytedance/seedance-2.0 --duration 4 --resolution 480p")
    assert "--ref cup=cup" in cell
    assert '"cat": cat,' in form.copied("Python")
    assert held_api.simulator.api_key not in form.copied("JSON")
    form.button("Hide the request").click()
    form.button("Generate").click()
    expect(form.root).to_contain_text("above USD 0.01; nothing is paid: the simulator answers")
    form.button("Confirm").dblclick()
    expect(form.lines).to_have_count(1)
    expect(form.lines).to_contain_text("poll")
    assert held_api.simulator.stats()["paid_jobs"] == before + 1
    notebook.picture(tmp_path / f"running-{app}.png", height=1600)

    # Its result stands below the form, and plays.
    held_api.finish()
    expect(form.lines).to_contain_text("done")
    notebook.videos.wait_for()
    expect(form.results).to_have_count(0)
    assert notebook.plays() == [notebook.PLAYING]
    notebook.save()

    reloaded(form, held_api)
    notebook.picture(tmp_path / f"reloaded-{app}.png", height=2600)
    notebook.save()
    notebook.restart_kernel()
    it_says_once_that_its_kernel_has_gone(form)
    notebook.picture(tmp_path / f"restarted-{app}.png", height=2600)
    without_its_kernel(form)
    notebook.picture(tmp_path / f"without-kernel-{app}.png", height=1400)


def reloaded(form, held_api):
    """With the live kernel a reload takes nothing away, and a job goes on."""
    notebook = form.notebook
    form.named("textbox", "Seed").fill("8")
    form.button("Generate").click()
    form.button("Confirm").click()
    expect(form.lines).to_have_count(2)
    notebook.open()
    form.ready(pictures=2)
    expect(form.page.get_by_text("The form of refvideo_nb needs its kernel")).to_be_hidden()
    expect(form.named("textbox", "Prompt")).to_have_value("@cat and @cup on a table, keep their shapes")
    expect(form.lines).to_have_count(2)
    expect(form.lines.nth(1)).to_contain_text("done")
    expect(form.lines.first).to_contain_text("poll")
    seen = form.lines.first.inner_text()
    expect(form.lines.first).not_to_have_text(seen)
    held_api.finish()
    # A page that was loaded anew gets the result in the card.
    form.results.wait_for()
    expect(notebook.videos).to_have_count(2)
    assert notebook.plays() == [notebook.PLAYING] * 2


def it_says_once_that_its_kernel_has_gone(form):
    """On a page that is still open, in place of the chain that a front end puts on each part."""
    gone = form.page.locator(".refvideo-form.jupyter-widgets-disconnected")
    gone.wait_for()
    parts = "[e, ...e.querySelectorAll('.jupyter-widgets-disconnected')]"
    said, *parts = gone.evaluate(f"e => {parts}.map(part => getComputedStyle(part, '::before').content)")
    assert "run the cell again" in said
    assert len(parts) > 40
    assert set(parts) == {"none"}


def without_its_kernel(form):
    """Where a new kernel knows nothing of it, there is a line instead of the form, and the result as it was saved."""
    form.notebook.open()
    line = form.notebook.output(FORM[:20]).get_by_text("The form of refvideo_nb needs its kernel: run this cell")
    expect(line).to_be_visible()
    expect(form.page.get_by_text("model not found").filter(visible=True)).to_have_count(0)
    expect(form.root).to_have_count(0)
    expect(form.notebook.videos).to_have_count(1)
    assert form.notebook.plays() == [form.notebook.PLAYING]


@pytest.mark.parametrize(("app", "kernel"), [("lab", "older"), ("notebook", "newest")])
def test_the_other_front_end_with_the_other_kernel(server, open_notebook, held_api, app, kernel):
    server.theme("Light")
    cells = [f"import os\nos.environ |= {held_api.env}", PICTURES, FILLED]
    notebook = open_notebook(server.written(f"other-{app}", cells, kernel), app=app, height=1400)
    form = Filled(notebook)
    notebook.run_all()
    form.ready(pictures=2)
    form.named("textbox", "Seed").fill("9")
    form.button("Generate").click()
    expect(form.lines).to_contain_text("poll")
    held_api.finish()
    expect(form.lines).to_contain_text("done")
    notebook.videos.wait_for()
    assert notebook.plays() == [notebook.PLAYING]


@pytest.mark.timeout(240)
def test_it_can_be_read_reached_and_narrowed(server, open_notebook, tmp_path):
    wrong = "refvideo_nb.form('@cat and @dog', references={'cat': cat}, seed='x', frames={'first': cup}, duration=99)"
    path = server.written("read", [PICTURES, FORM, wrong])
    server.theme("Light")
    notebook = open_notebook(path, app="notebook", height=2600)
    form = Filled(notebook)
    notebook.run_all()
    expect(form.root).to_have_count(2)
    expect(form.root.nth(1)).to_contain_text("2 things to mend above")
    form.root = form.root.first
    form.ready()
    in_order(form)
    form.named("textbox", "Prompt").fill("a cat")
    form.button("See the request").click()
    form.button("Generate").click()
    expect(form.button("Confirm")).to_be_visible()
    form.button("Compare models").click()
    form.root.locator(".refvideo-table tbody tr").first.wait_for()
    notebook.save()
    for theme in ("Light", "Dark"):
        server.theme(theme)
        notebook.open()
        expect(form.button("Confirm")).to_be_visible()
        expect(notebook.page.locator("body")).to_have_attribute("data-jp-theme-light", str(theme == "Light").lower())
        for cell in (".jp-CodeCell:nth-of-type(2)", ".jp-CodeCell:nth-of-type(3)"):
            faint, looked = notebook.faint(f"{cell} .refvideo-form")
            assert len(looked) > 40, looked
            assert faint == [], theme
        notebook.picture(tmp_path / f"{theme}.png", height=3600)
    notebook.page.set_viewport_size({"width": 480, "height": 900})
    for root in (form.root, notebook.page.locator(".refvideo-form").nth(1)):
        expect(root.get_by_role("button", name="Generate")).to_be_visible()
        assert root.evaluate(WIDER) == []
    notebook.picture(tmp_path / "narrow.png", width=480, height=5000)


def in_order(form):
    """The keyboard's Tab goes through the form as one reads it."""
    form.named("combobox", "Model").focus()
    found = [form.page.evaluate(NAMES)]
    while found[-1] != "Generate":
        form.page.keyboard.press("Tab")
        found.append(form.page.evaluate(NAMES))
        assert len(found) <= len(ORDER), found
    assert found == ORDER


@pytest.mark.skipif(not os.environ.get("REFVIDEO_WRITE_DOCS"), reason="writes into docs/: set REFVIDEO_WRITE_DOCS=1")
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_docs(server, open_notebook, theme):
    from io import BytesIO

    from PIL import Image

    server.theme(theme)
    notebook = open_notebook(server.written(f"docs-{theme}", [PICTURES, FILLED]), app="notebook", height=2400)
    form = Filled(notebook)
    notebook.run_all()
    form.ready(pictures=2)
    form.button("Generate").click()
    notebook.videos.wait_for()
    notebook.plays()
    notebook.page.mouse.move(0, 0)
    output = notebook.page.locator(".jp-CodeCell").nth(1)
    picture = Image.open(BytesIO(output.screenshot())).convert("RGB")
    picture.save(DOCS / f"form-{theme.lower()}.jpg", quality=82, optimize=True, progressive=True)
