"""The quickstart, run twice from the top in new kernels: the second time pays nothing; and no key is left anywhere."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from refvideo_nb.simulator import Simulator

pytestmark = pytest.mark.kernel
QUICKSTART = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"


def execute(place, jupyter_path, notebook, **more):
    command = [str(Path(sys.executable).with_name("jupyter")), "execute", "--inplace", "--timeout=150", str(notebook)]
    env = place.env | {"JUPYTER_PATH": str(jupyter_path)} | more
    done = subprocess.run(command, env=env, cwd=place.folder, check=False, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stderr[-3000:]
    return "".join(
        output.get("text", "") for cell in nbformat.read(notebook, 4).cells for output in cell.get("outputs", [])
    )


def test_run_all_pays_nothing_again_and_leaves_no_key(place, jupyter_path):
    with Simulator(seconds=0.5) as simulator:
        key = {"OPENROUTER_API_KEY": simulator.api_key, "OPENROUTER_BASE_URL": simulator.base_url}
        notebook = place.folder / "quickstart.ipynb"
        shutil.copy(QUICKSTART, notebook)
        first = execute(place, jupyter_path, notebook, **key)
        paid = simulator.stats()["paid_jobs"]
        assert "reused job" not in first
        again = execute(place, jupyter_path, notebook, **key)
        assert simulator.stats()["paid_jobs"] == paid == 2
        assert "reused job rv-" in again
        assert "--fresh pays for a new one" in again
        films = [o for c in nbformat.read(notebook, 4).cells for o in c.get("outputs", []) if "<video" in str(o)]
        assert len(films) == 2, "the same videos stand there again"

        secret = simulator.api_key.encode()
        written = [p for p in place.folder.rglob("*") if p.is_file()]
        assert len(written) > 5
        assert [p.name for p in written if secret in p.read_bytes()] == []
