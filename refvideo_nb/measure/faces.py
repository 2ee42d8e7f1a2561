"""Faces as an option: found and compared by dlib, whose two packages are an extra of their own.

A person's clothes and hair decide what an image network says of them; whether it is the
same person is a question for a network that was trained on just that.
"""

from __future__ import annotations

import importlib.util
import threading
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from refvideo_nb.core.optional import needed
from refvideo_nb.errors import BadReferenceError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["SAME_PERSON", "SPREAD", "Faces", "find_faces"]

SAME_PERSON = 0.4
"""Similarity from which on two faces are one person's: dlib's own limit, a distance of 0.6."""
SPREAD = 2.5
"""Standard deviations between other people's mean and that limit: about 0.6 % of them are beyond it (dlib, on LFW)."""

_WHAT, _EXTRA = "comparing faces", "faces"
_DETECTOR, _LANDMARKS = "frontal faces by HOG, pictures twice as large", "shape_predictor_5_face_landmarks.dat"
_NETWORK = "dlib_face_recognition_resnet_model_v1.dat"
_SURE = 0.2  # of the detector's score: what is fainter is more often a crest or a badge
_DESCRIPTOR = 128


class Faces:
    """dlib's detector of frontal faces and its network for them (King, 2017), ready to be asked.

    Similarity is 1 - ‖a - b‖ of two descriptors, at least 0: 1 for the same picture, 0.4 at
    dlib's limit for one person, 0 where there is no face.

    Raises
    ------
    MissingDependencyError
        With the command that installs both packages.
    """

    name = "dlib-resnet-v1"

    def __init__(self) -> None:
        dlib = needed("dlib", what=_WHAT, extra=_EXTRA)
        spec = importlib.util.find_spec("face_recognition_models")  # found, not imported: it asks for setuptools
        if spec is None or not spec.submodule_search_locations:
            needed("face_recognition_models", what=_WHAT, extra=_EXTRA)
            raise AssertionError
        folder = Path(next(iter(spec.submodule_search_locations))) / "models"
        # dlib keeps its working memory in these objects: two threads that ask at once end the process.
        self._turn = threading.Lock()
        self._detector = dlib.get_frontal_face_detector()
        self._landmarks = dlib.shape_predictor(str(folder / _LANDMARKS))
        self._network = dlib.face_recognition_model_v1(str(folder / _NETWORK))
        digest = sha256(_DETECTOR.encode())
        for file in (_LANDMARKS, _NETWORK):
            digest.update((folder / file).read_bytes())
        self.sha256 = digest.hexdigest()

    def find(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The faces of a picture, the surest first.

        Parameters
        ----------
        image : ndarray
            ``(height, width, 3)`` uint8; faces of 40 pixels and more are found.

        Returns
        -------
        boxes : ndarray
            ``(n, 4)`` float32: x0, y0, x1, y1 in pixels, within the picture.
        descriptors : ndarray
            ``(n, 128)`` float32.
        """
        image = np.ascontiguousarray(image)
        with self._turn:
            places, scores, _ = self._detector.run(image, 1, _SURE)
            order = np.argsort([-score for score in scores], kind="stable")
            boxes = [_box(places[at]) for at in order]
            descriptors = [
                np.array(self._network.compute_face_descriptor(image, self._landmarks(image, places[at])))
                for at in order
            ]
        high, wide = image.shape[:2]
        return (
            np.clip(np.reshape(boxes, (-1, 4)), 0, [wide, high] * 2).astype(np.float32),
            np.reshape(descriptors, (-1, _DESCRIPTOR)).astype(np.float32),
        )

    def of(self, images: Sequence[NDArray[np.uint8]], *, name: str) -> NDArray[np.float32]:
        """The surest face of each picture of one person, ``(pictures, 128)`` float32.

        Raises
        ------
        BadReferenceError
            Where one shows no face.
        """
        found = [self.find(image)[1][:1] for image in images]
        if any(not len(one) for one in found):
            raise BadReferenceError(
                f"reference {one_line(name, limit=80)!r} has the role face, but a frontal face is not found in it: "
                "give another picture, or measure it as a subject",
                field="references",
                value=name,
            )
        return np.concatenate(found)

    @staticmethod
    def alike(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(n, m)`` float32: of descriptors ``(n, 128)`` to ``(m, 128)``; zeros are no face, and like none."""
        apart = np.linalg.norm(a[:, None] - b, axis=2)
        there = np.any(a, axis=1)[:, None] & np.any(b, axis=1)
        return np.where(there, np.maximum(0, 1 - apart), 0).astype(np.float32)


def _box(place: Any) -> tuple[int, int, int, int]:
    return place.left(), place.top(), place.right(), place.bottom()


@lru_cache(maxsize=1)
def find_faces() -> Faces:
    """The same again: loading takes a second."""
    return Faces()
