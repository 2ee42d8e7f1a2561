"""The pictures of docs/compare.md; not made unless they are asked for."""

import os
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not os.environ.get("REFVIDEO_WRITE_DOCS"), reason="writes into docs/: set REFVIDEO_WRITE_DOCS=1"
    ),
]

DOCS = Path(__file__).parents[2] / "docs"
RUNS = """%load_ext refvideo_nb
import refvideo_nb
from skimage import data
asked = {"references": {"cat": data.chelsea(), "cup": data.coffee()}, "resolution": "480p", "duration": 4}
runs = [
    refvideo_nb.generate("@cat walks across a table beside @cup, soft morning light.", seed=7, **asked),
    refvideo_nb.generate("@cat walks across a table beside @cup, hard evening light.", seed=8, **asked),
]
refvideo_nb.compare(*[run.wait() for run in runs])"""
SHEET = 'refvideo_nb.contact_sheet(*runs, to="sheet.png")'


@pytest.mark.timeout(180)
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_docs(server, open_notebook, theme):
    server.theme(theme)
    path = server.written(f"compare-{theme}", [RUNS, SHEET])
    notebook = open_notebook(path, app="notebook", height=1400)
    notebook.run_all()
    notebook.page.wait_for_function(
        "() => { const found = [...document.querySelectorAll('.refvideo-player video')];"
        " return found.length === 2 && found.every(v => v.readyState >= 2 && !v.seeking) }"
    )
    notebook.output("contact_sheet(").locator("img").wait_for()
    player = notebook.page.locator(".refvideo-player")
    player.locator(".refvideo-scrub").fill("2")
    if theme == "Dark":
        player.press("o")
    notebook.page.mouse.move(0, 0)
    notebook.page.wait_for_function(
        "() => [...document.querySelectorAll('.refvideo-player video')].every(v => !v.seeking && v.currentTime > 1.9)"
    )
    notebook.page.wait_for_timeout(300)  # the layout settles; nothing is asserted of it
    picture = Image.open(BytesIO(player.screenshot())).convert("RGB")
    picture.save(DOCS / f"compare-{theme.lower()}.jpg", quality=82, optimize=True, progressive=True)
    if theme == "Light":
        with Image.open(path.with_name("sheet.png")) as sheet:
            sheet.thumbnail((1050, 1050), Image.Resampling.LANCZOS)
            sheet.convert("RGB").save(DOCS / "sheet.jpg", quality=85, optimize=True, progressive=True)
