"""The page is reloaded while a job runs: what was seen goes on, and nothing is lost."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.browser

ENVIRONMENT = "import os\nos.environ |= {}"
CELLS = [
    "%load_ext refvideo_nb\nfrom skimage import data\ncat = data.chelsea()",
    "%%refvideo --ref cat --duration 4 --resolution 480p --no-audio --out clip\n@cat runs",
    "shown_later = clip",
]
OTHER = (
    "old => [...document.querySelectorAll('.widget-html [role=status]')].some(e => e.innerText && e.innerText !== old)"
)


def test_after_a_reload_the_line_goes_on_and_says_how_to_show_the_result(server, open_notebook, held_api, tmp_path):
    server.theme("Light")
    folder = server.root / "midway"
    folder.mkdir()
    path = folder / "midway.ipynb"
    made = new_notebook(cells=[new_code_cell(c) for c in (ENVIRONMENT.format(held_api.env), *CELLS)])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, path)
    notebook = open_notebook(path)
    notebook.run_all()
    line = notebook.output("--out clip").locator(".widget-html [role=status]")
    notebook.page.wait_for_function("() => /poll/.test(document.querySelector('.widget-html')?.innerText)")
    notebook.save()

    notebook.open()
    line.wait_for()
    seen = line.inner_text()
    assert "SIMULATED" in seen
    notebook.page.wait_for_function(OTHER, arg=seen)
    notebook.picture(tmp_path / "after-reload.png", height=700)
    held_api.finish()
    # The line's own output cannot be replaced any more: it tells what to do.
    notebook.page.wait_for_function("() => /refvideo show/.test(document.querySelector('.widget-html')?.innerText)")
    notebook.picture(tmp_path / "ended.png", height=700)
    said = notebook.output("--out clip").first.inner_text()
    command = re.search(r"%refvideo show rv-[\w-]+", said)
    assert command, said
    # Doing as it says brings the video.
    notebook.page.locator(".jp-CodeCell", has_text="shown_later").locator(".cm-content").click()
    notebook.page.keyboard.press("Control+a")
    notebook.page.keyboard.insert_text(command[0])
    notebook.page.keyboard.press("Shift+Enter")
    notebook.page.locator(".refvideo-player video").wait_for()
    notebook.page.get_by_role("button", name="Play", exact=True).click()
    notebook.page.wait_for_function("() => document.querySelector('.refvideo-player video').currentTime > 0.3")
