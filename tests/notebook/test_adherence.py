"""Measuring from Python and from a line: what is taken, what is kept, what is refused, and that it can be stopped."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from IPython.core.error import UsageError
from skimage import data

import refvideo_nb
from refvideo_nb.engine.wish import Wish
from refvideo_nb.errors import BadReferenceError, InvalidRequestError
from refvideo_nb.measure.embedders import storage
from refvideo_nb.notebook import measuring
from refvideo_nb.notebook.adherence import AdherenceReport
from refvideo_nb.notebook.comparing import compare
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.jobcard import JobCard
from refvideo_nb.notebook.scoring import score
from refvideo_nb.notebook.session import Session
from refvideo_nb.settings import Secret, Settings
from refvideo_nb.simulator import Simulator


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Networks and homes of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache") / "networks"
        patch.setattr(storage, "folder", lambda: folder)
        patch.setenv("REFVIDEO_HOME", str(tmp_path_factory.mktemp("none") / "home"))
        yield


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    home = tmp_path_factory.mktemp("session") / "home"
    with Simulator(seconds=0.1) as simulator:
        settings = Settings(
            key=Secret(simulator.api_key), base_url=simulator.base_url, home=home, poll_interval=0.05, poll_max=0.2
        )
        with contextlib.closing(Session(settings)) as made:
            yield made


@pytest.fixture(scope="module")
def job(session: Session) -> Job:
    wish = Wish(
        prompt="@cat walks, in the style of @look",
        references={"cat": data.chelsea(), "look": data.coffee()},
        roles={"cat": "subject", "look": "style"},
        model="bytedance/seedance-2.0-fast",
        duration=4,
        resolution="480p",
        seed=7,
    )
    record, _ = session.submit(session.draft(wish))
    return Job(session, record.id).wait(60)


@pytest.fixture(scope="module")
def report(job: Job) -> AdherenceReport:
    return refvideo_nb.adherence(job, frames=3)


@pytest.fixture
def no_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever measures now fails: what is kept is enough."""

    def fail(*_: Any, **__: Any) -> None:
        pytest.fail("measured again")

    monkeypatch.setattr(measuring, "measure_video", fail)


# --- what it gives ----------------------------------------------------------------------------------------------------


def test_a_job_is_measured_against_its_own_references_in_their_roles(report: AdherenceReport, job: Job) -> None:
    assert [(r.name, r.role) for r in report.report.references] == [("cat", "subject"), ("look", "style")]
    assert report.similarity.shape == (3, 2)
    assert report.similarity.dtype == np.float32
    assert report.times.shape == (3,)
    assert report.boxes.shape == (3, 2, 4)
    assert report.settings["embedder"] == "efficientnet-lite0"
    assert repr(report).startswith(f"<AdherenceReport {job.id}: cat 0.")
    assert "\n" not in repr(report)
    assert list(report.summary().reference) == ["cat", "look"]
    assert len(report.frames()) == 6


def test_it_shows_itself_and_has_a_figure_for_print(report: AdherenceReport, tmp_path: Path) -> None:
    bundle = report._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    assert report.bundle is report.bundle, "drawn once"
    figure = report.figure(dpi=100)
    figure.savefig(tmp_path / "figure.png")
    from PIL import Image

    with Image.open(tmp_path / "figure.png") as written:
        assert written.width == round(100 * figure.get_size_inches()[0])
    report.to_parquet(tmp_path / "frames.parquet")
    import pandas as pd

    assert pd.read_parquet(tmp_path / "frames.parquet").attrs["settings"]["embedder"] == "efficientnet-lite0"


def test_the_very_same_is_measured_once_and_another_anew(report: AdherenceReport, job: Job, no_measuring: None) -> None:
    again = refvideo_nb.adherence(job, frames=3)
    assert np.array_equal(again.similarity, report.similarity)
    assert repr(again) == repr(report)
    for other in ({"frames": 2}, {"frames": 3, "seed": 1}, {"frames": 3, "roles": {"look": "subject"}}, {"every": 2}):
        with pytest.raises(pytest.fail.Exception):
            refvideo_nb.adherence(job, **other)
    with pytest.raises(pytest.fail.Exception):
        refvideo_nb.adherence(job, frames=3, fresh=True)


