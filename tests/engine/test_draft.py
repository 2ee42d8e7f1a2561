"""From a person's words to a checked request: every refusal comes before anything is paid."""

from __future__ import annotations

import asyncio
import functools
import http.server
import io
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from refvideo_nb.client.models import captured
from refvideo_nb.core.request import DEFAULT_MODEL
from refvideo_nb.engine.draft import Draft, body_of, draft, fingerprint
from refvideo_nb.engine.intake import Named, named_sources
from refvideo_nb.engine.wish import Wish
from refvideo_nb.errors import BadReferenceError, BudgetError, InvalidRequestError
from refvideo_nb.ledger.home import prepare_home
from refvideo_nb.ledger.media import MediaStore


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    return MediaStore(prepare_home(tmp_path / "home"))


def picture(width: int = 640, height: int = 400, colour: str = "teal") -> Image.Image:
    return Image.new("RGB", (width, height), colour)


def png(**more: Any) -> bytes:
    out = io.BytesIO()
    picture(**more).save(out, "PNG")
    return out.getvalue()


def drafted(media: MediaStore, *, simulated: bool = False, **wish: Any) -> Draft:
    wish = {"prompt": "a cat", "model": DEFAULT_MODEL, **wish}
    return asyncio.run(draft(Wish(**wish), models=captured().models, media=media, simulated=simulated))


def test_every_kind_of_source(media: MediaStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "my pack.png"
    path.write_bytes(png())
    monkeypatch.chdir(tmp_path)
    sources = {
        "path": path,
        "text": str(path),
        "relative": "my pack.png",
        "image": picture(),
        "array": np.asarray(picture()),
        "bytes": png(),
        "memory": memoryview(png()),
        "url": "data:image/png;base64," + __import__("base64").b64encode(png()).decode(),
    }
    found = drafted(media, references=sources).request.references
    assert [r.name for r in found] == list(sources)
    for reference in found:
        assert (reference.width, reference.height) == (640, 400)
        with Image.open(io.BytesIO(media.read(reference) or b"")) as image:
            assert image.convert("RGB").getpixel((3, 3)) == (0, 128, 128)


def test_names_come_from_files_and_are_unique() -> None:
    sources = ["a/my pack.jpg", Path("b/my pack.png"), "https://x.example/cat.jpg?q=1", b"x"]
    names = [n.name for n in named_sources(sources)]
    assert names == ["my_pack", "my_pack_2", "cat", "image4"]


@pytest.mark.parametrize("bad", ["two words", "1st", "", "@pack", "-x", "é"])
def test_a_name_that_no_prompt_can_say(bad: str) -> None:
    with pytest.raises(BadReferenceError, match="reference name"):
        named_sources({bad: b""})


def test_a_name_given_twice() -> None:
    with pytest.raises(BadReferenceError, match="two references are called 'a'"):
        named_sources([Named("a", b"", given=True), Named("a", b"", given=True)])


@pytest.mark.parametrize("single", ["pack.jpg", b"123", Path("x.png"), np.zeros((4, 4, 3), np.uint8), 5])
def test_a_single_source_is_no_list(single: Any) -> None:
    with pytest.raises(BadReferenceError, match="single source"):
        named_sources(single)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("no/such/file.png", "cannot be read"),
        (".", "is a folder"),
        ("\0", "cannot be read"),
        (b"", "empty"),
        (b"hello", "no picture"),
        (42, "of type int, which is no source"),
        (np.zeros((4, 4, 3)), "float64"),
        ("data:image/png;base64,%%%", "no base64 data URL"),
        ("http://example.com/x.png", "not https"),
        ("https://user:secret@example.com/x.png", "user name or password"),
        ("https://127.0.0.1/x.png", "only from this machine"),
        ("file:///etc/passwd", "not https"),
    ],
)
def test_a_source_that_cannot_be_used(media: MediaStore, source: Any, said: str) -> None:
    with pytest.raises(BadReferenceError, match=said) as caught:
        drafted(media, references={"pack": source})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("duration", 99, "allowed: 4, 5"),
        ("duration", "four", "whole number"),
        ("duration", 4.5, "whole number"),
        ("duration", True, "whole number"),
        ("resolution", "8K", "allowed: 480p, 720p"),
        ("aspect_ratio", "2:1", "allowed: 1:1"),
        ("size", "big", "WIDTHxHEIGHT"),
        ("size", (1, 2, 3), "WIDTHxHEIGHT"),
        ("size", "100x100", "allowed: 480x480"),
        ("seed", "x", "whole number"),
        ("generate_audio", "no", "give True or False"),
        ("generate_audio", 1, "give True or False"),
        ("provider", {"x": 1}, "slug"),
        ("prompt", "use sk-or-v1-0123456789", "holds an API key"),
        ("model", "bytedance/seedance-2.0-fats", "did you mean bytedance/seedance-2.0-fast"),
        ("prompt", "  ", "prompt is empty"),
        ("provider", {"x": {"nope": 1}}, "allowed: watermark"),
        ("provider", {"simulator": {"area": 1}}, "only in the simulator"),
        ("max_cost", "cheap", "USD as a number"),
        ("max_cost", -1, "USD as a number"),
        ("frames", {"middle": b""}, "allowed: first, last"),
    ],
)
def test_a_setting_that_cannot_be_used(media: MediaStore, field: str, value: Any, said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said) as caught:
        drafted(media, **{"duration": 4, "resolution": "720p"} | {field: value} if field != "size" else {field: value})
    assert "\n" not in str(caught.value)
    assert caught.value.field in {field, "max_cost"}


