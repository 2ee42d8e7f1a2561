"""When and where is a subject there, and which of two is it?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from films import Truth, connected, paste, simulated, write
from judged import auc, overlap, whole_frames
from photographs import lit, other_view, reference
from row import Row

from refvideo_nb.measure.targets import Given
from refvideo_nb.measure.video import measure_video
from refvideo_nb.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from refvideo_nb.core.adherence import Report
    from refvideo_nb.measure.embedders import Embedder

__all__ = ["PAIRS", "SAMPLES", "composite", "measured", "presence", "rendered", "swapped", "told"]


@dataclass(frozen=True, slots=True)
class Clip:
    """A film with the truth of its references; None for one that is not in it at all."""

    path: Path
    names: tuple[str, ...]
    truth: tuple[Truth | None, ...]
    area: float


def composite(
    path: Path,
    scene: Sequence[np.ndarray],
    names: tuple[str, str],
    *,
    area: float,
    spans: Sequence[tuple[float, float]],
    random: np.random.Generator,
    rate: str = "usual",
    change: Callable[[np.ndarray], np.ndarray] = lambda frame: frame,
) -> Clip:
    """5 s at 8 frames a second: the first subject walks through in spans of time, the second never comes."""
    fps, count = 8, 40
    view, start, end = other_view(names[0], random), random.uniform(0, 1, 2), random.uniform(0, 1, 2)
    boxes, frames = np.full((count, 4), np.nan), []
    for number in range(count):
        frame = scene[number].copy()
        if any(low <= number / fps < high for low, high in spans):
            at = start + (end - start) * number / count
            boxes[number] = paste(frame, view, area=area, at=tuple(at))
        frames.append(change(frame))
    return Clip(write(path, frames, fps=fps, rate=rate), names, (Truth(boxes, fps), None), area)


_SPANS = ([(0.0, 5.0)], [(1.5, 5.0)], [(0.0, 2.0), (3.5, 5.0)], [(2.5, 4.0)])
PAIRS = (
    ("cat", "rocket"),
    ("woman", "coins"),
    ("motorcycle", "pack"),
    ("pack", "cat"),
    ("helmet", "clock"),
    ("cup", "officer"),
)
SAMPLES = 20


def presence(folder: Path, embedder: Embedder, scenes: dict[str, list[np.ndarray]], *, seed: int = 2) -> Iterable[Row]:
    """When a subject is there: coverage, onset and place, usual films, in another light, and at a low bit rate."""
    random = np.random.default_rng(seed)
    moving = list(scenes.values())
    plain: list[tuple[Clip, Report]] = []
    for place, area in enumerate((0.05, 0.1, 0.25)):
        for number in range(3):
            clip = composite(
                folder / f"presence-{place}-{number}.mp4",
                moving[(place + number) % len(moving)],
                PAIRS[(3 * place + number) % len(PAIRS)],
                area=area,
                spans=_SPANS[(number + place) % len(_SPANS)],
                random=random,
            )
            plain.append((clip, measured(clip, embedder)))
    yield from told("pasted subjects", plain, baselines=embedder)
    for what, how in {
        "in warm, dim light": {"change": lambda frame: lit(frame, 0.8, 1.15, (1.15, 1.0, 0.75))},
        "at a low bit rate": {"rate": "low"},
    }.items():
        altered = []
        for number in range(3):
            clip = composite(
                folder / "altered.mp4",
                moving[number % len(moving)],
                PAIRS[number],
                area=0.1,
                spans=_SPANS[number],
                random=random,
                **how,
            )
            altered.append((clip, measured(clip, embedder)))
        yield from told(f"the same at 10 % {what}", altered)


def rendered(folder: Path, embedder: Embedder, *, seed: int = 3) -> Iterable[Row]:
    """The simulator's own films, held against the truth that it tells."""
    del seed  # the simulator's films follow from their requests
    found = []
    with Simulator(seconds=0) as simulator, connected(simulator) as api:
        for number, (area, prompt) in enumerate(
            ((0.05, "a forest"), (0.1, "a quiet studio"), (0.1, "a street at night"), (0.25, "a beach"))
        ):
            names, path = PAIRS[number], folder / f"rendered-{number}.mp4"
            intervals = [[list(span) for span in _SPANS[number]], []]
            pictures = [reference(name) for name in names]
            truth = simulated(api, path, prompt, pictures, presence=intervals, area=area)
            clip = Clip(path, names, (truth[0], None), area)
            found.append((clip, measured(clip, embedder)))
    yield from told("the simulator's films", found)


