"""What the form starts from, what it narrows, and what it says beside each field."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import ipywidgets
import numpy as np
import pytest

from refvideo_nb.errors import InvalidRequestError
from refvideo_nb.notebook.api import form as make_form

CAT = np.full((480, 640, 3), 90, np.uint8)


def test_it_starts_from_the_arguments_of_generate(opened: Any) -> None:
    hands = opened(
        "@cat runs, keep its shape",
        references={"cat": CAT},
        roles={"cat": "subject"},
        model="bytedance/seedance-2.0",
        duration=5,
        resolution="1080p",
        aspect_ratio="16:9",
        seed=7,
        generate_audio=False,
        provider={"seed": {"watermark": False}},
        max_cost="9.50",
    )
    assert hands.field("Model").value == "bytedance/seedance-2.0"
    values = {label: hands.field(label).value for label in ("Duration", "Resolution", "Aspect ratio", "Seed", "Audio")}
    assert values == {"Duration": 5, "Resolution": "1080p", "Aspect ratio": "16:9", "Seed": "7", "Audio": False}
    assert hands.field("Provider options").value == "seed.watermark=false"
    assert hands.field("Max cost").value == "9.50"
    assert (hands.names, hands.field("Role").value) == (["cat"], "subject")
    draft = hands.form._look.sendable
    assert draft, hands.text
    assert draft.request.duration == 5
    assert draft.request.generate_audio is False
    assert draft.request.provider == {"seed": {"watermark": False}}
    assert draft.request.references[0].role == "subject"


def test_what_a_form_cannot_start_from_is_said_in_it(opened: Any) -> None:
    hands = opened(
        5,
        references={"cat": CAT, "no name": CAT, "gone": "gone.png"},
        roles={"cat": "hero"},
        duration="long",
        resolution="4K",
        size="big",
        seed="x",
        provider={"seed": {"f": print}},
    )
    assert hands.names == ["cat"]
    assert hands.says("role 'hero' of cat is none; allowed: subject, style, scene")
    assert hands.says("'no name' cannot be written as @name", "gone.png cannot be read")
    assert hands.says("duration 'long' is not offered (taken out)", "resolution '4K' is not offered by", "(taken out)")
    assert "seed 'x' cannot be used" in hands.beside("Seed")
    assert hands.says("provider option", "cannot be used: give SLUG.KEY=VALUE")
    assert opened("a cat", references=CAT).says("references is a single source: give a dict")
    assert opened("a cat", references=3).says("references is a single source: give a dict")
    with pytest.raises(InvalidRequestError, match="confirm_above 'much' cannot be used: give USD"):
        make_form(confirm_above="much")


def test_another_model_keeps_what_still_fits_and_says_what_does_not(opened: Any) -> None:
    hands = opened("a ball", model="bytedance/seedance-2.0", duration=12, resolution="720p", seed=7)
    hands.fill("Model", "google/veo-3.1")
    assert hands.says("duration 12 s is not offered by google/veo-3.1; allowed: 4, 6, 8 (taken out)")
    assert (hands.field("Duration").value, hands.field("Resolution").value) == ("", "720p")
    assert [v for _, v in hands.field("Duration").options] == ["", 4, 6, 8]
    assert hands.field("Seed").value == "7"
    hands.fill("Model", "kwaivgi/kling-v3.0-std")
    assert hands.says("takes no seed")
    assert hands.field("Seed").disabled
    assert not hands.says("duration 12 s")
    hands.fill("Model", "no/such")
    assert hands.says("model 'no/such' is not in the list of video models")
    assert hands.form._look.sendable is None
    hands.fill("Model", "bytedance/seedance-2.0")
    assert isinstance(hands.field("Seed"), ipywidgets.Text)
    assert hands.form._look.sendable is not None


def test_references_narrow_too_and_what_was_taken_out_stays_said(opened: Any) -> None:
    hands = opened("a ball", model="x-ai/grok-imagine-video", duration=15, resolution="480p")
    assert hands.field("Duration").value == 15
    hands.form._strip.take(CAT, name="cat")
    hands.until(lambda: hands.names == ["cat"])
    hands.settled()
    assert hands.says("with references", "(taken out)")
    assert hands.field("Duration").value == ""
    hands.fill("Prompt", "@cat runs, keep it")
    assert hands.says("(taken out)"), "it is gone as soon as one types"


def test_what_is_wrong_is_said_beside_its_field_and_hides_nothing_else(opened: Any) -> None:
    hands = opened("a ball", model="bytedance/seedance-2.0", duration=5, resolution="720p", aspect_ratio="16:9")
    assert hands.says("about USD")
    hands.fill("Seed", "seven")
    hands.fill("Max cost", "0.01")
    hands.fill("Provider options", "nonsense\nseed.mood=calm")
    assert "seed 'seven' cannot be used: give a whole number" in hands.beside("Seed")
    assert "is more than max_cost USD 0.01" in hands.beside("Max cost")
    assert "provider option 'nonsense' cannot be used" in hands.beside("Provider options")
    assert hands.says("about USD", "3 things to mend above")
    assert hands.request("Cell") == "", "what leaves out a part of what was asked for is not to be copied"
    hands.click("Generate")
    assert hands.says("nothing was sent: something above is missing or wrong")
    hands.fill("Provider options", "other.mood=calm")
    assert "provider option 'mood' is not passed through" in hands.beside("Provider options")
    assert not hands.says("nothing was sent: something"), "the request is another one now"
    hands.fill("Provider options", "")
    hands.fill("Seed", "7")
    hands.fill("Max cost", "")
    assert (hands.beside("Seed"), hands.beside("Max cost"), hands.beside("Provider options")) == ("", "", "")
    assert hands.form._look.sendable.request.seed == 7
    hands.fill("Prompt", "")
    assert hands.says("the prompt is empty: say what the clip shows")


def test_the_prompt_offers_the_names_and_tells_what_it_leaves_unsaid(opened: Any) -> None:
    hands = opened("on a wet street", references={"cat": CAT}, roles={"cat": "subject"})
    assert hands.says("the prompt never names @cat")
    hands.click("@cat")
    assert hands.field("Prompt").value == "on a wet street @cat "
    assert hands.says("no word such as keep, same or consistent says what must stay of @cat")
    hands.fill("Role", "style")
    assert hands.says("that @cat is the style")
    hands.fill("Role", "")
    assert not hands.says("@cat is the style")
    hands.fill("Prompt", "@dog and @cat, keep both")
    assert hands.says("@dog in the prompt is no reference and is sent as written; references: @cat")


def test_frames_and_references_exclude_each_other_and_say_so(opened: Any, namespace: dict[str, Any]) -> None:
    namespace["opening"] = CAT
    hands = opened("it opens", frames={"first": CAT, "last": np.full((480, 640, 3), 9, np.uint8)})
    assert hands.field("First frame").value == "opening"
    assert hands.field("Last frame").value.endswith(".png"), "a picture without a name stands for itself"
    hands.until(lambda: hands.form._look.sendable)
    assert [f.position for f in hands.form._look.sendable.request.frames] == ["first", "last"]
    assert "--frame first=opening" in hands.request("Cell")
    hands.form._strip.take(CAT, name="cat")
    hands.until(lambda: hands.names == ["cat"])
    hands.settled()
    assert hands.beside("First frame").startswith("frames and references exclude each other")
    assert hands.form._look.sendable is None
    hands.fill("First frame", "")
    hands.fill("Last frame", "")
    assert hands.field("First frame").disabled
    assert hands.field("First frame").placeholder == "not with references"
    assert hands.form._look.sendable is not None
    hands.click("Remove cat")
    hands.fill("Model", "alibaba/wan-3.0")
    assert not hands.field("First frame").disabled
    assert hands.field("Last frame").placeholder == "it fixes the first frame only"
    hands.fill("First frame", "gone.png")
    hands.settled()
    assert "gone.png cannot be read" in hands.beside("First frame")


def test_the_budget_that_is_left(opened: Any, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("REFVIDEO_SESSION_BUDGET", "0.12")
    cheap = {"model": "x-ai/grok-imagine-video", "duration": 1, "resolution": "480p", "aspect_ratio": "1:1"}
    hands = opened("a ball for the budget", **cheap)
    before = hands.form._session.spent()
    hands.form._session.budget = before + Decimal("0.07")
    hands.form.refresh()
    assert hands.says("USD 0.07 left of the session's")
    hands.click("Generate")
    hands.job_ended()
    hands.until(lambda: hands.says("USD 0.02 left of the session's"), "what is left after the job")
    hands.fill("Prompt", "another ball for the budget")
    hands.click("Generate")
    assert hands.says("is more than its budget of")
    assert len(hands.form.jobs) == 1
    hands.fill("Prompt", "yet another ball")
    assert not hands.says("is more than its budget of")


def test_the_table_of_models_chooses(opened: Any) -> None:
    hands = opened("@cat runs, keep it", references={"cat": CAT})
    hands.click("Compare models")
    from refvideo_nb.notebook.table import Table

    table = next(w for w in hands.widgets() if isinstance(w, Table))
    assert hands.field("References").value == 1, "it begins with what can take the references"
    table.selected, table.choices = "google/veo-3.1", table.choices + 1
    assert hands.field("Model").value == "google/veo-3.1"
    assert [v for _, v in hands.field("Duration").options if v] == [4, 6, 8]
    hands.click("Hide the table")
    assert not hands.field_is_there("References")
