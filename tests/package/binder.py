"""``make test-binder``: the steps of Binder in an empty environment, and the quickstart in 1 GB of memory.

Builds an environment as ``binder/`` says, runs ``postBuild`` and then the quickstart through ``start``,
and watches how much memory all of its processes hold together.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
MOST = 1_000_000_000  # bytes, as Binder gives them
NOTEBOOKS = ("01_quickstart", "03_adherence")


def python():
    """The interpreter of the version that Binder is told to take."""
    wanted = re.fullmatch(r"python-(\d+\.\d+)\n?", (ROOT / "binder" / "runtime.txt").read_text())
    assert wanted is not None, "runtime.txt names no Python"
    found = shutil.which(f"python{wanted[1]}")
    if found is None:
        sys.exit(f"this needs Python {wanted[1]}, as Binder takes it: install it, or put it on the path")
    return found


def held(process):
    """Bytes that a process and its children hold; what they share is divided among them where the system tells."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            memory = each.memory_full_info()
            total += getattr(memory, "pss", memory.rss)
        except psutil.Error:
            continue
    return total


def watched(command, **how):
    """Run it, and give the most memory that it held at once."""
    with subprocess.Popen(command, **how) as running:
        most, over = 0, threading.Event()
        process = psutil.Process(running.pid)
        while not over.is_set():
            try:
                most = max(most, held(process))
            except psutil.NoSuchProcess:
                break
            if running.poll() is not None:
                over.set()
            over.wait(0.2)
    if running.returncode:
        sys.exit(f"{command} ended with {running.returncode}")
    return most


def main():
    """The command."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        checkout = place / "checkout"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True)
        home = place / "home"
        home.mkdir()
        env = {"HOME": str(home), "PATH": f"{place / 'env' / 'bin'}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
        # Whoever needs other settings to reach the package index has them in a file.
        env |= {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "XDG_CONFIG"))}
        run = lambda *command: subprocess.run(command, cwd=checkout, env=env, check=True)  # noqa: E731 - used here alone
        subprocess.run([python(), "-m", "venv", place / "env"], check=True, env=env)
        run("pip", "install", "--quiet", "--disable-pip-version-check", "-r", "binder/requirements.txt")
        run("bash", "binder/postBuild")
        for name in NOTEBOOKS:
            command = ["bash", str(checkout / "binder" / "start"), "jupyter", "execute", "--inplace", f"{name}.ipynb"]
            most = watched(command, cwd=checkout / "notebooks", env=env | {"OPENROUTER_API_KEY": "none of Binder's"})
            print(f"{name}: {most / 1e6:.0f} MB at the most")
            assert most < MOST, f"{name} holds {most / 1e6:.0f} MB"


if __name__ == "__main__":
    main()
