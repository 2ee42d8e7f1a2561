"""Subjects: parts of the photographs that scikit-image and matplotlib bring along, and other views of them."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from PIL import Image
from skimage import data

__all__ = ["SUBJECTS", "ground", "jpeg", "lit", "other_view", "reference"]

# x0, y0, x1, y1 in shares of the picture; each subject is another thing.
SUBJECTS = {
    "woman": ("astronaut", (0.2, 0.0, 0.7, 0.5)),
    "shuttle": ("astronaut", (0.62, 0.0, 1.0, 0.5)),
    "flag": ("astronaut", (0.0, 0.0, 0.26, 0.55)),
    "helmet": ("astronaut", (0.55, 0.6, 1.0, 1.0)),
    "photographer": ("camera", (0.1, 0.05, 0.75, 1.0)),
    "cells": ("cell", (0, 0, 1, 1)),
    "cat": ("chelsea", (0.15, 0.0, 0.85, 1.0)),
    "clock": ("clock", (0.1, 0.0, 0.9, 1.0)),
    "cup": ("coffee", (0.25, 0.0, 0.72, 0.62)),
    "coins": ("coins", (0, 0, 1, 1)),
    "horse": ("horse", (0, 0, 1, 1)),
    "galaxies": ("hubble_deep_field", (0.2, 0.2, 0.8, 0.8)),
    "tissue": ("immunohistochemistry", (0, 0, 1, 1)),
    "snake": ("logo", (0, 0, 1, 1)),
    "moon": ("moon", (0.1, 0.1, 0.9, 0.9)),
    "motorcycle": ("motorcycle_left", (0.1, 0.2, 0.98, 1.0)),
    "page": ("page", (0, 0, 1, 1)),
    "eye": ("retina", (0, 0, 1, 1)),
    "rocket": ("rocket", (0.4, 0.0, 0.66, 1.0)),
    "officer": ("grace_hopper.jpg", (0.2, 0.0, 0.9, 0.75)),
    "pack": ("Minduka_Present_Blue_Pack.png", (0, 0, 1, 1)),
}


def reference(name: str) -> np.ndarray:
    """The picture that a subject is given by, ``(height, width, 3)`` uint8."""
    picture, part = SUBJECTS[name]
    return _cut(_picture(picture), part)


def other_view(name: str, random: np.random.Generator) -> np.ndarray:
    """The subject seen from elsewhere, in other light, cut otherwise; the motorcycle by its second camera.

    A perspective of up to 12 % of its sides at each corner, turned by up to 8 degrees, cut by up
    to 15 %, half of them mirrored, brightness 0.7 to 1.25, gamma 0.8 to 1.25, JPEG.
    """
    picture, part = SUBJECTS[name]
    view = _cut(_picture("motorcycle_right" if name == "motorcycle" else picture), part)
    height, width = view.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    turned = corners + random.uniform(-0.12, 0.12, (4, 2)).astype(np.float32) * (width, height)
    angle, middle = np.radians(random.uniform(-8, 8)), np.array([width, height], np.float32) / 2
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
    turned = ((turned - middle) @ rotation.T + middle).astype(np.float32)
    transform = cv2.getPerspectiveTransform(corners, turned)
    view = cv2.warpPerspective(view, transform, (width, height), borderMode=cv2.BORDER_REFLECT)
    share = random.uniform(0.85, 1)
    top, left = (int(random.uniform(0, side * (1 - share))) for side in (height, width))
    view = view[top : top + round(height * share), left : left + round(width * share)]
    view = view[:, ::-1] if random.random() < 0.5 else view
    return jpeg(lit(view, random.uniform(0.7, 1.25), random.uniform(0.8, 1.25)), int(random.integers(60, 95)))


def lit(
    image: np.ndarray, gain: float, gamma: float = 1.0, colour: tuple[float, float, float] = (1, 1, 1)
) -> np.ndarray:
    """In other light."""
    return np.clip(255 * (image / 255.0) ** gamma * gain * np.array(colour), 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    """Compressed, and back."""
    packed = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(packed, "JPEG", quality=quality)
    return np.asarray(Image.open(packed))


def ground(name: str, width: int, height: int) -> np.ndarray:
    """A photograph that fills a frame behind the subjects."""
    image = Image.fromarray(_picture(name)).convert("RGB")
    scale = max(width / image.width, height / image.height)
    large = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    return np.asarray(large)[:height, :width]


@cache
def _picture(name: str) -> np.ndarray:
    if "." in name:
        with Image.open(Path(mpl.get_data_path()) / "sample_data" / name) as file:
            return np.asarray(file.convert("RGB"))
    if name.startswith("motorcycle"):
        return data.stereo_motorcycle()[name.endswith("right")]
    image = np.asarray(getattr(data, name)())
    image = image.astype(np.uint8) * 255 if image.dtype == bool else image
    return np.stack([image] * 3, axis=-1) if image.ndim == 2 else image[..., :3]


def _cut(image: np.ndarray, part: tuple[float, float, float, float]) -> np.ndarray:
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (round(share * side) for share, side in zip(part, (width, height) * 2, strict=True))
    return np.ascontiguousarray(image[y0:y1, x0:x1])