def test_a_file_needs_no_job_no_key_and_leaves_no_home_behind(job: Job, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("OPENROUTER_API_KEY", raising=False)
    monkeypatch.setenv("REFVIDEO_HOME", str(tmp_path / "home"))
    film = tmp_path / "my clip.mp4"
    assert job.video is not None
    film.write_bytes(job.video.read_bytes())
    found = refvideo_nb.adherence(film, {"cat": [data.chelsea(), data.chelsea()[:, ::-1]]}, frames=1)
    assert found.report.video == "my clip.mp4"
    assert len(found.report.references[0].sha256) == 2, "two pictures of one subject"
    assert not (tmp_path / "home").exists()


def test_progress_is_frames_that_are_done(job: Job) -> None:
    told: list[int] = []
    what = measuring.wanted(job, {"cat": data.chelsea()})
    how = measuring.How(frames=2)
    measuring.measured(what, how, told=told.append)
    assert told
    assert told == sorted(told)
    assert told[-1] == 2 == measuring.frames_planned(what.facts, how)


@pytest.mark.parametrize(
    ("how", "expected"),
    [({"frames": 32}, 32), ({"frames": None}, 96), ({"every": 0.5, "frames": None}, 8), ({"frames": 500}, 96)],
)
def test_how_many_frames_there_will_be_is_known(job: Job, how: dict[str, Any], expected: int) -> None:
    facts = job.record.video
    assert facts is not None
    assert abs(measuring.frames_planned(facts, measuring.How(**how)) - expected) <= 1


def test_an_interrupt_ends_it_at_the_next_frame(job: Job) -> None:
    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measuring.measured(measuring.wanted(job, {"x": data.coffee()}), measuring.How(frames=3), told=stop)


# --- what is refused --------------------------------------------------------------------------------------------------


def test_what_cannot_be_measured_is_refused_in_one_line(job: Job, tmp_path: Path) -> None:
    film = job.video
    assert film is not None
    refused: list[tuple[Any, type[Exception], str]] = [
        (lambda: refvideo_nb.adherence(film), InvalidRequestError, r"comes without references: give references="),
        (lambda: refvideo_nb.adherence(3), InvalidRequestError, "int is no video"),
        (lambda: refvideo_nb.adherence(tmp_path / "gone.mp4", {}), InvalidRequestError, "is no file"),
        (lambda: refvideo_nb.adherence(film, {}), InvalidRequestError, "references is empty"),
        (lambda: refvideo_nb.adherence(film, {"x": b"neither"}), BadReferenceError, "neither a picture nor a video"),
        (lambda: refvideo_nb.adherence(job, roles={"dog": "style"}), InvalidRequestError, "there are cat, look"),
        (lambda: refvideo_nb.adherence(job, roles={"cat": "star"}), InvalidRequestError, "allowed: subject, style"),
        (lambda: refvideo_nb.adherence(job, frames=8, every=1), InvalidRequestError, "cannot both be kept"),
        (lambda: refvideo_nb.adherence(job, embedder="magic"), InvalidRequestError, "efficientnet-lite0"),
        (lambda: refvideo_nb.adherence(job, frames=0), InvalidRequestError, "frames=0 cannot be used"),
    ]
    for call, error, words in refused:
        with pytest.raises(error, match=words) as caught:
            call()
        assert "\n" not in str(caught.value)


# --- the line ---------------------------------------------------------------------------------------------------------


class Shell:
    def __init__(self, **names: Any) -> None:
        self.user_ns = names


def test_a_line_measures_a_variable_and_keeps_the_report(
    report: AdherenceReport, job: Job, no_measuring: None, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(clip=job)
    score(["clip", "--frames", "3", "--out", "found"], shell)
    assert shell.user_ns["found"].report.video == job.id
    assert "by chance" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give a job's variable or id"),
        (["nobody"], "'nobody' is no variable that holds a job or a path, no id, no file"),
        (["clip", "--frames", "3", "--every", "1"], "cannot both be kept"),
        (["clip", "--frames", "x"], "--frames 'x' cannot be used: give more than 0"),
        (["clip", "--every", "-1"], "cannot be used: give more than 0"),
        (["clip", "--embeder", "x"], "did you mean --embedder"),
        (["clip", "--out", "1x"], "no name for a variable"),
    ],
)
def test_a_line_that_cannot_be_measured_is_told_in_one_line(words: list[str], said: str, job: Job) -> None:
    with pytest.raises(UsageError) as caught:
        score(words, Shell(clip=job))
    assert said in str(caught.value)
    assert str(caught.value).startswith("%refvideo score")
    assert "\n" not in str(caught.value)


