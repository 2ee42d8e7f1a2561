"""What a network's ``preprocessor_config.json`` says is to be done to pixels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from refvideo_nb.errors import RefVideoError, one_line
from refvideo_nb.media.scaling import resized

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Pixels", "read_pixels"]

_FILTERS = {2: "bilinear", 3: "bicubic"}  # as Pillow numbers them


class Pixels(msgspec.Struct, frozen=True, kw_only=True):
    """Preprocessing as Hugging Face's image processors write it down.

    Attributes
    ----------
    side : int
        Pixels of the square that the network takes.
    crop : bool
        Whether the middle square is cut out; otherwise a picture is squeezed into it.
    filter : {"bilinear", "bicubic"}
    scale : float
        What pixels from 0 to 255 are multiplied with first.
    mean, spread : tuple of float
        Of red, green and blue, after that: (scale · x - mean) / spread.
    """

    side: int
    crop: bool
    filter: str
    scale: float
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    def __str__(self) -> str:
        how = "middle square, without the margin of its training" if self.crop else "squeezed into a square"
        return (
            f"{how}, {self.filter} to {self.side} x {self.side}; "
            f"({self.scale:.6g} x - {_brief(self.mean)}) / {_brief(self.spread)}"
        )

    def squared(self, images: NDArray[np.uint8], *, threads: int | None) -> NDArray[np.uint8]:
        """The square that the network sees of whole pictures, ``(n, side, side, 3)`` uint8."""
        if self.crop:
            height, width = images.shape[1:3]
            short = min(height, width)
            top, left = (height - short) // 2, (width - short) // 2
            images = images[:, top : top + short, left : left + short]
        return resized(images, width=self.side, height=self.side, interpolation=self.filter, threads=threads)

    def values(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pixels as the network takes them, ``(n, 3, height, width)`` float32."""
        mean, spread = (np.array(three, np.float32)[:, None, None] for three in (self.mean, self.spread))
        planes = images.transpose(0, 3, 1, 2).astype(np.float32)
        planes *= np.float32(self.scale) / spread
        planes -= mean / spread
        return planes


def _brief(three: tuple[float, ...]) -> str:
    return f"{three[0]:g}" if len(set(three)) == 1 else "(" + ", ".join(f"{x:.4g}" for x in three) + ")"


def read_pixels(path: Path) -> Pixels:
    """The preprocessing of a ``preprocessor_config.json``.

    Raises
    ------
    RefVideoError
        Naming what is missing in it or cannot be done.
    """
    try:
        config = json.loads(path.read_text("utf-8"))
        crop = bool(config.get("do_center_crop", False))
        mean, spread = (
            tuple(float(x) for x in config[key]) if config.get("do_normalize", True) else (default,) * 3
            for key, default in (("image_mean", 0.0), ("image_std", 1.0))
        )
        pixels = Pixels(
            side=_side(config["crop_size"] if crop else config["size"]),
            crop=crop,
            filter=_FILTERS[config.get("resample", 2)],
            scale=float(config.get("rescale_factor", 1 / 255)) if config.get("do_rescale", True) else 1.0,
            mean=mean,
            spread=spread,
        )
        if len(mean) != 3 or len(spread) != 3 or 0 in spread:  # noqa: PLR2004 - red, green, blue
            raise ValueError("image_mean and image_std must be three numbers each")
    except OSError as error:
        raise RefVideoError(f"{path} cannot be read ({error.strerror}): a network's folder needs it") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        what = (
            f"{error} is missing or none that is known" if isinstance(error, KeyError) else one_line(error, limit=120)
        )
        raise RefVideoError(f"{path} does not say what to do to pixels ({what})") from None
    return pixels


def _side(size: Any) -> int:
    """The side of the square; ``{"shortest_edge": 224}`` and ``{"height": 224, "width": 224}`` both say 224."""
    if isinstance(size, dict):
        sides = {int(size[key]) for key in ("height", "width", "shortest_edge") if key in size}
    else:
        sides = {int(size)}
    if len(sides) != 1 or min(sides) < 1:
        raise ValueError(f"it takes {size}; only squares are known")
    return sides.pop()
