"""What the tests with real parts share: a place of their own to work in."""

import json
import os
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from refvideo_nb.client.embedded import stop_simulator
from refvideo_nb.simulator import Simulator


class Workplace:
    """A folder with nothing of the user's in it, the environment to work there, and an end to what was started.

    Parameters
    ----------
    folder : pathlib.Path
    seconds : float
        How long a job of the embedded simulator takes.
    extra : str
        Further environment variables.
    """

    def __init__(self, folder, *, seconds=1.5, **extra):
        self.folder = folder
        self.home = folder / "refvideo"
        mine = ("OPENROUTER_", "REFVIDEO_", "JUPYTER", "IPYTHON", "PYTHONPATH")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(mine)} | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            "HOME": str(folder / "user"),
            "IPYTHONDIR": str(folder / "user" / "ipython"),
            "JUPYTER_CONFIG_DIR": str(folder / "user" / "config"),
            "JUPYTER_DATA_DIR": str(folder / "user" / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "user" / "runtime"),
            "REFVIDEO_HOME": str(self.home),
            "REFVIDEO_SIMULATOR_SECONDS": str(seconds),
            "REFVIDEO_POLL_INTERVAL": "0.3",
            **extra,
        }

    def __enter__(self):
        (self.folder / "user").mkdir(parents=True)
        return self

    def __exit__(self, *_):
        # Each notebook that was run without REFVIDEO_HOME has a home beside it.
        for announced in self.folder.rglob("simulator/endpoint.json"):
            stop_simulator(announced.parent.parent)

    def stats(self):
        """What the embedded simulator has seen; nothing, where none was started."""
        announced = self.home / "simulator" / "endpoint.json"
        if not announced.exists():
            return {"paid_jobs": 0, "requests": {}}
        root = json.loads(announced.read_text())["base_url"].removesuffix("/api/v1")
        with urllib.request.urlopen(f"{root}/__sim__/stats", timeout=10) as answer:
            return json.load(answer)

    @property
    def submits(self):
        """How many requests for a video arrived, refused ones too."""
        return self.stats()["requests"].get("POST /api/v1/videos", 0)

    @property
    def paid_jobs(self):
        return self.stats()["paid_jobs"]


@pytest.fixture(scope="session")
def workplace():
    """``with workplace(folder, seconds=…) as place:``."""
    return Workplace


class HeldApi:
    """The API with jobs that end when a test says so, and not before."""

    def __init__(self, simulator):
        self.simulator = simulator
        self.env = {"OPENROUTER_BASE_URL": simulator.base_url, "OPENROUTER_API_KEY": simulator.api_key}
        self._ahead = 0.0
        # Its clock is a setting for tests; only the convenient constructor does not offer it.
        object.__setattr__(simulator.settings, "clock", lambda: time.time() + self._ahead)

    def finish(self):
        """Time passes for every job so far."""
        self._ahead += 2 * self.simulator.settings.seconds


@pytest.fixture(scope="session")
def held_api():
    with Simulator(seconds=3600) as simulator:
        yield HeldApi(simulator)
