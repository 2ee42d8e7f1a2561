"""``python tests/bench``: measures every row, prints the table, and writes it into the docs."""

import argparse
import datetime as dt
import os
import platform
import shutil
import sys
import tempfile
import time
from importlib import import_module, metadata
from pathlib import Path

from bench import Bench
from line import table

ROWS = ("imports", "jobs", "waits", "kernels", "downloads", "shows", "browsers", "ledgers", "renders")
VERSIONS = ("openrouter", "httpx", "mediapy", "fal-client", "ipython", "ipykernel", "av", "jupyterlab")


def head(minutes):
    """What it was measured with."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in VERSIONS)
    return (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {platform.system()} on {os.cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}, {versions}; {minutes:.0f} minutes."
    )


def main():
    parser = argparse.ArgumentParser(prog="python tests/bench")
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="only these (all)")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (5)")
    parser.add_argument("--write", type=Path, help="a document in which the table is put between its marks")
    asked = parser.parse_args()
    if "shows" in (asked.rows or ROWS) and not shutil.which("ffmpeg"):  # said at once, and not after ten minutes
        parser.error("the row shows needs ffmpeg (mediapy runs it): install the package 'ffmpeg', or choose other rows")
    begin = time.monotonic()
    lines = []
    with tempfile.TemporaryDirectory(prefix="refvideo-bench-", dir=Path.cwd()) as folder:
        bench = Bench(Path(folder), asked.rounds)
        for row in asked.rows or ROWS:
            for line in import_module(row).measure(bench):
                lines.append(line)
                print(table([line]).splitlines()[-1], flush=True)
    made = f"{head((time.monotonic() - begin) / 60)}\n\n{table(lines)}"
    print(f"\n{made}")
    if asked.write:
        write(asked.write, made)
    return 0


def write(path, made):
    """Put what was measured between the marks of a document; what people wrote around it stays."""
    before, begin, rest = path.read_text().partition("<!-- measured -->\n")
    _, end, after = rest.partition("<!-- end -->")
    if not begin or not end:
        raise SystemExit(f"{path} has no marks <!-- measured --> and <!-- end -->: nothing was written")
    path.write_text(f"{before}{begin}\n{made}\n\n{end}{after}")


sys.exit(main())
