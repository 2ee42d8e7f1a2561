"""Hostile text in a trusted notebook, in a real browser: it is read, and nothing of it runs."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from refvideo_nb.simulator import Simulator

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror='window.hit=1'><script>window.hit=1</script>"
# The outputs are there, and hold the text as text.
SHOWN = """() => {
    const texts = [...document.querySelectorAll('.jp-OutputArea')].map(e => e.innerText);
    return texts.filter(t => t.includes("onerror='window.hit=1'") && t.includes('$5 and $6')).length > 1;
}"""
CELLS = [
    "%load_ext refvideo_nb\nfrom skimage import data\ncat = data.chelsea()\nimport refvideo_nb",
    "evil = " + repr(EVIL),
    "%%refvideo --ref cat --duration 4 --resolution 480p --no-audio --out clip\n@cat says {{evil}} for $5 and $6",
    "try:\n    clip.wait()\nexcept refvideo_nb.RefVideoError as error:\n    print(error)",
    "clip",
    "%refvideo jobs",
    "%%refvideo --ref cat --dry-run\n@cat says {{evil}}",
]


@pytest.mark.parametrize("fails", [True, False])
def test_nothing_of_it_runs(server, open_notebook, tmp_path, *, fails):
    folder = server.root / f"hostile{int(fails)}"
    folder.mkdir()
    path = folder / "hostile.ipynb"
    faults = [f"job:failed={EVIL}"] if fails else []
    with Simulator(seconds=0.5, faults=faults) as simulator:
        env = {"OPENROUTER_BASE_URL": simulator.base_url, "OPENROUTER_API_KEY": simulator.api_key}
        made = new_notebook(cells=[new_code_cell(c) for c in CELLS])
        made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(made, path)
        jupyter(server.place.env | env, folder, "execute", "--inplace", "--allow-errors", "--timeout=120", path)
    # Run by itself and trusted by its owner: the browser takes everything as it stands.
    jupyter(server.place.env, folder, "trust", path)
    notebook = open_notebook(path, width=1280, height=5000)
    notebook.page.wait_for_function(SHOWN)
    seen = " ".join(notebook.page.locator(".jp-OutputArea").all_inner_texts())
    assert "$5 and $6" in seen
    if fails:
        assert "failed" in seen
    else:
        notebook.videos.first.wait_for()
    notebook.picture(tmp_path / "hostile.png")
    notebook.page.wait_for_timeout(500)  # a handler that could run has run by now
    assert notebook.page.evaluate("window.hit") is None
    assert notebook.page.locator(".jp-OutputArea img[src='x'], .jp-OutputArea script").count() == 0


def jupyter(env, folder, *arguments):
    command = [str(Path(sys.executable).with_name("jupyter")), *map(str, arguments)]
    done = subprocess.run(command, env=env, cwd=folder, check=False, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr[-2000:]
