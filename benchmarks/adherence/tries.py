"""What is tried: each function makes films, measures them, and returns rows of the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from films import HEIGHT, WIDTH, Truth, connected, paste, simulated, write
from judged import auc, overlap, whole_frames
from photographs import SUBJECTS, jpeg, lit, other_view, reference
from PIL import Image

from refvideo_nb.measure.copies import POINTS, Original, copy_points, first_frame_copy
from refvideo_nb.measure.targets import Given
from refvideo_nb.measure.video import measure_video
from refvideo_nb.media.sampling import sample_frames
from refvideo_nb.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from refvideo_nb.core.adherence import Report
    from refvideo_nb.measure.embedders import Embedder

__all__ = ["Row", "areas", "copies", "presence", "rendered", "swapped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table.

    Attributes
    ----------
    what : str
    value : float
    goal : str
        ``">= 0.98"`` or ``"<= 0.05"``; empty where there is none.
    of : str
        What it stands on.
    clip_i, vbench : float or None
        The same by whole frames, and by VBench-I2V's formula, on the same network.
    """

    what: str
    value: float
    goal: str = ""
    of: str = ""
    clip_i: float | None = None
    vbench: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the goal is reached."""
        if not self.goal:
            return None
        sign, bound = self.goal.split()
        return self.value >= float(bound) if sign == ">=" else self.value <= float(bound)


def areas(
    folder: Path,
    embedder: Embedder,
    grounds: dict[str, np.ndarray],
    *,
    shares: Sequence[float] = (0.03, 0.05, 0.1, 0.25),
    names: Sequence[str] = tuple(SUBJECTS),
    seed: int = 1,
) -> Iterable[Row]:
    """Whether a subject that is there scores above those that are not, by the share of the frame that it has.

    One film for each scene and area; each subject is seen for two frames in one of the scenes, and is
    measured beside all the others, which are not there.
    """
    goals = {0.03: ">= 0.92", 0.05: ">= 0.98"}
    references = [Given(name=name, pictures=(reference(name),)) for name in names]
    for area in shares:
        random = np.random.default_rng([seed, round(area * 1000)])
        scored, clip_i, vbench, single, boxes = [], [], [], [], []
        there = []
        for turn, scene in enumerate(grounds.values()):
            seen = [number for number in range(len(names)) if number % len(grounds) == turn]
            frames, truth = [], []
            for number in seen:
                view, at = other_view(names[number], random), random.uniform(0, 1, 2)
                for step in range(2):
                    frame = np.roll(scene, 3 * len(frames), axis=1).copy()
                    truth.append(paste(frame, view, area=area, at=tuple(np.clip(at + step * 0.03, 0, 1))))
                    frames.append(frame)
            path = write(folder / "areas.mp4", frames, fps=4)
            report = measure_video(path, references, embedder=embedder, frames=None)
            whole = whole_frames(path, [g.pictures[0] for g in references], embedder, count=None)
            each = [slice(2 * n, 2 * n + 2) for n in range(len(seen))]
            there += [np.arange(len(names)) == number for number in seen]
            single.append(report.similarity)
            scored += [report.similarity[one].mean(axis=0) for one in each]
            clip_i += [whole.clip_i(one) for one in each]
            vbench += [whole.vbench(one) for one in each]
            boxes.append(overlap(report.boxes[np.arange(len(frames)), np.repeat(seen, 2)], np.array(truth)))
        mask = np.array(there)

        def judge(values: list, mask: np.ndarray = mask) -> float:
            values = np.array(values)
            return auc(values[mask], values[~mask])

        yield Row(
            what=f"present or absent at {area:.0%} of the frame, AUC",
            value=judge(scored),
            goal=goals.get(area, ""),
            of=f"{len(names)} subjects in {len(grounds)} scenes, {int(np.sum(~mask))} absent ones",
            clip_i=judge(clip_i),
            vbench=judge(vbench),
        )
        wide = np.repeat(mask, 2, axis=0)
        yield Row(what=f"the same at {area:.0%}, single frames, AUC", value=judge(np.concatenate(single), wide))
        ious = np.concatenate(boxes)
        yield Row(what=f"box at {area:.0%}, IoU, median", value=float(np.median(ious)), of=f"{len(ious)} frames")


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
_PAIRS = (
    ("cat", "rocket"),
    ("woman", "coins"),
    ("motorcycle", "pack"),
    ("pack", "cat"),
    ("helmet", "clock"),
    ("cup", "officer"),
)
_SAMPLES = 20


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
                _PAIRS[(3 * place + number) % len(_PAIRS)],
                area=area,
                spans=_SPANS[(number + place) % len(_SPANS)],
                random=random,
            )
            plain.append((clip, _measured(clip, embedder)))
    yield from _told("pasted subjects", plain, baselines=embedder)
    for what, how in {
        "in warm, dim light": {"change": lambda frame: lit(frame, 0.8, 1.15, (1.15, 1.0, 0.75))},
        "at a low bit rate": {"rate": "low"},
    }.items():
        altered = []
        for number in range(3):
            clip = composite(
                folder / "altered.mp4",
                moving[number % len(moving)],
                _PAIRS[number],
                area=0.1,
                spans=_SPANS[number],
                random=random,
                **how,
            )
            altered.append((clip, _measured(clip, embedder)))
        yield from _told(f"the same at 10 % {what}", altered)


def rendered(folder: Path, embedder: Embedder, *, seed: int = 3) -> Iterable[Row]:
    """The simulator's own films, held against the truth that it tells."""
    del seed  # the simulator's films follow from their requests
    found = []
    with Simulator(seconds=0) as simulator, connected(simulator) as api:
        for number, (area, prompt) in enumerate(
            ((0.05, "a forest"), (0.1, "a quiet studio"), (0.1, "a street at night"), (0.25, "a beach"))
        ):
            names, path = _PAIRS[number], folder / f"rendered-{number}.mp4"
            intervals = [[list(span) for span in _SPANS[number]], []]
            pictures = [reference(name) for name in names]
            truth = simulated(api, path, prompt, pictures, presence=intervals, area=area)
            clip = Clip(path, names, (truth[0], None), area)
            found.append((clip, _measured(clip, embedder)))
    yield from _told("the simulator's films", found)


