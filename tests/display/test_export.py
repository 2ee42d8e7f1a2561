"""The page that plays from the disk: whole, the same each time, and with nothing in it that runs but the player."""

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from refvideo_nb.core.job import State
from refvideo_nb.core.provenance import shareable
from refvideo_nb.display.export import Part, report
from refvideo_nb.display.inline import data_in_script, inline
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.display.sides import Seen, Side
from refvideo_nb.errors import LedgerError
from refvideo_nb.media.video import probe

SCRIPT = "function mount(element, data) {}"
STYLE = ".refvideo-player { color: red }"
HOSTILE = '</script><script>window.hit=1</script><img src=x onerror="window.hit=1"><!--\x1b[31m\u202e$5'


def page_of(*parts):
    return b"".join(report(parts, script=SCRIPT, style=STYLE, made_by="9.8.7")).decode()


class Page(HTMLParser):
    """Elements with their attributes, and the text of each."""

    def __init__(self, html):
        super().__init__()
        self.elements = [["", {}, ""]]
        assert html.startswith("<!doctype html>")
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        self.elements.append([f"/{tag}", {}, ""])  # what follows is not its text

    def handle_data(self, data):
        self.elements[-1][2] += data

    def all(self, tag):
        return [(attrs, text) for name, attrs, text in self.elements if name == tag]


@pytest.fixture
def seen(photos):
    return [
        Seen(name=f"@{name}", colour=reference_colour(n), data=photos[name]) for n, name in enumerate(("cat", "cup"))
    ]


@pytest.fixture
def side(clip, facts):
    def make(label="run", record=None):
        return Side(label=label, video=clip, facts=facts, record=record)

    return make


def test_it_holds_the_clips_the_references_and_what_is_known_of_them(side, record, seen, clip, upright, photos):
    runs = [side("one", record()), side("two", record(request={"seed": 8}))]
    tall = Side(label="tall", video=upright, facts=probe(upright), record=record(request={"seed": 9}))
    page = Page(page_of(Part(sides=[*runs, tall], references=seen)))
    clips = [
        base64.b64decode(v["src"].removeprefix("data:video/mp4;base64,"), validate=True) for v, _ in page.all("video")
    ]
    assert clips == [clip.read_bytes()] * 2 + [upright.read_bytes()]
    pictures = [base64.b64decode(i["src"].partition(",")[2], validate=True) for i, _ in page.all("img")]
    assert pictures == [photos["cat"], photos["cup"]]
    told = [json.loads(text) for _, text in page.all("pre")]
    assert [t["settings"]["seed"] for t in told] == [7, 8, 9]
    assert {t["made_by"] for t in told} == {"refvideo_nb 9.8.7"}
    assert (
        told[2]["video"]["sha256"] == record().video.sha256
    )  # the record's own words; the file is checked by it elsewhere
    marked = [text for attrs, text in page.all("span") if attrs.get("class") == "mark"]
    assert marked == ["seed 7", "seed 8", "seed 9"] * 2
    (told,) = json.loads(next(text for attrs, text in page.all("script") if attrs.get("id") == "players"))
    ids = {attrs["id"] for _, attrs, _ in page.elements if "id" in attrs}
    assert {told["place"], *(v["element"] for v in told["videos"]), *(r["element"] for r in told["references"])} <= ids
    assert len(ids) == 1 + 3 + 2 + 1


def test_the_same_parts_give_the_same_bytes(side, record, seen):
    parts = [Part(sides=[side("one", record())], references=seen), Part(ended=[record(state=State.FAILED)])]
    assert page_of(*parts) == page_of(*parts)


