"""Photographs of scikit-image, the offline network, and a cache of the tests' own."""

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
