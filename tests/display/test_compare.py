"""The still twin of a comparison: what differs is marked, and nothing grows without bound."""

import base64
import io
import json
import re

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from refvideo_nb.display.compare import MOST_BYTES, compare_bundle
from refvideo_nb.display.differences import differences_of
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.display.sides import Seen, Side, player_facts
from refvideo_nb.media.video import probe

HOSTILE = '<img src=x onerror="window.hit=1">\x1b[31m\u202e$5'


def marked(phrases):
    return [p.text for p in phrases if p.marked]


@pytest.fixture
def seen(photos):
    return [
        Seen(name=f"@{name}", colour=reference_colour(n), data=photos[name]) for n, name in enumerate(("cat", "cup"))
    ]


@pytest.fixture
def sides(record, clip, facts):
    """Makes sides of records."""

    def make(*records):
        return [Side(label=f"run {n + 1}", video=clip, facts=facts, record=one) for n, one in enumerate(records)]

    return make


# --- what differs -----------------------------------------------------------------------------------------------------


def test_runs_that_differ_in_their_seed(record):
    found = differences_of([record(), record(request={"seed": 8}), record(request={"seed": None})])
    assert found.different == ("seed 7", "seed 8", "no seed")
    assert found.same == "Same prompt, model and references."
    assert [marked(line) for line in found.settings] == [["seed 7"], ["seed 8"], ["no seed"]]
    assert "".join(p.text for p in found.prompt).startswith("@cat walks")
    assert found.prompts == ()


def test_runs_without_seeds_say_nothing_of_them(record):
    found = differences_of([record(request={"seed": None})] * 2)
    assert found.different == ()
    assert found.same == "Same prompt, model, references and settings."
    assert not any("no seed" in p.text for line in found.settings for p in line)


@pytest.mark.parametrize(
    ("prompts", "marks", "said"),
    [
        (("@cat in soft light", "@cat in hard light"), [["soft"], ["hard"]], ("“soft”", "“hard”")),
        (("a b c", "a c"), [["b"], []], ("“b”",)),
        (("a b c", "a b c", "a b d"), [["c"], ["c"], ["d"]], ("“c”", "“d”")),
        (("one two", "three four"), [["one two"], ["three four"]], ("“one two”", "“three four”")),
        (("@cat runs", "@cup runs"), [["@cat"], ["@cup"]], ("“@cat”", "“@cup”")),
        (("x " * 60, "y " * 60), None, ("the prompt",)),
    ],
)
def test_words_that_not_all_prompts_have_are_marked(record, prompts, marks, said):
    found = differences_of([record(request={"prompt": p}) for p in prompts])
    assert found.prompt == ()
    assert ["".join(p.text for p in one) for one in found.prompts] == list(prompts)
    assert found.different == said
    if marks is not None:
        assert [marked(one) for one in found.prompts] == marks
    assert "prompt" not in found.same


def test_a_reference_that_not_all_have_and_one_that_is_another(record, photos, reference):
    one = record(names=("cat", "cup"))
    plain = {"prompt": "@cat beside @cup"}
    found = differences_of([record(names=("cat", "cup"), request=plain), record(names=("cat",), request=plain)])
    assert found.different == ("@cup",)
    other = record(request={"references": (one.request.references[0], reference("cup", photos["rocket"]))})
    found = differences_of([one, other])
    assert found.different == ("another @cup",)
    assert "references" not in found.same


def test_other_settings_and_provider_options(record):
    other = record(request={"duration": 5, "provider": {"seedance": {"camera": "fixed"}}, "model": "some/model"})
    found = differences_of([record(), other])
    assert set(found.different) == {"bytedance/seedance-2.0-fast", "4 s", "some/model", "5 s", "seedance.camera=fixed"}


def test_a_long_prompt_takes_no_time_to_compare(record):
    words = [f"word{n}" for n in range(900)]
    prompts = [" ".join(words), " ".join(words[::-1]), " ".join(sorted(words))]
    found = differences_of([record(request={"prompt": p}) for p in prompts])
    assert found.different == ("the prompt",)


# --- the twin ---------------------------------------------------------------------------------------------------------


def videos_in(html):
    found = re.findall(r'<video src="data:video/mp4;base64,([^"]+)"', html)
    return [base64.b64decode(v, validate=True) for v in found]


def test_it_holds_references_frames_with_times_and_videos_that_decode(sides, record, seen, tmp_path):
    bundle = compare_bundle(sides(record(), record(request={"seed": 8})), seen)
    html = bundle["text/html"]
    assert html.count('alt="Reference @') == 2
    for letter in "AB":
        assert [f'alt="Video {letter} at {t} s"' in html for t in (0.3, 1.0, 1.7, 2.3, 3.0, 3.7)] == [True] * 6
    copies = videos_in(html)
    assert len(copies) == 2
    for n, data in enumerate(copies):
        path = tmp_path / f"{n}.mp4"
        path.write_bytes(data)
        assert probe(path).frames == 96
    assert "Same prompt, model and references." in html
    assert re.search(r'<span style="[^"]*rgba\(37,99,235[^"]*">seed 8</span>', html)
    sheet = Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))
    assert sheet.format == "PNG"
    assert sheet.width == 960
    assert "A  run 1 · bytedance/seedance-2.0-fast" in bundle["text/plain"]
    assert "Different: seed 7, seed 8." in bundle["text/plain"]


