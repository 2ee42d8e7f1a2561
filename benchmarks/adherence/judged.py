"""How numbers are held against the truth, and what others compute of the same frames with the same network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from refvideo_nb.media.sampling import sample_frames

if TYPE_CHECKING:
    from pathlib import Path

    from refvideo_nb.measure.embedders import Embedder

__all__ = ["Whole", "auc", "overlap", "whole_frames"]


def auc(present: np.ndarray, absent: np.ndarray) -> float:
    """The chance that one that is there scores above one that is not; ties count half."""
    present, absent = np.ravel(present)[:, None], np.ravel(absent)[None]
    return float(np.mean(present > absent) + np.mean(present == absent) / 2)


def overlap(boxes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Intersection over union of ``(n, 4)`` boxes, one by one."""
    low, high = np.maximum(boxes[:, :2], truth[:, :2]), np.minimum(boxes[:, 2:], truth[:, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=1)
    areas = [np.prod(b[:, 2:] - b[:, :2], axis=1) for b in (boxes, truth)]
    return both / (areas[0] + areas[1] - both)


@dataclass(frozen=True, slots=True)
class Whole:
    """Whole frames, ``(frames, d)``, and references, ``(references, d)``, as the network sees them."""

    frames: np.ndarray
    references: np.ndarray

    def clip_i(self, frames: slice = slice(None)) -> np.ndarray:
        """Mean cosine of whole frames with each reference, as CLIP-I and DINO-I (DreamBooth) are."""
        return (self.frames[frames] @ self.references.T).mean(axis=0)

    def vbench(self, frames: slice = slice(None)) -> np.ndarray:
        """VBench-I2V's formula: 0.4 max_t ⟨reference, frame⟩ + 0.3 mean + 0.3 min of ⟨frame, next frame⟩."""
        some = self.frames[frames]
        next_to = (some[1:] * some[:-1]).sum(axis=1) if len(some) > 1 else np.ones(1)
        return 0.4 * (some @ self.references.T).max(axis=0) + 0.3 * next_to.mean() + 0.3 * next_to.min()


def whole_frames(path: Path, references: list[np.ndarray], embedder: Embedder, **how: float | None) -> Whole:
    """A film for the baselines, sampled as the measurement samples it."""
    frames = [embedder.embed(batch.images) for batch in sample_frames(path, **how)]
    return Whole(np.concatenate(frames), np.concatenate([embedder.embed(r[None]) for r in references]))
