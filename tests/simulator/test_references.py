"""References are fetched as a provider would, and a bad one fails the job with its number."""

import base64
import http.server
import io
import threading
import time

import av
import numpy as np
import pytest
from PIL import Image

from refvideo_nb.simulator import Simulator
from refvideo_nb.simulator.fetch import Unusable
from refvideo_nb.simulator.order import Material, Order
from refvideo_nb.simulator.stage.sources import _picture, load_sources
from refvideo_nb.simulator.stage.subject import cut_out


def _jpeg():
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (10, 200, 30)).save(buffer, "JPEG")
    return buffer.getvalue()


HANGS = 20  # seconds
PAGES = {
    "/photo.jpg": (200, "image/jpeg", _jpeg()),
    "/lying.jpg": (200, "image/jpeg", b"<html><body>please enable cookies</body></html>"),
    "/page": (200, "text/html; charset=utf-8", b"<html></html>"),
    "/gone": (404, "text/plain", b"no"),
    "/moved": (302, "text/plain", b""),
    "/empty": (200, "image/png", b""),
    "/octets": (200, "application/octet-stream", _jpeg()),
}


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/hangs":
            self.server.asked.set()
            self.server.release.wait(HANGS)
        status, kind, body = PAGES.get(self.path, (200, "image/png", b""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "/photo.jpg")
        self.end_headers()
        self.server.seen.append(dict(self.headers))
        if status != 302:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.seen, server.daemon_threads = [], True
    server.asked, server.release = threading.Event(), threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


def _at(web, path):
    return {"type": "image_url", "image_url": {"url": f"http://127.0.0.1:{web.server_port}{path}"}}


def _url(url, kind="image"):
    return {"type": f"{kind}_url", f"{kind}_url": {"url": url}}


def _error(api, small, *references):
    accepted = api.submit(**small, input_references=list(references))
    assert accepted.status_code == 202, accepted.text  # the request is fine, the job is not
    told = api.finish(accepted.json()["id"])
    assert told["status"] == "failed"
    assert "unsigned_urls" not in told
    content = api.client.get(f"/videos/{told['id']}/content")
    assert content.status_code == 404
    assert content.json()["error"]["message"] == f"Video job {told['id']} failed and has no content"
    return told["error"]


@pytest.mark.parametrize("path", ["/photo.jpg", "/octets"])
def test_a_photo_on_this_machine(api, small, web, path):
    film = api.film(**small, input_references=[_at(web, path)])
    assert all(film.truth["references"][0]["visible"])
    assert "Authorization" not in web.seen[-1]
    assert "Cookie" not in web.seen[-1]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/page", "answered with text/html, which is not an image"),
        ("/lying.jpg", "Reference 2 is not an image that can be read"),
        ("/gone", "answered 404"),
        ("/moved", "answered 302"),
        ("/empty", "Reference 2 is empty"),
    ],
)
def test_what_a_provider_cannot_use(api, small, web, path, text):
    error = _error(api, small, _at(web, "/photo.jpg"), _at(web, path))
    assert error.startswith("Reference 2 ")
    assert text in error


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://example.com/a.png", "is not an https URL or a data URL"),
        ("file:///etc/passwd", "is not an https URL or a data URL"),
        ("https://127.0.0.1:9/a.png", "(ConnectError)"),
        ("http://[", "is not a URL"),
        ("data:image/png;base64,@@@@", "holds broken base64"),
        ("data:text/html;base64,AAAA", "is not a data:image/...;base64 URL"),
        ("data:image/png,raw", "is not a data:image/...;base64 URL"),
        ("data:image/png;base64,", "is empty"),
        ("data:image/svg+xml;base64,PHN2Zy8+", "is not an image that can be read"),
    ],
)
def test_urls_that_are_none(api, small, url, text):
    error = _error(api, small, _url(url))
    assert error.startswith("Reference 1 ")
    assert text in error


def test_half_a_picture(api, small):
    half = base64.b64encode(_jpeg()[:200]).decode()
    assert _error(api, small, _url(f"data:image/jpeg;base64,{half}")) == "Reference 1 is a broken image"