def _measured(clip: Clip, embedder: Embedder) -> Report:
    references = [Given(name=name, pictures=(reference(name),)) for name in clip.names]
    return measure_video(clip.path, references, embedder=embedder, frames=_SAMPLES)


def _told(what: str, found: list[tuple[Clip, Report]], *, baselines: Embedder | None = None) -> Iterable[Row]:
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
            whole.append(whole_frames(clip.path, pictures, baselines, count=_SAMPLES))
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
    for number, pair in enumerate(_PAIRS[1:5]):
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


def copies(folder: Path, embedder: Embedder, scenes: dict[str, list[np.ndarray]], *, seed: int = 5) -> Iterable[Row]:
    """Films that are a reference, held against those of other photographs and those in which the subject is pasted."""
    random = np.random.default_rng(seed)
    names = list(SUBJECTS)
    originals = [Original.of([reference(name)]) for name in names]
    pictures = np.concatenate([embedder.embed(reference(name)[None]) for name in names])
    own, others, own_whole, others_whole = [], [], [], []
    for number in range(60):
        name = names[number % len(names)]
        frame = _frozen(reference(name), random)
        path = write(folder / "copy.mp4", [frame] * 3, fps=8, rate="low" if number % 2 else "usual")
        [batch] = sample_frames(path, count=1)
        points, whole = copy_points(batch.images[0], originals), (pictures @ embedder.embed(batch.images)[0])
        for other in range(len(names)):
            related = SUBJECTS[names[other]][0] == SUBJECTS[name][0]
            if other == names.index(name):
                own.append(points[other])
                own_whole.append(whole[other])
            elif not related:
                others.append(points[other])
                others_whole.append(whole[other])
    pasted, pasted_whole = [], []
    for number in range(60):
        column = number % len(names)
        frame = list(scenes.values())[number % len(scenes)][number % 40].copy()
        # Of these the very picture is pasted, and not another view of its subject.
        view = reference(names[column]) if number % 3 == 0 else other_view(names[column], random)
        paste(frame, view, area=float(random.choice([0.05, 0.1, 0.25])), at=tuple(random.uniform(0, 1, 2)))
        [batch] = sample_frames(write(folder / "pasted.mp4", [frame] * 3, fps=8), count=1)
        pasted.append(copy_points(batch.images[0], [originals[column]])[0])
        pasted_whole.append(float(pictures[column] @ embedder.embed(batch.images)[0]))
    yield Row(
        what="copies against other photographs, AUC",
        value=auc(np.array(own), np.array(others)),
        goal=">= 0.99",
        of=f"{len(own)} re-encoded copies, {len(others)} pairs",
        clip_i=auc(np.array(own_whole), np.array(others_whole)),
    )
    yield Row(
        what="copies against pasted subjects, AUC",
        value=auc(np.array(own), np.array(pasted)),
        goal=">= 0.99",
        of=f"{len(pasted)} frames with the subject at 5, 10 and 25 %",
        clip_i=auc(np.array(own_whole), np.array(pasted_whole)),
    )
    yield Row(what=f"copies that are found, by {POINTS} points", value=float(np.mean(np.array(own) >= POINTS)))
    yield Row(what="others that are taken for one", value=float(np.mean(np.array(others + pasted) >= POINTS)))
    yield from _first_frames(folder, embedder, scenes, random)


