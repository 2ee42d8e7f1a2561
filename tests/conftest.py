"""What the tests with real parts share: a place of their own to work in."""

import json
import os
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from refvideo_nb.client.embedded import ensure_simulator, stop_simulator
from refvideo_nb.core.adherence import Measured, Negatives, Report, Score
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
        self._seconds = seconds
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
        if not (self.home / "simulator" / "endpoint.json").exists():
            return {"paid_jobs": 0, "requests": {}}
        # It ends by itself where other tests did not ask it for long, and knows its jobs again.
        root = ensure_simulator(self.home, seconds=self._seconds).base_url.removesuffix("/api/v1")
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


def made_report(*, references=2, frames=5, seed=0, video="clip.mp4", video_sha256="c0" * 32, settings=None):
    """A report in which nothing was measured: numbers of all kinds, whatever they would mean."""
    random = np.random.default_rng(seed)
    names = [("pack", "subject"), ("mood", "style"), ("woman", "face")][:references]

    def score(number, name, role):
        told = number == 0  # of the others nothing can be told that may be missing
        return Score(
            reference=name,
            role=role,
            adherence=0.5 - number / 8,
            low=0.4 - number / 8,
            high=0.6 - number / 8,
            covered=0.625 if told else None,
            z=4.25,
            p=0.03125,
            coverage=0.75,
            onset=0.5 if told else None,
            longest_gap=0.25,
            stability=0.125 if told else None,
            drift=-0.0625 if told else None,
            sameness=0.875 if told else None,
            copied=0.5,
            first_frame_copy=told,
            binding=1.0 if told else None,
            margin=0.25 if told else None,
            area=0.125 if told else None,
            verdict="followed" if told else "not found",
            sentence=f"{name}: ±½ <b>of</b> it",
        )

    return Report(
        video=video,
        video_sha256=video_sha256,
        seconds=5.0,
        width=1280,
        height=720,
        references=tuple(
            Measured(name=n, role=r, sha256=(f"{k}a" * 32, f"{k}b" * 32), width=640, height=480)
            for k, (n, r) in enumerate(names)
        ),
        times=np.arange(frames) / 3,
        similarity=random.uniform(-0.1, 0.9, (frames, references)).astype(np.float32),
        z=random.normal(size=(frames, references)).astype(np.float32),
        boxes=random.uniform(0, 720, (frames, references, 4)).astype(np.float32),
        copies=random.integers(0, 90, (frames, references), dtype=np.int32),
        negatives={
            name: Negatives(
                names=("grass (scikit-image)", "coins (scikit-image)"),
                mean=random.uniform(0.2, 0.3, frames).astype(np.float32),
                low=random.uniform(0.1, 0.2, frames).astype(np.float32),
                high=random.uniform(0.3, 0.4, frames).astype(np.float32),
                sigma=0.0625,
                threshold=0.4 + number / 10,
            )
            for number, (name, _) in enumerate(names)
        },
        confusion=np.eye(references, dtype=np.int64) * 3,
        scores=tuple(score(number, *name) for number, name in enumerate(names)),
        settings=settings or {"embedder": "efficientnet-lite0", "frames": 32, "every": None, "windows": [0.5, 0.25]},
        notes=("look-alikes are not excluded",),
    )


@pytest.fixture(scope="session")
def some_report():
    """``some_report(references=2, frames=5, …)``: a report in which nothing was measured."""
    return made_report
