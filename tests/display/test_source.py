"""A request as it would be written: what is written is read back as the same request, or is not written."""

import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from refvideo_nb.core.checks import holds_key
from refvideo_nb.display.source import Asked, Given, as_cell, as_json, as_python
from refvideo_nb.notebook.options import parse

KEY = "sk-or-v1-" + "0123456789abcdef" * 4
HAT, CAT = object(), object()
NAMESPACE = {"hat": HAT, "cat": CAT, "colour": "red", "n": 3}


def read_cell(text):
    """The options of a cell, by way of IPython's own reading of it."""
    got = []

    class Shell:
        def run_cell_magic(self, name, line, cell):
            got.append((name, line, cell))

    exec(TransformerManager().transform_cell(text), {"get_ipython": Shell})
    [(name, line, cell)] = got
    assert name == "refvideo"
    return parse(line, cell, namespace=NAMESPACE, model="not/this", max_cost=None)


def run_python(text):
    """The arguments with which `generate` was called, and the variable that holds the job."""
    got = []

    class Stub:
        @staticmethod
        def generate(*args, **kwargs):
            got.append((args, kwargs))
            return "the job"

    head, line, call = text.partition("import refvideo_nb\n")
    assert (head, line) == ("", "import refvideo_nb\n")
    names = {"refvideo_nb": Stub, "hat": HAT, "cat": CAT}
    exec(compile(call, "<source>", "exec"), names)
    [((prompt,), kwargs)] = got
    return prompt, kwargs, {k for k, v in names.items() if v == "the job"}


def sources(given, *, dotted=False):
    """What the notebook finds behind each name; a cell writes ./ before a path that could be a variable."""

    def one(g):
        if g.variable:
            return NAMESPACE[g.source]
        return f"./{g.source}" if dotted and g.source.isidentifier() else g.source

    return {g.name: one(g) for g in given}


def provider_of(asked):
    return {slug: dict(options) for slug, options in asked.provider.items() if options} or None


def roles_of(asked):
    return {g.name: g.role for g in asked.references if g.role} or None


def blank(prompt):
    """As IPython leaves it: lines of nothing but white space are empty, the last one ends."""
    lines = ["" if not line.strip() else line for line in prompt.split("\n")]
    return "\n".join(lines).rstrip("\n")


def same_as_cell(asked, text):
    options = read_cell(text)
    wish = options.wish
    assert blank(wish.prompt) == blank(asked.prompt)
    assert wish.prompt.strip() == asked.prompt.strip() or blank(asked.prompt) != asked.prompt.rstrip("\n")
    assert {r.name: r.source for r in wish.references or ()} == sources(asked.references, dotted=True)
    assert [r.name for r in wish.references or ()] == [g.name for g in asked.references]
    assert all(r.given for r in wish.references or ())
    assert (wish.frames or {}) == sources(asked.frames, dotted=True)
    assert wish.model == asked.model
    assert wish.duration == (None if asked.duration is None else str(asked.duration))
    assert wish.seed == (None if asked.seed is None else str(asked.seed))
    assert wish.size == (f"{asked.size[0]}x{asked.size[1]}" if asked.size else None)
    assert wish.roles == roles_of(asked)
    assert wish.provider == provider_of(asked)
    assert json.dumps(wish.provider) == json.dumps(provider_of(asked)), "1 is not True, nor 1.0"
    assert wish.max_cost == (None if asked.max_cost is None else str(asked.max_cost))
    for name in ("resolution", "aspect_ratio", "generate_audio", "previous_job_id"):
        assert getattr(wish, name) == getattr(asked, name)
    assert (options.fresh, options.out, options.wait, options.dry_run) == (asked.fresh, asked.out, None, False)


def same_as_python(asked, text):
    prompt, kwargs, assigned = run_python(text)
    assert prompt == asked.prompt
    assert assigned == {asked.out or "job"}
    expected = {
        "references": sources(asked.references) or None,
        "frames": sources(asked.frames) or None,
        "provider": provider_of(asked),
        "roles": roles_of(asked),
        "max_cost": str(asked.max_cost) if isinstance(asked.max_cost, Decimal) else asked.max_cost,
        "fresh": asked.fresh or None,
    }
    for name in (
        "model", "duration", "resolution", "aspect_ratio", "size", "seed", "generate_audio", "previous_job_id",
    ):  # fmt: skip
        expected[name] = getattr(asked, name)
    assert kwargs == {k: v for k, v in expected.items() if v is not None}
    assert list(kwargs.get("references", ())) == [g.name for g in asked.references]
    assert text.isprintable() or {c for c in text if not c.isprintable()} == {"\n"}