def test_what_was_measured_stands_beside_what_chance_gives(sides, record, seen, report):
    one, other = sides(record(), record(request={"seed": 8}))
    bundle = compare_bundle([replace(one, report=report()), other], seen)
    assert bundle["text/html"].count("adherence 0.63, by chance 0.26 to 0.42, followed, covered 75 %") == 1
    assert "@cup: adherence 0.55, by chance 0.26 to 0.42" in bundle["text/plain"]
    (cat, cup) = player_facts([replace(one, report=report()), other], seen)["curves"]
    assert [c["name"] for c in (cat, cup)] == ["@cat", "@cup"]
    assert cat["tracks"][1] is None
    assert len(cat["tracks"][0]["values"]) == 32
    assert player_facts([one, other], seen)["curves"] == []


def test_a_curve_of_thousands_of_frames_is_thinned(sides, record, seen, report):
    (one,) = sides(record())
    (cat, _) = player_facts([replace(one, report=report(frames=5000))], seen)["curves"]
    track = cat["tracks"][0]
    assert {len(track[key]) for key in ("times", "values", "low", "high")} == {239}


def test_nothing_but_inline_styles_and_nothing_that_is_stripped(sides, record, seen):
    html = compare_bundle(sides(record(simulated=True), record(request={"prompt": "@cup"})), seen)["text/html"]
    assert html.startswith('<div class="mathjax_ignore"')
    for gone in ("<script", "<style", "var(", "aspect-ratio", "object-fit", "<source", " on"):
        assert gone not in re.sub(r"base64,[^\"]*", "", html).replace(" one", "").replace(" only", ""), gone
    assert "SIMULATED" in html


@pytest.mark.parametrize("count", [1, 4, 9])
def test_it_keeps_its_bound_however_many_videos_there_are(record, seen, tmp_path, photos, count):
    rng = np.random.default_rng(count)
    side = noisy(tmp_path / "noise.mp4", rng, seconds=2)
    made = compare_bundle([side] * count, seen * 4)
    assert len(json.dumps(made)) <= MOST_BYTES
    assert len(videos_in(made["text/html"])) == count


def test_what_cannot_be_small_enough_is_left_out_and_its_frames_stay(sides, record, seen):
    made = compare_bundle(sides(record(), record()), seen, most_bytes=1000)
    assert videos_in(made["text/html"]) == []
    assert made["text/html"].count('alt="Video B at') == 6


def test_words_from_outside_stay_words(record, clip, facts, seen):
    one = record(request={"prompt": HOSTILE, "model": HOSTILE})
    two = record(request={"prompt": HOSTILE + " more"})
    sides = [Side(label=HOSTILE, video=clip, facts=facts, record=r) for r in (one, two)]
    references = [Seen(name=HOSTILE, colour="#2f6fed", data=b"no picture", caption=HOSTILE)]
    made = compare_bundle(sides, references, title=HOSTILE)
    for text in (made["text/html"], made["text/plain"]):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "<img src=x" not in made["text/html"]
    facts_ = player_facts(sides, references, title=HOSTILE)
    assert "\x1b" not in json.dumps(facts_, ensure_ascii=False)


def test_videos_of_nobody_in_particular(clip, upright):
    sides = [Side(label=p.stem, video=p, facts=probe(p)) for p in (clip, upright)]
    made = compare_bundle(sides, [])
    assert "Different" not in made["text/html"]
    assert "References" not in made["text/html"]
    assert "272×480, 1 s" in made["text/html"]
    assert len(videos_in(made["text/html"])) == 2


def test_what_the_player_shows(sides, record, seen):
    data = player_facts(sides(record(simulated=True), record(request={"seed": 8})), seen)
    assert json.loads(json.dumps(data)) == data
    assert data["title"] == "Two videos, one clock"
    assert data["different"] == ["seed 7", "seed 8"]
    assert [v["badge"] for v in data["videos"]] == ["SIMULATED", ""]
    assert [r["colour"] for r in data["references"]] == [reference_colour(0), reference_colour(1)]
    assert data["videos"][0]["fps"] == 24
    names = [p["text"] for row in data["asked"] for p in row["phrases"] if p["colour"]]
    assert names == ["@cat", "@cup"]


def noisy(path, rng, *, seconds):
    """A video that hardly gets smaller."""
    from fractions import Fraction

    import av

    with av.open(str(path), "w") as target:
        track = target.add_stream("libx264", rate=24)
        track.width, track.height, track.pix_fmt, track.bit_rate = 640, 360, "yuv420p", 6_000_000
        for n in range(24 * seconds):
            pixels = rng.integers(0, 256, (360, 640, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, 24)
            target.mux(track.encode(frame))
        target.mux(track.encode(None))
    return Side(label="noise", video=path, facts=probe(path))