# --- beside the player ------------------------------------------------------------------------------------------------


def test_a_comparison_of_jobs_has_the_curves_that_are_kept(report: AdherenceReport, job: Job) -> None:
    (cat, look) = compare(job).player.words["curves"]
    assert (cat["name"], look["name"]) == ("@cat", "@look")
    assert cat["tracks"][0]["values"] == [round(float(v), 3) for v in report.similarity[:, 0]]
    assert job.video is not None
    assert compare(job.video).player.words["curves"] == []
    assert len(compare(job.video, scores=[report]).player.words["curves"]) == 2


def test_an_exported_page_has_them_too(
    report: AdherenceReport, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = refvideo_nb.export(job, tmp_path / "report.html").read_text(encoding="utf-8")
    assert '"curves"' in page
    assert str(round(float(report.similarity[1, 0]), 3)) in page


def test_scores_of_another_video_are_refused(report: AdherenceReport, job: Job, tmp_path: Path) -> None:
    assert job.video is not None
    other = tmp_path / "other.mp4"
    other.write_bytes(job.video.read_bytes() + b"\0\0\0\x08free")
    refused: list[tuple[Any, str]] = [
        ([report, report], "2 scores for 1 videos"),
        ([3], "int is no score"),
        ([report], "in the order of the videos"),
    ]
    for scores, words in refused:
        with pytest.raises(InvalidRequestError, match=words):
            compare(other, scores=scores)


def test_loading_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, refvideo_nb, refvideo_nb.notebook.adherence\n"
        "print([m for m in ('numpy', 'pandas', 'matplotlib', 'onnxruntime', 'av', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


# --- the button -------------------------------------------------------------------------------------------------------


def settled(card: JobCard, job: Job) -> JobCard:
    """The card as it is once the job has ended."""
    card._settle(job.record)
    return card


def until(fits: Any, *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not fits():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


@pytest.fixture
def few_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured as the fixture `report` was, so that what is kept is found."""
    monkeypatch.setattr(measuring, "How", partial(measuring.How, frames=3))


def test_a_button_measures_beside_the_kernel_and_shows_the_report_in_the_card(
    report: AdherenceReport, job: Job, session: Session, few_frames: None
) -> None:
    card = settled(JobCard(session, job.id), job)
    assert card._measure.layout.display == ""
    began = time.monotonic()
    card._measure.click()
    card._measure.click()  # a second click begins nothing
    clicked = time.monotonic() - began
    until(lambda: card._adherence._result.value)
    assert clicked < time.monotonic() - began, "the click does not wait for it"
    assert "How well the references were followed" in card._adherence._result.value
    assert card._adherence._line.value == ""
    assert card._adherence._stop.layout.display == "none"


def test_it_is_offered_where_there_is_something_to_measure(job: Job, session: Session) -> None:
    record = session.submit(session.draft(Wish(prompt="a ball", model="x-ai/grok-imagine-video", duration=1)))[0]
    bare = Job(session, record.id).wait(60)
    card = JobCard(session, bare.id)
    assert card._measure.layout.display == "none"
    assert settled(card, bare)._measure.layout.display == "none", "it has no references"


def test_what_goes_wrong_is_said_in_the_card(
    job: Job, session: Session, few_frames: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("<b>odd</b>")

    monkeypatch.setattr(measuring, "measured", fail)
    card = settled(JobCard(session, job.id), job)
    card._measure.click()
    until(lambda: "alert" in card._adherence._line.value)
    assert "a fault of refvideo_nb: ValueError: &lt;b&gt;odd&lt;/b&gt;" in card._adherence._line.value


def test_it_can_be_stopped_at_the_next_frame_and_begun_again(
    report: AdherenceReport, job: Job, session: Session, few_frames: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = settled(JobCard(session, job.id), job)
    real = measuring.measured
    seen: list[str] = []

    def slowly(what: Any, how: Any, *, told: Any) -> Any:
        seen.append(card._adherence._line.value)
        for done in range(1000):
            told(done)
            time.sleep(0.01)
        return real(what, how)

    monkeypatch.setattr(measuring, "measured", slowly)
    card._measure.click()
    until(lambda: seen)
    card._adherence._stop.click()
    until(lambda: "stopped measuring" in card._adherence._line.value)
    assert "0 of 3 frames" in seen[0]
    assert card._adherence._result.value == ""
    monkeypatch.setattr(measuring, "measured", real)
    card._measure.click()
    until(lambda: card._adherence._result.value)
