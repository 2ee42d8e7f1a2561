"""The tree that is drawn is the tree that is there, and no message can forge a line."""

import copy
import inspect
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refvideo_nb import errors
from refvideo_nb.errors import RefVideoError, one_line

CLASSES = {n: c for n, c in vars(errors).items() if inspect.isclass(c) and issubclass(c, BaseException)}


def drawn():
    """Each class of the docstring's tree with its parent, by indentation."""
    found, stack = {}, []
    for line in errors.__doc__.split("::", 1)[1].splitlines():
        if not (match := re.match(r"^([\s│├└─]*)(\w+Error)\b", line)):
            continue
        depth = (len(match[1]) - 4) // 4
        del stack[depth:]
        found[match[2]] = stack[-1] if stack else None
        stack.append(match[2])
    return found


def test_the_tree_in_the_docstring_is_the_tree():
    actual = {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items()}
    actual["RefVideoError"] = None
    assert drawn() == actual


def test_every_exception_derives_from_one_and_is_public():
    assert all(issubclass(kind, RefVideoError) for kind in CLASSES.values())
    assert set(errors.__all__) == {*CLASSES, "one_line", "without_keys"}


def test_the_builtin_parents_that_callers_rely_on():
    assert issubclass(errors.MissingDependencyError, ImportError)
    assert issubclass(errors.WaitTimeoutError, TimeoutError)


def test_errors_carry_data():
    refused = errors.BadReferenceError("no", field="references", value="x", allowed=["a", "b"])
    assert (str(refused), refused.field, refused.value, refused.allowed) == ("no", "references", "x", ("a", "b"))
    said = errors.RateLimitError("slow down", status_code=429, retry_after=7.0)
    assert (said.status_code, said.retry_after) == (429, 7.0)
    lost = errors.OutcomeUnknownError("lost", job_id="rv-1", status="outcome_unknown")
    assert (lost.job_id, lost.status) == ("rv-1", "outcome_unknown")
    assert errors.NetworkError("gone").sent is True, "unless it is proved, it was sent"


@pytest.mark.parametrize("kind", CLASSES.values())
def test_errors_come_home_from_other_processes(kind):
    more = {
        errors.PlanError: {"plan": "as planned"},
        errors.SweepStoppedError: {"sweep_id": "sw-1"},
        errors.InvalidRequestError: {"field": "seed", "value": "x", "allowed": (1, 2)},
        errors.NetworkError: {"sent": False},
        errors.APIError: {"status_code": 429, "retry_after": 2.0},
        errors.DownloadError: {"passing": False},
        errors.JobError: {"job_id": "rv-1", "status": "failed"},
    }
    given = next((m for parent, m in more.items() if issubclass(kind, parent)), {})
    error = kind("what went wrong", **given)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert (str(again), vars(again)) == (str(error), vars(error))


def test_no_error_repeats_a_key():
    key = "sk-or-v1-" + "0123456789abcdef" * 4
    for text in (f"model {key!r} is not in the list", f"{one_line(key, limit=40)} is no size", key.replace("-", "_")):
        assert "0123456789" not in str(RefVideoError(text))
        assert "0123456789" not in repr(errors.WaitTimeoutError(text, job_id="rv-1", status="running"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\r\nand\ttabs", "two lines and tabs"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("\x1b]0;title\x07rest", "]0;title rest"),
        ("nul\x00byte", "nul byte"),
        ("right\u202eto left", "right to left"),
        ("\x9b31mC1", "31mC1"),
        ("line\u2028separator", "line separator"),
        ("half \ud800", "half"),
        (12, "12"),
        (None, "None"),
        ("", ""),
        ("naïve café 日本 🐈", "naïve café 日本 🐈"),
    ],
)
def test_one_line(text, shown):
    assert one_line(text) == shown


def test_one_line_says_that_it_cut():
    assert one_line("x" * 301) == "x" * 299 + "…"
    assert one_line("x" * 300) == "x" * 300
    assert len(one_line("word " * 10**6, limit=40)) == 40


@given(st.text(max_size=400), st.integers(1, 100))
def test_one_line_is_always_one_printable_line(text, limit):
    shown = one_line(text, limit=limit)
    assert len(shown) <= limit
    assert shown.isprintable()
