"""A quiet ambience: a chord that breathes, over a little air."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

RATE = 48_000
_LOUDNESS = 0.05  # peak of the chord: to be noticed, not to be turned down
_CHORDS = ((1.0, 1.5, 2.0, 2.5), (1.0, 1.2, 1.5, 2.25), (1.0, 4 / 3, 1.5, 2.0))
_EDGE = 0.25  # seconds of fade at both ends


def ambience(seconds: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Sound for a film: (samples,) float32, the same for the same generator."""
    count = round(seconds * RATE)
    time = np.arange(count, dtype=np.float32) / RATE
    root = rng.uniform(98, 147)  # Hz
    sound = np.zeros(count, np.float32)
    for step in _CHORDS[rng.integers(len(_CHORDS))]:
        breath = 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(0.07, 0.2) * time + rng.uniform(0, 6.28))
        sound += np.sin(2 * np.pi * root * step * time) * breath / step
    sound *= _LOUDNESS / 3
    air = np.cumsum(rng.normal(0, 1, count + 48).astype(np.float32))
    sound += (air[48:] - air[:-48]) * (_LOUDNESS / 250)
    edge = np.clip(np.minimum(time, seconds - time) / _EDGE, 0, 1)
    return (sound * edge).astype(np.float32)
