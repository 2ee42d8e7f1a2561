"""Cutting a reference's subject out of its picture, with nothing but numpy.

What a border shares with itself is background; what differs from it near the middle is the subject. Where that is
not clear cut, a soft superellipse around the most telling region stands in: less pretty, never wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    import numpy.typing as npt

_SIDE = 96  # pixels of the picture in which the subject is looked for
_CLEAR = (0.06, 0.62)  # a silhouette that fills less or more of the picture is not believed
_MOST_BORDER = 0.25  # nor one that covers more of the picture's border
_SOLID = 0.82  # nor one with deep bays: half a person is worse than an oval
_PLAIN = 0.6  # nor one before a background that is nearly as various as the subject is different
_FLAT = 6  # of 255: a picture with less difference in it has nothing to be found
_LONGEST = 1.35  # a cameo's longer side over its shorter one
_EXPONENT = 3.2  # of the superellipse: between an ellipse (2) and a box


def cut_out(picture: Image.Image) -> Image.Image:
    """The subject as RGBA, cropped to what is visible of it.

    Parameters
    ----------
    picture
        RGBA; transparency that is already there is taken as the silhouette.
    """
    alpha = picture.getchannel("A")
    if np.asarray(alpha).min() < 128 and alpha.getbbox() is not None:  # noqa: PLR2004 - half transparent
        return picture.crop(alpha.getbbox())
    silhouette = _silhouette(picture)
    if silhouette is None:
        return cameo(picture)
    cut = picture.copy()
    cut.putalpha(silhouette)
    box = silhouette.point(lambda value: 255 if value > 24 else 0).getbbox()  # noqa: PLR2004 - just visible
    return cut.crop(box)


def superellipse(width: int, height: int, *, edge: float = 0.09) -> npt.NDArray[np.float32]:
    """A soft-edged mask, (height, width) float32 in 0..1; ``edge`` is the soft part as a share of the radius."""
    y = np.abs(np.linspace(-1, 1, height, dtype=np.float32))[:, None]
    x = np.abs(np.linspace(-1, 1, width, dtype=np.float32))[None]
    radius = (x**_EXPONENT + y**_EXPONENT) ** (1 / _EXPONENT)
    ramp = np.clip((1 - radius) / edge, 0, 1)
    return (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)


def cameo(picture: Image.Image, ratio: float | None = None) -> Image.Image:
    """The picture's most telling part within a superellipse, RGBA.

    Parameters
    ----------
    ratio
        Width over height; by default the picture's own, but drawn towards a square: a strip would be a strange
        thing to see walk about.
    """
    width, height = picture.size
    if ratio is None:
        ratio = min(max(width / height, 1 / _LONGEST), _LONGEST)
    new_width, new_height = min(width, round(height * ratio)), min(height, round(width / ratio))
    x, y = _centre_of_interest(picture)
    left = min(max(round(x * width - new_width / 2), 0), width - new_width)
    top = min(max(round(y * height - new_height / 2), 0), height - new_height)
    part = picture.crop((left, top, left + new_width, top + new_height))
    part.putalpha(Image.fromarray((superellipse(new_width, new_height) * 255).astype(np.uint8)))
    return part


def _small(picture: Image.Image) -> npt.NDArray[np.float32]:
    small = picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(small.filter(ImageFilter.GaussianBlur(1)), np.float32)


def _centre_of_interest(picture: Image.Image) -> tuple[float, float]:
    """Where edges are densest, as shares of width and height, drawn half-way to the middle."""
    grey = _small(picture).mean(axis=2)
    down, across = np.gradient(grey)
    energy = np.hypot(down, across) + 1e-3
    places = np.linspace(0, 1, _SIDE)
    x = float((energy.sum(axis=0) * places).sum() / energy.sum())
    y = float((energy.sum(axis=1) * places).sum() / energy.sum())
    return (x + 0.5) / 2, (y + 0.5) / 2


def _silhouette(picture: Image.Image) -> Image.Image | None:
    """A mask of the picture's size, or None where no clear silhouette was found."""
    small = _small(picture)
    difference = _difference_from_border(small)
    if np.ptp(difference) < _FLAT:
        return None
    threshold = _otsu(difference)
    border = _rim(difference)
    mask = difference > threshold
    blob = _grow(_seed(mask), mask)
    blob = ~_grow(_frame(blob), ~blob)  # what the outside cannot reach is inside: holes are filled
    share = float(blob.mean())
    clear = _CLEAR[0] <= share <= _CLEAR[1] and _rim(blob).mean() <= _MOST_BORDER
    if not clear or _solidity(blob) < _SOLID or np.quantile(border, 0.85) > threshold * _PLAIN:
        return None
    mask_image = Image.fromarray((blob * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1.2))
    large = mask_image.resize(picture.size, Image.Resampling.BICUBIC)
    return large.point(lambda value: max(0, min(255, round((value - 96) * 255 / 96))))


def _difference_from_border(small: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How far each pixel's colour is from the nearest of the border's main colours."""
    border = np.concatenate([small[:3].reshape(-1, 3), small[:, :3].reshape(-1, 3), small[:, -3:].reshape(-1, 3)])
    centres = border[np.linspace(0, len(border) - 1, 5).astype(int)]
    for _ in range(8):  # k-means, from fixed starts: the same picture has to give the same silhouette
        nearest = ((border[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        centres = np.stack(
            [border[nearest == k].mean(axis=0) if (nearest == k).any() else centres[k] for k in range(len(centres))]
        )
    far = ((small[:, :, None] - centres[None, None]) ** 2).sum(axis=3).min(axis=2)
    return np.asarray(np.sqrt(far), np.float32)


def _otsu(values: npt.NDArray[np.float32]) -> float:
    """The threshold that parts values into the two most different groups."""
    counts, edges = np.histogram(values, bins=64)
    middles = (edges[1:] + edges[:-1]) / 2
    low = np.cumsum(counts)
    high = low[-1] - low
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = low * high * (sums / low - (sums[-1] - sums) / high) ** 2
    return float(middles[int(np.nanargmax(between[:-1]))])


def _rim(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The outermost pixels of all four sides, one after another."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _solidity(blob: npt.NDArray[np.bool_]) -> float:
    """The blob's share of itself with its bays filled, along rows and along columns."""
    spans = [
        np.maximum.accumulate(blob, axis) & np.flip(np.maximum.accumulate(np.flip(blob, axis), axis), axis)
        for axis in (0, 1)
    ]
    return float(blob.sum() / max((spans[0] & spans[1]).sum(), 1))


def _seed(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The mask's part in the middle of the picture, from which the subject is grown."""
    seed = np.zeros_like(mask)
    third = _SIDE // 3
    seed[third:-third, third:-third] = mask[third:-third, third:-third]
    return seed


def _frame(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The picture's outermost pixels where the mask is not."""
    frame = np.zeros_like(mask)
    frame[0], frame[-1], frame[:, 0], frame[:, -1] = True, True, True, True
    return frame & ~mask


def _grow(seed: npt.NDArray[np.bool_], within: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Everything in ``within`` that is connected with the seed."""
    grown = seed & within
    while True:
        wider = grown.copy()
        wider[1:] |= grown[:-1]
        wider[:-1] |= grown[1:]
        wider[:, 1:] |= grown[:, :-1]
        wider[:, :-1] |= grown[:, 1:]
        wider &= within
        if wider.sum() == grown.sum():
            return grown
        grown = wider