def _first_frames(
    folder: Path, embedder: Embedder, scenes: dict[str, list[np.ndarray]], random: np.random.Generator
) -> Iterable[Row]:
    """Films that begin with the picture and then show a scene with nobody in it, beside films without any."""
    right, fooled, honest = [], [], []
    for number, (name, _) in enumerate(_PAIRS):
        scene = list(scenes.values())[number % len(scenes)]
        original = Original.of([reference(name)])
        for begins in (True, False):
            frames = [_frozen(reference(name), random)] * 2 * begins + scene[: 40 - 2 * begins]
            path = write(folder / "first.mp4", frames, fps=8)
            points, times = [], []
            for batch in sample_frames(path, count=_SAMPLES):
                points += [copy_points(frame, [original])[0] for frame in batch.images]
                times += batch.times.tolist()
            right.append(bool(first_frame_copy(np.array(points), np.array(times))) == begins)
            (fooled if begins else honest).append(
                whole_frames(path, [reference(name)], embedder, count=_SAMPLES).vbench()[0]
            )
    yield Row(
        what="first frame copied or not, accuracy",
        value=float(np.mean(right)),
        of=f"{len(right)} films",
    )
    gained = float(np.mean(fooled) - np.mean(honest))
    yield Row(what="what a copied first frame adds to VBench-I2V's score of an empty scene", value=gained)


def _frozen(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A picture as a frame: cut to it or with bars, in other light and colour, some mirrored, compressed."""
    height, width = image.shape[:2]
    scale = (max if random.random() < 0.5 else min)(WIDTH / width, HEIGHT / height)
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    large = np.asarray(Image.fromarray(image).resize((round(width * scale), round(height * scale))))
    top, left = max(0, large.shape[0] - HEIGHT) // 2, max(0, large.shape[1] - WIDTH) // 2
    large = large[top : top + HEIGHT, left : left + WIDTH]
    y, x = (HEIGHT - large.shape[0]) // 2, (WIDTH - large.shape[1]) // 2
    frame[y : y + large.shape[0], x : x + large.shape[1]] = large
    frame = frame[:, ::-1] if random.random() < 0.25 else frame
    colour = tuple(random.uniform(0.8, 1.2, 3))
    return jpeg(lit(frame, random.uniform(0.7, 1.2), random.uniform(0.8, 1.25), colour), int(random.integers(20, 80)))
