"""The tutorials, each run from its top in a new home; what is committed is such a run, and small.

``REFVIDEO_WRITE_DOCS=1`` writes them anew.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.kernel

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST = 1_500_000  # bytes of a file in the repository
# A clip that a notebook holds in the repository is a small preview.
ENVIRONMENT = {"REFVIDEO_EMBED_MB": "0.3", "REFVIDEO_SIMULATOR_SECONDS": "0.5"}


def executed(path, workplace, tmp_path, jupyter_path, kernel_name):
    """The notebook after a run in a home folder of its own, in which nothing was there before."""
    with workplace(tmp_path / "user", **ENVIRONMENT) as place:
        # As a person has it: below the home folder, so that a path that is shown names no machine.
        place.env |= {"HOME": str(place.folder), "JUPYTER_PATH": str(jupyter_path)}
        del place.env["REFVIDEO_HOME"]
        (folder := place.folder / "notebooks").mkdir()
        copy = shutil.copy(path, folder)
        command = [str(Path(sys.executable).with_name("jupyter")), "execute", "--inplace", "--timeout=300"]
        done = subprocess.run(
            [*command, f"--kernel_name={kernel_name}", copy],
            env=place.env,
            cwd=folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return nbformat.read(copy, 4)


def told(notebook):
    """Everything that its outputs say, as one text."""
    return json.dumps([cell.get("outputs", []) for cell in notebook.cells])


def tidied(notebook):
    """Without what differs from run to run and says nothing."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.pop("metadata", None) if output.output_type == "stream" else None
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


@pytest.mark.timeout(1000)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_it_runs_from_its_top(path, workplace, tmp_path, jupyter_path, kernel_name):
    notebook = executed(path, workplace, tmp_path, jupyter_path, kernel_name)
    assert "SIMULATED" in told(notebook)
    if os.environ.get("REFVIDEO_WRITE_DOCS") == "1":
        if kernel_name == "newest":
            nbformat.write(tidied(notebook), path)
        return
    committed = nbformat.read(path, 4)
    assert [c.source for c in committed.cells] == [c.source for c in notebook.cells]
    # What is committed shows what a run shows.
    kinds = [[o.output_type for o in c.get("outputs", []) if o.output_type != "stream"] for c in notebook.cells]
    shown = [[o.output_type for o in c.get("outputs", []) if o.output_type != "stream"] for c in committed.cells]
    assert shown == kinds, "REFVIDEO_WRITE_DOCS=1 writes it anew"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_what_is_committed_is_small_and_of_no_machine(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) <= MOST
    outputs = re.sub(r"[A-Za-z0-9+/=]{200,}", "", told(nbformat.read(path, 4)))
    assert re.findall(r"(?:/(?:home|root|tmp|Users|work)/|[A-Z]:\\\\)[^\"' <\\]{0,60}", outputs) == []
    assert "sk-or-" not in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_its_links_lead_somewhere(path):
    cells = [c.source for c in nbformat.read(path, 4).cells if c.cell_type == "markdown"]
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", "\n".join(cells)):
        assert (path.parent / link).exists(), link
