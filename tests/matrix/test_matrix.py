"""The matrix tells what did not work; what is committed is a whole one. `make test-matrix` runs it."""

import re
from pathlib import Path

from tests.matrix.__main__ import ALONE, KERNELS, good, line, tried
from tests.matrix.trial import STEPS

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"


def test_a_step_that_fails_is_told_and_what_came_before_it_is_kept(tmp_path):
    def row(_place, _kernel):
        yield "submitted", "2, each once"
        raise AssertionError("1 | 2\njobs")

    seen = tried(row, None, tmp_path / "place")
    assert seen == {"submitted": "2, each once", "finished": "**no**: AssertionError 1 | 2 jobs"}
    assert not good(seen)
    told = "| a script | none | 2, each once | **no**: AssertionError 1 / 2 jobs | – | – |"
    assert line("a script", "none", seen) == told


def test_only_all_steps_are_good():
    seen = dict.fromkeys(STEPS, "seen")
    assert good(seen)
    del seen["saved"]
    assert not good(seen)


def test_what_is_committed_has_every_row_and_each_was_good():
    rows = re.findall(r"^\| ([^|]+) \| ([\d.]+|none) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name, *_ in rows] == [n for n in KERNELS for _ in range(2)] + list(ALONE)
    for name, kernel, steps in rows:
        assert good(dict(zip(STEPS, steps.split(" | "), strict=True))), (name, kernel)
