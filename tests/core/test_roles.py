"""What a prompt leaves unsaid of its references."""

import pytest

from refvideo_nb.core.roles import Part, Role, hints

SUBJECT, STYLE, SCENE = (Part(n, Role(r)) for n, r in (("pack", "subject"), ("ink", "style"), ("street", "scene")))


def test_every_role_says_what_it_means():
    for role in Role:
        assert role.meaning
        assert role.meaning.isprintable()
        assert role.advice.startswith("say ")


def test_a_prompt_that_says_all():
    prompt = "@pack stands on @street, in the style of @ink. Keep the shape and the logo of @pack."
    assert hints(prompt, [SUBJECT, STYLE, SCENE]) == ()
    assert hints("anything", []) == ()


def test_what_is_never_named():
    found = hints("A backpack on a street.", [SUBJECT, STYLE, SCENE, Part("hat"), Part("mug")])
    assert found == (
        "the prompt never names @pack: say what must stay consistent: its shape, colours, logo",
        "the prompt never names @ink: say that it is the style: in the style of @name, its palette, its brushwork",
        "the prompt never names @street: say that it is the place: in the room of @name, its light, its layout",
        "the prompt never names @hat, @mug: saying what must stay consistent helps the model",
    )


def test_a_name_is_a_name_only_as_a_word():
    assert "never names @pack" in hints("@packs and me@pack.org stay the same", [SUBJECT])[0]
    assert hints("Keep @pack.", [SUBJECT]) == ()


@pytest.mark.parametrize(
    "words",
    [
        "keep its colours", "with the same logo", "consistent shape", "consistently blue", "preserve the seams",
        "identical straps", "its shape unchanged", "matching the picture", "exactly as it is", "it retains its logo",
        "maintaining the shape", "it stays blue", "it remains blue", "faithful to the picture", "true to the picture",
        "just like the picture", "as in the picture", "do not change it", "don't change the logo", "don’t alter it",
        "without changing its logo", "Keeps", "KEPT",
    ],
)  # fmt: skip
def test_words_that_say_what_stays(words):
    assert hints(f"@pack on a wet street, {words}.", [SUBJECT]) == ()


@pytest.mark.parametrize("words", ["", "keepsake", "sameness", "the change of light", "a staying-power-free city"])
def test_words_that_do_not(words):
    expected = () if words.startswith("a staying") else ("no word such as keep",)
    assert tuple(h[:20] for h in hints(f"@pack on a wet street, {words}", [SUBJECT])) == expected


def test_only_a_subject_must_stay():
    for cast in (STYLE, SCENE, Part("pack")):
        assert not any("keep" in h for h in hints(f"@{cast.name} on a wet street", [cast]))


def test_a_subject_that_is_not_named_is_told_of_once():
    assert len(hints("on a wet street", [SUBJECT])) == 1


def test_the_names_themselves_say_nothing():
    found = hints("@same walks, @style beside it", [Part("same", Role.SUBJECT), Part("style", Role.STYLE)])
    assert [h.split(" says ")[0] for h in found] == [
        "no word such as keep, same or consistent",
        "no word such as style, look or palette",
    ]


@pytest.mark.parametrize(
    "words", ["the style of @ink", "@ink's look", "in the manner of @ink", "the palette of @ink", "drawn like @ink"]
)
def test_words_that_say_style(words):
    assert hints(f"A street, {words}", [STYLE]) == ()


def test_a_style_that_could_be_taken_for_a_thing():
    assert hints("A street beside @ink", [STYLE]) == (
        "no word such as style, look or palette says that @ink is the style: in the style of @ink",
    )


def test_what_cannot_be_read_gets_no_hint():
    assert hints("@pack 放在湿漉漉的街道上", [SUBJECT]) == ()
    assert hints("@pack é um objeto", [SUBJECT]) != (), "Latin letters say nothing of the language"


def test_the_same_reference_twice():
    twice = [Part("a", content="1"), Part("b", content="2"), Part("c", content="1"), Part("d"), Part("e")]
    assert hints("@a @b @c @d @e", twice) == ("@a and @c are the same reference: one of them is enough",)
