"""The home folder: made when needed, out of git, and a clear error where it cannot be."""

import os
import subprocess
from pathlib import Path

import pytest

from refvideo_nb.errors import LedgerError
from refvideo_nb.ledger.home import prepare_home
from refvideo_nb.ledger.store import Ledger


def test_it_is_made_with_its_rooms(tmp_path):
    made = prepare_home(tmp_path / "a" / "b")
    assert {p.name for p in made.iterdir()} >= {"media", "videos", "cache", ".gitignore"}
    assert prepare_home(made) == made


def test_git_does_not_see_it(tmp_path):
    prepare_home(tmp_path / "refvideo")
    (tmp_path / "refvideo" / "ledger.sqlite").write_text("x")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    told = subprocess.run(["git", "status", "--short"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert told.stdout == ""


def test_a_gitignore_of_the_person_is_left_alone(tmp_path):
    (tmp_path / ".gitignore").write_text("mine")
    prepare_home(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "mine"


@pytest.mark.parametrize("place", ["home", "home/media", "home/videos"])
def test_a_file_in_its_place(tmp_path, place):
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("a file")
    with pytest.raises(LedgerError, match="REFVIDEO_HOME") as caught:
        prepare_home(tmp_path / "home")
    assert "REFVIDEO_HOME" in str(caught.value)
    assert path.read_text() == "a file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere; the next test stands in")
def test_a_folder_that_is_read_only(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(LedgerError, match="cannot be written"):
        prepare_home(tmp_path / "home")
    tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("number", "text"), [(13, "Permission denied"), (30, "Read-only file system"), (28, "No space left")]
)
def test_what_the_system_refuses(tmp_path, monkeypatch, number, text):
    def refuse(*args, **kwargs):
        raise OSError(number, text)

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(LedgerError, match=text):
        prepare_home(tmp_path / "home")
    with pytest.raises(LedgerError, match=text):
        Ledger(tmp_path / "home")
