"""``make test-matrix``: the quickstart in every front end and both kernels; docs/compatibility.md is written anew."""

import argparse
import datetime as dt
import platform
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from tests.conftest import Workplace
from tests.kernel.conftest import OLDER, VERSIONS
from tests.matrix import doubles, headless, pages, terminals
from tests.matrix.trial import STEPS

KERNELS = {
    "JupyterLab 4": pages.lab,
    "Notebook 7": pages.notebook,
    "nbclient": headless.nbclient,
    "papermill": headless.papermill,
    "nbconvert to HTML": headless.nbconvert,
    "VS Code, stand-in": doubles.vs_code,
    "Colab, stand-in": doubles.colab,
}
ALONE = {"IPython in a terminal": terminals.ipython, "Python script": terminals.script}
PACKAGES = ("jupyterlab", "notebook", "nbclient", "papermill", "nbconvert", "ipython", "ipywidgets", "anywidget")
PAGE = """\
# Where it runs

`make test-matrix` runs the quickstart, `notebooks/01_quickstart.ipynb`, from its top in each of these, and writes this
page. Each row has a home folder and a simulator of its own. Submitted is what the simulator counted, finished what the
ledger holds and each MP4 that was checked, shown what was looked at in the front end or in its file, saved what is
left of it: the MP4s in the file are compared with those of the home folder.

{table}

{head}

What was not run:

- **VS Code.** The stand-in is a real kernel with VS Code's environment variables. It shows which way our code takes and
  what reaches the front end, not what VS Code draws. By its documentation it plays H.264 but no AAC, so a clip
  with sound is silent there; `%refvideo doctor` says so.
- **Colab.** The stand-in is a real kernel in which the module `google.colab` is loaded, and of which nothing is kept
  that comes after a cell has ended, since Colab drops that. So the cell waits (`--wait`, or `clip.wait()` and then
  `clip` in the next cell), as `%refvideo doctor` says there. Colab's own version of Python, its older ipykernel and its
  frame around each output were not tried.
- In JupyterLab 4.2 a narrow card does not wrap: it drops two of the style rules. The rest was tried in the newest.
- JupyterLab 3, Notebook 6 and ipykernel below 6.31 are not supported. Firefox, Safari, Windows, macOS, and the
  previews of notebooks that code hosts show were not tried; each result holds a PNG and a text beside its HTML.
"""


def tried(row, kernel, folder):
    """What was seen of each step; where one failed, why, and the rest is open."""
    seen = {}
    with Workplace(folder, seconds=2) as place:
        try:
            seen.update(row(place, kernel))  # an exception keeps what came before it
        except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
            step = next(step for step in STEPS if step not in seen)
            seen[step] = f"**no**: {type(error).__name__} {' '.join(str(error).split())[:200]}"
    return seen


def line(name, kernel, seen):
    """One row of the table.

    Examples
    --------
    >>> line("nbclient", "7.4.0", {"submitted": "2", "finished": "2", "shown": "**no**: it is not"})
    '| nbclient | 7.4.0 | 2 | 2 | **no**: it is not | – |'
    """
    return f"| {name} | {kernel} | {' | '.join(seen.get(step, '–').replace('|', '/') for step in STEPS)} |"


def good(seen):
    """Whether every step was seen."""
    return set(seen) == set(STEPS) and not any(said.startswith("**no**") for said in seen.values())


def head():
    """What it was run with."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    browser = subprocess.run(["chromium", "--version"], check=False, capture_output=True, text=True).stdout.split()
    return (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, Python {platform.python_version()} on {platform.system()}, {versions}, "
        f"{' '.join(browser[:2])}."
    )


def kernels():
    """The version behind each name."""
    (older,) = metadata.distributions(name="ipykernel", path=[str(OLDER)])
    return dict(zip(VERSIONS, (older.version, metadata.version("ipykernel")), strict=True))


def main():
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join([*KERNELS, *ALONE])} (all)")
    parser.add_argument("--to", type=Path, help="a document that is written anew")
    asked = parser.parse_args()
    versions = kernels()
    rows = [(name, row, kernel) for name, row in KERNELS.items() for kernel in versions]
    rows += [(name, row, None) for name, row in ALONE.items()]
    lines = [f"| front end | ipykernel | {' | '.join(STEPS)} |", f"|---|---|{'---|' * len(STEPS)}"]
    print("\n".join(lines), flush=True)
    all_good = True
    with tempfile.TemporaryDirectory(prefix="refvideo-matrix-") as folder:
        for number, (name, row, kernel) in enumerate(rows):
            if asked.rows and name not in asked.rows:
                continue
            seen = tried(row, kernel, Path(folder) / str(number))
            all_good = all_good and good(seen)
            lines.append(line(name, versions.get(kernel, "none"), seen))
            print(lines[-1], flush=True)
    if asked.to:
        asked.to.write_text(PAGE.format(table="\n".join(lines), head=head()))
    return 0 if all_good else 1


if __name__ == "__main__":
    sys.exit(main())