# What a person could type, and what is known to be taken for something else on the way.
snippets = st.sampled_from(
    ["@pack ", "@@", "{{colour}}", "{{ n }}", "{{", "}}", "{", "{{{", "{x}", '"', "'", '"""', "'''", "\\", "\\\n", "\n",
     " ", "\t", "-", "--ref x", "-d 4", "$HOME", "$x$", "%%refvideo", "%time", "!ls", "?", "#", ">>> ", "... ", "...:",
     "In [1]: ", "In [", ";", "=", "é", "猫", "\u200d", "\u202e", "\U0001f469\u200d\U0001f467", "\u2028", "\u0085",
     "\r", "\x0c", "\x00", "\x1b[31m", "\ud800", "a", "Walks on.", "null", "1"],
)  # fmt: skip
text = st.lists(snippets | st.text(max_size=4), max_size=8).map("".join)
typed = st.lists(
    st.sampled_from(
        ["@pack ", "{x}", '"', "'", "\\", "\n", " ", "\t", "$x$", "%", "!", "猫", "=", "a cat ", "...", "-"]
    ),
    max_size=8,
).map("".join)
name = st.from_regex(r"[A-Za-z_]([A-Za-z0-9_-]{0,5}[A-Za-z0-9_])?", fullmatch=True)
path = st.sampled_from(
    ["https://x.example/a.png?b=c&d={{e}}", "my photos/a b.png", "a=b.png", "it's.png", 'a"b.png', "~/x.png", "cat",
     "-x.png", "--ref", "x\\", "C:\\x\\y.png", "é.png", "été", "a.png ", " a.png", "{{colour}}.png", "{{{n}}}",
     "$x.png", "class", "猫.png", "a\nb.png", "data:image/png;base64,AA==", "x=y=z"],
)  # fmt: skip
source = st.tuples(path | text.filter(bool), st.just(False)) | st.tuples(st.sampled_from(["cat", "hat"]), st.just(True))
role = st.sampled_from(["", "subject", "a b=", "--"])
one_reference = st.builds(lambda n, s, r: Given(n, *s, r), name, source, role)
references = st.lists(one_reference, max_size=3, unique_by=lambda g: g.name).map(tuple)
frames = st.lists(
    st.builds(lambda n, s: Given(n, *s), st.sampled_from(["first", "last"]), source),
    max_size=2,
    unique_by=lambda g: g.name,
).map(tuple)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
words = text | st.sampled_from(["true", "null", "NaN", "-Infinity", "1", "1e5", "[1]", '"x"', '{"a": 1}', "word", "-x"])
scalar = st.none() | st.booleans() | numbers | words
value = st.recursive(
    scalar, lambda v: st.lists(v, max_size=3) | st.dictionaries(words, v, max_size=3), max_leaves=6
)  # fmt: skip
slug = st.sampled_from(["google", "atlas-cloud/fp8", "-x", "--", "a b", "{{n}}", "it's", "é"])
provider = st.dictionaries(slug, st.dictionaries(slug | st.just("a.b"), value, max_size=2), max_size=2)
short = st.sampled_from(["720p", "16:9", "", "-1", "--", "a b", "it's", "{{n}}", "x\\", "$x"])


def asked_with(prompt, references=references):
    return st.builds(
        Asked,
        prompt=prompt,
        model=st.sampled_from(["bytedance/seedance-2.0-fast", "-m", "a b", "{{n}}"]),
        references=references,
        frames=frames,
        duration=st.none() | st.integers(-5, 99),
        resolution=st.none() | short,
        aspect_ratio=st.none() | short,
        size=st.none() | st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
        seed=st.none() | st.integers(-(2**53), 2**53),
        generate_audio=st.none() | st.booleans(),
        provider=provider,
        previous_job_id=st.none() | short,
        max_cost=st.none() | st.just(Decimal("0.50")) | st.floats(0, 9) | st.sampled_from(["0.5", "1e-3"]),
        fresh=st.booleans(),
        out=st.none() | st.sampled_from(["clip", "_", "été"]),
    )


