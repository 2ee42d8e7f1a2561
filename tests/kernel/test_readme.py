"""What the README and the docs say that one can type, typed: cells in a kernel, commands, targets of the Makefile."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernel

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a page takes for granted: files and variables of its reader's.
GIVEN = """
from pathlib import Path
from skimage import data, io
Path("photos").mkdir(exist_ok=True)
photographs = {"backpack": data.coffee(), "red": data.coffee(), "blue": data.rocket()}
for name, picture in photographs.items():
    io.imsave(f"photos/{name}.jpg", picture, check_contrast=False)
io.imsave("chelsea.png", data.chelsea(), check_contrast=False)
places = ["a wet city sidewalk at night", "a mountain trail"]
packs = [{"pack": "photos/red.jpg"}, {"pack": "photos/blue.jpg"}]
"""
# Fewer seeds and frames show the same, sooner.
FEWER = {
    "seed=range(4)": "seed=range(1)",
    "seed=0..3": "seed=0..0",
    "planned.score()": "planned.score(frames=1)",
    "get_executor())": "get_executor(), frames=1)",
}


def blocks(page):
    """Each block as (language, text)."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def kind(language, text):
    """Who is to run it."""
    first = text.lstrip().partition("\n")[0]
    if language == "python" or first.startswith("%"):
        return "cell"
    if language in {"json", "html", "text"} or text.startswith("  "):  # what a command has printed
        return "shown"
    if first.startswith("$ "):
        return "shell"  # with what it printed below
    return "shell" if words(first)[:1] in (["make"], ["pip"], ["python"]) else "unknown"


def words(line):
    """A command without its comment and without what it puts into the environment."""
    found = shlex.split(line, comments=True)
    while found and re.match(r"[A-Z_]+=", found[0]):
        del found[0]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_block_is_of_a_known_kind(page):
    assert [text for language, text in blocks(page) if kind(language, text) == "unknown"] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_is_there(page, tmp_path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for language, text in blocks(page):
        if kind(language, text) != "shell":
            continue
        lines = text.splitlines()
        shown = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        for line in shown or lines:
            command = words(line)
            if command[:1] == ["make"]:
                assert {w for w in command[1:] if "=" not in w} <= targets, line
            elif command[:2] == ["python", "-m"] and command[2] == "refvideo_nb":
                done = subprocess.run(
                    [sys.executable, *command[1:4], "--help"],
                    cwd=tmp_path,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, done.stderr
                options = {w for w in command[4:] if w.startswith("--")}
                assert options <= set(re.findall(r"--[a-z-]+", done.stdout)), line


def test_what_the_readme_says_is_paid_is_what_was_measured():
    rows = [line.split(" | ") for line in (ROOT / "README.md").read_text().splitlines() if "| `submit:" in line]
    measured = (ROOT / "docs" / "faults.md").read_text()
    assert rows
    for _, fault, ours, theirs in rows:
        assert f"| {fault} | {ours} | {theirs.removesuffix(' |')} | outcome unknown |" in measured, fault


def test_the_simulator_alone_prints_what_the_readme_says(tmp_path):
    (command,) = [
        line.split()
        for _, text in blocks(ROOT / "README.md")
        for line in text.splitlines()
        if line.startswith("python -m refvideo_nb simulator")
    ]
    with subprocess.Popen([sys.executable, *command[1:]], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stdout is not None
            assert json.loads(simulator.stdout.readline()).keys() >= {"base_url", "api_key"}
        finally:
            simulator.terminate()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_cell_runs_in_the_order_of_the_page(page, start_kernel, workplace, tmp_path, kernel_name):
    cells = [text for language, text in blocks(page) if kind(language, text) == "cell"]
    if not cells:
        pytest.skip("nothing to run on this page")
    if kernel_name != "newest" and page.name != "README.md":
        pytest.skip("the README on both kernels is enough")
    with workplace(tmp_path / "place", seconds=0.5) as place, start_kernel(place) as kernel:
        kernel.ok(GIVEN)
        if page.name != "README.md":  # which says that too
            kernel.ok("%load_ext refvideo_nb")
        for cell in cells:
            for many, few in FEWER.items():
                cell = cell.replace(many, few)  # noqa: PLW2901 - the same cell, smaller
            ran = kernel.run(cell)
            assert ran.status == "ok", (page.name, cell, ran.stream("stderr"), ran.evalue)
        kernel.ok("import refvideo_nb")
        # One that ended without its video says why.
        kernel.ok("for job in refvideo_nb.jobs():\n    job.wait(120)")
