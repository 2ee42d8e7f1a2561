"""What a comparison takes, and what of it reaches the page: facts in the state, bytes when they are asked for."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import traitlets
from PIL import Image

from refvideo_nb.engine.wish import Wish
from refvideo_nb.errors import BadReferenceError, DownloadError, InvalidRequestError, UnknownJobError
from refvideo_nb.notebook import current
from refvideo_nb.notebook.comparing import compare
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.player.player import Player
from refvideo_nb.notebook.player.source import script, style
from refvideo_nb.notebook.session import Session
from refvideo_nb.settings import Secret, Settings
from refvideo_nb.simulator import Simulator

BALL: dict[str, Any] = {
    "prompt": "@red rolls",
    "model": "bytedance/seedance-2.0-fast",
    "duration": 4,
    "resolution": "480p",
}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "my film.mp4"
    with av.open(str(path), "w") as target:
        track = target.add_stream("libx264", rate=24)
        track.width, track.height, track.pix_fmt = 320, 180, "yuv420p"
        for n in range(24):
            frame = av.VideoFrame.from_ndarray(np.full((180, 320, 3), 10 * n, np.uint8), format="rgb24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 24)
            target.mux(track.encode(frame))
        target.mux(track.encode(None))
    return path


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    home = tmp_path_factory.mktemp("session") / "home"
    with Simulator(seconds=0.1) as simulator:
        settings = Settings(
            key=Secret(simulator.api_key), base_url=simulator.base_url, home=home, poll_interval=0.05, poll_max=0.2
        )
        with contextlib.closing(Session(settings)) as made:
            yield made


def run(session: Session, seed: int, *, references: dict[str, Any] | None = None) -> Job:
    references = references or {"red": Image.new("RGB", (400, 300), "red")}
    record, _ = session.submit(session.draft(Wish(**BALL, references=references, seed=seed)))
    return Job(session, record.id).wait(60)


@pytest.fixture(scope="module")
def runs(session: Session) -> list[Job]:
    return [run(session, 7), run(session, 8)]


def said(player: Player, *asked: Any) -> list[tuple[dict[str, Any], list[bytes]]]:
    """What the page hears when it asks."""
    heard: list[tuple[dict[str, Any], list[bytes]]] = []
    player.send = lambda content, buffers=None: heard.append((content, list(buffers or [])))
    for one in asked:
        player._handle_custom_msg(one, [])
    return heard


# --- what the page gets -----------------------------------------------------------------------------------------------


def test_the_state_holds_no_bytes_and_tells_no_home_folder(
    film: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(film.parent.parent))
    player = compare(film, references={"noise": np.zeros((90, 160, 3), np.uint8)}).player
    state = player.get_state()
    facts = {k: state[k] for k in ("words", "references", "videos", "time", "instead")}
    assert len(json.dumps(facts)) < 1500
    (video,) = state["videos"]
    assert video["file"] == {"path": f"~/{film.parent.name}/my film.mp4"}
    assert (video["seconds"], video["fps"], video["width"], video["nbytes"]) == (1.0, 24.0, 320, film.stat().st_size)
    monkeypatch.chdir(film.parent)
    assert compare(film).player.videos[0]["file"]["beside"] == "my film.mp4"


def test_bytes_come_when_they_are_asked_for(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refvideo_nb.notebook.player.player._PART", 1000)
    player = compare(film, references={"red": Image.new("RGB", (400, 300), "red")}).player
    heard = said(player, {"ask": "video", "index": 0})
    assert b"".join(b for _, (b,) in heard) == film.read_bytes()
    assert [c["part"] for c, _ in heard] == list(range(heard[0][0]["parts"]))
    assert heard[0][0] | {"part": 0} == {
        "kind": "video",
        "index": 0,
        "part": 0,
        "parts": len(heard),
        "type": "video/mp4",
    }
    pictures = said(player, {"ask": "reference", "index": 0})
    shown = Image.open(io.BytesIO(b"".join(b for _, (b,) in pictures)))
    assert shown.convert("RGB").getpixel((10, 10)) == (255, 0, 0)


@pytest.mark.parametrize(
    "asked",
    [
        {"ask": "video", "index": 1},
        {"ask": "video", "index": -1},
        {"ask": "video", "index": True},
        {"ask": "video", "index": "0"},
        {"ask": "/etc/passwd", "index": 0},
        {"ask": ["video"], "index": 0},
        {"index": 0},
        [],
        "video",
    ],
)
def test_a_page_that_asks_for_something_else_gets_nothing(film: Path, asked: Any) -> None:
    assert said(compare(film).player, asked) == []


def test_a_file_that_is_gone_is_said(film: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(film.read_bytes())
    player = compare(copy).player
    copy.unlink()
    assert said(player, {"ask": "video", "index": 0}) == [
        ({"kind": "video", "index": 0, "problem": "the file is gone"}, [])
    ]


def test_its_time_is_the_players(film: Path) -> None:
    compared = compare(film)
    compared.time = 0.5  # before anything is shown
    assert compared.player.time == 0.5
    compared.player.time = 0.75  # as the page does
    assert compared.time == 0.75
    for bad in (-1, 1.5, float("nan")):
        with pytest.raises(InvalidRequestError, match="give 0 to 1 seconds"):
            compared.time = bad
    with pytest.raises(traitlets.TraitError):
        compared.player.time = -1


def test_the_script_is_one_module_with_no_way_from_a_string_to_an_element() -> None:
    text = script()
    assert "import " not in "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))
    assert text.count("export ") == 2
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "//cdn"):
        assert way not in text, way
    rules = [line for line in style().splitlines() if line.endswith("{") and not line.startswith(" ")]
    assert all(".refvideo-player" in rule for rule in rules)


# --- what is compared -------------------------------------------------------------------------------------------------


def test_runs_are_called_by_what_they_differ_in_and_share_their_references(runs: list[Job], session: Session) -> None:
    compared = compare(*runs)
    assert repr(compared) == "<Comparison of seed 7, seed 8>"
    player = compared.player
    assert [r["name"] for r in player.references] == ["@red"]
    assert player.words["different"] == ["seed 7", "seed 8"]
    assert len(said(player, {"ask": "reference", "index": 0})) == 1
    assert "Different: seed 7, seed 8." in compared.bundle["text/plain"]
    assert compared.bundle is compared.bundle, "drawn once"
    other = run(session, 7, references={"red": Image.new("RGB", (400, 300), "blue")})
    both = compare(runs[0], other).player
    assert [(r["name"], r["caption"]) for r in both.references] == [("@red", "in A"), ("@red", "in B")]
    assert both.words["different"] == ["another @red"]
    assert [v["label"] for v in both.videos] == [runs[0].id, other.id]


def test_a_job_by_its_id_and_a_file_beside_it(
    runs: list[Job], session: Session, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current, "current_session", lambda: session)
    player = compare(runs[0].id, film, str(film)).player
    assert [v["label"] for v in player.videos] == [runs[0].id, "my film", "my film"]
    assert player.words["different"] == []
    with pytest.raises(UnknownJobError):
        compare("rv-20200101-aaaaaa")


def test_references_of_all_sorts_take_the_place_of_the_jobs(runs: list[Job], film: Path, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (2000, 1000), "green").save(photo)
    player = compare(runs[0], references={"photo": photo, "film": film, "array": np.zeros((8, 8, 3), np.uint8)}).player
    assert [r["name"] for r in player.references] == ["@photo", "@film", "@array"]
    sizes = [Image.open(io.BytesIO(data)).size for data in player._pictures]
    assert sizes == [(1280, 640), (640, 360), (8, 8)]
    assert [r["name"] for r in compare(film, references=[photo]).player.references] == ["@photo"]


def test_what_cannot_be_compared_is_refused_in_one_line(film: Path, session: Session, tmp_path: Path) -> None:
    refused: list[tuple[Any, type[Exception], str]] = [
        (compare, InvalidRequestError, "0 videos cannot be compared: give one to 9"),
        (lambda: compare(*[film] * 10), InvalidRequestError, "10 videos cannot be compared"),
        (lambda: compare(3), InvalidRequestError, "int is no video: give jobs, ids of jobs, or paths"),
        (lambda: compare(tmp_path), InvalidRequestError, "is no file; it is looked for in"),
        (lambda: compare("gone.mp4"), InvalidRequestError, "gone.mp4 is no file"),
        (lambda: compare(film, labels=["a", "b"]), InvalidRequestError, "2 labels for 1 videos: give one for each"),
        (lambda: compare(film, references="cat.png"), BadReferenceError, "single source"),
        (lambda: compare(film, references={"x": tmp_path / "gone.png"}), BadReferenceError, "cannot be read"),
        (lambda: compare(film, references={"x": b"neither"}), BadReferenceError, "neither a picture nor a video"),
    ]
    for call, error, words in refused:
        with pytest.raises(error, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)
    text = tmp_path / "text.mp4"
    text.write_text("not a film")
    with pytest.raises(DownloadError, match=r"text\.mp4"):
        compare(text)


def test_a_job_without_a_video_says_so(held_api: Any, tmp_path: Path) -> None:
    key = Secret(held_api.simulator.api_key)
    settings = Settings(key=key, base_url=held_api.simulator.base_url, home=tmp_path / "home")
    with contextlib.closing(Session(settings)) as made:
        record, _ = made.submit(made.draft(Wish(**BALL, references={"red": Image.new("RGB", (400, 300), "red")})))
        with pytest.raises(InvalidRequestError, match=rf"job {record.id} has no video, it is \w+: wait\(\) for it"):
            compare(Job(made, record.id))


def test_labels_and_a_title_of_ones_own(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compared = compare(film, film, labels=["before", "<b>after</b>\x1b[31m"], title="Grading")
    assert [v["label"] for v in compared.player.videos] == ["before", "<b>after</b> [31m"]
    assert compared.player.words["title"] == "Grading"
    compared.show()  # no notebook here
    assert "A  before" in capsys.readouterr().out


def test_loading_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, refvideo_nb.notebook.comparing, refvideo_nb.notebook.player.source\n"
        "print([m for m in ('anywidget', 'ipywidgets', 'av', 'PIL', 'numpy', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
