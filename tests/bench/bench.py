"""What every row works with: a folder, the films, servers and processes."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

from film import film

HERE = Path(__file__).parent
TWO_MB = 2_000_000


class Bench:
    """One run.

    Parameters
    ----------
    folder : pathlib.Path
        Empty, for whatever is written; on the disk that is measured.
    rounds : int
        How often everything is measured.
    """

    def __init__(self, folder, rounds):
        self.folder, self.rounds = folder, rounds
        self._made = 0

    def film(self, nbytes=TWO_MB, seconds=4):
        """A film of exactly this size, made once."""
        path = self.folder / f"film-{nbytes}-{seconds}.mp4"
        return path if path.exists() else film(path, nbytes, seconds=seconds)

    def picture(self):
        """A reference of 100 kB, or a little less."""
        path = self.folder / "reference.jpg"
        if not path.exists():
            import numpy as np
            from PIL import Image

            noise = np.random.default_rng(3).integers(0, 255, (36, 64, 3)).astype(np.uint8)
            Image.fromarray(noise).resize((1280, 720)).save(path, quality=90)
        return path

    def new_folder(self):
        self._made += 1
        path = self.folder / f"round-{self._made}"
        path.mkdir()
        return path

    @property
    def env(self):
        """The environment without anything of the user's."""
        return {n: v for n, v in os.environ.items() if not n.startswith(("OPENROUTER_", "REFVIDEO_", "PYTHON"))}

    @contextlib.contextmanager
    def server(self, *, film=None, seconds=5.0, clock=None):
        """A fresh server: its address, and what tells what it has seen."""
        command = [sys.executable, HERE / "server.py", film or self.film(), f"--seconds={seconds}"]
        command += [f"--clock={clock}"] if clock else []
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=self.env) as process:
            try:
                root = f"http://127.0.0.1:{int(process.stdout.readline())}"
                yield f"{root}/api/v1", lambda: told(f"{root}/stats")
            finally:
                process.terminate()

    def run(self, script, *arguments, env=None):
        """What a script of this folder prints, as JSON."""
        command = [sys.executable, HERE / script, *map(str, arguments)]
        ran = subprocess.run(command, env=env or self.env, capture_output=True, text=True, timeout=600, check=False)
        if ran.returncode:
            raise RuntimeError(
                f"{script} {arguments[0] if arguments else ''} ended with {ran.returncode}:\n{ran.stderr}"
            )
        return json.loads(ran.stdout.splitlines()[-1])


def told(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)
