"""Networks that are fetched: through huggingface_hub itself, from a small hub on this machine."""

import json
import re
import sys
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub.constants
import numpy as np
import pytest

from refvideo_nb.errors import DownloadError, InvalidRequestError, MissingDependencyError
from refvideo_nb.measure.embedders import EMBEDDERS, find_embedder
from refvideo_nb.measure.embedders import hub as hub_module
from refvideo_nb.measure.embedders.graph import Graph
from refvideo_nb.measure.embedders.hub import PINNED, Pinned, fetch

REVISION = "0123456789abcdef0123456789abcdef01234567"
CONFIG = {"size": 16, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 2}


def network():
    graph = Graph("tiny")
    x = graph.takes("pixel_values", "float32", ("n", 3, "height", "width"))
    graph.gives(graph.node("ReduceMean", [x], axes=(2, 3), keepdims=0), "pooler_output", "float32", ("n", 3))
    return graph.model()


FILES = {"preprocessor_config.json": json.dumps(CONFIG).encode(), "onnx/model.onnx": network()}


class Hub(ThreadingHTTPServer):
    """As much of huggingface.co as a download asks of it: files of a commit, with their hashes."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answers)
        self.files = dict(FILES)
        self.asked = []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        data = self.server.files.get(self.path.removeprefix(f"/some/tiny/resolve/{REVISION}/"))
        self.send_response(404 if data is None else 200)
        data = data or b""
        for name, value in {
            "X-Repo-Commit": REVISION,
            "ETag": f'"{sha256(data).hexdigest()}"',
            "Content-Length": str(len(data)),
            "Connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    do_HEAD = do_GET  # noqa: N815 - as the library names it

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    pinned = Pinned("some/tiny", REVISION, "onnx/model.onnx", sha256(FILES["onnx/model.onnx"]).hexdigest(), 1, "MIT")
    monkeypatch.setitem(PINNED, "tiny", pinned)
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_network_is_fetched_once(hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", "/none")
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody")
    image = np.full((1, 16, 16, 3), [255, 127, 0], np.uint8)
    embedder = fetch("tiny", endpoint=hub.address, threads=1)
    assert embedder.name == "tiny"
    assert embedder.embed(image)[0] == pytest.approx(np.array([1, 0, -1]) / 2**0.5, abs=0.01)
    assert {path for _, path, _ in hub.asked} == {f"/some/tiny/resolve/{REVISION}/{file}" for file in FILES}
    assert not any("authorization" in map(str.lower, headers) for _, _, headers in hub.asked)
    hub.asked.clear()
    assert fetch("tiny", endpoint=hub.address).sha256 == embedder.sha256
    assert fetch("tiny").sha256 == embedder.sha256
    assert hub.asked == []


def test_without_internet_the_way_out_is_named(hub):
    hub.server_close()
    with pytest.raises(DownloadError) as caught:
        fetch("tiny", endpoint=hub.address)
    said = str(caught.value)
    assert "tiny (1 MB)" in said
    assert "embedder='efficientnet-lite0', which works offline" in said
    assert "model.onnx and preprocessor_config.json" in said
    assert said.isprintable()


def test_another_file_than_the_one_that_is_known(hub):
    hub.files["onnx/model.onnx"] = network() + b"x"
    with pytest.raises(DownloadError, match=r"has the hash \w{8}…, not \w{8}…"):
        fetch("tiny", endpoint=hub.address)


def test_a_file_that_is_not_there(hub):
    del hub.files["onnx/model.onnx"]
    with pytest.raises(DownloadError, match="could not be fetched"):
        fetch("tiny", endpoint=hub.address)


def test_the_package_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependencyError, match=r'huggingface_hub.*pip install "refvideo-nb\[adherence\]"'):
        find_embedder("dinov2-small")


def test_a_known_name_asks_for_its_commit(hub):
    with pytest.raises(DownloadError, match=r"^dinov2-base \(347 MB\) is not on this machine"):
        fetch("dinov2-base", endpoint=hub.address)
    assert {path for _, path, _ in hub.asked} == {
        "/onnx-community/dinov2-base/resolve/31ef06cac16d5d301c5930d147002a058c85a5e4/preprocessor_config.json"
    }


def test_what_is_pinned():
    assert EMBEDDERS == ("efficientnet-lite0", "dinov2-small", "dinov2-base", "siglip2-base", "clip-vit-b-32")
    for pinned in hub_module.PINNED.values():
        assert re.fullmatch(r"[0-9a-f]{40}", pinned.revision)
        assert re.fullmatch(r"[0-9a-f]{64}", pinned.sha256)
        assert pinned.licence in {"Apache-2.0", "MIT"}


@pytest.mark.parametrize("embedder", ["dino", "", "/nowhere/at/all", 3, None, "efficientnet\x1b[31m"])
def test_what_is_no_embedder(embedder):
    with pytest.raises(InvalidRequestError, match="give one of efficientnet-lite0, dinov2-small") as caught:
        find_embedder(embedder)
    assert caught.value.field == "embedder"
    assert caught.value.allowed == EMBEDDERS
    assert str(caught.value).isprintable()
