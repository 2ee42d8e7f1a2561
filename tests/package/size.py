"""``make install-size``: what `pip install refvideo-nb` fetches beyond Jupyter's own, wheel by wheel.

Those are the wheels of a plain JupyterLab with widgets. Nothing is installed.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).parents[2]
JUPYTER = ("ipython", "ipykernel", "ipywidgets", "jupyterlab")
MOST = 70_000_000  # bytes


def pip(*arguments):
    """Run pip, and give what it prints."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def of_jupyter():
    """The names of the packages that Jupyter needs by itself."""
    told = json.loads(pip("install", "--dry-run", "--ignore-installed", "--report", "-", *JUPYTER))
    return {canonicalize_name(each["metadata"]["name"]) for each in told["install"]}


def beyond(wheels, known):
    """The wheels that are not known, the largest first, as (name, version, bytes).

    Examples
    --------
    >>> beyond({"av-17.0.0-cp311-cp311-linux_x86_64.whl": 9, "ipython-9.0-py3-none-any.whl": 4}, {"ipython"})
    [('av', '17.0.0', 9)]
    """
    found = []
    for file, size in wheels.items():
        name, version, *_ = parse_wheel_filename(file)
        if name not in known:
            found.append((name, str(version), size))
    return sorted(found, key=lambda each: -each[2])


def table(found):
    """The wheels as a table in Markdown, with their sum."""
    lines = ["| wheel | MB |", "|---|---:|"]
    lines += [f"| {name} {version} | {size / 1e6:.2f} |" for name, version, size in found]
    return "\n".join([*lines, f"| **together** | **{sum(size for *_, size in found) / 1e6:.1f}** |"])


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, help="a document that is written anew")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pip("wheel", "--wheel-dir", folder, ROOT)
        found = beyond({path.name: path.stat().st_size for path in Path(folder).glob("*.whl")}, of_jupyter())
    text = (
        "# What an installation fetches\n\n"
        "`pip install refvideo-nb` fetches these wheels beyond those of "
        f"{', '.join(JUPYTER[:-1])} and {JUPYTER[-1]}; at most {MOST / 1e6:.0f} MB of them are allowed.\n\n"
        f"{table(found)}\n\n"
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, by `make install-size`. "
        "`av` carries FFmpeg, so nothing is compiled. The extras come on top of it.\n"
    )
    print(text)
    if asked.to:
        asked.to.write_text(text)
    together = sum(size for *_, size in found)
    if together > MOST:
        sys.exit(f"{together / 1e6:.1f} MB are more than the {MOST / 1e6:.0f} MB that are allowed")


if __name__ == "__main__":
    main()
