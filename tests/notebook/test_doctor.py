"""The report of what is there: every line is fine, or says what to do; the key is never in it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.display.tables import findings_table
from refvideo_nb.ledger.store import Ledger
from refvideo_nb.notebook import doctor, environment

KEY = "sk-or-v1-" + "ab" * 32


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("OPENROUTER_API_KEY", "OPENROUTER_BASE_URL", "REFVIDEO_OFFLINE", "REFVIDEO_SESSION_BUDGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REFVIDEO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def found(what: str) -> doctor.Finding:
    return next(f for f in doctor.examine() if f.what == what)


def test_a_healthy_place(home: Path) -> None:
    assert found("key").found == "no OPENROUTER_API_KEY: the simulator answers, nothing is paid"
    of_this_machine = {"measuring", "home folder"}
    assert [f for f in doctor.examine() if f.todo and f.what not in of_this_machine] == []
    assert not home.exists(), "looking makes nothing"


def test_a_key_is_told_of_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    assert "jobs are paid" in found("key").found
    assert "session_budget" in found("budget").todo
    assert KEY not in repr(doctor.examine())
    monkeypatch.setenv("REFVIDEO_OFFLINE", "1")
    assert found("key").found.startswith("REFVIDEO_OFFLINE=1")


def test_settings_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFVIDEO_TIMEOUT", "soon")
    assert "REFVIDEO_TIMEOUT='soon'" in found("settings").todo


def test_a_folder_that_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFVIDEO_HOME", "/proc/nothing")
    assert "REFVIDEO_HOME" in found("home folder").todo


def test_unfinished_jobs(home: Path) -> None:
    request = VideoRequest(prompt="a cat")
    record = JobRecord(id="rv-1", state=State.RUNNING, request=request, sent_prompt="", created=1.0, updated=1.0)
    with contextlib.closing(Ledger(home)) as ledger:
        ledger.add(record, fingerprint="x")
    assert found("jobs") == doctor.Finding("jobs", "1 unfinished", "%refvideo resume goes on, without paying again")


@pytest.mark.parametrize(("name", "value"), [("VSCODE_PID", "1"), ("BINDER_SERVICE_HOST", "x")])
def test_front_ends_by_their_environment(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    for known in ("VSCODE_PID", "VSCODE_CWD", "BINDER_SERVICE_HOST", "BINDER_REPO_URL"):
        monkeypatch.delenv(known, raising=False)
    assert environment.front_end() == ""
    monkeypatch.setenv(name, value)
    assert environment.front_end() in {"VS Code", "Binder"}


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    there: dict[str, Any] = {"ipywidgets": None, "onnxruntime": None}
    known = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: there.get(name, known(name)) if name in there else known(name))
    assert found("packages").todo == "pip install ipywidgets"
    assert found("measuring").todo == "pip install 'refvideo-nb[adherence]'"


def test_the_table() -> None:
    table = findings_table([("a", "<b>", ""), ("c", "d", "do this")])
    assert "1 thing to look at" in table["text/plain"]
    assert "&lt;b&gt;" in table["text/html"]
