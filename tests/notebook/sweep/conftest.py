"""A simulator that films nothing new, sessions on it, and sweeps that cost USD 0.10 a cell."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from skimage import data

from refvideo_nb.engine.sweep_wish import sweep_wish
from refvideo_nb.engine.wish import Wish
from refvideo_nb.measure.embedders import storage
from refvideo_nb.notebook.session import Session
from refvideo_nb.notebook.sweep import Sweep
from refvideo_nb.notebook.sweeping import made
from refvideo_nb.settings import Secret, Settings
from refvideo_nb.simulator import Simulator

# USD 0.10 each
BALL: dict[str, Any] = {"model": "alibaba/wan-3.0", "duration": 2, "resolution": "480p", "aspect_ratio": "1:1"}


@pytest.fixture
def simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    film = tmp_path / "film.mp4"
    with av.open(str(film), "w", format="mp4") as target:
        stream = target.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(12):
            target.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * 9, np.uint8))))
        target.mux(stream.encode(None))

    def render(order: Any, sources: Any, path: Path, *, stop: Any) -> dict[str, Any]:
        shutil.copy(film, path.with_suffix(".half"))
        path.with_suffix(".half").replace(path)
        return {}

    monkeypatch.setattr("refvideo_nb.simulator.stage.render.render", render)
    with Simulator(seconds=0.1) as running:
        yield running


@pytest.fixture
def open_session(simulator: Simulator, tmp_path: Path) -> Iterator[Callable[..., Session]]:
    opened: list[Session] = []

    def make(**more: Any) -> Session:
        settings: dict[str, Any] = {
            "key": Secret(simulator.api_key), "base_url": simulator.base_url, "home": tmp_path / "home",
            "poll_interval": 0.05, "poll_max": 0.2, "requests_per_second": 500.0,
        }  # fmt: skip
        opened.append(Session(Settings(**(settings | more))))
        return opened[-1]

    yield make
    for session in opened:
        session.close()


def planned_sweep(session: Session, prompt: Any = "a red ball", *, max_cost: Any = None, **given: Any) -> Sweep:
    more = {name: given.pop(name) for name in ("fresh", "at_once") if name in given}
    wish = Wish(prompt=prompt, **(BALL | given))
    return made(session, sweep_wish(wish), max_cost=max_cost, **({"at_once": 8, "fresh": False} | more))


@pytest.fixture
def sweep() -> Callable[..., Sweep]:
    """``sweep(session, prompt, max_cost=…, seed=…)``."""
    return planned_sweep


@pytest.fixture(scope="session")
def cats() -> Callable[..., Sweep]:
    """``cats(session, …)``: two prompts, models and seeds, with a cat and a cup; not started."""
    return cat_sweep


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session whose clips are small: of each seed another one, in which the cat is seen."""
    folder = tmp_path_factory.mktemp("films")
    cat = data.chelsea()[20:276:4, 60:380:4]  # read here: the simulator films in several threads

    def render(order: Any, sources: Any, path: Path, *, stop: Any) -> dict[str, Any]:
        number = int(order.seed or 0) + 3 * len(order.prompt) + len(order.model)
        picture = np.full((96, 128, 3), 40 + number % 160, np.uint8)
        picture[20:84, 8 + number % 30 : 88 + number % 30] = cat
        half = folder / f"{path.parent.name}.mp4"  # two are filmed at once
        with av.open(str(half), "w", format="mp4") as target:
            stream = target.add_stream("libx264", rate=8)
            stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
            for step in range(4):
                target.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(picture, step, axis=1))))
            target.mux(stream.encode(None))
        half.replace(path)
        return {}

    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch, Simulator(seconds=0.1) as running:
        patch.setattr("refvideo_nb.simulator.stage.render.render", render)
        patch.setattr(storage, "folder", lambda: cache)
        settings = Settings(
            key=Secret(running.api_key), base_url=running.base_url, home=tmp_path_factory.mktemp("home") / "home",
            poll_interval=0.05, poll_max=0.2, requests_per_second=500.0,
        )  # fmt: skip
        with contextlib.closing(Session(settings)) as opened:
            yield opened


def cat_sweep(session: Session, **given: Any) -> Sweep:
    common: dict[str, Any] = {
        "prompt": ["@cat sits", "@cat walks by"], "model": ["bytedance/seedance-2.0", "bytedance/seedance-2.0-fast"],
        "duration": 4, "resolution": "480p", "aspect_ratio": "1:1", "seed": range(2),
        "references": {"cat": data.chelsea(), "cup": data.coffee()},
    }  # fmt: skip
    return made(session, sweep_wish(Wish(**(common | given))), max_cost=None, at_once=8, fresh=False)


@pytest.fixture(scope="module")
def done(session: Session) -> Sweep:
    sweep = cat_sweep(session).start(max_cost=99).wait(120)
    assert [(c.number, c.state, c.error) for c in sweep.cells if c.state != "done"] == []
    return sweep
