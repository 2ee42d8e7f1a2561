"""The colours of each scene: muted, a few for each, and one that catches the eye."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from refvideo_nb.simulator.stage.mood import Mood

    Colour = npt.NDArray[np.float32]

_DRIFT = 0.025  # of the hue circle: scenes of one kind are relatives, not copies


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours as (3,) float32 in 0..255.

    Parameters
    ----------
    top, low
        The sky at its top, and at the horizon.
    far, near
        Shapes at the horizon, and before it.
    ground
        What the subjects stand on.
    lights
        Lamps, suns and glints.
    """

    top: Colour
    low: Colour
    far: Colour
    near: Colour
    ground: Colour
    lights: tuple[Colour, ...]


# Place and time, then: top, low, far, near, ground, lights.
_COLOURS: dict[tuple[str, str], tuple[str, str, str, str, str, tuple[str, ...]]] = {
    ("city", "day"): ("8fb0cc", "d9e2e6", "a9b7c2", "76858f", "868a8c", ("fff6e0", "ffe9c4")),
    ("city", "sunset"): ("54597f", "eaa77c", "8d6f80", "4f4559", "5b5058", ("ffd19a", "ff9f6b", "ffe7c2")),
    ("city", "night"): ("0a0d1c", "2a2a4c", "171a30", "0c0e1c", "14161f", ("ff5c9a", "49c9e8", "ffb45e", "8f7bff")),
    ("sea", "day"): ("7fb2d6", "dbeaf0", "5f97b0", "4d86a0", "d8c6a2", ("ffffff", "f4fbff")),
    ("sea", "sunset"): ("6b6a9c", "f7b78c", "7d6d8c", "5c5674", "a98f7c", ("ffe0b0", "ffc28a")),
    ("sea", "night"): ("0b1226", "27405c", "152740", "101d33", "3a3f49", ("dfe9ff", "9fc2ea")),
    ("forest", "day"): ("a9c7a0", "e3ecc8", "86a67c", "3f5f44", "5f7145", ("fbffd8", "e6f5b0")),
    ("forest", "sunset"): ("b79c6a", "f6dca0", "8d7f4c", "43482f", "5d5636", ("ffe2a0", "ffcf7a")),
    ("forest", "night"): ("0b1618", "24403c", "152a28", "0a1716", "121f1b", ("bfe8c8", "e8e3a0")),
    ("mountain", "day"): ("7fa8d0", "dfe9f2", "9db4ca", "6d86a0", "e4ebf1", ("ffffff", "f2f8ff")),
    ("mountain", "sunset"): ("5d6698", "f3b9a0", "8f87a8", "5f6085", "c3b6c4", ("ffd9b8", "ffc0a0")),
    ("mountain", "night"): ("0a1024", "2b3c60", "1c2948", "121c34", "465370", ("e8eeff", "b9ccf5")),
    ("desert", "day"): ("8fb4cf", "f0dfc0", "d9b487", "c2905d", "d2a56d", ("fff4da", "ffe9c0")),
    ("desert", "sunset"): ("6f6390", "f4a878", "b9765c", "8a5347", "a4654a", ("ffd69a", "ffb877")),
    ("desert", "night"): ("0d1024", "3a3557", "2a2540", "1d1a30", "3a3040", ("e8e6ff", "c2bdf0")),
    ("room", "day"): ("cfc7b8", "e6dfd2", "b6a791", "93806a", "a98661", ("fff6e2", "ffeed0")),
    ("room", "sunset"): ("8c6a4c", "c99e6c", "6d4d36", "4a3325", "7a5233", ("ffd596", "ffb865", "fff0cf")),
    ("room", "night"): ("2a2320", "5b4030", "352822", "1e1714", "3d2a1f", ("ffb765", "ffd9a0", "ff8d55")),
    ("space", "day"): ("0a0c1d", "1c2145", "131733", "0c0f22", "12142a", ("ffffff", "b9d0ff", "ffd9c0")),
    ("space", "sunset"): ("140c1d", "452139", "331327", "220c1a", "2a1220", ("ffffff", "ffd0b9", "ffb0c0")),
    ("space", "night"): ("070914", "1b2348", "121733", "0b0e20", "10132a", ("ffffff", "b9d0ff", "ffd9c0")),
    ("studio", "day"): ("c4c6c8", "e4e3df", "c9c8c6", "aeaead", "d3d1cc", ("ffffff", "fff7ea")),
    ("studio", "sunset"): ("b79f8c", "ead6c0", "c2aa96", "a38b78", "d2bba5", ("fff0dc", "ffe2c0")),
    ("studio", "night"): ("23262e", "4a4f5c", "30343e", "1f2229", "33373f", ("dfe8ff", "ffe3c8")),
}


def palette(mood: Mood, rng: np.random.Generator) -> Palette:
    """The palette of a mood, its hues a little off for each seed."""
    top, low, far, near, ground, lights = _COLOURS[mood.place, mood.time]
    turn = rng.uniform(-_DRIFT, _DRIFT)
    return Palette(
        top=_colour(top, turn),
        low=_colour(low, turn),
        far=_colour(far, turn),
        near=_colour(near, turn),
        ground=_colour(ground, turn) * (0.8 if mood.wet else 1),
        lights=tuple(_colour(light, turn) for light in lights),
    )


def _colour(code: str, turn: float) -> Colour:
    hue, light, depth = colorsys.rgb_to_hls(*(int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)))
    return np.array(colorsys.hls_to_rgb((hue + turn) % 1, light, depth), np.float32) * 255
