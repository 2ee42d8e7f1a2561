"""A cell's text as a wish."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.error import UsageError

from refvideo_nb.notebook.options import Options, fill_in, parse


def parsed(line: str, cell: str = "a cat", **namespace: Any) -> Options:
    return parse(line, cell, namespace=namespace, model="a/b", max_cost=None)


def test_all_options() -> None:
    options = parsed(
        "-m x/y -r pack='my photos/pack.jpg' --ref https://x.example/style.png?a=b -d 4 --resolution 720p "
        "--aspect-ratio 16:9 --seed 7 --no-audio --provider a.b=true --provider a.c=[1,2] --provider d.e=word "
        "-o clip --wait --max-cost 0.5 --extend rv-1",
        "prompt\nof two lines\n",
    )
    wish = options.wish
    assert (options.out, options.wait, options.dry_run) == ("clip", True, False)
    assert wish.model == "x/y"
    assert wish.prompt == "prompt\nof two lines\n"
    assert [(r.name, r.source, r.given) for r in wish.references or ()] == [
        ("pack", "my photos/pack.jpg", True),
        ("", "https://x.example/style.png?a=b", False),
    ]
    assert wish.generate_audio is False
    assert wish.provider == {"a": {"b": True, "c": [1, 2]}, "d": {"e": "word"}}
    assert (wish.duration, wish.seed, wish.max_cost, wish.previous_job_id) == ("4", "7", "0.5", "rv-1")


def test_variables_as_references() -> None:
    picture = object()
    (named,) = parsed("--ref cat", cat=picture).wish.references or ()
    assert (named.name, named.source, named.given) == ("cat", picture, False)
    (named,) = parsed("--ref pet=cat", cat=picture).wish.references or ()
    assert (named.name, named.source, named.given) == ("pet", picture, True)
    assert parsed("--frame first=cat", cat=picture).wish.frames == {"first": picture}


def test_the_default_model_comes_from_the_configuration() -> None:
    assert parsed("").wish.model == "a/b"


def test_braces() -> None:
    assert fill_in("{a} {{a}} {{ a }} {} {{}}", {"a": 5}) == "{a} 5 5 {} {{}}"
    assert parsed("--seed {{n}}", n=3).wish.seed == "3"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--duratoin 4", r"unrecognized arguments: --duratoin 4 \(did you mean --duration\?\)"),
        ("--xyz", r"unrecognized arguments: --xyz; "),
        ("--ref", "expected one argument"),
        ("--ref 'unclosed", "quotation mark is missing"),
        ("--frame middle=x", "allowed: first=SOURCE, last=SOURCE"),
        ("--provider nonsense", "SLUG.KEY=VALUE"),
        ("--out not-a-name", "no name for a variable"),
        ("--seed {{nothing}}", "define nothing first"),
        ("extra words", "unrecognized arguments"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parsed(line)
    assert "\n" not in str(caught.value)


def test_a_line_goes_on_after_a_backslash() -> None:
    options = parsed("--duration 4 \\", "--seed 7 \\\n  -o clip\na cat\non two lines")
    assert (options.wish.duration, options.wish.seed, options.out) == ("4", "7", "clip")
    assert options.wish.prompt == "a cat\non two lines"


def test_options_in_the_prompt_are_no_prompt() -> None:
    with pytest.raises(UsageError, match=r"'--ref cat=cat' stands in the prompt"):
        parsed("", "--ref cat=cat\n@cat walks")
    assert parsed("", "- a dash\n-- two\n-5 degrees").wish.prompt.startswith("- a dash")


KEY = "sk-or-v1-" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("line", "cell"),
    [
        (f"--seed {KEY}", "a cat"),
        ("", KEY),
        ("", f"--ref {KEY}"),
        ("--provider simulator.x={{k}}", "a cat"),
        ("--model {{ k }}", "a cat"),
        ("", "a cat {{k}}"),
    ],
)
def test_a_key_is_refused_and_not_repeated(line: str, cell: str) -> None:
    with pytest.raises(UsageError, match="OPENROUTER_API_KEY") as caught:
        parsed(line, cell, k=KEY)
    assert "0123456789" not in str(caught.value)


def test_a_backslash_stands_in_a_path_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [r.source for r in parsed(r"--ref a\ b.png").wish.references or ()] == ["a b.png"]
    monkeypatch.setattr("refvideo_nb.notebook.options._ESCAPE", "")
    found = (
        parsed(r"""--ref a=C:\me\cat.png --ref "D:\my photos\b.png" --ref 'e\f.png' -o clip""").wish.references or ()
    )
    assert [r.source for r in found] == [r"C:\me\cat.png", r"D:\my photos\b.png", r"e\f.png"]


def test_a_value_stays_one_word() -> None:
    path = "my photos/it's.png"
    wish = parsed(
        """-r pack={{path}} -r "{{ path }}" --seed {{n}} --size {{w}}x{{h}} --resolution '{{r}}' --model {''{r}}""",
        path=path,
        n="7 --fresh",
        w=1280,
        h=720,
        r='a" b',
    ).wish
    assert [(r.name, r.source) for r in wish.references or ()] == [("pack", path), ("", path)]
    assert (wish.seed, wish.size, wish.resolution, wish.model) == ("7 --fresh", "1280x720", 'a" b', "{{r}}")
    assert not parsed("--seed {{n}}", n="7 --fresh").fresh


def test_a_name_that_the_prompt_cannot_say_is_told_as_a_name() -> None:
    (named,) = parsed("--ref küche=kitchen.png").wish.references or ()
    assert (named.name, named.source, named.given) == ("küche", "kitchen.png", True)
    with pytest.raises(UsageError, match="--ref is empty"):
        parsed("--ref ''")


def test_a_prompt_may_say_whatever_it_likes() -> None:
    assert parsed("--seed 7 --", "--ref is no option here").wish.prompt == "--ref is no option here"
    assert parsed("--seed 7 --", "-v").wish.seed == "7"
    assert parsed("--", "-v").wish.prompt == "-v"
    assert fill_in(r"\{{a}} {{a}} \\{{a}}", {"a": 5}) == r"{{a}} 5 \{{a}}"
