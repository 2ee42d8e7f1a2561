"""A request that was understood and accepted: everything that decides what the film looks like and costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["image", "video", "audio"]
Intervals = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Something to fetch: a reference or a frame image.

    Parameters
    ----------
    name
        What an error text calls it: "Reference 2", "Frame image first_frame".
    """

    name: str
    kind: Kind
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """The truth that a measurement asked for; everything left out is chosen from the seed.

    Parameters
    ----------
    presence
        For each image reference the ``[start, end)`` intervals in seconds in which it is visible.
    area
        For each image reference its share of the frame, 0.005 to 0.6.
    strength
        How far each reference keeps its own look, 0 to 1.
    copy_first_frame
        The image reference that fills the first quarter of a second, as a copying model would; None for none.
    """

    presence: tuple[Intervals, ...] | None = None
    area: tuple[float, ...] | None = None
    strength: float = 0.85
    copy_first_frame: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One accepted request.

    Parameters
    ----------
    width, height
        Pixels, both even.
    duration
        Seconds.
    references
        Every reference that the model honours, in the request's order.
    dropped_images
        Image references that the model ignores without a word.
    frames
        Images for "first_frame" and "last_frame".
    """

    model: str
    prompt: str
    resolution: str
    width: int
    height: int
    duration: int
    audio: bool
    seed: int | None
    references: tuple[Material, ...] = ()
    dropped_images: int = 0
    frames: tuple[tuple[str, Material], ...] = ()
    direction: Direction = Direction()

    @property
    def images(self) -> tuple[Material, ...]:
        """The image references, in order."""
        return tuple(each for each in self.references if each.kind == "image")
