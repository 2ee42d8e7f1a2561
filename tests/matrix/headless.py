"""Programs that run a notebook by themselves."""

import subprocess
from pathlib import Path

from tests.browser.conftest import PLAY, launched
from tests.kernel.conftest import with_kernelspecs
from tests.matrix.trial import JOBS, bundles_of, cards, formats, quickstart, sent_and_finished, whole

PLAYS = {"ready": 4, "advances": True, "error": None}


def nbclient(place, kernel):
    """``jupyter execute``."""
    path = quickstart(place.folder, kernel)
    _run(place, "jupyter", "execute", "--inplace", f"--kernel_name={kernel}", path)
    return _notebook(place, path)


def papermill(place, kernel):
    """``papermill in out``."""
    path, to = quickstart(place.folder, kernel), place.folder / "run.ipynb"
    _run(place, "papermill", "--kernel", kernel, "--no-progress-bar", path, to)
    return _notebook(place, to)


def nbconvert(place, kernel):
    """``jupyter nbconvert --execute --to html``, and the page in Chromium without a network."""
    path = quickstart(place.folder, kernel)
    option = f"--ExecutePreprocessor.kernel_name={kernel}"
    _run(place, "jupyter", "nbconvert", "--execute", "--to", "html", option, path)
    yield from sent_and_finished(place)
    page = path.with_suffix(".html")
    assert "SIMULATED" in page.read_text()
    yield "shown", plays_alone(page)
    yield "saved", whole(page.read_text(), place)


def plays_alone(page):
    """Open an HTML file, and play every video in it."""
    with launched() as chromium:
        opened = chromium.new_page()
        opened.goto(page.as_uri(), wait_until="domcontentloaded")
        videos = opened.locator("video").filter(visible=True).all()
        found = []
        for video in videos:
            video.scroll_into_view_if_needed()
            found.append(video.evaluate(PLAY))
    assert found == [PLAYS] * JOBS, found
    return f"HTML: {JOBS} videos play"


def _notebook(place, path):
    yield from sent_and_finished(place)
    found = bundles_of(path)
    shown = cards(found)
    assert len(shown) == JOBS, f"{len(shown)} of {JOBS} results are shown"
    yield "shown", formats(shown)
    yield "saved", whole("".join(data["text/html"] for data in shown), place)


def _run(place, program, *arguments):
    specs = place.folder / "kernelspecs"
    env = place.env | {"JUPYTER_PATH": str(with_kernelspecs(specs))}
    command = [str(Path(place.env["PATH"].partition(":")[0]) / program), *map(str, arguments)]
    done = subprocess.run(command, env=env, cwd=place.folder, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr.strip().splitlines()[-1:]
