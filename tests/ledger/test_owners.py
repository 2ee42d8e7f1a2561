"""Who looks after a job, with processes that really live, fork and die."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest

from refvideo_nb.core.job import State
from refvideo_nb.errors import TakenOverError
from refvideo_nb.ledger.owners import Owner, lives
from refvideo_nb.ledger.store import Ledger

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
    from refvideo_nb.ledger.store import Ledger
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
    import os, time
    child = os.fork()
    if not child:
        time.sleep(60)
        os._exit(0)
    print(child)
"""


FORK = """
    import os, time
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        os.write(tell, b"x")
        time.sleep(60)
        os._exit(0)
    os.read(told, 1)  # what is done after a fork is done now
    print(child)
"""


def test_a_forked_child_keeps_nothing_alive(tmp_path, job):
    with (
        contextlib.closing(Ledger(tmp_path)) as ledger,
        process(textwrap.dedent(CLAIM) + textwrap.dedent(FORK), tmp_path, job.id) as (other, told),
    ):
        child = int(told[0])
        try:
            assert ledger.claim(job.id) is None
            other.kill()
            other.wait()
            assert ledger.claim(job.id) is not None, "the child holds its parent's lock"
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_removed_lock_is_no_death(tmp_path, job):
    with contextlib.closing(Ledger(tmp_path)) as ledger, process(CLAIM, tmp_path, job.id):
        shutil.rmtree(tmp_path / "owners")
        assert ledger.claim(job.id) is None, "nobody can tell: the lease decides"


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
    owner = Owner(tmp_path)
    assert lives(tmp_path, owner.token)
    with (tmp_path / "owners" / f"{owner.token.rpartition(':')[2]}.lock").open("rb") as other:
        os.close(owner._file.fileno())  # as the system does where a process dies
        import fcntl

        fcntl.flock(other, fcntl.LOCK_SH)
        assert lives(tmp_path, owner.token) is False
