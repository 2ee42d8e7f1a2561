"""The progress line, the two tables and the dry run."""

import json
from decimal import Decimal

import pytest

from refvideo_nb.core.catalogue import Model, ReferenceSupport
from refvideo_nb.core.job import State
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.references import Naming, compile_prompt
from refvideo_nb.display.dry import dry_run
from refvideo_nb.display.line import progress_html, progress_line
from refvideo_nb.display.tables import jobs_table, models_table

HOSTILE = "<b onclick=x>\x1b[31m\nnext $1 $2"
NOW = 1_795_436_611.0


@pytest.mark.parametrize(
    ("changes", "options", "said"),
    [
        ({}, {"next_poll": NOW + 8}, "in progress · 0:41 · 5 polls · next in 8 s · about USD 0.36"),
        ({"polls": 1}, {"next_poll": NOW - 1}, "in progress · 0:41 · 1 poll · asking · about USD 0.36"),
        ({"api_status": "pending", "polls": 0}, {}, "waiting in the queue · 0:41 · about USD 0.36"),
        ({"state": State.ACCEPTED, "api_status": "", "polls": 0}, {}, "waiting in the queue · 0:41 · about USD 0.36"),
        ({"state": State.SUBMITTING, "submitted": None, "polls": 0}, {}, "submitting · 0:42 · about USD 0.36"),
        ({"api_status": "warming up"}, {}, "warming up · 0:41 · 5 polls · about USD 0.36"),
        ({"api_status": "a\x1b[31m\nb"}, {}, "a [31m b · 0:41 · 5 polls · about USD 0.36"),
        (
            {},
            {"stopped": True},
            "in progress · 0:41 · 5 polls · not watched any more, the job goes on · about USD 0.36",
        ),
        ({"estimate": None}, {}, "in progress · 0:41 · 5 polls · no estimate"),
        (
            {"state": State.DOWNLOADED, "finished": NOW + 9, "cost": Decimal("0.36")},
            {"next_poll": NOW + 20},
            "done · 0:50 · 5 polls · about USD 0.36, billed USD 0.36",
        ),
    ],
)
def test_the_progress_line(record, changes, options, said):
    made = record(**({"state": State.RUNNING, "api_status": "in_progress"} | changes))
    assert progress_line(made, now=NOW, **options) == said


def test_the_line_as_an_element(record):
    plain = progress_html(record(state=State.RUNNING, api_status=HOSTILE), now=NOW)
    assert 'role="status"' in plain
    assert "SIMULATED" not in plain
    assert "&lt;b onclick=x&gt;" in plain
    assert "<b " not in plain
    assert "mathjax_ignore" in plain
    assert "SIMULATED" in progress_html(record(state=State.RUNNING, simulated=True), now=NOW)


def test_the_models_say_what_they_take():
    support = ReferenceSupport(
        status="documented", max_images=9, kinds=("image", "video"), naming=Naming.BRACKETS, evidence="the guide"
    )
    model = Model(
        id="a/b",
        durations=(4, 5, 6, 8, 10, 11),
        resolutions=("480p", "720p"),
        aspect_ratios=("16:9",),
        audio=True,
        seed=False,
        prices={"cents_per_video_output_second_720p": "5"},
        references=support,
    )
    bundle = models_table([model, Model(id=HOSTILE, references=ReferenceSupport(status="none"))], duration=4)
    for said in ("a/b", "up to 9 images, video · documented", "brackets", "4–6, 8, 10–11", "480p, 720p", "the guide"):
        assert said in bundle["text/plain"]
        assert said in bundle["text/html"]
    assert "about USD 0.20 (4 s, 720p)" in bundle["text/html"]
    assert "no estimate" in bundle["text/html"]
    assert "<b " not in bundle["text/html"]
    assert "\x1b" not in bundle["text/plain"]
    assert bundle["text/plain"].count("\n") == 3, "a line each: heads, two models, how many"


def test_the_jobs_newest_first(record):
    old = record(id="rv-old", created=1.0, state=State.FAILED)
    bundle = jobs_table([old, record(id="rv-new"), record(id=HOSTILE, created=2.0)])
    text = bundle["text/plain"]
    assert text.index("rv-new") < text.index("onclick") < text.index("rv-old")
    assert "billed USD 0.36" in text
    assert "2026-11-23 12:22" in bundle["text/html"]
    assert "<b " not in bundle["text/html"]
    assert jobs_table([])["text/plain"].endswith("0 jobs")


def test_a_dry_run_shows_the_json_and_says_that_nothing_was_sent(photos, reference):
    compiled = compile_prompt("@cat <3", [reference("cat", photos["cat"])], Naming.BRACKETS)
    url = "data:image/png;base64," + "A" * 549_333
    body = {"prompt": compiled.text, "seed": 7, "input_references": [{"image_url": {"url": url}}]}
    bundle = dry_run(
        body=body,
        compiled=compiled,
        prices=Estimate(Decimal("0.36"), Decimal("0.36"), "86,400 tokens"),
        notes=["a <note>"],
        model=Model(id="a/b"),
        simulated=False,
    )
    text = bundle["text/plain"]
    assert text.startswith(
        "dry run: nothing was sent; live: it would be paid\na/b · about USD 0.36 (86,400 tokens)\na <note>\n"
    )
    shown = json.loads(text[text.index("{") :])
    assert shown["input_references"][0]["image_url"]["url"] == "data:image/png;base64,… (412 kB)"
    assert shown["prompt"] == "[Image1] <3"
    assert body["input_references"][0]["image_url"]["url"] == url, "only the display is shortened"
    assert "nothing was sent" in bundle["text/html"]
    assert "[Image1] &lt;3" in bundle["text/html"]
    assert len(bundle["text/html"]) < 5000
