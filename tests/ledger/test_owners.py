"""Who looks after a job, with processes that really live, fork and die."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap

import pytest

from refvideo_nb.core.job import State
from refvideo_nb.errors import TakenOverError
from refvideo_nb.ledger.owners import Owner, lives
from refvideo_nb.ledger.store import LEASE, Ledger

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there the lease alone decides")


@contextlib.contextmanager
def process(code, *arguments):
    """A Python process that says "ready" and then waits for its standard input to end."""
    body = textwrap.dedent(code) + "\nprint('ready', flush=True)\nimport sys\nsys.stdin.read()\n"
    started = subprocess.Popen(
        [sys.executable, "-c", body, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with started:
        told = []
        for line in started.stdout:
            told.append(line.strip())
            if told[-1] == "ready":
                break
        assert told
        assert told[-1] == "ready"
        try:
            yield started, told[:-1]
        finally:
            started.kill()


CLAIM = """
    import sys
    from pathlib import Path
    from refvideo_nb.ledger.store import LEASE, Ledger
    ledger = Ledger(Path(sys.argv[1]))
    assert ledger.claim(sys.argv[2]) is not None
"""


@pytest.fixture
def job(tmp_path, record):
    """A running job that nobody looks after."""
    with contextlib.closing(Ledger(tmp_path)) as ledger:
        return ledger.add(record(state=State.RUNNING, api_id="gen-1"), fingerprint="f")


def test_a_killed_process_is_recognised_at_once(tmp_path, job):
    with contextlib.closing(Ledger(tmp_path)) as ledger:
        with process(CLAIM, tmp_path, job.id) as (other, _):
            assert ledger.claim(job.id) is None
            other.send_signal(signal.SIGKILL)
            other.wait()
        assert ledger.claim(job.id) is not None


def test_a_copy_of_the_home_folder_gives_nothing_up(tmp_path, job):
    code = CLAIM + "\n    import shutil; shutil.copytree(sys.argv[1], sys.argv[3])"
    with (
        contextlib.closing(Ledger(tmp_path)) as ledger,
        process(code, tmp_path, job.id, tmp_path.with_name("copy of home")),
    ):
        assert ledger.claim(job.id) is None


FORK = """
    import os
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        os.write(tell, b"x")  # from here on it has let go
        if {then!r} == "close":
            ledger.close()
        os.write(tell, b"x")
        sys.stdin.read()
        os._exit(0)
    os.read(told, 1), os.read(told, 1)
    print(child)
"""


@contextlib.contextmanager
def parent_and_child(tmp_path, job, then="wait"):
    with process(CLAIM + FORK.format(then=then), tmp_path, job.id) as (other, told):
        try:
            yield other
        finally:
            os.kill(int(told[0]), signal.SIGKILL)


def test_a_forked_child_keeps_nothing_alive(tmp_path, job):
    with contextlib.closing(Ledger(tmp_path)) as ledger, parent_and_child(tmp_path, job) as other:
        assert ledger.claim(job.id) is None
        other.kill()
        other.wait()
        assert ledger.claim(job.id) is not None, "the child holds its parent's lock"


def test_a_forked_child_gives_nothing_of_its_parent_up(tmp_path, job):
    with contextlib.closing(Ledger(tmp_path)) as ledger, parent_and_child(tmp_path, job, then="close"):
        assert ledger.claim(job.id) is None
        assert list((tmp_path / "owners").glob("*")), "the child removed its parent's lock file"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # newer Pythons warn of what is tested here
def test_a_forked_child_keeps_its_own_files(tmp_path):
    owner = Owner(tmp_path)
    child = os.fork()
    if not child:
        with (tmp_path / "mine").open("wb") as mine:  # may well get the number that the lock had
            owner.close()
            del owner
            gc.collect()
            os._exit(42 if os.write(mine.fileno(), b"x") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert lives(tmp_path, owner.token), "the child removed its parent's lock file"
    owner.close()


def test_a_removed_lock_is_no_death(tmp_path, job):
    with contextlib.closing(Ledger(tmp_path)) as ledger, process(CLAIM, tmp_path, job.id):
        shutil.rmtree(tmp_path / "owners")
        assert ledger.claim(job.id) is None, "nobody can tell: the lease decides"


def test_a_lock_that_a_backup_put_back_is_no_death(tmp_path, job):
    with contextlib.closing(Ledger(tmp_path)) as ledger, process(CLAIM, tmp_path, job.id):
        (tmp_path / "owners").rename(tmp_path / "gone")
        shutil.copytree(tmp_path / "gone", tmp_path / "owners")
        assert ledger.claim(job.id) is None, "it is not the file that the process holds"


def test_a_removed_lock_is_made_again(tmp_path, job):
    code = CLAIM + "\n    import shutil; shutil.rmtree(Path(sys.argv[1]) / 'owners'); ledger.renew()"
    with contextlib.closing(Ledger(tmp_path)) as ledger, process(code, tmp_path, job.id) as (other, _):
        assert ledger.claim(job.id) is None
        other.kill()
        other.wait()
        assert ledger.claim(job.id) is not None, "its death is seen at once again"


def test_an_end_that_could_not_say_so_is_seen_at_once(tmp_path, job, monkeypatch):
    monkeypatch.setattr("refvideo_nb.ledger.database._PATIENCE", 0.05)
    first = Ledger(tmp_path)
    assert first.claim(job.id) is not None
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as busy:
        busy.execute("BEGIN IMMEDIATE")
        first.close()
        busy.rollback()
    with contextlib.closing(Ledger(tmp_path)) as ledger:
        assert ledger.claim(job.id) is not None


def test_where_no_lock_is_to_be_had_the_lease_decides(tmp_path, job, clock):
    (tmp_path / "owners").rmdir()
    (tmp_path / "owners").write_text("a file")
    with (
        contextlib.closing(Ledger(tmp_path, clock=clock)) as first,
        contextlib.closing(Ledger(tmp_path, clock=clock)) as second,
    ):
        assert first.claim(job.id) is not None
        first.renew()
        assert second.claim(job.id) is None
        clock.now += LEASE
        assert second.claim(job.id) is not None


def test_an_orderly_end_frees_its_jobs_at_once(tmp_path, job):
    first = Ledger(tmp_path)
    assert first.claim(job.id) is not None
    with contextlib.closing(Ledger(tmp_path)) as ledger:
        assert ledger.claim(job.id) is None
        first.close()
        assert ledger.claim(job.id) is not None
    assert not list((tmp_path / "owners").glob("*"))


def test_what_another_process_has_is_not_changed(tmp_path, job):
    with (
        contextlib.closing(Ledger(tmp_path)) as ledger,
        process(CLAIM, tmp_path, job.id),
        pytest.raises(TakenOverError, match="another process"),
    ):
        ledger.advance(job.id, State.COMPLETED)


def test_two_that_ask_at_once_do_not_take_each_other_for_the_owner(tmp_path):
    import fcntl

    owner = Owner(tmp_path)
    assert lives(tmp_path, owner.token)
    with owner._path.open("rb") as other:
        owner.close(released=False)  # as where its process dies

        fcntl.flock(other, fcntl.LOCK_SH)
        assert lives(tmp_path, owner.token) is False
