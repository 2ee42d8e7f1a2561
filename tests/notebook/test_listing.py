"""The ledger's list without a notebook."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import refvideo_nb
from refvideo_nb.__main__ import main
from refvideo_nb.client.embedded import stop_simulator
from refvideo_nb.notebook.current import current_session


def test_the_list_without_a_notebook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFVIDEO_HOME", str(tmp_path / "nothing"))
    assert main(["jobs"]) == 0
    assert "there is no ledger" in capsys.readouterr().out
    assert not (tmp_path / "nothing").exists()

    for name in ("OPENROUTER_API_KEY", "OPENROUTER_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REFVIDEO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REFVIDEO_SIMULATOR_SECONDS", "0.1")
    home = tmp_path / "home"
    ended = "import refvideo_nb; refvideo_nb.generate('a ball', duration=4, resolution='480p')"
    subprocess.run([sys.executable, "-c", ended], check=True, timeout=60)
    assert main(["jobs"]) == 0
    assert "not sent yet" not in capsys.readouterr().out
    made = [refvideo_nb.generate(f"a ball, {n}", duration=4, resolution="480p").wait(60).id for n in range(2)]
    stop_simulator(home)
    current_session().close()
    assert main(["jobs"]) == 0
    out = capsys.readouterr().out
    assert all(job_id in out for job_id in made)
    assert "3 jobs" in out
    assert main(["jobs", "--limit", "1"]) == 0
    out = capsys.readouterr().out
    assert made[1] in out
    assert made[0] not in out
