"""Copies, removals and forks of a ledger that is in use: nothing that was written down is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import textwrap

import pytest

from refvideo_nb.core.job import State
from refvideo_nb.errors import LedgerError
from refvideo_nb.ledger.store import Ledger

OPENS_AND_CLOSES = "import sys, pathlib, refvideo_nb.ledger.store as s; s.Ledger(pathlib.Path(sys.argv[1])).close()"
PAYS = """
    import shutil, sys
    from pathlib import Path
    from refvideo_nb.core.job import JobRecord, State
    from refvideo_nb.core.request import VideoRequest
    from refvideo_nb.ledger.store import Ledger
    def job(name):
        values = {"request": VideoRequest(prompt="x"), "sent_prompt": "x", "created": 1.0, "updated": 1.0}
        return JobRecord(id=name, state=State.DRAFTED, **values)
    home = Path(sys.argv[1])
    ledger = Ledger(home)
    ledger.add(job("rv-before"), fingerprint="1")
    shutil.copytree(home, home.with_name("copy"))
    print("copied", flush=True)
    sys.stdin.readline()
    ledger.add(job("rv-after"), fingerprint="2")
    ledger.advance("rv-after", State.SUBMITTING)
    print("paid", flush=True)
    sys.stdin.readline()
"""


def open_and_close(home):
    subprocess.run([sys.executable, "-c", OPENS_AND_CLOSES, str(home)], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX locks alone are given up by a copy")
def test_a_job_that_is_paid_after_a_copy_of_the_home_folder_is_not_lost(tmp_path):
    home = tmp_path / "home"
    command = [sys.executable, "-c", textwrap.dedent(PAYS), str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout.readline() == "copied\n"
        open_and_close(home)  # it sees no lock of the owner's, and removes the log that the owner writes to
        assert not (home / "ledger.sqlite-wal").exists(), "the owner's locks are there: the test shows nothing"
        owner.stdin.write("\n")
        owner.stdin.flush()
        assert owner.stdout.readline() == "paid\n"
        owner.kill()
        owner.wait()
    with contextlib.closing(Ledger(home)) as ledger:
        assert ledger.get("rv-after").state is State.SUBMITTING
        assert ledger.get("rv-before")
        assert ledger._database._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def copied(home):
    shutil.copytree(home, home.with_name("copy"), dirs_exist_ok=True)
    open_and_close(home)


@pytest.mark.skipif(sys.platform == "win32", reason="as above")
def test_what_others_write_after_a_copy_is_seen(tmp_path, record):
    with contextlib.closing(Ledger(tmp_path / "home")) as ledger:
        ledger.add(record("rv-1"), fingerprint="1")
        copied(tmp_path / "home")
        # Another one in the same process: SQLite has one set of locks for the two of them.
        with contextlib.closing(Ledger(tmp_path / "home")) as other:
            other.add(record("rv-2"), fingerprint="2")
            assert ledger.get("rv-2")
            copied(tmp_path / "home")
            ledger.add(record("rv-3"), fingerprint="3")
            assert other.get("rv-3")
    with contextlib.closing(Ledger(tmp_path / "home")) as ledger:
        assert {r.id for r in ledger.jobs()} == {"rv-1", "rv-2", "rv-3"}


@pytest.mark.skipif(sys.platform == "win32", reason="as above")
def test_what_may_have_been_lost_in_the_middle_is_not_called_written(tmp_path, record):
    def interfere(_):
        copied(tmp_path / "home")

    with contextlib.closing(Ledger(tmp_path / "home")) as ledger:
        with pytest.raises(LedgerError, match="replaced while this was written; try again"):
            ledger.add(record("rv-1"), fingerprint="1", allow=interfere)
        ledger.add(record("rv-2"), fingerprint="2")
        assert ledger.get("rv-2")


@pytest.mark.skipif(sys.platform == "win32", reason="what is open there cannot be removed")
def test_a_home_folder_that_is_removed_is_made_again(tmp_path, record):
    with contextlib.closing(Ledger(tmp_path / "home")) as ledger:
        ledger.add(record("rv-1"), fingerprint="1")
        shutil.rmtree(tmp_path / "home")
        (tmp_path / "home").write_text("a file")
        for _ in range(2):
            with pytest.raises(LedgerError, match="REFVIDEO_HOME"):
                ledger.add(record("rv-2"), fingerprint="2")
        (tmp_path / "home").unlink()
        ledger.add(record("rv-2"), fingerprint="2")
        with contextlib.closing(Ledger(tmp_path / "home")) as other:
            assert [r.id for r in other.jobs()] == ["rv-2"], "it is on the disk, and not in a file without a name"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # newer Pythons warn of what is tested here
def test_a_forked_child_does_not_use_its_parents_database(ledger, record):
    ledger.add(record(), fingerprint="f")
    child = os.fork()
    if not child:
        try:
            ledger.advance(record().id, State.SUBMITTING)
        except LedgerError as error:
            os._exit(42 if "parent process" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert ledger.get(record().id).state is State.DRAFTED
