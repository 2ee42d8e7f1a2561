"""The strip of references: what comes in and from where, in which order, under which name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest

from refvideo_nb.notebook.options import parse
from refvideo_nb.notebook.session import Session

from .conftest import png

NOW = datetime.now(UTC)
CAT, CUP = np.full((480, 640, 3), 90, np.uint8), np.full((480, 640, 3), 40, np.uint8)


class Shelf:
    """Pictures at an address of this machine; some of them only when a test lets them go."""

    def __init__(self) -> None:
        self.gates: dict[str, threading.Event] = {}
        self.asked: list[str] = []
        shelf = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shelf.asked.append(self.path)
                if gate := shelf.gates.get(self.path):
                    gate.wait(30)
                data = png(size=(640, 480))
                self.send_response(200)
                self.send_header("Content-Type", "image/png")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf()
    serving = threading.Thread(target=made.server.serve_forever)
    serving.start()
    yield made
    for gate in made.gates.values():
        gate.set()
    made.server.shutdown()
    serving.join()
    made.server.server_close()


def add(hands: Any, source: str, name: str = "") -> None:
    hands.fill("Reference", source)
    hands.fill("Called", name)
    hands.click("Add")


def test_they_stand_in_the_order_in_which_they_were_given(opened: Any, shelf: Shelf) -> None:
    gate = shelf.gates["/a.png"] = threading.Event()
    hands = opened("a ball")
    add(hands, f"{shelf.address}/a.png")
    add(hands, f"{shelf.address}/b.png")
    hands.until(lambda: hands.names == ["b"], "the second, which is there first")
    assert hands.says("reading http://127", "Generate waits for it")
    assert hands.field("Generate").disabled
    gate.set()
    hands.settled()
    assert hands.names == ["a", "b"]
    assert sorted(shelf.asked) == ["/a.png", "/b.png"]


def test_by_path_address_and_variable(opened: Any, shelf: Shelf, namespace: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "pack shot.png").write_bytes(png(size=(640, 480)))
    namespace |= {"cat": CAT, "_hidden": CAT, "text": "cat", "tiny": CAT[:4, :4]}
    hands = opened("@cat, @Tom, @pack_shot and @web")
    assert hands.field("Reference").options == ("cat", "pack shot.png")
    add(hands, "cat")
    add(hands, "cat", "Tom")
    add(hands, "pack shot.png")
    add(hands, f"{shelf.address}/web.png")
    hands.settled()
    assert hands.names == ["cat", "Tom", "pack_shot", "web"]
    assert hands.field("Reference").value == ""
    cell = hands.request("Cell")
    assert "--ref cat=cat" in cell
    assert "--ref Tom=cat" in cell
    assert "--ref 'pack_shot=pack shot.png'" in cell
    assert f"--ref web={shelf.address}/web.png" in cell
    assert '"Tom": cat,' in hands.request("Python")
    add(hands, "dog")
    assert hands.says("'dog' is neither a variable of the notebook nor a file in")
    add(hands, "dog.png")
    hands.settled()
    assert hands.says("dog.png cannot be read")
    hands.fill("Prompt", "what was wrong stays said while one types @cat @Tom @pack_shot @web")
    assert hands.says("dog.png cannot be read")
    add(hands, "")
    assert hands.says("no reference is given: type an https address, a path or the name of a variable")
    assert not hands.says("dog.png cannot be read")


def test_a_variable_that_was_handed_over_keeps_its_name_in_code(opened: Any, namespace: dict[str, Any]) -> None:
    namespace |= {"cat": CAT, "größe": CUP}
    hands = opened("both", references=[CAT, CUP])
    assert hands.names == ["cat", "gr_e"]
    assert '"cat": cat,' in hands.request("Python")
    assert '"gr_e": größe,' in hands.request("Python")


def test_objects_that_work_when_they_are_looked_at_are_left_alone(opened: Any, namespace: dict[str, Any]) -> None:
    class Remote:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(f"asked for {name}")

    namespace |= {"remote": Remote(), "cat": CAT}
    hands = opened("a ball")
    assert hands.field("Reference").options == ("cat",)
    assert not hands.says("fault")


def test_an_upload_is_named_after_its_file_and_can_be_written_down(
    opened: Any, tmp_path: Path, home: Path, simulator: Any
) -> None:
    hands = opened("@my_pack on a wet street, keep its shape", model="x-ai/grok-imagine-video", duration=1)
    upload = next(w for w in hands.widgets() if isinstance(w, ipywidgets.FileUpload))
    files = [
        {"name": n, "type": "image/png", "size": 1, "content": memoryview(png(c, (640, 480))), "last_modified": NOW}
        for n, c in (("my pack.png", "red"), ("1.png", "blue"))
    ]
    upload.set_trait("value", tuple(files))
    hands.settled()
    assert upload.value == ()
    assert hands.names == ["my_pack", "image"]
    reference = hands.form._look.draft.request.references[0]
    path = hands.form._session.media.path(reference.sha256, reference.media_type)
    assert path.read_bytes().startswith(b"\x89PNG")
    cell = hands.request("Cell")
    assert f"my_pack={path}" in cell
    assert f'"my_pack": "{path}"' in hands.request("Python")
    options = parse(
        *cell.removeprefix("%%refvideo ").replace("\\\n", "").split("\n", 1), namespace={}, model="", max_cost=None
    )
    assert {n.name: n.source for n in options.wish.references}["my_pack"] == str(path)


def test_what_is_no_picture_is_refused_in_place(opened: Any) -> None:
    hands = opened("a ball")
    upload = next(w for w in hands.widgets() if isinstance(w, ipywidgets.FileUpload))
    file = {"name": "notes.txt", "type": "", "size": 1, "content": memoryview(b"no picture"), "last_modified": NOW}
    upload.set_trait("value", (file,))
    hands.settled()
    assert hands.names == []
    assert hands.says("reference 'notes'")


@pytest.mark.parametrize(
    "address", ["https://192.168.0.1/x.png", "https://169.254.169.254/latest", "https://printer.local/x"]
)
def test_a_private_address_is_refused_in_place(opened: Any, address: str) -> None:
    hands = opened("a ball")
    add(hands, address, "inside")
    hands.settled()
    assert hands.names == []
    assert hands.says(f"reference '{address}' can be reached only from this machine or network")
    assert hands.form._look.sendable is not None, "what was never taken stands in nobody's way"


def test_names_are_changed_in_place_and_bad_ones_are_not_taken(opened: Any) -> None:
    hands = opened("@cat and @cup, keep both", references={"cat": CAT, "cup": CUP})
    hands.fill("Name", "tea", nth=1)
    assert hands.names == ["cat", "tea"]
    assert hands.says("@cup in the prompt is no reference")
    assert hands.field_is_there("@tea")
    for bad, said in (("cat", "two references are called 'cat'"), ("a b", "cannot be written as @name")):
        hands.fill("Name", bad, nth=1)
        assert hands.says(said)
        assert hands.field("Name", 1).value == "tea"
        assert hands.names == ["cat", "tea"]
    add(hands, "cat.png", "cat")
    assert hands.says("two references are called 'cat'")
    add(hands, "cat.png", "über")
    assert hands.says("cannot be written as @name")


def test_a_name_is_taken_as_soon_as_it_was_given(opened: Any, namespace: dict[str, Any]) -> None:
    namespace["cat"] = CAT
    hands = opened("a ball")
    with hands.form._turns:  # nothing arrives in here
        add(hands, "cat", "one")
        add(hands, "cat", "one")
    hands.settled()
    assert hands.says("two references are called 'one'")
    assert hands.names == ["one"]


def test_they_are_moved_and_removed(opened: Any) -> None:
    hands = opened("@a @b @c, keep all", references={"a": CAT, "b": CUP, "c": CAT})
    tiles = [hands.form._strip._tiles[item] for item in hands.form._strip.items]
    earlier, later = tiles[2]._earlier, tiles[0]._later
    assert (tiles[0]._earlier.disabled, tiles[2]._later.disabled) == (True, True)
    earlier.click()
    assert hands.names == ["a", "c", "b"]
    later.click()
    assert hands.names == ["c", "a", "b"]
    assert [r.name for r in hands.form._look.draft.request.references] == ["c", "a", "b"]
    assert hands.request("Prompt as sent").startswith("[Image2] [Image3] [Image1]")
    hands.click("Remove a")
    assert hands.names == ["c", "b"]
    assert hands.says("@a in the prompt is no reference")
    tiles[0]._remove.click()  # a second click on what is gone already
    earlier.click()
    assert hands.names == ["c", "b"]


def test_another_model_gets_pictures_that_it_can_take(opened: Any, namespace: dict[str, Any]) -> None:
    namespace["wall"] = np.zeros((300, 7000, 3), np.uint8)
    hands = opened("@wall, keep it", references={"wall": namespace["wall"]}, model="x-ai/grok-imagine-video")
    before = hands.form._strip.items[0].reference
    hands.fill("Model", "bytedance/seedance-2.0-fast")
    hands.settled()
    fitted = hands.form._strip.items[0].reference
    assert (before.width, fitted.width) == (7000, 6000)
    assert hands.says("does not fit bytedance/seedance-2.0-fast")
    assert hands.form._look.sendable is None
    hands.fill("Model", "x-ai/grok-imagine-video")
    hands.settled()
    assert hands.form._strip.items[0].reference.sha256 == before.sha256, "from what was read first"


def test_a_model_that_is_chosen_while_a_picture_is_read_gets_it_as_it_can_take_it(
    opened: Any, namespace: dict[str, Any]
) -> None:
    namespace["wall"] = np.zeros((400, 7000, 3), np.uint8)
    hands = opened("@wall, keep it", model="x-ai/grok-imagine-video")
    with hands.form._turns as turns:
        hands.form._strip.take("wall")
        hands.until(lambda: len(turns._left), "the picture, made for the model of before")
        hands.fill("Model", "bytedance/seedance-2.0-fast")
        hands.form._narrow()
    hands.settled()
    assert [r.width for r in hands.form._strip.references] == [6000]


def test_going_live_looks_at_addresses_again(
    opened: Callable[..., Any], shelf: Shelf, environment: pytest.MonkeyPatch, home: Path
) -> None:
    environment.setattr(Session, "simulated", property(lambda s: s.settings.poll_interval == 0.05))
    hands = opened("@here, keep it", references={"here": f"{shelf.address}/here.png"})
    assert hands.form._look.sendable
    environment.setenv("REFVIDEO_POLL_INTERVAL", "0.06")  # from here on nobody says that it is a simulator
    environment.setenv("REFVIDEO_HOME", str(home.with_name("another home")))
    hands.click("Generate")
    hands.settled()
    assert hands.says("Live at")
    assert hands.form._look.sendable is None
    assert hands.says("127.0.0.1", "1 thing to mend above")
    assert hands.form.jobs == ()
