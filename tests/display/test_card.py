"""The card of a job in every state, with what comes from outside made harmless."""

import base64
import io
import json
import re
import subprocess
import sys
from decimal import Decimal
from html.parser import HTMLParser

import msgspec
import pytest
from PIL import Image

from refvideo_nb.core.job import FAILED, SETTLED, State
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import Frame
from refvideo_nb.display.card import card
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.media.video import probe

# What JupyterLab 4's sanitiser lets through, as far as a card may want it; the browser test asks it anew.
KEPT = {
    *("align-items", "background-color", "border", "border-bottom", "border-collapse", "border-left", "border-radius"),
    *("border-top", "box-sizing", "color", "cursor", "display", "flex", "flex-wrap", "font-size", "font-weight", "gap"),
    *("grid-template-columns", "height", "justify-content", "letter-spacing", "line-height", "margin", "margin-bottom"),
    *("margin-left", "margin-right", "margin-top", "max-width", "min-width", "opacity", "overflow", "overflow-wrap"),
    *("padding", "padding-left", "table-layout", "text-align", "text-transform", "vertical-align", "white-space"),
    "width",
}
HOSTILE = '<img src=x onerror="alert(1)"> </div><script>alert(2)</script> \x1b[31mred\x1b[0m \x00 $5 and $6 {{ 7*7 }}'


class Page(HTMLParser):
    """Every element with its attributes, the text, and whether the tags close properly."""

    VOID = ("img", "br", "meta")

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.open = [], "", []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"closes too much: {tag}"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def survives(html):
    """The rules that keep a card whole in a notebook that is not trusted."""
    page = Page(html)
    assert page.elements[0] == ("div", page.elements[0][1])
    assert page.elements[0][1]["class"] == "mathjax_ignore"
    for tag, attrs in page.elements:
        assert tag not in {"script", "style", "source", "link", "iframe", "object"}
        assert not [a for a in attrs if a.startswith("on")]
        style = attrs.get("style") or ""
        assert "var(" not in style
        assert "url(" not in style
        rules = dict(r.split(":") for r in style.split(";") if r.strip())
        assert set(rules) <= KEPT
        # Text takes the page's colour, light or dark, except on a ground of our own.
        assert ("color" in rules) <= (rules.get("background-color", "").startswith("#"))
    return page


@pytest.fixture
def shown(record, reader, clip):
    """Renders a record, and checks what must hold for every card."""

    def show(made, *, video=clip, read=reader, **options):
        bundle = card(made, reference_bytes=read, video=video, **options)
        assert set(bundle) >= {"text/html", "text/plain"}
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", bundle["text/plain"] + bundle["text/html"])
        json.dumps(bundle).encode()
        return bundle, survives(bundle["text/html"])

    return show


def test_a_finished_job_shows_its_video_beside_its_references(shown, record, clip):
    bundle, page = shown(record())
    [video] = page.all("video")
    assert base64.b64decode(video["src"].removeprefix("data:video/mp4;base64,")) == clip.read_bytes()
    poster = Image.open(io.BytesIO(base64.b64decode(video["poster"].removeprefix("data:image/jpeg;base64,"))))
    assert poster.size == (854, 490)
    assert "controls" in video
    assert "autoplay" not in video
    assert video["title"].startswith("Result of bytedance/seedance-2.0-fast: @cat walks")
    images = page.all("img")
    assert [i["alt"] for i in images] == ["Reference @cat: cat.jpg", "Reference @cup: cup.jpg"]
    thumbnail = Image.open(io.BytesIO(base64.b64decode(images[0]["src"].partition(",")[2])))
    assert thumbnail.size == (2 * int(images[0]["width"]), 2 * int(images[0]["height"]))
    line = (
        "bytedance/seedance-2.0-fast · 4 s · 480p 16:9 · seed 7 · silent · about USD 0.36, billed USD 0.36 · took 41 s"
    )
    assert line in page.text
    assert "came as 864×496, asked 854×480" in page.text
    assert "SIMULATED" not in page.text
    assert line in bundle["text/plain"]
    with Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))) as sheet:
        assert (sheet.format, sheet.width) == ("PNG", 960)


def test_the_prompt_stands_as_it_was_written(shown, record):
    prompt = "@cat costs $5 and $6 & more,\n\twrites to a@@b.org: <3 @nobody"
    bundle, page = shown(record(request={"prompt": prompt}))
    assert "@cat costs $5 and $6 & more,\n\twrites to a@b.org: <3 @nobody" in page.text
    assert "white-space:pre-wrap" in bundle["text/html"]
    assert "@cat costs $5 and $6 & more,\n\twrites to a@b.org: <3 @nobody" in bundle["text/plain"]


def test_a_reference_has_one_colour_in_thumbnail_and_prompt(shown, record):
    bundle, _ = shown(record(names=("cat", "cup")))
    for index, name in enumerate(("cat", "cup")):
        marked = f'<strong style="border-bottom:2px solid {reference_colour(index)}">@{name}</strong>'
        assert bundle["text/html"].count(marked) == 2


