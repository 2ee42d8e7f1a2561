"""Photographs of scikit-image, the offline network, and a cache of the tests' own."""

from fractions import Fraction

import av
import numpy as np
import pytest
from skimage import data

from refvideo_nb.measure.embedders import find_embedder, storage


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache") / "networks"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "folder", lambda: folder)
        yield folder


@pytest.fixture(scope="session")
def lite0():
    return find_embedder(threads=2)


@pytest.fixture(scope="session")
def cat():
    """(300, 451, 3) uint8."""
    return data.chelsea()


@pytest.fixture(scope="session")
def coffee():
    """(400, 600, 3) uint8."""
    return data.coffee()


@pytest.fixture(scope="session")
def photographs():
    """20 pictures that scikit-image brings along, by name, each (height, width, 3) uint8; two show one motorcycle."""
    names = (
        "astronaut brick camera cell chelsea clock coffee coins grass gravel horse hubble_deep_field "
        "immunohistochemistry logo moon page retina rocket"
    )
    found = {name: np.asarray(getattr(data, name)()) for name in names.split()}
    found["left"], found["right"], _ = data.stereo_motorcycle()
    return {name: _in_colour(image) for name, image in found.items()}


def _in_colour(image):
    image = image.astype(np.uint8) * 255 if image.dtype == bool else image
    return np.stack([image] * 3, axis=-1) if image.ndim == 2 else np.ascontiguousarray(image[..., :3])


@pytest.fixture(scope="session")
def filmed(tmp_path_factory):
    """Write frames, ``(height, width, 3)`` uint8 each, as a film."""

    def write(frames, *, fps=4):
        path = tmp_path_factory.mktemp("films") / "film.mp4"
        height, width = frames[0].shape[:2]
        with av.open(str(path), "w") as target:
            track = target.add_stream("libx264", rate=fps)
            track.width, track.height, track.pix_fmt = width, height, "yuv420p"
            track.options = {"crf": "18"}
            for number, frame in enumerate(frames):
                shown = av.VideoFrame.from_ndarray(frame, format="rgb24")
                shown.pts, shown.time_base = number, Fraction(1, fps)
                target.mux(track.encode(shown))
            target.mux(track.encode(None))
        return path

    return write