def measured(clip: Clip, embedder: Embedder) -> Report:
    references = [Given(name=name, pictures=(reference(name),)) for name in clip.names]
    return measure_video(clip.path, references, embedder=embedder, frames=SAMPLES)


def told(what: str, found: list[tuple[Clip, Report]], *, baselines: Embedder | None = None) -> Iterable[Row]:
    off, late, boxes, there, absent, p, whole = [], [], [], [], [], [], []
    for clip, report in found:
        for column, truth in enumerate(clip.truth):
            score = report.scores[column]
            if truth is None:
                off.append(score.coverage)
                absent.append(score.adherence)
                p.append(score.p)
                continue
            there.append(score.adherence)
            at = truth.at(report.times)
            off.append(abs(score.coverage - at.visible.mean()))
            step = report.seconds / len(report.times)
            begins = report.times[np.flatnonzero(at.visible)[0]]
            late.append(abs((report.seconds if score.onset is None else score.onset) - begins) / step)
            boxes += overlap(report.boxes[at.visible, column], at.boxes[at.visible]).tolist()
        if baselines is not None:
            pictures = [reference(name) for name in clip.names]
            whole.append(whole_frames(clip.path, pictures, baselines, count=SAMPLES))
    clips = f"{len(found)} films, one subject there for a part, one never"
    yield Row(what=f"{what}: coverage, mean error", value=float(np.mean(off)), goal="<= 0.05", of=clips)
    yield Row(what=f"{what}: onset, median error in samples", value=float(np.median(late)), goal="<= 2")
    yield Row(what=f"{what}: onset, largest error in samples", value=float(np.max(late)))
    yield Row(what=f"{what}: box, IoU, median", value=float(np.median(boxes)), goal=">= 0.5", of=f"{len(boxes)} frames")
    if whole:
        clip_i, vbench = np.array([w.clip_i() for w in whole]), np.array([w.vbench() for w in whole])
        yield Row(
            what=f"{what}: adherence of a film, present or absent, AUC",
            value=auc(np.array(there), np.array(absent)),
            of=f"{len(there)} against {len(absent)}",
            clip_i=auc(clip_i[:, 0], clip_i[:, 1]),
            vbench=auc(vbench[:, 0], vbench[:, 1]),
        )
        yield Row(what=f"{what}: absent ones with p <= 0.05, share", value=float(np.mean(np.array(p) <= 0.05)))


def swapped(folder: Path, embedder: Embedder, scenes: dict[str, list[np.ndarray]], *, seed: int = 4) -> Iterable[Row]:
    """Two subjects that change places half-way, and one that stands where the other was asked for."""
    random = np.random.default_rng(seed)
    right = counted = 0
    taken, films = [], 0
    for number, pair in enumerate(PAIRS[1:5]):
        scene = list(scenes.values())[number % len(scenes)]
        views = [other_view(name, random) for name in pair]
        frames = []
        for step in range(24):
            frame = scene[step].copy()
            for side, view in enumerate(views):
                left = (side == 0) == (step < 12)
                paste(frame, view, area=0.12, at=(0.08 if left else 0.92, 0.3 + 0.02 * step))
            frames.append(frame)
        path = write(folder / "swapped.mp4", frames, fps=5)
        references = [Given(name=name, pictures=(reference(name),)) for name in pair]
        report = measure_video(path, references, embedder=embedder, frames=12)
        right += int(np.trace(report.confusion))
        counted += int(report.confusion.sum())
        films += 1
        alone = [scene[step].copy() for step in range(24)]
        for step, frame in enumerate(alone):
            paste(frame, views[1], area=0.12, at=(0.2 + 0.02 * step, 0.5))
        report = measure_video(write(folder / "alone.mp4", alone, fps=5), references, embedder=embedder, frames=12)
        taken.append(
            report.scores[0].verdict in {"not found", "too small to judge"} and report.scores[1].coverage > 0.5
        )
    yield Row(
        what="two subjects that change places: binding, share of covered frames",
        value=right / counted,
        goal=">= 0.95",
        of=f"{films} films, {counted} places",
    )
    yield Row(
        what="the wrong one of two is there, and is told as such, share",
        value=float(np.mean(taken)),
        of=f"{films} films",
    )