@pytest.mark.parametrize("state", [s for s in State if s is not State.DOWNLOADED])
def test_every_state_has_a_card(shown, record, state):
    bundle, page = shown(record(state=state, error="the API's own words" if state in FAILED else ""), video=None)
    assert not page.all("video")
    assert len(page.all("img")) == 2
    assert "image/png" not in bundle
    if state in FAILED:
        assert "No video: " in page.text
        assert "the API's own words" in page.text
        assert "the API's own words" in bundle["text/plain"]
    if state not in SETTLED:
        assert "as of 2026-11-23 12:23:31 UTC" in page.text
    assert "try again" not in page.text.lower()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": State.REJECTED}, "Nothing was paid."),
        ({"state": State.FAILED}, "The API reported no charge."),
        ({"state": State.FAILED, "cost": Decimal(0)}, "Nothing was billed."),
        ({"state": State.EXPIRED, "cost": Decimal("0.36")}, "Billed USD 0.36."),
        ({"state": State.FAILED, "cost": Decimal("0.36"), "simulated": True}, "Nothing was paid."),
    ],
)
def test_a_job_without_a_video_says_what_was_paid(shown, record, changes, said):
    bundle, page = shown(record(**changes), video=None)
    assert said in page.text
    assert said in bundle["text/plain"]


def test_an_unknown_outcome_says_what_to_do(shown, record):
    _, page = shown(record(state=State.OUTCOME_UNKNOWN), video=None)
    for said in (
        "OUTCOME UNKNOWN",
        "may be paid",
        "%refvideo jobs",
        "activity page",
        "%refvideo retry rv-20261123-k3f9q2",
    ):
        assert said in page.text


def test_a_simulated_job_says_so_and_how_to_go_live(shown, record):
    bundle, page = shown(record(simulated=True))
    for text in (page.text, bundle["text/plain"]):
        assert "SIMULATED" in text
        assert "the simulator answered, nothing was paid. Set OPENROUTER_API_KEY to go live." in text


def test_hostile_text_stays_text_wherever_it_comes_from(shown, record, photos, reference):
    cat = reference("cat", photos["cat"], source=HOSTILE, note=HOSTILE, media_type=HOSTILE)
    asked = {"prompt": "@cat " + HOSTILE, "references": (cat,), "model": HOSTILE, "resolution": HOSTILE}
    asked |= {"aspect_ratio": HOSTILE, "provider": {HOSTILE: {HOSTILE: HOSTILE}}, "previous_job_id": HOSTILE}
    outside = {"id": HOSTILE, "api_id": HOSTILE, "api_status": HOSTILE, "error": HOSTILE, "sent_prompt": HOSTILE}
    outside |= {"notes": (HOSTILE,), "base_url": HOSTILE}
    for state in State:
        _, page = shown(record(request=asked, state=state, **outside))
        assert len(page.all("img")) == 1
        assert "$5 and $6 {{ 7*7 }}" in page.text
        # What is hidden in an attribute stays in it: no element has come with one that is not ours.
        assert {a for _, attrs in page.elements for a in attrs} <= {
            *("class", "style", "title", "alt", "src", "width", "height", "dir"),
            *("poster", "controls", "preload", "playsinline", "aria-label"),
        }


def test_a_megabyte_of_text_does_not_make_a_megabyte_of_notebook(shown, record):
    much = "long " * 200_000
    made = record(request={"prompt": much}, sent_prompt=much, error=much, notes=(much,), state=State.FAILED)
    bundle, page = shown(made, video=None)
    assert "(994,000 more characters)" in page.text
    assert len(json.dumps(bundle)) < 150_000


def test_no_scheme_gets_into_a_link(shown, record, facts):
    made = record(video=msgspec.structs.replace(facts, nbytes=10**9))
    _, page = shown(made, embed_bytes=0, link="videos/a b.mp4")
    assert page.all("a")[0]["href"] == page.all("video")[0]["src"] == "videos/a b.mp4"
    for bad in ("javascript:alert(1)", "https://elsewhere.example/x.mp4", "//elsewhere.example/x.mp4"):
        _, page = shown(made, embed_bytes=0, link=bad)
        assert not page.all("a")
        assert not page.all("video")
        assert len(page.all("img")) == 3, "the poster stands in"


def test_a_large_file_gives_a_small_copy_and_the_path(shown, record, clip, monkeypatch):
    monkeypatch.chdir(clip.parent)
    monkeypatch.setattr("refvideo_nb.display.card.preview", lambda path, *, most_bytes, seconds: b"small copy")
    _, page = shown(record(), embed_bytes=probe(clip).nbytes - 1)
    assert page.all("video")[0]["src"] == "data:video/mp4;base64,c21hbGwgY29weQ=="
    assert "A small silent copy is shown; the whole clip (" in page.text
    assert "rv-20261123-k3f9q2.mp4" in page.text
    assert str(clip.parent) not in page.text, "a shared notebook need not tell a home folder"


def test_the_small_copy_is_a_real_one(shown, record, clip, tmp_path):
    most = probe(clip).nbytes - 2  # not the size of the test above, whose copy is kept
    _, page = shown(record(), embed_bytes=most)
    [video] = page.all("video")
    small = tmp_path / "small.mp4"
    small.write_bytes(base64.b64decode(video["src"].removeprefix("data:video/mp4;base64,")))
    seen = probe(small)
    assert seen.nbytes <= most
    assert seen.seconds == pytest.approx(4, abs=0.1)


