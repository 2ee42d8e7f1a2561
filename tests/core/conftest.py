"""The 15 captured models, and references without files."""

import pytest

from refvideo_nb.client.models import captured
from refvideo_nb.core.references import Reference

MODELS = {m.id: m for m in captured().models}


@pytest.fixture(scope="session")
def models():
    return MODELS


@pytest.fixture(scope="session")
def reference():
    """A reference of some kind; a square image of 1 MB unless told otherwise."""

    def make(name="pack", kind="image", **more):
        facts = {"image": {"width": 1024, "height": 1024}, "video": {"seconds": 5.0}, "audio": {"seconds": 5.0}}[kind]
        media_type = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mpeg"}[kind]
        values = {"sha256": "0" * 64, "media_type": media_type, "nbytes": 1_000_000} | facts | more
        return Reference(name=name, kind=kind, **values)

    return make
