"""The models on offer: the captured list, and what providers allow but the list does not say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Self

# The API's list has no field for references. These are the providers' own limits on reference images; 0 stands for
# a model that works from frames alone, where references are dropped without a word.
_MOST_IMAGES = {
    "bytedance/seedance-2.5": 30,
    "bytedance/seedance-2.0": 9,
    "bytedance/seedance-2.0-fast": 9,
    "alibaba/wan-3.0": 10,
    "alibaba/wan-2.7": 5,
    "alibaba/happyhorse-1.1": 9,
    "x-ai/grok-imagine-video": 7,
    "google/veo-3.1": 3,
    "google/veo-3.1-fast": 3,
    "kwaivgi/kling-video-o1": 7,
    "kwaivgi/kling-v3.0-std": 0,
    "runway/gen-4.5": 0,
}
# With references these go on for less long than without: seconds.
_LONGEST_WITH_REFERENCES = {"x-ai/grok-imagine-video": 10}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one model takes; ``None`` stands for "the list does not say"."""

    id: str
    resolutions: tuple[str, ...]
    aspect_ratios: tuple[str, ...]
    sizes: tuple[str, ...]
    durations: tuple[int, ...]
    frame_types: tuple[str, ...]
    audio: bool
    seed: bool
    skus: dict[str, str]
    passthrough: tuple[str, ...]

    @classmethod
    def from_listing(cls, row: dict[str, Any]) -> Self:
        """Read one row of the captured list."""
        return cls(
            id=row["id"],
            resolutions=tuple(row["supported_resolutions"] or ()),
            aspect_ratios=tuple(row["supported_aspect_ratios"] or ()),
            sizes=tuple(row["supported_sizes"] or ()),
            durations=tuple(row["supported_durations"] or ()),
            frame_types=tuple(row["supported_frame_images"] or ()),
            audio=row["generate_audio"] is True,
            seed=row["seed"] is True,
            skus=dict(row["pricing_skus"] or {}),
            passthrough=tuple(row["allowed_passthrough_parameters"]),
        )

    @property
    def most_images(self) -> int | None:
        """How many reference images the provider takes; None where nobody published it."""
        return _MOST_IMAGES.get(self.id)

    @property
    def longest_with_references(self) -> int | None:
        """The longest clip in seconds that the provider makes from references; None for no special limit."""
        return _LONGEST_WITH_REFERENCES.get(self.id)

    @property
    def hears_and_sees(self) -> bool:
        """Whether video and audio references are honoured; all others take images and ignore the rest."""
        return self.id.startswith("bytedance/seedance-")


@cache
def listing() -> dict[str, Any]:
    """The answer of ``GET /videos/models``."""
    text = (files("refvideo_nb") / "data" / "captured_models.json").read_text(encoding="utf-8")
    return {"data": json.loads(text)["data"]}


@cache
def models() -> dict[str, Model]:
    """Every model by its id."""
    return {row["id"]: Model.from_listing(row) for row in listing()["data"]}
