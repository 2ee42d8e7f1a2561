"""From an order and its pictures to a film and its truth."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from refvideo_nb.simulator.stage.camera import Camera
from refvideo_nb.simulator.stage.casting import cast, fade
from refvideo_nb.simulator.stage.film import FPS, Film
from refvideo_nb.simulator.stage.lettering import Badge
from refvideo_nb.simulator.stage.sound import ambience
from refvideo_nb.simulator.stage.truth import TruthLog

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    import numpy.typing as npt

    from refvideo_nb.simulator.order import Order
    from refvideo_nb.simulator.stage.actor import Drawn
    from refvideo_nb.simulator.stage.sources import Sources

    Picture = npt.NDArray[np.uint8]

_COPY_SECONDS = 0.25
_HELD = 0.35  # seconds for which a first or last frame stands still
_BLEND = 0.6  # seconds in which it gives way to the scene


class Stopped(Exception):  # noqa: N818 - an order from above, not a fault
    """The simulator closes; the film can be made again at the next start."""


def render(order: Order, sources: Sources, path: Path, *, stop: threading.Event) -> dict[str, Any]:
    """Make the film.

    Parameters
    ----------
    path
        Where the MP4 will stand, whole or not at all.
    stop
        Looked at before each frame.

    Returns
    -------
    dict
        The truth, ready for JSON.

    Raises
    ------
    Stopped
        When ``stop`` was set.
    """
    size = (order.width, order.height)
    root = _root(order, sources)
    scene_rng, cast_rng, film_rng, sound_rng = (np.random.default_rng([root, part]) for part in range(4))
    camera = Camera(order, scene_rng)
    actors = cast(sources.images, order.direction, size, camera.light, cast_rng)
    from_back = sorted(range(len(actors)), key=lambda index: (-actors[index].path.depth, index))
    presence = order.direction.presence
    badge = Badge(*size)
    anchors = {name: _cover(image, size) for name, image in sources.frames.items()}
    copied = order.direction.copy_first_frame
    copy = None if copied is None else _cover(sources.images[copied], size)
    log = TruthLog(len(sources.images) + order.dropped_images, *size)
    count = order.duration * FPS
    sound = ambience(order.duration, sound_rng) if order.audio else None
    with Film(path, *size, sound=sound, rng=film_rng) as film:
        for number in range(count):
            if stop.is_set():
                raise Stopped
            seconds = number / FPS
            if copy is not None and seconds < _COPY_SECONDS:
                frame = copy.copy()
                log.note_copy(copied)
            else:
                frame = camera.shoot(seconds)
                drawn: dict[int, Drawn] = {}
                for index in from_back:
                    there = fade(None if presence is None else presence[index], seconds)
                    if there > 0:
                        drawn[index] = actors[index].draw(frame, seconds, there)
                camera.weather(frame, seconds)
                frame = _anchored(frame, anchors, seconds, order.duration)
                log.note(drawn)
            badge.draw(frame)
            film.write(frame)
    return {
        "width": order.width,
        "height": order.height,
        "fps": FPS,
        "frames": count,
        "duration": order.duration,
        "seed": order.seed,
        "copy_first_frame": copied,
        "references": log.tell(),
    }


def _root(order: Order, sources: Sources) -> int:
    """One number out of everything that decides how the film looks: the same request gives the same film."""
    looks = [
        *(order.model, order.prompt, order.width, order.height, order.duration, order.seed),
        sources.digest,
        sorted(sources.frames),
    ]
    return int.from_bytes(hashlib.sha256(json.dumps(looks).encode()).digest()[:8], "big")


def _cover(image: Image.Image, size: tuple[int, int]) -> Picture:
    """A picture that fills the frame, cropped where its proportions differ."""
    ground = Image.new("RGBA", image.size, (127, 127, 127, 255))
    ground.alpha_composite(image)
    return np.array(ImageOps.fit(ground, size, Image.Resampling.LANCZOS))


def _anchored(frame: Picture, anchors: dict[str, Picture], seconds: float, duration: float) -> Picture:
    """The frame with the first or last frame's image over it, as far as it still (or already) stands."""
    for name, distance in (("first_frame", seconds), ("last_frame", duration - 1 / FPS - seconds)):
        if name in anchors:
            share = min(1.0, max(0.0, 1 - (distance - _HELD) / _BLEND))
            weight = round(255 * share * share * (3 - 2 * share))
            if weight:
                mixed = anchors[name].astype(np.uint16) * weight + frame.astype(np.uint16) * (255 - weight)
                frame = (mixed // 255).astype(np.uint8)
    return frame