def test_a_file_that_is_gone_or_broken_still_gives_a_card(shown, record, tmp_path, facts):
    other = record(video=msgspec.structs.replace(facts, sha256="0" * 64))
    bundle, page = shown(other, video=tmp_path / "gone.mp4")
    assert "The file is no longer where it was saved." in page.text
    assert "image/png" not in bundle
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    bundle, page = shown(other, video=broken)
    assert page.all("video")
    assert "image/png" not in bundle


def test_references_of_every_kind(shown, record, reader, clip):
    data = clip.read_bytes()
    [made] = record(names=("cat",)).request.references
    kinds = (
        made,
        Reference(name="walk", kind="video", sha256="aa", media_type="video/mp4", nbytes=len(data), seconds=4.0),
        Reference(name="song", kind="audio", sha256="bb", media_type="audio/mpeg", nbytes=9, seconds=12.25),
        Reference(
            name="gone", kind="image", sha256="cc", media_type="image/png", nbytes=9, url="https://e.org/a/h.png?k=1"
        ),
        Reference(name="bad", kind="image", sha256="dd", media_type="image/png", nbytes=9),
    )
    read = {"aa": data, "dd": b"no picture"}
    bundle, page = shown(record(request={"references": kinds}), read=lambda r: read.get(r.sha256) or reader(r))
    assert [i["alt"] for i in page.all("img")] == ["Reference @cat: cat.jpg", "Reference @walk"]
    assert "sound, 12.2 s" in page.text
    assert page.text.count("picture not kept") == 2
    assert "h.png" in page.text
    assert "image/png" in bundle


def test_fixed_frames_stand_where_references_do(shown, record, upright):
    frames = tuple(map(Frame, ("first", "last"), record().request.references))
    made = record(request={"references": (), "frames": frames, "aspect_ratio": "9:16"}, video=probe(upright))
    _, page = shown(made, video=upright)
    assert [i["alt"] for i in page.all("img")] == ["Reference first frame: cat.jpg", "Reference last frame: cup.jpg"]
    assert int(page.all("video")[0]["width"]) == 272
    assert "came as 272×480, asked 480×854" in page.text
    assert "came as 1 s, asked 4 s" in page.text


def test_notes_are_shown_and_no_difference_is_told_twice(shown, record):
    _, page = shown(record(notes=("reused", "came as 864×496, asked 854×480"), request={"generate_audio": True}))
    assert page.text.count("came as 864×496") == 1
    assert "reused" in page.text
    assert "came silent, asked with sound" in page.text


@pytest.mark.parametrize("photos_are", ["photographs", "noise"])
def test_the_saved_size_stays_within_its_budget(shown, record, reader, facts, photos_are):
    made = record(names=("cat", "cup", "woman", "rocket"), simulated=True)
    read = reader
    if photos_are == "noise":
        # The worst that JPEG and PNG can meet.
        out = io.BytesIO()
        Image.effect_noise((1600, 1200), 120).convert("RGB").save(out, "JPEG", quality=95)
        four = made.request.references
        references = tuple(msgspec.structs.replace(r, sha256=f"noise{r.name}{n}") for n in range(3) for r in four)
        made = msgspec.structs.replace(made, request=msgspec.structs.replace(made.request, references=references))
        read = lambda r: out.getvalue()  # noqa: E731 - one line that says it
    bundle, _ = shown(made, read=read)
    saved = len(json.dumps({"output_type": "display_data", "metadata": {}, "data": bundle}, indent=1))
    print(f"{photos_are}: {saved:,} bytes saved for a clip of {facts.nbytes:,}")
    assert saved <= 1.40 * facts.nbytes + 400_000


def test_what_was_drawn_once_is_not_drawn_again(shown, record, reader, monkeypatch):
    made = record()
    first, _ = shown(made)
    asked = []
    again, _ = shown(made, read=lambda r: asked.append(r.name))
    assert first == again
    assert asked == []


WARMED = """
import sys
from pathlib import Path
import msgspec
from refvideo_nb.core.job import JobRecord
from refvideo_nb.display import card
made = msgspec.json.decode(sys.argv[1], type=JobRecord)
card.warm()
before = set(sys.modules)
drawn = card.card(made, reference_bytes=lambda _: Path(sys.argv[3]).read_bytes(), video=Path(sys.argv[2]))
print("image/png" in drawn, [m for m in set(sys.modules) - before if m.partition(".")[0] in {"numpy", "PIL", "jinja2"}])
"""


def test_what_draws_was_loaded_before_the_first_card(record, reader, clip, tmp_path):
    made = record()
    picture = tmp_path / "picture"
    picture.write_bytes(reader(made.request.references[0]))
    command = [sys.executable, "-c", WARMED, msgspec.json.encode(made).decode(), str(clip), str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    drawn, _, loaded = done.stdout.strip().partition(" ")
    assert (drawn, loaded) == ("True", "[]")
