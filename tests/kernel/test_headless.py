"""A notebook that runs by itself waits for its videos and keeps them."""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.kernel

CELLS = [
    "%load_ext refvideo_nb\nfrom skimage import data\ncat = data.chelsea()",
    "import ipykernel\nprint(ipykernel.__version__)",
    "%%refvideo --ref cat --duration 4 --resolution 480p --aspect-ratio 16:9 --no-audio --out clip\n@cat walks for $5",
    "print(clip.status, clip.video)",
]
EMBEDDED = re.compile(r'<video[^>]* src="data:video/mp4;base64,([^"]+)"')


def jupyter(place, jupyter_path, *arguments):
    command = [str(Path(sys.executable).with_name("jupyter")), *map(str, arguments)]
    env = place.env | {"JUPYTER_PATH": str(jupyter_path)}
    done = subprocess.run(command, env=env, cwd=place.folder, check=False, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_run_by_nbclient_waits_and_keeps_the_video(place, jupyter_path, kernel_name, tmp_path):
    path = tmp_path / "one_clip.ipynb"
    notebook = new_notebook(cells=[new_code_cell(c) for c in CELLS])
    notebook.metadata.kernelspec = {"name": kernel_name, "display_name": kernel_name, "language": "python"}
    nbformat.write(notebook, path)
    jupyter(place, jupyter_path, "execute", "--inplace", "--timeout=120", path)

    saved = nbformat.read(path, as_version=4)
    _, version, clip, after = (cell.outputs for cell in saved.cells)
    assert version[0].text.startswith({"older": "6.31.", "newest": "7."}[kernel_name])
    status, _, video = after[0].text.strip().partition(" ")
    assert status == "downloaded"
    film = Path(video).read_bytes()

    data = next(o.data for o in clip if "text/html" in o.get("data", {}))
    assert {"text/html", "image/png", "text/plain"} == set(data)
    assert base64.b64decode(EMBEDDED.search(data["text/html"])[1], validate=True) == film
    assert path.stat().st_size <= 1.40 * len(film) + 400_000

    page, _ = HTMLExporter().from_notebook_node(saved)
    assert [base64.b64decode(m) for m in EMBEDDED.findall(page)] == [film]


def test_a_headless_refusal_fails_the_run(place, jupyter_path, tmp_path):
    path = tmp_path / "wrong.ipynb"
    notebook = new_notebook(cells=[new_code_cell(c) for c in (CELLS[0], "%%refvideo --duration 99\na cat")])
    notebook.metadata.kernelspec = {"name": "newest", "display_name": "newest", "language": "python"}
    nbformat.write(notebook, path)
    with pytest.raises(AssertionError, match="duration 99 s is not offered"):
        jupyter(place, jupyter_path, "execute", "--inplace", path)


SCRIPT = """\
import json, sys
from skimage import data
import refvideo_nb
job = refvideo_nb.generate("@cat runs", references={"cat": data.chelsea()}, duration=4, resolution="480p",
                           generate_audio=False)
early = job.status
job.wait(timeout=100)
job.show()
listed = job.id in [j.id for j in refvideo_nb.jobs()] and len(refvideo_nb.models()) > 10 and refvideo_nb.resume() == []
notebooks = [name for name in ("IPython", "ipywidgets") if name in sys.modules]
print(json.dumps([early, job.status, str(job.video), str(job.cost), listed, notebooks]))
"""


def test_a_plain_script_needs_no_ipython(place):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        check=False,
        env=place.env,
        cwd=place.folder,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert (done.returncode, done.stderr) == (0, "")
    *shown, last = done.stdout.splitlines()
    early, status, video, cost, listed, notebooks = json.loads(last)
    assert (early in {"drafted", "submitting", "accepted", "running"}, status) == (True, "downloaded")
    assert Path(video).read_bytes()[4:8] == b"ftyp"
    assert float(cost) > 0
    assert listed
    assert notebooks == []
    assert any("SIMULATED" in line for line in shown)
