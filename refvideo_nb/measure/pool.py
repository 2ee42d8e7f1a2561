"""Unrelated pictures, which tell what similarity is reached by chance.

They are parts of the photographs and drawings that scikit-image and matplotlib bring
along, so that there are some on every machine, without a network. Few as they are, they
stand for "some other thing"; whoever has references of other jobs adds them.
"""

from __future__ import annotations

import importlib.util
import io
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from refvideo_nb.measure.embedders import storage
from refvideo_nb.measure.embedders.runtime import needed
from refvideo_nb.measure.targets import Vectors, embedded
from refvideo_nb.media.images import pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from refvideo_nb.measure.embedders import Embedder

__all__ = ["ENOUGH", "Pool", "bundled", "portraits"]

ENOUGH = 30
"""Pictures below which a note says that chance is told by few: p cannot be below 1 / (1 + K)."""

_SKIMAGE, _MATPLOTLIB = ("skimage", "data"), ("matplotlib", "mpl-data/sample_data")
# A part is x0, y0, x1, y1 in shares of the picture. Different things of one picture are different negatives, but
# are left out together; what is alike in two pictures, such as the flags, is taken once. Mere textures (grass, gravel,
# bricks) are not taken, since nobody gives them as a subject and they are alike to less than photographs of things are.
_PARTS: tuple[tuple[tuple[str, str], str, dict[str, tuple[float, float, float, float]]], ...] = (
    (
        _SKIMAGE,
        "astronaut.png",
        {
            "face": (0.28, 0.0, 0.62, 0.34),
            "shuttle": (0.64, 0.0, 0.96, 0.52),
            "flag": (0.0, 0.0, 0.26, 0.55),
            "helmet": (0.55, 0.62, 1.0, 1.0),
            "suit": (0.15, 0.45, 0.62, 0.95),
            "patch": (0.22, 0.64, 0.44, 0.86),
        },
    ),
    (_SKIMAGE, "camera.png", {"man": (0.1, 0.1, 0.64, 1.0), "skyline": (0.62, 0.34, 1.0, 0.6)}),
    (_SKIMAGE, "cell.png", {"": (0, 0, 1, 1)}),
    (_SKIMAGE, "chelsea.png", {"": (0, 0, 1, 1)}),
    (_SKIMAGE, "clock_motion.png", {"": (0, 0, 1, 1)}),
    (_SKIMAGE, "coffee.png", {"cup": (0.25, 0.0, 0.72, 0.6), "spoon": (0.48, 0.5, 0.76, 0.92)}),
    (_SKIMAGE, "coins.png", {"": (0, 0, 1, 1), "one": (0.78, 0.02, 1.0, 0.3)}),
    (_SKIMAGE, "color.png", {"": (0, 0, 1, 1)}),
    (_SKIMAGE, "horse.png", {"": (0, 0, 1, 1)}),
    (_SKIMAGE, "hubble_deep_field.jpg", {"": (0, 0, 1, 1)}),
    (_SKIMAGE, "ihc.png", {"": (0, 0, 1, 1)}),
    (_SKIMAGE, "logo.png", {"": (0, 0, 1, 1)}),
    (_SKIMAGE, "moon.png", {"": (0, 0, 1, 1)}),
    (
        _SKIMAGE,
        "motorcycle_left.png",
        {
            "": (0.12, 0.25, 0.96, 0.98),
            "engine": (0.38, 0.42, 0.66, 0.82),
            "shelf": (0.15, 0.0, 0.85, 0.26),
            "door": (0.0, 0.0, 0.2, 0.62),
        },
    ),
    (_SKIMAGE, "no_time_for_that_tiny.gif", {"": (0, 0, 1, 1)}),
    (_SKIMAGE, "page.png", {"": (0, 0, 1, 1)}),
    (_SKIMAGE, "phantom.png", {"": (0, 0, 1, 1)}),
    (_SKIMAGE, "retina.jpg", {"": (0, 0, 1, 1)}),
    (_SKIMAGE, "rocket.jpg", {"": (0.4, 0.05, 0.66, 1.0), "tower": (0.18, 0.0, 0.4, 1.0)}),
    (
        _MATPLOTLIB,
        "grace_hopper.jpg",
        {"face": (0.3, 0.08, 0.76, 0.66), "jacket": (0.2, 0.66, 1.0, 1.0), "medals": (0.5, 0.78, 0.86, 0.94)},
    ),
    (_MATPLOTLIB, "Minduka_Present_Blue_Pack.png", {"": (0, 0, 1, 1)}),
    (_MATPLOTLIB, "logo2.png", {"": (0, 0, 1, 1)}),
)
_FACES = ("astronaut.png", "grace_hopper.jpg")


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """Negatives as a network sees them.

    Attributes
    ----------
    names : tuple of str
        Of K pictures, with their origin: ``"skimage/astronaut.png: face"``.
    groups : tuple of str
        What they are parts of; a group is left out as a whole.
    vectors : Vectors
        ``(K, ...)``.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.names)

    def without(self, groups: set[str]) -> Pool:
        """Those of other groups."""
        kept = np.array([group not in groups for group in self.groups], dtype=np.bool_)
        return Pool(
            names=tuple(name for name, keep in zip(self.names, kept, strict=True) if keep),
            groups=tuple(group for group in self.groups if group not in groups),
            vectors=Vectors(coarse=self.vectors.coarse[kept], fine=self.vectors.fine[kept]),
        )

    def __add__(self, other: Pool) -> Pool:
        return Pool(
            names=self.names + other.names,
            groups=self.groups + other.groups,
            vectors=Vectors(
                coarse=np.concatenate([self.vectors.coarse, other.vectors.coarse]),
                fine=np.concatenate([self.vectors.fine, other.vectors.fine]),
            ),
        )


def bundled(embedder: Embedder) -> Pool:
    """The pictures that are on every machine, embedded once and kept in the user's cache.

    Raises
    ------
    MissingDependencyError
        Without scikit-image, which has nearly all of them.
    """
    found = _found()
    digest = sha256(embedder.sha256.encode())
    for name, _, part, file in found:
        digest.update(f"{name} {part} {sha256(file).hexdigest()}\n".encode())
    cache = f"negatives-{digest.hexdigest()[:24]}.npz"
    vectors = _kept(cache, len(found))
    if vectors is None:
        images: dict[str, NDArray[np.uint8]] = {}
        for _, group, _, file in found:
            if group not in images:
                images[group] = pixels(file, name=group)
        vectors = embedded([_cut(images[group], part) for _, group, part, _ in found], embedder)
        _keep(cache, vectors)
    return Pool(names=tuple(name for name, *_ in found), groups=tuple(group for _, group, *_ in found), vectors=vectors)


def portraits() -> list[tuple[str, NDArray[np.uint8]]]:
    """Those of the same pictures that show a face from the front, whole, with their names."""
    files = {group: file for _, group, _, file in _found() if group.endswith(_FACES)}
    return [(group, pixels(file, name=group)) for group, file in files.items()]


def _found() -> list[tuple[str, str, tuple[float, float, float, float], bytes]]:
    """Name, group, part and file of each; distributions that leave sample pictures out have fewer."""
    found = []
    for (package, folder), file, parts in _PARTS:
        spec = importlib.util.find_spec(package)  # found, not imported: only its files are needed
        if spec is None or not spec.submodule_search_locations:
            needed(package)
            continue
        group = f"{package}/{file}"
        try:
            data = (Path(next(iter(spec.submodule_search_locations))) / folder / file).read_bytes()
        except OSError:
            continue
        found += [(f"{group}: {what}" if what else group, group, part, data) for what, part in parts.items()]
    return found


def _cut(image: NDArray[np.uint8], part: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (round(share * side) for share, side in zip(part, (width, height) * 2, strict=True))
    return image[y0:y1, x0:x1]


def _keep(name: str, vectors: Vectors) -> None:
    out = io.BytesIO()
    np.savez(out, coarse=vectors.coarse, fine=vectors.fine)
    data = out.getvalue()
    storage.keep(name, sha256(data).digest() + data)


def _kept(name: str, count: int) -> Vectors | None:
    """What was kept, if it is whole: the first 32 bytes are the hash of the others."""
    try:
        data = (storage.folder() / name).read_bytes()
    except OSError:
        return None
    if sha256(data[32:]).digest() != data[:32]:
        return None
    with np.load(io.BytesIO(data[32:]), allow_pickle=False) as arrays:
        vectors = Vectors(coarse=arrays["coarse"], fine=arrays["fine"])
    return vectors if len(vectors) == count else None
