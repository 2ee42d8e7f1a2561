"""After an upgrade of Pillow the same picture is the same reference, so that Run All pays nothing again."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from refvideo_nb.core.catalogue import ImageLimits
from refvideo_nb.core.references import Reference
from refvideo_nb.engine.intake import Named, take_in
from refvideo_nb.ledger.media import MediaStore

pytestmark = pytest.mark.anyio

PIXELS = np.random.default_rng(0).integers(0, 256, (80, 60, 3), np.uint8)
PICTURE = Image.fromarray(PIXELS)


def file(kind: str, picture: Image.Image = PICTURE, **how: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def turned() -> bytes:
    exif = PICTURE.getexif()
    exif[0x0112] = 6
    return file("JPEG", exif=exif)


SOURCES = {
    "array": PIXELS,
    "image": PICTURE,
    "image with a palette": PICTURE.quantize(16),
    "TIFF": file("TIFF"),
    "turned": turned(),
    "too large": file("PNG", PICTURE.resize((400, 300))),
    "too large an array": np.zeros((300, 400, 3), np.uint8) + PIXELS[0, 0],
    "as it came": file("JPEG"),
}


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path)


async def taken(source: Any, store: MediaStore, *, side: int = 200) -> Reference:
    return await take_in(Named("x", source, given=True), store, limits=ImageLimits(max_side=side))


@pytest.fixture
def upgrade(monkeypatch: pytest.MonkeyPatch) -> Any:
    def upgraded() -> None:
        save = Image.Image.save
        other = {"PNG": {"compress_level": 1}, "JPEG": {"quality": 50, "exif": b""}}
        monkeypatch.setattr(
            Image.Image, "save", lambda self, to, kind, **how: save(self, to, kind, **how | other[kind])
        )

    return upgraded


@pytest.mark.parametrize("what", SOURCES)
async def test_the_same_picture_is_the_same_reference(
    what: str, store: MediaStore, upgrade: Any, tmp_path: Path
) -> None:
    before = await taken(SOURCES[what], store)
    upgrade()
    assert await taken(SOURCES[what], store) == before
    assert store.read(before) is not None
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    forgotten = await taken(SOURCES[what], store)
    assert (forgotten.sha256 == before.sha256) is (what == "as it came"), "the upgrade shows nothing"


async def test_another_picture_or_limit_is_another_reference(store: MediaStore) -> None:
    found = [await taken(source, store) for source in (PIXELS, PIXELS[::-1], PIXELS[:60], PIXELS.reshape(60, 80, 3))]
    found.append(await taken(PIXELS, store, side=50))
    assert len({r.sha256 for r in found}) == 5


async def test_what_is_noted_is_not_believed_without_its_bytes(store: MediaStore, tmp_path: Path) -> None:
    before = await taken(PIXELS, store)
    (note,) = (tmp_path / "cache" / "prepared").iterdir()
    for told in (b"", b"{}", note.read_bytes().replace(before.sha256.encode(), b"../../x"), b"\xff"):
        note.write_bytes(told)
        assert await taken(PIXELS, store) == before
    store.path(before.sha256, before.media_type).write_bytes(b"something else")
    assert await taken(PIXELS, store) == before
    assert store.read(before) is not None
