"""Is a subject that is there told from those that are not, however small it is?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from films import paste, write
from judged import auc, overlap, whole_frames
from photographs import SUBJECTS, other_view, reference
from row import Row

from refvideo_nb.measure.targets import Given
from refvideo_nb.measure.video import measure_video

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from refvideo_nb.measure.embedders import Embedder

__all__ = ["areas"]


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
