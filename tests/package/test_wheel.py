"""The wheel holds all that it needs to run, and nothing else; it runs where its source is not."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "refvideo_nb"
USE = """
import sys
from pathlib import Path
import refvideo_nb
from refvideo_nb.client.embedded import stop_simulator
from refvideo_nb.notebook.player.source import script, style

assert Path(refvideo_nb.__file__).is_relative_to(Path(sys.argv[1])), refvideo_nb.__file__
try:
    clip = refvideo_nb.generate(
        "a ball", model="x-ai/grok-imagine-video", duration=1, resolution="480p", aspect_ratio="1:1"
    ).wait(60)
    clip.show()
    refvideo_nb.form("a cat")
    print(len(script()) > 1000, len(style()) > 1000, clip.video.stat().st_size > 1000)
finally:
    stop_simulator(Path("refvideo").absolute())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    if not (ROOT / "pyproject.toml").exists() or not SOURCE.exists():
        pytest.skip("the source is out of reach: what is installed is the wheel already")
    to = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", to], cwd=ROOT, check=True, capture_output=True
    )
    (path,) = to.glob("refvideo_nb-*-py3-none-any.whl")
    return path


def test_it_holds_every_file_of_the_package_and_no_other(wheel):
    with zipfile.ZipFile(wheel) as file:
        packed = {name for name in file.namelist() if ".dist-info/" not in name}
        (metadata,) = (file.read(name).decode() for name in file.namelist() if name.endswith("/METADATA"))
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == ours
    assert {
        "refvideo_nb/py.typed",
        "refvideo_nb/notebook/player/player.js",
        "refvideo_nb/notebook/player/player.css",
    } <= ours
    extras = set(re.findall(r"^Provides-Extra: (.*)$", metadata, re.MULTILINE))
    assert extras >= {"adherence", "all", "demo", "dev"}
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert f"Version: {tomllib.load(file)['project']['version']}\n" in metadata


def test_it_runs_where_its_source_is_not(wheel, tmp_path):
    there = tmp_path / "site"
    with zipfile.ZipFile(wheel) as file:
        file.extractall(there)
    (place := tmp_path / "place").mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OPENROUTER_", "REFVIDEO_"))}
    env |= {"PYTHONPATH": str(there), "REFVIDEO_SIMULATOR_SECONDS": "0.3", "REFVIDEO_POLL_INTERVAL": "0.1"}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", USE, there],
        cwd=place,
        env=env,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "True True True"