@pytest.mark.parametrize("field", ["provider", "frames", "roles"])
def test_what_must_be_a_dict(media: MediaStore, field: str) -> None:
    with pytest.raises(InvalidRequestError, match=rf"{field} is of type list: give a dict") as caught:
        drafted(media, **{field: ["x"]})
    assert caught.value.field == field


def test_frames_and_references_exclude_each_other(media: MediaStore) -> None:
    with pytest.raises(InvalidRequestError, match="exclude each other"):
        drafted(media, references={"a": png()}, frames={"first": png()})


def test_frames_are_sent_as_frames(media: MediaStore) -> None:
    made = drafted(media, frames={"first": png(), "last": png(colour="red")})
    body = body_of(made.request, prompt="x", media=media, session_id="s")
    assert [f["frame_type"] for f in body["frame_images"]] == ["first_frame", "last_frame"]
    assert "input_references" not in body


def test_more_references_than_the_model_takes(media: MediaStore) -> None:
    with pytest.raises(BadReferenceError, match=r"10 reference images .* at most 9"):
        drafted(media, references=[png(colour=f"#0000{i:02x}") for i in range(10)])


def test_a_model_without_references(media: MediaStore) -> None:
    with pytest.raises(BadReferenceError, match="takes no references"):
        drafted(media, model="runway/gen-4.5", references=[png()])


def test_unknown_support_warns_and_goes_on(media: MediaStore) -> None:
    made = drafted(media, model="kwaivgi/kling-v3.0-std", references={"pack": png()}, prompt="@pack flies")
    assert any("not known whether" in note for note in made.notes)
    assert made.compiled.text == "@image_1 flies"


def test_the_budget(media: MediaStore) -> None:
    price = {"duration": 4, "resolution": "720p", "aspect_ratio": "16:9"}
    made = drafted(media, max_cost="0.37", **price)
    assert made.prices is not None
    assert made.prices.high == Decimal("0.36288")
    with pytest.raises(BudgetError, match=r"about USD 0.36 is more than max_cost USD 0.35"):
        drafted(media, max_cost=0.35, **price)
    with pytest.raises(BudgetError, match="no estimate"):
        drafted(media, max_cost=10)