def plain(prompt, **more):
    return Asked(prompt=prompt, model="a/b", **more)


@given(asked_with(text))
@example(plain("... and then"))
@example(plain("In [1]: x"))
@example(plain("   ...: x"))
@example(plain("x\n>>> y"))
@example(plain("x\n   \ny"))
@example(plain("ends in \\"))
@example(plain("a  \n"))
@example(plain(""))
@example(plain("", seed=4))
@example(plain("x", references=(Given("pack", "a" * 100), Given("hat", "hat", variable=True))))
@example(plain("x", provider={"a": {"b": "NaN", "c": "x y", "d": "null", "e": [1, {"f": "g"}]}}))
def test_a_cell_says_the_same_or_nothing(asked):
    found = as_cell(asked)
    assert (found.text is None) == bool(found.reason)
    assert found.reason.isprintable()
    if found.text is not None:
        same_as_cell(asked, found.text)


@given(asked_with(typed))
@example(plain("-d 4"))
@example(plain(" \n--ref x\nA cat"))
@example(plain("A {{ colour }} cat, \\{{b}}, {{{c}}}"))
def test_a_cell_says_whatever_is_typed(asked):
    """Line breaks, quotes, backslashes, dollars and what looks like an option never stand in the way."""
    found = as_cell(asked)
    if found.text is None:
        assert "prompt" not in found.reason
    else:
        same_as_cell(asked, found.text)


@given(asked_with(text))
@example(plain("a\n"))
@example(plain("\n"))
@example(plain("'\""))
def test_python_says_the_same(asked):
    found = as_python(asked)
    assert found.text is not None, found.reason
    same_as_python(asked, found.text)


def test_a_cell_for_people():
    asked = Asked(
        prompt="@pack on @street.\nKeep its logo.",
        model="bytedance/seedance-2.0-fast",
        references=(
            Given("pack", "https://x.example/pack.jpg", role="subject"),
            Given("street", "my photos/street.png"),
        ),
        duration=4,
        resolution="720p",
        generate_audio=False,
        provider={"seedance": {"watermark": False}},
        max_cost=Decimal("0.50"),
        out="clip",
    )
    assert as_cell(asked).text == (
        "%%refvideo --model bytedance/seedance-2.0-fast --duration 4 --resolution 720p --max-cost 0.50 --out clip "
        "--no-audio \\\n"
        "    --ref pack=https://x.example/pack.jpg \\\n"
        "    --ref 'street=my photos/street.png' \\\n"
        "    --role pack=subject \\\n"
        "    --provider seedance.watermark=false\n"
        "@pack on @street.\nKeep its logo."
    )
    assert as_python(asked).text == (
        "import refvideo_nb\n\n"
        "clip = refvideo_nb.generate(\n"
        '    "@pack on @street.\\n"\n'
        '    "Keep its logo.",\n'
        "    references={\n"
        '        "pack": "https://x.example/pack.jpg",\n'
        '        "street": "my photos/street.png",\n'
        "    },\n"
        '    roles={"pack": "subject"},\n'
        '    model="bytedance/seedance-2.0-fast",\n'
        "    duration=4,\n"
        '    resolution="720p",\n'
        "    generate_audio=False,\n"
        '    provider={"seedance": {"watermark": False}},\n'
        '    max_cost="0.50",\n'
        ")"
    )


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (plain("x\n  >>> y"), "strips the >>>"),
        (plain("a\rb"), "control character"),
        (plain("a\x1b[31m"), "control character"),
        (plain("half \ud800"), "control character"),
        (plain("x", references=(Given("a", "x\ny.png"),)), "--ref 'a=x y.png' holds a line break"),
        (plain("x", previous_job_id="--"), "cannot say --extend '--'"),
        (plain("x", provider={"a.b": {"c": 1}}), "cannot say the provider option 'a.b.c'"),
        (plain("x", provider={"a": {"b=c": 1}}), "cannot say the provider option 'a.b=c'"),
    ],
)
def test_what_a_cell_cannot_say_python_can(asked, says):
    found = as_cell(asked)
    assert found.text is None
    assert says in found.reason
    assert found.reason.endswith("copy the Python instead")
    same_as_python(asked, as_python(asked).text)


