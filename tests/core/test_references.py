"""A prompt in a model's words, and the prompt as written still whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refvideo_nb.core.references import Naming, Reference, check_name, compile_prompt
from refvideo_nb.errors import BadReferenceError


def text(prompt, references, naming=Naming.BRACKETS):
    return compile_prompt(prompt, references, naming).text


@pytest.mark.parametrize(
    ("naming", "says"),
    [
        (Naming.BRACKETS, "Show [Image1] beside [Image2]."),
        (Naming.SPACED, "Show Image 1 beside Image 2."),
        (Naming.CHARACTER, "Show character1 beside character2."),
        (Naming.AT, "Show @image_1 beside @image_2."),
        (Naming.PICTURE, "Show <Picture 1> beside <Picture 2>."),
        (Naming.WORDS, "Show the pack beside the red hat."),
    ],
)
def test_each_naming(reference, naming, says):
    assert text("Show @pack beside @red_hat.", [reference("pack"), reference("red_hat")], naming) == says


def test_numbers_follow_the_order_of_sending_and_not_of_naming(reference):
    assert (
        text("@b before @a, @b again", [reference("a"), reference("b")]) == "[Image2] before [Image1], [Image2] again"
    )


@pytest.mark.parametrize(
    ("naming", "says"),
    [
        (Naming.BRACKETS, "[Image1] [Video1] [Image2] [Audio1]"),
        (Naming.SPACED, "Image 1 Video 1 Image 2 Audio 1"),
        (Naming.AT, "@image_1 @video_1 @image_2 @audio_1"),
        (Naming.PICTURE, "<Picture 1> <Video 1> <Picture 2> <Audio 1>"),
    ],
)
def test_kinds_are_numbered_apart(reference, naming, says):
    given_ = [reference("a"), reference("move", "video"), reference("b"), reference("tune", "audio")]
    assert text("@a @move @b @tune", given_, naming) == says


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("a@@b.org", "a@b.org"),
        ("@@pack", "@pack"),
        ("@@@pack", "@[Image1]"),
        ("@@@@", "@@"),
        ("me@pack.org", "me@pack.org"),
        ("me.you_2@pack", "me.you_2@pack"),
        ("(@pack)", "([Image1])"),
        ("@pack.", "[Image1]."),
        ("@pack, @pack; @pack: @pack! @pack?", "[Image1], [Image1]; [Image1]: [Image1]! [Image1]?"),
        ("@pack's strap", "[Image1]'s strap"),
        ("@pack\u2019s strap", "[Image1]\u2019s strap"),
        ("@pack-like", "@pack-like"),
        ("@pack- and", "[Image1]- and"),
        ("@pack\n@pack", "[Image1]\n[Image1]"),
        ("展示@pack在街上", "展示[Image1]在街上"),
        ("@Pack", "@Pack"),
        ("@", "@"),
        ("@ pack", "@ pack"),
        ("@1", "@1"),
        ("costs $5 {x} {{y}} @pack", "costs $5 {x} {{y}} [Image1]"),
        ("", ""),
    ],
)
def test_where_a_name_begins_and_ends(reference, written, sent):
    assert text(written, [reference("pack")]) == sent


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("the @pack", "the pack"),
        ("The @pack", "The pack"),
        ("a @pack", "a pack"),
        ("my\n@pack", "my pack"),
        ("with @pack", "with the pack"),
        ("bathe @pack", "bathe the pack"),
        ("@pack and the @hat", "the pack and the hat"),
        ("@pack @hat", "the pack the hat"),
        ("@@ @pack", "@ the pack"),
    ],
)
def test_plain_words_get_an_article_where_there_is_none(reference, written, sent):
    assert text(written, [reference("pack"), reference("hat")], Naming.WORDS).replace("\n", " ") == sent


def test_plain_words_for_references_without_a_name(reference):
    references = [reference(f"image{n}", named=False) for n in range(1, 12)]
    assert text("@image1", references, Naming.WORDS) == "the first reference image"
    assert text("@image10", references, Naming.WORDS) == "the tenth reference image"
    assert text("@image11", references, Naming.WORDS) == "the 11th reference image"


def test_what_is_unknown_stays_and_what_is_unused_is_told(reference):
    done = compile_prompt("@hat on @cat, @hat, @pack", [reference("pack"), reference("coat")], Naming.SPACED)
    assert done.text == "@hat on @cat, @hat, Image 1"
    assert done.unknown == ("hat", "cat")
    assert done.unused == ("coat",)
    assert [p.reference for p in done.parts if p.reference] == ["pack"]


@pytest.mark.parametrize("good", ["pack", "_x", "a-b", "A9", "x" * 64])
def test_names_that_a_prompt_can_say(good, reference):
    assert check_name(good) == good
    assert text(f"see @{good}.", [reference(good)]) == "see [Image1]."


@pytest.mark.parametrize("bad", ["", "1a", "a b", "a-", "@a", "é", "a\n", "x" * 65, "a.b", "\x1b[31m"])
def test_names_that_a_prompt_cannot_say(bad):
    with pytest.raises(BadReferenceError) as caught:
        check_name(bad)
    assert caught.value.value == bad
    assert str(caught.value).isprintable()


NAMES = ["pack", "hat", "a-b", "_"]
PROMPTS = st.text(max_size=80) | st.lists(
    st.sampled_from(["@", "@@", "@pack", "@hat", "@a-b", "@_", "@no", " ", "the ", "x", ".", "-", "é", "\n"]),
    max_size=20,
).map("".join)


@given(PROMPTS, st.sampled_from(Naming), st.lists(st.sampled_from(NAMES), unique=True))
def test_the_parts_are_the_prompt(prompt, naming, names):
    references = [Reference(name=n, kind="image", sha256="", media_type="image/png", nbytes=1) for n in names]
    done = compile_prompt(prompt, references, naming)
    assert "".join(p.text for p in done.parts) == prompt.replace("@@", "@")
    used = {p.reference for p in done.parts if p.reference}
    assert used | set(done.unused) == set(names)
    assert not used & set(done.unused)
    assert not set(done.unknown) & set(names)
    if not used:
        assert done.text == prompt.replace("@@", "@")


def test_a_long_prompt_is_quick(reference):
    prompt = "@pack and the @hat " * 5000
    done = compile_prompt(prompt, [reference("pack"), reference("hat")], Naming.WORDS)
    assert len(done.parts) == 20_000