@pytest.mark.parametrize("size", [(1, 1), (2000, 3), (3, 900)])
def test_strange_proportions_still_make_a_film(api, small, image, size):
    assert any(api.film(**small, input_references=[image(size=size)]).truth["references"][0]["visible"])


def _kinds():
    plain = Image.new("RGB", (80, 60), (200, 40, 40))
    rotated = Image.Exif()
    rotated[0x0112] = 6
    yield "JPEG", plain.convert("CMYK"), {}
    yield "JPEG", plain, {"exif": rotated}
    yield "PNG", Image.fromarray(np.full((60, 80), 40_000, np.uint16)), {}
    yield "PNG", plain.convert("P"), {}
    yield "PNG", plain.convert("1"), {}
    yield "PNG", Image.new("LA", (80, 60), (90, 0)), {}
    yield "GIF", plain, {"save_all": True, "append_images": [plain, plain]}
    yield "WEBP", plain, {}
    yield "TIFF", plain, {}


@pytest.mark.parametrize(("kind", "picture", "options"), [*_kinds()])
def test_every_kind_of_picture(kind, picture, options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    material = Material(name="Reference 1", kind="image", url="data:")
    order = Order(
        model="m", prompt="p", resolution="480p", width=64, height=64, duration=1, audio=False, seed=None,
        references=(material,),
    )  # fmt: skip
    loaded = load_sources(order, {"Reference 1": buffer.getvalue()}).images[0]
    assert loaded.mode == "RGBA"
    assert loaded.size == ((60, 80) if "exif" in options else (80, 60))
    cut = cut_out(loaded)
    assert cut.getchannel("A").getextrema()[1] > 200
    if picture.mode.startswith("I"):
        assert abs(loaded.getpixel((40, 30))[0] - 155) <= 1  # 40,000 of 65,535


def test_too_many_pixels():
    buffer = io.BytesIO()
    Image.new("1", (10_000, 6_000)).save(buffer, "PNG")
    material = Material(name="Reference 4", kind="image", url="data:")
    with pytest.raises(Unusable, match="Reference 4 has 10000x6000 pixels"):
        _picture(material, buffer.getvalue())


def test_transparency_is_the_silhouette(api, small):
    picture = np.zeros((200, 200, 4), np.uint8)
    picture[50:150, 80:120] = (20, 30, 240, 255)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    left, top, right, bottom = api.film(**small, input_references=[_url(url)]).truth["references"][0]["box"][12]
    assert (bottom - top) / (right - left) == pytest.approx(100 / 40, rel=0.1)


def _clip(seconds=1):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(24 * seconds):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    return f"data:video/mp4;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def test_video_references_are_honoured_by_seedance_and_dropped_elsewhere(api, small, image):
    seedance = {"model": "bytedance/seedance-2.0-fast", "prompt": "p", "duration": 4, "size": "480x480"}
    film = api.film(**seedance, input_references=[image(), _url(_clip(), "video")])
    # (1 s in + 4 s out) x 480 x 480 x 24 / 1024 = 27,000 tokens at 0.000002475
    assert film.told["usage"]["cost"] == pytest.approx(0.066825)
    accepted = api.submit(**seedance, input_references=[_url("data:video/mp4;base64,AAAA", "video")])
    assert api.finish(accepted.json()["id"])["error"] == "Reference 1 is not video that can be read"

    dropped = api.film(**small, input_references=[_url("data:video/mp4;base64,AAAA", "video"), image()])
    assert dropped.told["usage"]["cost"] == pytest.approx(0.052)


def test_models_without_references_drop_them_silently(api, image):
    film = api.film(model="runway/gen-4.5", prompt="p", duration=2, input_references=[image()])
    assert not any(film.truth["references"][0]["visible"])


def test_nobody_waits_at_the_end_for_a_server_that_does_not_answer(call, small, web):
    with Simulator(seconds=0) as simulator:
        api = call(simulator)
        api.submit(**small, input_references=[_at(web, "/hangs")])
        assert web.asked.wait(HANGS)
        began = time.monotonic()
    assert time.monotonic() - began < HANGS / 2