def test_hints(media: MediaStore) -> None:
    notes = drafted(media, references={"pack": png(), "hat": png(colour="red")}, prompt="@pack and @scarf").notes
    assert any("@scarf in the prompt is no reference" in n for n in notes)
    assert any("never names @hat" in n for n in notes)


def test_too_large_pictures_are_made_to_fit_and_it_is_said(media: MediaStore) -> None:
    made = drafted(media, model="alibaba/wan-3.0", references={"pack": png(width=4000, height=3000)}, prompt="@pack")
    (reference,) = made.request.references
    assert (reference.width, reference.height) == (2000, 1500)
    assert any("4000x3000 made smaller" in n for n in made.notes)


def test_too_small_pictures_are_refused(media: MediaStore) -> None:
    with pytest.raises(BadReferenceError, match="at least 360 pixels"):
        drafted(media, model="alibaba/wan-3.0", references={"pack": png(width=300, height=900)})


def test_silence_is_not_asked_of_a_silent_model(media: MediaStore) -> None:
    made = drafted(media, model="heygen/heygen-video-1", generate_audio=False)
    assert "generate_audio" not in body_of(made.request, prompt="x", media=media, session_id="")
    with pytest.raises(InvalidRequestError, match="makes no sound"):
        drafted(media, model="heygen/heygen-video-1", generate_audio=True)


def test_what_makes_two_requests_the_same(media: MediaStore) -> None:
    def mark(**wish: Any) -> str:
        made = drafted(media, **{"references": {"pack": png()}, "prompt": "@pack", "seed": 1} | wish)
        return fingerprint(made.request, made.compiled.text)

    assert mark() == mark()
    # The name is ours alone: what is sent is the same.
    assert mark() == mark(references={"bag": png()}, prompt="@bag")
    others = [mark(seed=2), mark(prompt="@pack."), mark(references={"pack": png(colour="red")}), mark(duration=4)]
    assert len({mark(), *others}) == 5


def test_nothing_is_fetched_for_a_request_that_is_wrong_anyway(media: MediaStore) -> None:
    with pytest.raises(InvalidRequestError, match="duration 99"):
        drafted(media, duration=99, references={"x": "https://unreachable.invalid/x.png"})


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """A real HTTP server on this machine, which only the simulator may fetch from."""
    asked: list[str] = []
    folder = tmp_path / "shelf"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder, asked
        server.shutdown()
        thread.join()


def test_an_address_is_fetched_once_and_sent_as_an_address(media: MediaStore, shelf: Any) -> None:
    base, folder, asked = shelf
    (folder / "pack.png").write_bytes(png())
    made = drafted(media, simulated=True, references={"pack": f"{base}/pack.png"}, prompt="@pack")
    (reference,) = made.request.references
    assert len(asked) == 1
    assert media.read(reference) == png()
    body = body_of(made.request, prompt="x", media=media, session_id="")
    assert body["input_references"] == [{"type": "image_url", "image_url": {"url": f"{base}/pack.png"}}]


def test_what_had_to_be_changed_goes_as_bytes_and_not_as_its_address(media: MediaStore, shelf: Any) -> None:
    base, folder, _ = shelf
    (folder / "big.png").write_bytes(png(width=4000, height=3000))
    made = drafted(media, simulated=True, model="alibaba/wan-3.0", references={"big": f"{base}/big.png"}, prompt="@big")
    body = body_of(made.request, prompt="x", media=media, session_id="")
    assert body["input_references"][0]["image_url"]["url"].startswith("data:image/")
    assert any("sent as bytes instead of its address" in n for n in made.notes)


def test_pages_and_missing_files_are_no_references(media: MediaStore, shelf: Any) -> None:
    base, folder, _ = shelf
    (folder / "page.html").write_text("<!doctype html><html>sign in</html>")
    for path, said in {"page.html": "web page", "none.png": "answered 404"}.items():
        with pytest.raises(BadReferenceError, match=said):
            drafted(media, simulated=True, references={"x": f"{base}/{path}"})
