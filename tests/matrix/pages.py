"""JupyterLab and Notebook 7, in Chromium."""

from tests.browser.conftest import Notebook, launched, running
from tests.matrix.trial import CLIP, JOBS, bundles_of, cards, formats, quickstart, sent_and_finished, whole


def lab(place, kernel):
    """JupyterLab 4."""
    return _page(place, kernel, "lab")


def notebook(place, kernel):
    """Notebook 7."""
    return _page(place, kernel, "notebook")


def _page(place, kernel, app):
    with running(place) as server, launched() as chromium:
        (folder := server.root / app).mkdir()
        place.home = folder / "refvideo"
        path = quickstart(folder, kernel)
        context = chromium.new_context(viewport={"width": 1280, "height": 1000})
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.on("dialog", lambda dialog: dialog.accept())
        opened = Notebook(page, server, path, app)
        opened.run_all()
        opened.output(CLIP).locator("video").wait_for()
        opened.output("launch.wait").locator("video").wait_for()
        opened.output("%refvideo jobs").locator("table").filter(visible=True).wait_for()
        opened.kernel_is_idle()
        yield from sent_and_finished(place)
        assert opened.plays() == [opened.PLAYING] * JOBS, opened.plays()
        opened.save()
        shown = cards(bundles_of(path))
        kinds = formats(shown)
        yield "shown", f"{JOBS} videos play; {kinds}"
        said = whole("".join(data["text/html"] for data in shown), place)
        # Again from the file alone, after its kernel is gone.
        opened.shut_down_kernel()
        server.end_kernels()
        opened.open()
        opened.videos.nth(JOBS - 1).wait_for()
        assert opened.plays() == [opened.PLAYING] * JOBS, opened.plays()
        yield "saved", f"{said}; they play without a kernel"
