"""The benchmark of adherence: ``make bench-adherence`` runs it and writes docs/adherence-benchmark.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from areas import areas
from copying import copies
from films import HEIGHT, WIDTH, scenes, write
from photographs import ground
from presence import presence, rendered, swapped
from row import Row

from refvideo_nb.measure.embedders import DEFAULT, find_embedder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np

PROMPTS = ("a street in the city", "a wooden kitchen table")
PARTS = ("copies", "swapped", "rendered", "areas", "presence", "speed")
PACKAGES = ("refvideo-nb", "numpy", "onnxruntime", "opencv-python-headless", "av", "scikit-image", "matplotlib")
INTRODUCTION = """\
# How well adherence is measured

Made by `make bench-adherence` on {date}; {system}, {cores} cores, Python {python}; {packages}.
It took {minutes:.0f} minutes{busy}.

The films build their own truth. Subjects are parts of the photographs that scikit-image and matplotlib
bring along; each is given by its photograph and **pasted as another view of it**: in perspective, turned,
cut, mirrored, in other light, compressed (the motorcycle by the second camera of a stereo pair). Scenes are
those of the simulator and a photograph of a wall; 720p, H.264. The simulator's own films come with the truth
that it tells. Beside each number stands what is made of the same frames by the same network
({embedder}) in the ways that are usual: the mean cosine of whole frames with the reference (as CLIP-I and
DINO-I are), and the formula of VBench-I2V.

**What it does not show.** Pasted subjects are easier than generated ones, which change their shape, their
pose and their texture. The photographs are few, and the network may have been trained on such things.
Nothing here is a judgement of people. Look-alikes of one class are not tried: two cats are not told apart
well (AUC about .95 for the default network on its own).
"""

REMARKS = """
Boxes are windows of whole cells of the network's map, so that of small subjects they overlap with the truth less
than the similarity would let one think: of those that have 3 or 5 % of the frame by less than one half. What is
taken for a copy and is none are frames with a subject pasted at 25 %: one that spans the height of the frame, as a
rocket does, which corners cannot tell from a picture between two bars; or a view that was cut, whose picture would
span the height if it went on beyond the cut.

Time is that of the processor, by all threads of the process, since frames are looked at side by side; what others do
on the machine lengthens the seconds of the clock, and changes the share little. Memory is the most that the process
had at any moment (`VmHWM`); scikit-image and matplotlib, which only bring the pictures of the references, are part
of it.
"""


def main() -> int:
    """Run it; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, help="a Markdown file; otherwise the table is only printed")
    parser.add_argument("--embedder", default=DEFAULT)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="some of the tries")
    asked = parser.parse_args()
    begun, busy = time.perf_counter(), os.getloadavg()[0]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for row in _rows(Path(folder), asked.embedder, asked.only):
            rows.append(row)
            print(_line(row), f"[{time.perf_counter() - begun:.0f} s]", flush=True)
    missed = [row.what for row in rows if row.holds is False]
    if asked.to:
        shared = busy > os.cpu_count() / 4
        load = f"load {busy:.0f} at its beginning, {os.getloadavg()[0]:.0f} at its end, with its own"
        text = INTRODUCTION.format(
            date=time.strftime("%Y-%m-%d"),
            system=f"{platform.system()} {platform.machine()}",
            cores=os.cpu_count(),
            python=platform.python_version(),
            packages=", ".join(f"{name} {version(name)}" for name in PACKAGES),
            minutes=(time.perf_counter() - begun) / 60,
            busy=f", on a machine that had other work to do ({load})" if shared else "",
            embedder=asked.embedder,
        )
        asked.to.write_text(f"{text}\n{_table(rows)}\n{REMARKS}{_missed(missed)}\n", "utf-8")
    return 1 if missed else 0


def _rows(folder: Path, name: str, only: Sequence[str]) -> Iterator[Row]:
    embedder = find_embedder(name, threads=1)  # frames are looked at side by side
    moving = scenes(folder, PROMPTS)
    still = {"street": moving[PROMPTS[0]][0], "wall": ground("brick", WIDTH, HEIGHT)}
    tries: dict[str, Callable[[], Iterable[Row]]] = {
        "copies": lambda: copies(folder, embedder, moving),
        "swapped": lambda: swapped(folder, embedder, moving),
        "rendered": lambda: rendered(folder, embedder),
        "areas": lambda: areas(folder, embedder, still),
        "presence": lambda: presence(folder, embedder, moving),
        "speed": lambda: _speed(folder, moving[PROMPTS[0]]),
    }
    for part in only:
        yield from tries[part]()


def _speed(folder: Path, scene: list[np.ndarray]) -> Iterable[Row]:
    path = write(folder / "speed.mp4", [frame for frame in scene for _ in range(3)], fps=24)
    child = [sys.executable, str(Path(__file__).with_name("speed.py")), str(path)]
    found = json.loads(subprocess.run(child, check=True, capture_output=True, text=True).stdout)
    share = found["network"] / found["worked"]
    yield Row(what="32 frames, 4 references, 5 s of 720p: seconds", value=found["seconds"])
    yield Row(what="seconds of the processor for it", value=found["worked"])
    yield Row(what="of these inside the network, share", value=share, goal=">= 0.85")
    yield Row(what="seconds of the processor over the network's own", value=1 / share, goal="<= 1.3")
    yield Row(what="peak memory of the process, MB", value=found["megabytes"], goal="<= 600")
    yield Row(what="of it packages and the network, before any frame, MB", value=found["before"])


def _line(row: Row) -> str:
    goal = f" (goal {row.goal}: {'holds' if row.holds else 'MISSED'})" if row.goal else ""
    return f"{row.what}: {_number(row.value)}{goal}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _table(rows: list[Row]) -> str:
    lines = ["| what | measured | goal | whole frames | VBench-I2V | of |", "|---|---|---|---|---|---|"]
    for row in rows:
        value = _number(row.value) if row.holds is not False else f"**{_number(row.value)}**"
        goal = row.goal.replace(">=", "≥").replace("<=", "≤")
        lines.append(f"| {row.what} | {value} | {goal} | {_number(row.clip_i)} | {_number(row.vbench)} | {row.of} |")
    return "\n".join(lines).replace("<=", "≤")


def _missed(missed: list[str]) -> str:
    if not missed:
        return "\nEvery goal is reached."
    return "\n".join(["", "Missed, printed bold above:", "", *(f"- {what}" for what in missed)])


if __name__ == "__main__":
    sys.exit(main())
