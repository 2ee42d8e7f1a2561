"""The main job in the front ends that people use: run, watch, save, come back later."""

import json
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"
CLIP = "--out clip"  # in the cell that makes the clip


@pytest.mark.timeout(240)
@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_the_quickstart_plays_now_and_after_everything_is_gone(server, open_notebook, app, tmp_path):
    folder = server.root / app
    folder.mkdir()
    path = Path(shutil.copy(QUICKSTART, folder))
    server.theme("Light")
    notebook = open_notebook(path, app=app)
    notebook.run_all()

    line = notebook.output(CLIP).locator(".widget-html [role=status]")
    line.wait_for()
    first = line.inner_text()
    assert "SIMULATED" in first
    assert "about USD 0." in first
    notebook.picture(tmp_path / "running.png", height=1600)
    # It changes while the next cell waits for the job: the kernel's main thread is busy.
    notebook.page.wait_for_function(
        "([old, cell]) => [...document.querySelectorAll('.widget-html [role=status]')].some(e => e.innerText !== old)",
        arg=[first, CLIP],
    )
    notebook.output(CLIP).locator("video").wait_for()
    notebook.output("launch.wait").locator("video").wait_for()
    notebook.output("%refvideo jobs").locator("table").filter(visible=True).wait_for()
    notebook.kernel_is_idle()
    assert notebook.videos.count() == 2
    assert notebook.plays() == [notebook.PLAYING] * 2
    assert notebook.output(CLIP).locator(".jupyter-widgets").count() == 0
    notebook.picture(tmp_path / "done.png")
    notebook.save()

    notebook.open()
    notebook.videos.nth(1).wait_for()
    assert notebook.plays() == [notebook.PLAYING] * 2
    notebook.picture(tmp_path / "reloaded.png")
    notebook.shut_down_kernel()
    server.end_kernels()
    notebook.open()
    notebook.videos.nth(1).wait_for()
    assert notebook.plays() == [notebook.PLAYING] * 2


def untrusted_copy(path, name):
    """The same notebook as a stranger would have sent it: one more cell that only a trusted notebook obeys."""
    notebook = json.loads(path.read_text())
    marker = {"text/html": '<b id="marker" onclick="window.obeyed = true">marker</b>', "text/plain": "marker"}
    notebook["cells"].append(
        {
            "cell_type": "code",
            "id": "marker",
            "metadata": {},
            "execution_count": 1,
            "source": "'a marker'",
            "outputs": [{"output_type": "display_data", "metadata": {}, "data": marker}],
        }
    )
    copy = path.with_name(name)
    copy.write_text(json.dumps(notebook))
    return copy


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_an_untrusted_copy_plays(server, open_notebook, app, one_clip, tmp_path):
    server.theme("Dark" if app == "lab" else "Light")
    notebook = open_notebook(untrusted_copy(one_clip, f"stranger-{app}.ipynb"), app=app)
    marker = notebook.output("a marker").locator("b", has_text="marker")
    marker.wait_for()
    assert marker.get_attribute("onclick") is None, "the notebook is trusted, so this shows nothing"
    notebook.videos.first.wait_for()
    assert notebook.plays() == [notebook.PLAYING]
    card = notebook.output("--out clip")
    # The price in the prompt is no mathematics.
    assert card.locator("mjx-container").count() == 0
    assert "it costs $5, not $6" in card.inner_text()
    assert "SIMULATED" in card.inner_text()
    # The references stand beside the result.
    picture, video = card.locator("img").first.bounding_box(), notebook.videos.first.bounding_box()
    assert picture["x"] + picture["width"] <= video["x"]
    notebook.picture(tmp_path / f"untrusted-{app}.png")


def test_a_narrow_dark_window_shows_everything_in_one_column(server, open_notebook, one_clip, tmp_path):
    server.theme("Dark")
    notebook = open_notebook(untrusted_copy(one_clip, "narrow.ipynb"), app="notebook", width=480, height=900)
    video = notebook.videos.first
    video.wait_for()
    video.scroll_into_view_if_needed()
    picture, film = notebook.output("--out clip").locator("img").first.bounding_box(), video.bounding_box()
    assert picture["y"] + picture["height"] <= film["y"]
    assert film["x"] >= 0
    assert film["x"] + film["width"] <= 480
    assert film["width"] > 250
    notebook.picture(tmp_path / "narrow-dark.png", width=480)
