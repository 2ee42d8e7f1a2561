"""Is a film that is a reference's picture told from other films, those with the subject pasted in among them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from films import HEIGHT, WIDTH, paste, write
from judged import auc, whole_frames
from photographs import SUBJECTS, jpeg, lit, other_view, reference
from PIL import Image
from presence import PAIRS, SAMPLES
from row import Row

from refvideo_nb.measure.copies import POINTS, Original, copy_points, first_frame_copy
from refvideo_nb.media.sampling import sample_frames

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from refvideo_nb.measure.embedders import Embedder

__all__ = ["copies"]


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
    for number, (name, _) in enumerate(PAIRS):
        scene = list(scenes.values())[number % len(scenes)]
        original = Original.of([reference(name)])
        for begins in (True, False):
            frames = [_frozen(reference(name), random)] * 2 * begins + scene[: 40 - 2 * begins]
            path = write(folder / "first.mp4", frames, fps=8)
            points, times = [], []
            for batch in sample_frames(path, count=SAMPLES):
                points += [copy_points(frame, [original])[0] for frame in batch.images]
                times += batch.times.tolist()
            right.append(bool(first_frame_copy(np.array(points), np.array(times))) == begins)
            (fooled if begins else honest).append(
                whole_frames(path, [reference(name)], embedder, count=SAMPLES).vbench()[0]
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