def test_its_policy_lets_its_own_script_and_style_alone_run_and_loads_nothing(side, record, seen):
    page = Page(page_of(Part(sides=[side("one", record())], references=seen)))
    (policy,) = [a["content"] for a, _ in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    (code,) = [text for attrs, text in page.all("script") if attrs["type"] == "module"]
    ((_, style),) = page.all("style")

    def named(text):
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert rules == {
        "default-src": "'none'",
        "script-src": named(code),
        "style-src": named(style),
        "img-src": "data: blob:",
        "media-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert SCRIPT in code
    assert STYLE in style
    # Before anything that could load: a policy counts from where it stands.
    tags = [tag for tag, *_ in page.elements]
    assert tags.index("meta") < min(tags.index(t) for t in ("style", "script", "img", "video"))
    # What the policy would block is not there either.
    for tag, attrs, _ in page.elements:
        assert tag not in {"link", "iframe", "object", "base", "form"}, tag
        assert "style" not in attrs, tag
        assert not [a for a in attrs if a.startswith("on")], tag
        for name in ("src", "href"):
            assert attrs.get(name, "data:").startswith("data:"), tag


def test_words_from_outside_stay_words(side, record):
    one = record(request={"prompt": HOSTILE, "model": HOSTILE}, notes=(HOSTILE,), simulated=True)
    two = shareable(record(request={"prompt": HOSTILE + " more"}, state=State.FAILED, error=HOSTILE, notes=(HOSTILE,)))
    references = [Seen(name=HOSTILE, colour="red;}", data=b"no picture", caption=HOSTILE)]
    html = page_of(Part(sides=[side(HOSTILE, one), side(HOSTILE)], references=references, ended=[two], title=HOSTILE))
    page = Page(html)
    assert "\x1b" not in html
    assert "\u202e" not in re.sub('base64,[^"]*', "", html)
    assert [attrs["type"] for attrs, _ in page.all("script")] == ["application/json", "module"]
    assert len(page.all("img")) == 1
    assert not [attrs for _, attrs, _ in page.elements if "onerror" in attrs]
    (told,) = json.loads(next(text for attrs, text in page.all("script") if attrs.get("id") == "players"))
    assert told["videos"][0]["label"].startswith("</script><script>window.hit=1"), "told to the player as text"


def test_jobs_that_ended_without_a_clip_say_why(record):
    failed = record(state=State.FAILED, error="the provider said <no>", cost=None)
    unknown = record(state=State.OUTCOME_UNKNOWN, error="the answer was lost")
    page = Page(page_of(Part(ended=[failed, unknown])))
    assert page.all("video") == []
    text = " ".join(text for *_, text in page.elements)
    assert "the provider said <no>" in text
    assert "Outcome unknown: it may exist, and may be paid." in text
    assert json.loads(next(t for a, t in page.all("script") if a.get("id") == "players")) == []
    assert page.all("title")[0][1].strip() == "2 jobs of refvideo_nb"


def test_what_never_came_is_no_difference_between_what_did(side, record):
    """Of a job without a clip it is not known whether it has sound."""
    runs = [side("one", record(request={"generate_audio": None})) for _ in range(2)]
    ended = [record(state=State.FAILED, error="no", request={"generate_audio": None, "seed": 9})]
    page = Page(page_of(Part(sides=runs, ended=ended)))
    assert [text for attrs, text in page.all("span") if attrs.get("class") == "mark"] == []


def test_videos_of_nobody_in_particular(side, facts):
    page = Page(page_of(Part(sides=[side("before"), side("after")], title="Grading")))
    assert [json.loads(text)["label"] for _, text in page.all("pre")] == ["before", "after"]
    assert [json.loads(text)["video"]["sha256"] for _, text in page.all("pre")] == [facts.sha256] * 2
    assert [text for _, text in (*page.all("title"), *page.all("h1"))] == ["Grading", "Grading"]
    assert Page(page_of(Part(sides=[side("a"), side("b")]))).all("h1")[0][1] == "Two videos"
    assert Page(page_of(Part(sides=[side("a")]))).all("h1")[0][1] == "a"


def test_a_file_that_changed_since_is_not_written(clip, facts, record, tmp_path):
    copy = tmp_path / "copy.mp4"
    shutil.copy(clip, copy)
    part = Part(sides=[Side(label="one", video=copy, facts=facts, record=record())])
    page_of(part)
    copy.write_bytes(copy.read_bytes() + b"x")
    with pytest.raises(LedgerError, match=r"copy\.mp4 has changed since"):
        page_of(part)
    copy.unlink()
    with pytest.raises(LedgerError, match=r"copy\.mp4 cannot be read"):
        page_of(part)


@pytest.mark.parametrize("value", [HOSTILE, {"a": [HOSTILE, "\u2028\u2029é"]}, [1.5, None, True]])
def test_data_in_a_script_is_the_same_data_and_ends_no_element(value):
    text = str(data_in_script(value))
    assert json.loads(text) == value
    assert text.isascii()
    assert not set("<>&") & set(text)


def test_a_script_of_ours_ends_no_element():
    assert str(inline('a = "</script><!-- b";\r\n')) == 'a = "<\\/script><\\!-- b";\n'
