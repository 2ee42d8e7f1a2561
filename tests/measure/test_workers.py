"""Processes that carry out calls: what comes back, who is replaced, and that no script runs twice."""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import wait
from pathlib import Path

import pytest

from refvideo_nb.errors import RefVideoError
from refvideo_nb.measure.workers import Workers, cores


@pytest.fixture
def workers():
    made = Workers(2)
    yield made
    made.shutdown(wait=False)


def test_calls_are_carried_out_elsewhere(workers):
    found = [workers.submit(os.getpid).result(30) for _ in range(3)]
    assert os.getpid() not in found
    assert workers.submit(divmod, 7, 2).result(30) == (3, 1)
    assert cores() >= 1


def test_what_prints_or_raises_does_no_harm(workers):
    workers.submit(print, "hello").result(30)
    with pytest.raises(RefVideoError, match="ZeroDivisionError"):
        workers.submit(divmod, 1, 0).result(30)
    assert workers.submit(abs, -3).result(30) == 3


def test_a_worker_that_ends_is_replaced_once(workers, tmp_path):
    script = f"import os, pathlib; p = pathlib.Path({str(tmp_path / 'once')!r}); p.exists() or (p.touch(), os._exit(9))"
    assert workers.submit(exec, script).result(30) is None
    with pytest.raises(RefVideoError, match="ended 2 times"):
        workers.submit(os._exit, 1).result(30)
    assert workers.submit(abs, -3).result(30) == 3


def test_what_is_left_is_taken_back(workers):
    import time

    begun = [workers.submit(time.sleep, 60) for _ in range(6)]
    wait(begun, timeout=1)
    workers.shutdown(wait=False)
    assert all(f.done() for f in begun)
    assert not workers._processes or all(p.poll() is not None for p in workers._processes)


def test_a_script_without_a_guard_is_run_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        from refvideo_nb.measure.workers import Workers
        print("paid")
        made = Workers(2)
        print(made.submit(abs, -3).result(60))
        made.shutdown()
    """)
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=False, cwd=Path.cwd()
    )
    assert done.stdout.split() == ["paid", "3"], done.stderr