LOOP: list = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (plain("x", references=(Given("a", "x"), Given("a", "y"))), "two references are called 'a'"),
        (plain("x", references=(Given("a b", "x"),)), "cannot be written as @name"),
        (plain("x", references=(Given("a", ""),)), "'a' has no source"),
        (plain("x", references=(Given("a", "x" * 9000),)), "9000 characters: save it as a file"),
        (plain("x", references=(Given("a", "not a name", variable=True),)), "'not a name' is no name for a variable"),
        (plain("x", references=(Given("a", "class", variable=True),)), "'class' is no name for a variable"),
        (plain("x", frames=(Given("middle", "x"),)), "allowed: first, last"),
        (plain("x", out="two words"), "no name for a variable"),
        (plain("x", out="x = 1; import"), "no name for a variable"),
        (Asked(prompt="x", model=""), "no model is chosen"),
        (plain("x", max_cost=float("nan")), "max_cost 'nan' is no number"),
        (plain("x", max_cost="much"), "max_cost 'much' is no number"),
        (plain("x", provider={"a": {"b": float("inf")}}), "'a.b' has no form in JSON"),
        (plain("x", provider={"a": {"b": object()}}), "'a.b' has no form in JSON"),
        (plain("x", provider={"a": {"b": {1: 2}}}), "'a.b' has no form in JSON"),
        (plain("x", provider={"a": {"b": LOOP}}), "holds itself"),
    ],
)
@pytest.mark.parametrize("write", [as_cell, as_python])
def test_what_nothing_can_say(write, asked, says):
    found = write(asked)
    assert found.text is None
    assert says in found.reason
    assert found.reason.isprintable()


@pytest.mark.parametrize(
    "asked",
    [
        plain(f"a cat {KEY}"),
        plain("x", references=(Given("a", f"https://x.example/?key={KEY}"),)),
        plain("x", frames=(Given("first", KEY),)),
        plain("x", references=(Given("a", "b", role=KEY),)),
        plain("x", resolution=KEY),
        plain("x", previous_job_id=KEY),
        plain("x", max_cost=KEY),
        plain("x", out=KEY),
        plain("x", provider={"a": {"b": [{"c": f"Bearer {KEY}"}]}}),
        plain("x", provider={"a": {KEY: 1}}),
        plain("x", provider={"a": {"b": {KEY: 1}}}),
        plain("x", provider={KEY: {"b": 1}}),
        plain("x", provider={KEY: {"b": object()}}),  # what is wrong with it must not be told by quoting it
        plain("x", references=(Given(KEY, "x"),)),
        Asked(prompt="x", model=KEY),
    ],
    ids=range(15),
)
def test_a_key_is_never_written(asked):
    for write in (as_cell, as_python):
        found = write(asked)
        assert found.text is None
        assert "holds an API key" in found.reason
        assert not holds_key(found.reason)
    assert as_json({"prompt": f"{KEY}"}).text is None
    assert not holds_key(as_json({"a": [{KEY: 1}]}).reason)


def test_the_json_is_the_body_with_data_urls_cut():
    data = "data:image/png;base64," + "A" * 4000
    body = {
        "model": "a/b",
        "prompt": 'Say "é" \x7f\u202e\U000e0041\n',
        "input_references": [{"type": "image_url", "image_url": {"url": data}}],
        "seed": 7,
    }
    found = as_json(body).text
    assert "AAAA" not in found
    assert all(c.isprintable() or c == "\n" for c in found)
    back = json.loads(found)
    assert back.pop("input_references")[0]["image_url"]["url"] == "data:image/png;base64,… (3 kB)"
    assert back == {"model": "a/b", "prompt": body["prompt"], "seed": 7}


@given(st.dictionaries(text, st.recursive(scalar, lambda v: st.lists(v, max_size=3), max_leaves=5), max_size=3))
def test_any_json_reads_back(body):
    assert json.loads(as_json(body).text) == body


def test_the_json_has_a_bound():
    found = as_json({"prompt": "x" * 100_000}).text
    assert len(found) < 41_000
    assert found.endswith("more characters)")
