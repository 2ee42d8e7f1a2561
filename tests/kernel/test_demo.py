"""The demo: a notebook through a real kernel, which never pays, whatever the environment holds."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from refvideo_nb.notebook.demo import main
from refvideo_nb.simulator import Simulator

pytestmark = pytest.mark.kernel


def test_the_demo_pays_nothing_and_leaves_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    notebook = nbformat.v4.new_notebook()
    cell = "%load_ext refvideo_nb", "%%refvideo --duration 4 --resolution 480p --no-audio\na red ball"
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in cell]
    nbformat.write(notebook, tmp_path / "one.ipynb")
    with Simulator() as paid:  # stands for the API that costs money
        monkeypatch.setenv("OPENROUTER_API_KEY", paid.api_key)
        monkeypatch.setenv("OPENROUTER_BASE_URL", paid.base_url)
        assert main(["--notebook", str(tmp_path / "one.ipynb"), "--to", str(tmp_path / "demo")]) == 0
        assert (paid.stats()["paid_jobs"], paid.stats()["authorization_seen"]) == (0, [])
    said = capfd.readouterr()
    told = dict(line.split(": ", 1) for line in said.out.splitlines() if re.match(r"\w+: ", line))
    assert list(told) == ["id", "status", "polls", "output_path", "bytes"]
    assert told["status"] == "completed"
    clip = Path(told["output_path"])
    assert int(told["bytes"]) == clip.stat().st_size
    assert said.out.endswith("quickstart.html\n")
    assert said.err == "", "nothing that a beginner must puzzle over"
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {"quickstart.html", "quickstart.ipynb", clip.name}
    assert (tmp_path / "demo" / "quickstart.ipynb").stat().st_size <= 1.4 * clip.stat().st_size + 400_000
