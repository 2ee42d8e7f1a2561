"""What the benchmark shows stays so, with wide margins: ratios within one run, and never a time.

`make bench` measures all of it, and writes docs/benchmarks.md.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.alone

QUICK = Path(__file__).with_name("quick.py")


@pytest.fixture(scope="module")
def ratios(tmp_path_factory):
    command = [sys.executable, QUICK, tmp_path_factory.mktemp("bench")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    print(json.dumps(found, indent=1))
    return found


def test_it_imports_faster_than_the_official_client(ratios):
    assert ratios["import"]["openrouter"] < 0.5


def test_many_jobs_cost_no_more_than_by_the_official_client(ratios):
    assert ratios["cpu"]["openrouter"] < 2.5
    assert ratios["overhead"]["openrouter"] < 4
    assert ratios["connections"] <= 16
    assert ratios["requests"]["httpx-16"] < 1.2, "it asks no more often"


def test_twenty_times_the_jobs_slow_no_question_but_a_search(ratios):
    for what in ("open", "insert", "newest 50"):
        assert ratios["ledger"][what] < 8, ratios["ledger"]
    assert ratios["ledger"]["search"] < 40, ratios["ledger"]


def test_a_clip_is_shown_in_hardly_more_bytes_than_it_has(ratios):
    assert ratios["bytes shown"]["IPython.display.Video"] < 1.1
