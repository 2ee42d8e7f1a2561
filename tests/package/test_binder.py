"""What Binder is told; `make test-binder` carries it out."""

import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "binder"


def test_it_takes_a_python_that_will_do():
    version = re.fullmatch(r"python-3\.(\d+)\n", (FOLDER / "runtime.txt").read_text())
    assert version is not None
    assert int(version[1]) >= 11


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_its_scripts_can_be_run_and_read(name):
    path = FOLDER / name
    assert path.stat().st_mode & 0o111, "git keeps whether a file can be run"
    subprocess.run(["bash", "-n", path], check=True)
    assert name != "postBuild" or "\nset -e\n" in path.read_text()


def test_nobody_can_pay_there():
    shown = subprocess.run(
        ["bash", FOLDER / "start", "env"],
        env={"PATH": "/usr/bin:/bin", "OPENROUTER_API_KEY": "typed by a visitor"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "REFVIDEO_OFFLINE=1\n" in shown
    assert "OPENROUTER" not in shown
