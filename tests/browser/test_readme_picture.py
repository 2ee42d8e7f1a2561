"""The moving picture of the README, of a real notebook; not made unless it is asked for."""

import os
import time
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

TO = Path(__file__).parents[2] / "docs" / "cell.webp"
MOST = 1_000_000  # bytes
RATE = 8  # frames a second, of the clip
SEEK = """(video, time) => new Promise(go => {
    video.controls = false;
    video.addEventListener("seeked", () => requestAnimationFrame(() => requestAnimationFrame(go)), {once: true});
    video.currentTime = time + 0.001;
})"""
SETUP = "%load_ext refvideo_nb\nfrom skimage import data\ncat, cup = data.chelsea(), data.coffee()"
CELL = (
    "%%refvideo --ref cat --ref cup --duration 4 --resolution 480p --aspect-ratio 16:9 --seed 7 --no-audio --out clip\n"
    "@cat walks across a wooden table beside @cup, in soft morning light.\n"
    "Keep its fur pattern and the colour of its eyes."
)


class Film:
    """Screenshots of a part of a page, each shown for as long as it took to the next, or as it is told."""

    def __init__(self, page, clip):
        self._page, self._clip = page, clip
        self._pictures, self._shown = [], []

    def take(self, seconds=None):
        begin = time.monotonic()
        shot = Image.open(BytesIO(self._page.screenshot(clip=self._clip))).convert("RGB")
        self._pictures.append(shot.resize((900, round(900 * shot.height / shot.width)), Image.Resampling.LANCZOS))
        self._shown.append(seconds or time.monotonic() - begin)

    def until(self, fits):
        deadline = time.monotonic() + 60
        while not fits():
            assert time.monotonic() < deadline
            self.take()

    def save(self, to):
        first, *rest = self._pictures
        shown = [round(1000 * seconds) for seconds in self._shown]
        first.save(to, save_all=True, append_images=rest, duration=shown, loop=0, quality=70, method=6)


@pytest.mark.timeout(180)
def test_docs(server, open_notebook):
    server.theme("Light")
    notebook = open_notebook(server.written("cell", [SETUP, CELL]), app="notebook", width=1120, height=1000)
    page = notebook.page
    notebook.kernel_is_idle()
    for number in (0, 1):
        page.locator(".jp-CodeCell").nth(number).locator(".cm-content").click()
        if number == 0:
            page.keyboard.press("Control+Enter")
            notebook.kernel_is_idle()
    page.mouse.move(0, 0)
    top = page.locator(".jp-CodeCell").first.bounding_box()["y"]
    film = Film(page, {"x": 0, "y": top - 6, "width": 1120, "height": 730})
    film.take(1.2)
    page.keyboard.press("Control+Enter")
    video = notebook.output("--out clip").locator("video").filter(visible=True)
    film.until(lambda: video.count() == 1)
    page.wait_for_function("() => document.querySelector('.jp-OutputArea-output video').readyState >= 2")
    film.take(1.2)
    # Frame by frame, so that the film is smooth however slow the machine that makes it.
    for number in range(4 * RATE):
        video.evaluate(SEEK, number / RATE)
        film.take(1 / RATE)
    film.take(2)
    film.save(TO)
    assert TO.stat().st_size <= MOST
