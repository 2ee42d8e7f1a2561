"""What leaves this machine, and what comes in from another: whole, checked, without a secret, and paid once."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import refvideo_nb
from refvideo_nb.engine.wish import Wish
from refvideo_nb.errors import InvalidRequestError, LedgerError, UnknownJobError
from refvideo_nb.notebook import exporting, importing
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.session import Session
from refvideo_nb.settings import Secret, Settings
from refvideo_nb.simulator import Simulator

BALL: dict[str, Any] = {
    "prompt": "@red rolls",
    "model": "bytedance/seedance-2.0-fast",
    "duration": 4,
    "resolution": "480p",
}
RED = Image.new("RGB", (400, 300), "red")


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(seconds=0.1) as made:
        yield made


@contextlib.contextmanager
def opened(simulator: Simulator, home: Path, *, key: str | None = None) -> Iterator[Session]:
    secret = Secret(key or simulator.api_key)
    settings = Settings(key=secret, base_url=simulator.base_url, home=home, poll_interval=0.05, poll_max=0.2)
    with contextlib.closing(Session(settings)) as made:
        yield made


@pytest.fixture(scope="module")
def session(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with opened(simulator, tmp_path_factory.mktemp("here") / "home") as made:
        yield made


@pytest.fixture
def colleague(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """Another home, in which things are brought in."""
    with opened(simulator, tmp_path / "there") as made:
        monkeypatch.setattr(importing, "current_session", lambda: made)
        yield made


def started(session: Session, seed: int, *, reference: Any = RED, **more: Any) -> Job:
    wish = Wish(**(BALL | more), references={"red": reference}, seed=seed)
    record, reused = session.submit(session.draft(wish))
    return Job(session, record.id, reused=reused)


@pytest.fixture(scope="module")
def runs(session: Session) -> list[Job]:
    return [started(session, seed).wait(60) for seed in (7, 8)]


def files_in(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --- what goes out ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["report.html", "REPORT.HTM", "bundle.zip"])
def test_the_same_jobs_give_the_same_file(runs: list[Job], tmp_path: Path, name: str) -> None:
    made = [refvideo_nb.export(runs, tmp_path / folder / name) for folder in ("one", "two")]
    assert made == [tmp_path / "one" / name, tmp_path / "two" / name]
    assert made[0].read_bytes() == made[1].read_bytes()
    again = refvideo_nb.export([*runs, runs[0]], str(made[0]))
    assert again.read_bytes() == made[1].read_bytes(), "a job that is given twice is there once; the file is replaced"
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == [name, name], "nothing else is left"


def test_a_report_is_one_page_with_every_clip(runs: list[Job], tmp_path: Path) -> None:
    html = refvideo_nb.export(runs, tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(re.findall(r'<video[^>]* src="data:video/mp4;base64,', html)) == 2
    assert html.count('alt="Reference @red"') == 1
    for job in runs:
        assert job.id in html
    assert html.count(">SIMULATED<") == 2


def test_a_folder_holds_each_clip_with_its_provenance(runs: list[Job], tmp_path: Path) -> None:
    refvideo_nb.export(runs, f"{tmp_path}/all{os.sep}")
    refvideo_nb.export(runs[0], tmp_path / "all")  # which is there by now
    files = files_in(tmp_path / "all")
    assert sorted(n for n in files if "/" not in n) == sorted(f"{j.id}.{e}" for j in runs for e in ("json", "mp4"))
    for job in runs:
        about = json.loads(files[f"{job.id}.json"])
        assert about["video"]["sha256"] == hashlib.sha256(files[f"{job.id}.mp4"]).hexdigest()
        (reference,) = about["references"]
        assert reference["sha256"] == hashlib.sha256(files[reference["file"]]).hexdigest()


def test_one_job_an_id_and_a_generator_are_jobs(
    runs: list[Job], session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "current_session", lambda: session)
    one = refvideo_nb.export(runs[0], tmp_path / "one.zip").read_bytes()
    assert refvideo_nb.export(runs[0].id, tmp_path / "two.zip").read_bytes() == one
    assert refvideo_nb.export((j for j in runs[:1]), tmp_path / "three.zip").read_bytes() == one
    with pytest.raises(UnknownJobError):
        refvideo_nb.export("rv-20200101-aaaaaa", tmp_path / "four.zip")


def test_a_comparison_keeps_its_labels_references_and_title(runs: list[Job], tmp_path: Path) -> None:
    film = tmp_path / "my film.mp4"
    film.write_bytes((runs[0].video or film).read_bytes())
    blue = Image.new("RGB", (40, 30), "blue")
    compared = refvideo_nb.compare(runs[0], film, references={"blue": blue}, labels=["run", "cut"], title="Grading")
    html = refvideo_nb.export(compared, tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(re.findall(r'<video[^>]* src="data:video/mp4;base64,', html)) == 2
    assert re.findall(r"<h3>(.*)</h3>", html) == ["A run", "B cut"]
    assert re.findall(r'alt="(Reference .*?)"', html) == ["Reference @blue"]
    assert "Grading" in html
    with pytest.raises(InvalidRequestError, match=r"'cut' is a file and no job: only report\.html can hold it"):
        refvideo_nb.export(compared, tmp_path / "bundle.zip")
    both = refvideo_nb.export(refvideo_nb.compare(*runs), tmp_path / "both.zip")
    assert both.read_bytes() == refvideo_nb.export(runs, tmp_path / "runs.zip").read_bytes()


def test_what_cannot_be_exported_is_refused_in_one_line(runs: list[Job], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    page = tmp_path / "r.html"
    refused: list[tuple[Any, Any, type[Exception], str]] = [
        ([], page, InvalidRequestError, "there is no job to export: give one"),
        ("clip.mp4", page, InvalidRequestError, "'clip.mp4' is no job: give jobs, such as refvideo_nb.jobs()"),
        (3, page, InvalidRequestError, "3 is no job"),
        ([runs[0], None], page, InvalidRequestError, "None is no job"),
        (runs, tmp_path / "r.pdf", InvalidRequestError, "says not what to write: give report.html, bundle.zip, or a"),
        (runs, tmp_path / "report", InvalidRequestError, "says not what to write"),
        (runs, b"r.html", InvalidRequestError, "bytes is no path: give a str or a Path"),
        (runs, 3, InvalidRequestError, "int is no path"),
        (runs, tmp_path / "file" / "r.html", LedgerError, "cannot be written .*: choose another place"),
        (runs, tmp_path / "file" / "b.zip", LedgerError, "cannot be written .*: choose another place"),
    ]
    for jobs, target, error, words in refused:
        with pytest.raises(error, match=words) as caught:
            refvideo_nb.export(jobs, target)
        assert "\n" not in str(caught.value)
    assert files_in(tmp_path) == {"file": b"in the way"}


def test_a_job_that_goes_on_is_named(held_api: Any, tmp_path: Path) -> None:
    with opened(held_api.simulator, tmp_path / "home") as made:
        job = started(made, 7)
        with pytest.raises(InvalidRequestError, match=rf"job {job.id} is \w+: wait\(\) for it, or leave it out"):
            refvideo_nb.export(job, tmp_path / "r.html")


@pytest.mark.parametrize("name", ["r.html", "b.zip", "all/"])
def test_a_clip_that_is_gone_or_another_one_is_told(simulator: Simulator, tmp_path: Path, name: str) -> None:
    with opened(simulator, tmp_path / "home") as made:
        job = started(made, 7).wait(60)
        clip = job.video
        assert clip is not None
        clip.write_bytes(clip.read_bytes() + b"x")
        with pytest.raises(LedgerError, match=rf"the clip of job {job.id} is no longer what came"):
            refvideo_nb.export(job, f"{tmp_path}/{name}")
        clip.unlink()
        with pytest.raises(LedgerError, match=rf"the clip of job {job.id} is gone"):
            refvideo_nb.export(job, f"{tmp_path}/{name}")
        assert not (tmp_path / name).exists()


def test_jobs_of_two_homes_are_exported_apart(runs: list[Job], colleague: Session, tmp_path: Path) -> None:
    other = started(colleague, 7).wait(60)
    with pytest.raises(InvalidRequestError, match="the jobs are of several home folders"):
        refvideo_nb.export([*runs, other], tmp_path / "bundle.zip")
    refvideo_nb.export([*runs, other], tmp_path / "report.html")  # a page only shows them


@pytest.mark.parametrize("key", ["that of a proxy", "sk-or-v1-" + 16 * "0af3"])
def test_no_key_no_signature_and_no_folder_goes_out(simulator: Simulator, tmp_path: Path, key: str) -> None:
    folder = tmp_path / "photos of me"
    folder.mkdir()
    RED.save(folder / "red.png")
    with opened(simulator, tmp_path / "home") as made:
        job = started(made, 7, reference=folder / "red.png").wait(60)
        repeated = started(made, 8).wait(60)
        made.ledger.advance(repeated.id, notes=(f"you said {key}",))
        refvideo_nb.export(job, tmp_path / "r.html")
        refvideo_nb.export(job, tmp_path / "b.zip")
        refvideo_nb.export(job, f"{tmp_path}/all/")
        out = {"page": (tmp_path / "r.html").read_bytes()}
        with zipfile.ZipFile(tmp_path / "b.zip") as archive:
            out |= {name: archive.read(name) for name in archive.namelist()}
        out |= files_in(tmp_path / "all")
        assert len(out) == 7
        for name, data in out.items():
            for secret in (simulator.api_key, str(tmp_path), "photos of me", "signature=", 'polling_url": "'):
                assert secret.encode() not in data, (name, secret)
    # One's own key, whatever it looks like, and any that looks like one.
    with opened(simulator, tmp_path / "home", key="that of a proxy") as later:
        job, repeated = (Job(later, one.id) for one in (job, repeated))
        for name in ("with.html", "with.zip", "with/"):
            with pytest.raises(InvalidRequestError, match="holds an API key in its text") as caught:
                refvideo_nb.export([job, repeated], f"{tmp_path}/{name}")
            assert key not in str(caught.value)
            assert not (tmp_path / name).exists()


# --- what comes in ----------------------------------------------------------------------------------------------------


def test_a_colleague_has_the_jobs_and_pays_nothing_for_them_again(
    runs: list[Job], colleague: Session, simulator: Simulator, tmp_path: Path
) -> None:
    bundle = refvideo_nb.export(runs, tmp_path / "bundle.zip")
    brought = refvideo_nb.import_bundle(str(bundle))
    assert [j.id for j in brought] == sorted(j.id for j in runs)
    by_id = {j.id: j for j in runs}
    for job in brought:
        mine = by_id[job.id]
        assert job.record.imported
        assert (job.video or Path()).read_bytes() == (mine.video or Path()).read_bytes()
        beside = [(j.video or Path()).with_suffix(".json").read_text() for j in (job, mine)]
        assert beside[0] == beside[1], "what is known of it stands beside it here too"
        assert (job.record.request.prompt, job.record.request.seed, job.cost) == (
            mine.record.request.prompt,
            mine.record.request.seed,
            mine.cost,
        )
    # Shown and compared like any other.
    assert "Same prompt, model and references." in refvideo_nb.compare(*brought).bundle["text/plain"]
    # The very same request, made anew from the same picture.
    paid = simulator.stats()["paid_jobs"]
    again = started(colleague, 7)
    assert again.reused
    assert again.id in by_id
    other = started(colleague, 9).wait(60)
    assert not other.reused
    assert simulator.stats()["paid_jobs"] == paid + 1, "only what nobody has made before"
    # And back: nothing is here twice.
    assert [j.id for j in refvideo_nb.import_bundle(bundle)] == [j.id for j in brought]
    assert len(colleague.ledger.jobs()) == 3
    back = refvideo_nb.export(brought, tmp_path / "back.zip")
    assert back.read_bytes() == bundle.read_bytes(), "whoever passes it on passes on the same"


def test_what_is_no_bundle_changes_nothing(runs: list[Job], colleague: Session, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no archive")
    page = refvideo_nb.export(runs, tmp_path / "report.html")
    refused: list[tuple[Any, type[Exception], str]] = [
        (3, InvalidRequestError, "int is no path: give that of a bundle"),
        (tmp_path / "gone.zip", LedgerError, r"gone\.zip"),
        (tmp_path / "text.zip", LedgerError, r"text\.zip"),
        (page, LedgerError, r"report\.html"),
    ]
    for given, error, words in refused:
        with pytest.raises(error, match=words) as caught:
            refvideo_nb.import_bundle(given)
        assert "\n" not in str(caught.value)
    assert colleague.ledger.jobs() == []


def forged(bundle: Path, to: Path, name: str, change: Any) -> Path:
    """The bundle with one file changed, and every hash and size made to fit again."""
    with zipfile.ZipFile(bundle) as archive:
        held = {n: archive.read(n) for n in archive.namelist()}
    held[name] = change(held[name])
    manifest = json.loads(held.pop("manifest.json"))
    manifest["files"] = {n: {"sha256": hashlib.sha256(d).hexdigest(), "bytes": len(d)} for n, d in held.items()}
    with zipfile.ZipFile(to, "w") as archive:
        for n, d in held.items():
            archive.writestr(n, d)
        archive.writestr("manifest.json", json.dumps(manifest))
    return to


def test_a_clip_that_is_none_or_not_as_it_is_said_does_not_come_in(
    runs: list[Job], colleague: Session, tmp_path: Path
) -> None:
    """Its hash fits, as anybody could make it; so it is looked into."""
    job = runs[0]
    bundle = refvideo_nb.export(job, tmp_path / "bundle.zip")
    clip, about = f"videos/{job.id}.mp4", f"jobs/{job.id}.json"
    text = b"<script>no clip</script>" * 100

    def is_text(data: bytes) -> bytes:
        told = json.loads(data)
        told["record"]["video"] |= {"sha256": hashlib.sha256(text).hexdigest(), "nbytes": len(text)}
        return json.dumps(told).encode()

    def is_larger(data: bytes) -> bytes:
        told = json.loads(data)
        told["record"]["video"] |= {"width": 1920, "height": 1080}
        return json.dumps(told).encode()

    refused = [
        (
            forged(forged(bundle, tmp_path / "a.zip", clip, lambda _: text), tmp_path / "b.zip", about, is_text),
            "decoded",
        ),
        (forged(bundle, tmp_path / "c.zip", about, is_larger), "not as it is said"),
    ]
    for path, words in refused:
        with pytest.raises(LedgerError, match=f"the clip of job {job.id} in the bundle cannot be used: .*{words}"):
            refvideo_nb.import_bundle(path)
        assert colleague.ledger.jobs() == []
        assert [n for n in files_in(tmp_path / "there") if n.endswith((".mp4", ".png", ".jpg"))] == []


# --- the figure -------------------------------------------------------------------------------------------------------


def test_a_contact_sheet_is_a_file_and_shows_small_in_a_notebook(runs: list[Job], tmp_path: Path) -> None:
    sheet = refvideo_nb.contact_sheet(*runs, to=tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").read_bytes() == sheet
    picture = Image.open(io.BytesIO(sheet))
    assert (picture.format, picture.width) == ("PNG", 2100)
    assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    small = Image.open(io.BytesIO(sheet._repr_jpeg_()))
    assert (small.format, small.width) == ("JPEG", 1050)
    assert len(sheet._repr_jpeg_()) < 300_000
    assert repr(sheet) == f"<Sheet of {len(sheet):,} bytes>"
    assert refvideo_nb.contact_sheet(*runs) == sheet, "the same for the same"


def test_a_contact_sheet_of_any_video_and_any_picture(runs: list[Job], tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes((runs[0].video or film).read_bytes())
    bare = refvideo_nb.contact_sheet(film, width=600, dpi=100)
    told = refvideo_nb.contact_sheet(film, width=600, dpi=100, references=[np.zeros((9, 9, 3), np.uint8)], labels=["x"])
    assert bare != told
    assert Image.open(io.BytesIO(told)).width == 600


def test_a_sheet_of_no_use_is_refused_in_one_line(runs: list[Job], tmp_path: Path) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"to": tmp_path / "sheet.jpg"}, "is no name of a PNG: let it end in .png"),
        ({"to": 3}, "int is no path"),
        ({"width": 10}, "width 10 cannot be used: give a whole number from 300 to 12000"),
        ({"width": 2.5}, r"width 2\.5 cannot be used"),
        ({"dpi": True}, "dpi True cannot be used: give a whole number from 36 to 1200"),
        ({"labels": ["a", "b"]}, "2 labels for 1 videos"),
    ]
    for more, words in refused:
        with pytest.raises(InvalidRequestError, match=words) as caught:
            refvideo_nb.contact_sheet(runs[0], **more)
        assert "\n" not in str(caught.value)
    with pytest.raises(InvalidRequestError, match="0 videos cannot be compared"):
        refvideo_nb.contact_sheet()
    assert files_in(tmp_path) == {}


def test_what_was_measured_travels_with_its_clip(
    runs: list[Job], colleague: Session, some_report: Any, tmp_path: Path
) -> None:
    clip = runs[0].record.video
    assert clip is not None
    asked = {"version": 1, "frames": 5}
    runs[0]._session.ledger.reports.keep(some_report(video=runs[0].id, video_sha256=clip.sha256), asked=asked)
    bundle = refvideo_nb.export(runs[0], tmp_path / "one.zip")
    brought = refvideo_nb.import_bundle(bundle)
    found = colleague.ledger.reports.find(clip.sha256, asked=asked)
    assert found is not None
    assert found.scores == some_report(references=2).scores
    assert "measured elsewhere" in found.notes[-1]
    assert refvideo_nb.export(brought, tmp_path / "back.zip").read_bytes() == bundle.read_bytes()
