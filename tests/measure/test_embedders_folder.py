"""Networks of a folder: what they are told of pixels, and what is made of their answers."""

import json
from pathlib import Path

import numpy as np
import pytest

from refvideo_nb.errors import MissingDependencyError, RefVideoError
from refvideo_nb.measure.embedders import Embedder, find_embedder
from refvideo_nb.measure.embedders.folder import FolderEmbedder
from refvideo_nb.measure.embedders.graph import Graph
from refvideo_nb.measure.targets import Given
from refvideo_nb.measure.video import measure_video

CONFIG = {
    "do_center_crop": True,
    "crop_size": {"height": 32, "width": 32},
    "size": {"shortest_edge": 36},
    "resample": 3,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.2, 0.25, 0.3],
}
SQUEEZED = CONFIG | {"do_center_crop": False, "size": {"height": 32, "width": 32}}


def network(kind, *, side=None):
    """A network whose answers can be computed by hand: the mean colour of each patch of 8 x 8 pixels.

    `kind` is what it gives: tokens behind a class token (their mean), a map, a vector alone,
    or tokens and a named embedding.
    """
    graph = Graph(kind)
    x = graph.takes("pixel_values", "float32", ("n", 3, side or "height", side or "width"))
    kernel = np.zeros((3, 3, 8, 8), np.float32)
    for colour in range(3):
        kernel[colour, colour] = 1 / 64
    patches = graph.node("Conv", [x, graph.constant(kernel)], kernel_shape=(8, 8), strides=(8, 8))
    mean = graph.node("ReduceMean", [patches], axes=(2, 3), keepdims=0)
    if kind == "map":
        graph.gives(patches, "answer", "float32", ("n", 3, "rows", "columns"))
    if kind in {"vector", "both"}:
        graph.gives(mean, "image_embeds" if kind == "both" else "answer", "float32", ("n", 3))
    if kind in {"tokens", "both"}:
        tokens = graph.node("Reshape", [patches, graph.constant(np.array([0, 3, -1], np.int64))])
        tokens = graph.node("Transpose", [tokens], perm=(0, 2, 1))
        first = graph.node("ReduceMean", [tokens], axes=(1,), keepdims=1)
        tokens = graph.node("Concat", [first, tokens], axis=1)
        graph.gives(tokens, "last_hidden_state", "float32", ("n", "t", 3))
    return graph.model()


@pytest.fixture
def folder(tmp_path):
    def make(kind="tokens", *, side=None, config=CONFIG, file="model.onnx"):
        place = tmp_path / "a network"
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        (place / file).write_bytes(network(kind, side=side))
        (place / "preprocessor_config.json").write_text(config if isinstance(config, str) else json.dumps(config))
        return place

    return make


@pytest.fixture(scope="session")
def quarters():
    """64 x 128 pixels of eight colours, one each 32 pixels."""
    colours = np.random.default_rng(0).integers(0, 256, (2, 4, 3), dtype=np.uint8)
    return colours, colours.repeat(32, axis=0).repeat(32, axis=1)


def told(colours):
    """What the configuration above makes of colours."""
    return (colours / 255 - np.array([0.5, 0.4, 0.3])) / np.array([0.2, 0.25, 0.3])


def one(vector):
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("file", ["model.onnx", "onnx/model.onnx", "vision_model.onnx", "onnx/vision_model.onnx"])
def test_a_folder_is_an_embedder(folder, file, quarters):
    embedder = find_embedder(folder(file=file))
    assert isinstance(embedder, Embedder)
    assert (embedder.name, embedder.side) == ("a network", 32)
    assert embedder.preprocessing.startswith("middle square, without the margin of its training, bicubic to 32 x 32")
    colours, image = quarters
    square = np.ascontiguousarray(image[:32, :32])
    assert embedder.embed(square[None])[0] == pytest.approx(one(told(colours[0, 0])), abs=1e-4)
    assert find_embedder(str(folder(file=file))).sha256 == embedder.sha256


@pytest.mark.parametrize("kind", ["tokens", "map", "vector", "both"])
@pytest.mark.parametrize("side", [None, 32])
def test_the_embedding_of_each_kind(folder, kind, side, quarters):
    colours, image = quarters
    embedder = FolderEmbedder(folder(kind, side=side, config=SQUEEZED), threads=1)
    vectors = embedder.embed(np.stack([image, image[::-1]]))
    assert vectors.shape == (2, 3)
    assert vectors.dtype == np.float32
    assert vectors[0] == pytest.approx(one(told(colours.mean(axis=(0, 1)))), abs=0.02)


@pytest.mark.parametrize(
    ("kind", "side", "cells"),
    [
        ("tokens", None, (8, 16)),
        ("tokens", 32, (8, 16)),
        ("map", None, (8, 16)),
        ("both", 32, (8, 16)),
        ("vector", 32, (4, 8)),
    ],
)
def test_the_map_of_each_kind(folder, kind, side, cells, quarters):
    colours, image = quarters
    embedder = FolderEmbedder(folder(kind, side=side, config=SQUEEZED), threads=1)
    seen = embedder.features(np.stack([image, image[:, ::-1]]))
    assert seen.values.shape == (2, *cells, 3)
    times = cells[0] // 2
    expected = told(colours).repeat(times, axis=0).repeat(times, axis=1)
    if kind == "vector":
        expected /= np.linalg.norm(expected, axis=-1, keepdims=True)
    assert np.abs(seen.values[0] - expected).max() < 0.01
    assert np.abs(seen.values[1] - expected[:, ::-1]).max() < 0.01
    assert seen.boxes(np.array([times, 0, 2 * times, times])).tolist() == [32, 0, 64, 32]


