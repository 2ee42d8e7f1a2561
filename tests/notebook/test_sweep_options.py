"""What the line and the cell of ``%%refvideo_sweep`` mean."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.error import UsageError

from refvideo_nb.notebook.sweep_options import SweepOptions, parse_sweep

NAMES = {"colours": ["red", "blue"], "place": "a {{field}} with $5", "refs": [{"a": b"1"}, {"a": b"2"}], "n": 3}


def parse(line: str, cell: str | None = "a cat", **more: Any) -> SweepOptions:
    return parse_sweep(line, cell, namespace=NAMES, model="some/model", **({"max_cost": None} | more))


@pytest.mark.parametrize(
    ("line", "axes"),
    [
        ("--grid seed=0..3", {"seed": (0, 1, 2, 3)}),
        ("-g seed=5", {"seed": (5,)}),
        ("--grid seed=-1..1,7", {"seed": (-1, 0, 1, 7)}),
        ("--grid duration=4,5 --grid model=a/b,c/d", {"duration": (4, 5), "model": ("a/b", "c/d")}),
        ("--grid aspect-ratio=16:9,1:1", {"aspect_ratio": ("16:9", "1:1")}),
        ("--grid audio=yes,no", {"generate_audio": (True, False)}),
        ("--grid size=1280x720,720x1280", {"size": ("1280x720", "720x1280")}),
        ("--grid ref=refs", {"references": ({"a": b"1"}, {"a": b"2"})}),
        ("--grid seed={{n}},4", {"seed": (3, 4)}),
    ],
)
def test_arguments_that_are_varied(line: str, axes: dict[str, Any]) -> None:
    assert parse(line).asked.axes == axes


def test_fields_are_filled_later_and_variables_now() -> None:
    asked = parse("--grid colour=colours --zip what=cat,dog --zip seed=1,2", "a {{colour}} {{what}} in {{place}}").asked
    assert asked.fields == {"colour": ("red", "blue"), "what": ("cat", "dog")}
    assert asked.zipped == ("what", "seed")
    assert asked.wish.prompt == r"a {{colour}} {{what}} in a \{{field}} with $5"


def test_prompts_of_a_line() -> None:
    asked = parse("--grid prompt=colours", None).asked
    assert asked.axes["prompt"] == ("red", "blue")
    assert parse('--grid "prompt=a cat, a dog"', None).asked.axes["prompt"] == ("a cat", "a dog")


def test_the_other_options_are_those_of_a_single_job() -> None:
    options = parse("--grid seed=1,2 -d 4 --resolution 480p --no-audio --fresh --wait -o s --max-cost 2 --at-once 3")
    wish = options.asked.wish
    assert (wish.duration, wish.resolution, wish.generate_audio, wish.model) == ("4", "480p", False, "some/model")
    assert (options.fresh, options.wait, options.out, options.max_cost, options.at_once) == (True, True, "s", "2", "3")
    assert wish.max_cost is None, "it is the sweep's, and not each job's"
    assert parse("--grid seed=1,2", max_cost=5.0).max_cost == 5.0


@pytest.mark.parametrize(
    ("line", "cell", "said"),
    [
        ("--grid seed", "x", "--grid 'seed' cannot be used: give NAME=VALUES"),
        ("--zip =1", "x", "--zip '=1' cannot be used"),
        ("--grid seed=3..1", "x", "the range 3..1 is none"),
        ("--grid seed=1 --zip seed=2", "x", "seed is varied twice"),
        ("--grid prompt=a,b", "x", "the cell holds a prompt, and prompt is varied too"),
        ("--grid seed=1,2 --seed 3", "x", "seed is varied and given as an option too"),
        ("--grid model=a,b -m c", "x", "model is varied and given as an option too"),
        ("--grid seed=1 --extend rv-1", "x", "--extend belongs to a single job"),
        ("--grid seed=1", "a {{nothing}}", "{{nothing}} names a variable that does not exist"),
        ("--gird seed=1", "x", "did you mean --grid?"),
        ("--grid colour=sk-or-v1-0123456789abcdef", "a {{colour}}", "holds an API key"),
    ],
)
def test_what_cannot_be_used(line: str, cell: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        parse(line, cell)
    assert said in str(told.value)
    assert "\n" not in str(told.value)