@pytest.mark.parametrize("side", [None, 32])
def test_a_map_of_a_picture_that_does_not_fit(folder, side, coffee):
    seen = FolderEmbedder(folder(side=side), threads=1).features(coffee[None, :101, :203])
    assert seen.boxes(np.array([0, 0, seen.values.shape[2], seen.values.shape[1]])).tolist() == [0, 0, 203, 101]
    assert seen.step_x == pytest.approx(8, abs=1)
    assert seen.step_y == pytest.approx(8, abs=1)


def test_the_middle_square_or_all_of_it(folder, quarters):
    _, image = quarters
    changed = image.copy()
    changed[:, :30] = 255 - changed[:, :30]
    middle, all_ = (FolderEmbedder(folder(config=config), threads=1) for config in (CONFIG, SQUEEZED))
    assert np.array_equal(middle.embed(image[None]), middle.embed(changed[None]))
    assert not np.allclose(all_.embed(image[None]), all_.embed(changed[None]), atol=0.01)
    assert middle.sha256 != all_.sha256


def test_weights_and_pixels_make_the_identity(folder):
    first = FolderEmbedder(folder()).sha256
    assert FolderEmbedder(folder()).sha256 == first
    assert FolderEmbedder(folder(config=CONFIG | {"image_mean": [0.5] * 3})).sha256 != first
    assert FolderEmbedder(folder("both")).sha256 != first
    (folder() / "model.onnx_data").write_bytes(b"weights that stand beside")
    assert FolderEmbedder(folder()).sha256 != first


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("", "what to do to pixels"),
        ("[]", "what to do to pixels"),
        (CONFIG | {"crop_size": {"height": 32, "width": 48}}, "only squares"),
        (CONFIG | {"image_std": [0, 1, 1]}, "three numbers"),
        (CONFIG | {"image_mean": [0.5]}, "three numbers"),
        (CONFIG | {"resample": 1}, "1 is missing or none"),
        ({"do_center_crop": False}, "'image_mean' is missing"),
    ],
)
def test_a_configuration_that_cannot_be_used(folder, config, says):
    with pytest.raises(RefVideoError, match=says) as caught:
        FolderEmbedder(folder(config=config))
    assert "preprocessor_config.json" in str(caught.value)


def test_pixels_may_stay_as_they_are(folder, quarters):
    colours, image = quarters
    plain = {"size": 32, "do_rescale": False, "do_normalize": False}
    embedder = FolderEmbedder(folder(config=plain))
    assert embedder.embed(image[None, :32, :32])[0] == pytest.approx(one(colours[0, 0].astype(float)), abs=1e-4)


def test_a_folder_without_a_network(folder, tmp_path):
    with pytest.raises(RefVideoError, match=r"one of model.onnx, onnx/model.onnx, vision_model.onnx"):
        find_embedder(tmp_path)
    place = folder()
    (place / "preprocessor_config.json").unlink()
    with pytest.raises(RefVideoError, match="a network's folder needs it"):
        find_embedder(place)
    (folder() / "model.onnx").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(RefVideoError, match="no model that onnxruntime can run"):
        find_embedder(place)


def test_a_network_of_something_else(folder):
    place = folder()
    for shapes in ((("n", 3, "h", "w"), ("n", 4)), (("n", "t"),), (("n", 1, "h", "w"),)):
        graph = Graph("other")
        taken = [graph.takes(f"x{n}", "float32", shape) for n, shape in enumerate(shapes)]
        graph.gives(taken[0], "y", "float32", shapes[0])
        (place / "model.onnx").write_bytes(graph.model())
        with pytest.raises(RefVideoError, match="only networks that take pictures"):
            find_embedder(place)
    graph = Graph("other")
    graph.gives(graph.node("Shape", [graph.takes("x", "float32", ("n", 3, "h", "w"))]), "y", "int64", (4,))
    (place / "model.onnx").write_bytes(graph.model())
    with pytest.raises(RefVideoError, match="only vectors"):
        find_embedder(place)


def test_tokens_that_make_no_grid(folder):
    place = folder(config=SQUEEZED | {"size": 13})
    graph = Graph("other")
    x = graph.takes("x", "float32", ("n", 3, "h", "w"))
    tokens = graph.node("Reshape", [x, graph.constant(np.array([-1, 13, 1], np.int64))])
    graph.gives(tokens, "y", "float32", ("n", 13, 1))
    (place / "model.onnx").write_bytes(graph.model())
    with pytest.raises(RefVideoError, match="gives 13 tokens"):
        find_embedder(place)


def test_the_runtime_is_named_where_it_is_missing(folder, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "refvideo-nb\[adherence\]"'):
        find_embedder(folder())


def test_any_object_that_embeds_is_taken(folder):
    class Own:
        name, sha256, preprocessing, side = "own", "0" * 64, "none", 8

        def embed(self, images):
            return images

        def features(self, images):
            return images

    own = Own()
    assert find_embedder(own) is own
    assert find_embedder(Path(folder())).name == "a network"


def test_a_film_is_measured_with_it(folder, filmed):
    """From end to end: the report names the network, and finds what only its colours tell."""
    frames = [np.full((360, 640, 3), (128, 102, 77), np.uint8) for _ in range(3)]
    for frame in frames[1:]:
        frame[100:260, 300:460] = (250, 30, 240)
    pink = Given(name="pink", pictures=(np.full((64, 64, 3), (250, 30, 240), np.uint8),))
    report = measure_video(filmed(frames), [pink], embedder=folder("tokens"))
    assert report.settings["embedder"] == "a network"
    assert report.similarity[1:, 0].min() > 0.95
    assert report.similarity[0, 0] < 0.5
    x0, y0, x1, y1 = report.boxes[1, 0]
    assert x0 < 380 < x1
    assert y0 < 180 < y1
