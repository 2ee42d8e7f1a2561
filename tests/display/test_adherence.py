"""A report of adherence as people see it: no number without what chance gives, bounded, escaped, the same colours."""

import base64
import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from refvideo_nb.core.adherence import UNVALIDATED
from refvideo_nb.display import plots
from refvideo_nb.display.adherence import MOST_BYTES, adherence_bundle, paper_figure
from refvideo_nb.display.measured import HEADS, adherence_line
from refvideo_nb.display.moments import moments_of
from refvideo_nb.display.palette import reference_colour
from refvideo_nb.display.sides import Seen
from refvideo_nb.errors import MissingDependencyError

HOSTILE = '<img src=x onerror="window.hit=1">\x1b[31m\u202e$5$'


@pytest.fixture
def seen(photos):
    """Makes the references as they are shown."""

    def make(*names):
        return [Seen(name=f"@{n}", colour=reference_colour(k), data=photos.get(n)) for k, n in enumerate(names)]

    return make


def pictures_in(html):
    found = re.findall(r'<img src="data:image/\w+;base64,([^"]+)" width="(\d+)" height="(\d+)" alt="([^"]*)"', html)
    return [(Image.open(io.BytesIO(base64.b64decode(d))), int(w), int(h), alt) for d, w, h, alt in found]


def colour_of(picture, colour):
    """How many pixels are near a colour."""
    rgb = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)])
    return int((np.abs(np.asarray(picture.convert("RGB"), int) - rgb).sum(axis=2) < 40).sum())


# --- the card ---------------------------------------------------------------------------------------------------------


def test_sentences_come_first_then_pictures_then_numbers_and_the_band_beside_them(report, seen, clip):
    bundle = adherence_bundle(report(), seen("cat", "cup"), video=clip)
    html = bundle["text/html"]
    order = [html.index(part) for part in ("visible in 75%", "<img ", "95 % interval", "efficientnet-lite0")]
    assert order == sorted(order)
    for words in ("0.26 to 0.42", "By chance: what 32 unrelated pictures score", UNVALIDATED[1:].replace("'", "&#39;")):
        assert words in html
    alts = [alt for *_, alt in pictures_in(html)]
    assert alts.count("Reference @cat") == 1
    assert sum(alt.startswith("What looks most like @cat") for alt in alts) == 2
    assert not any(alt.startswith("What looks most like @cup") for alt in alts), "a scene has no box"
    assert "0.26 to 0.42" in bundle["text/plain"]
    assert UNVALIDATED[1:] in bundle["text/plain"]


def test_nothing_but_inline_styles_and_nothing_from_outside_is_markup(report, seen, clip):
    made = report()
    scores = tuple(replace(s, sentence=HOSTILE, verdict=HOSTILE) for s in made.scores)
    made = replace(made, scores=scores, video=HOSTILE, notes=(HOSTILE,), settings={HOSTILE: {HOSTILE: [1]}})
    names = [replace(s, name=f"@{HOSTILE}") for s in seen("cat", "cup")]
    bundle = adherence_bundle(made, names, video=clip)
    html = bundle["text/html"]
    assert html.startswith('<div class="mathjax_ignore"')
    for gone in ("<script", "<style", "var(", "aspect-ratio", "object-fit", "<img src=x", "\x1b", "\u202e"):
        assert gone not in html, gone
    assert "\x1b" not in bundle["text/plain"]


def test_that_a_clip_is_the_simulators_is_not_to_be_missed(report, seen, clip):
    real = adherence_bundle(report(), seen("cat", "cup"), video=clip)
    simulated = adherence_bundle(report(), seen("cat", "cup"), video=clip, simulated=True)
    for kind in ("text/html", "text/plain"):
        assert "SIMULATED" in simulated[kind]
        assert "say nothing of any model" in simulated[kind]
        assert "SIMULATED" not in real[kind]


@pytest.mark.parametrize("count", [4, 5, 9])
def test_it_stays_within_its_bytes_however_many_references_there_are(report, seen, clip, photos, count):
    names = (*photos, *(f"other{n}" for n in range(5)))[:count]
    shown = [replace(s, data=s.data or photos["rocket"]) for s in seen(*names)]
    bundle = adherence_bundle(report(names, roles=("subject",) * count), shown, video=clip)
    assert len(json.dumps(bundle)) <= MOST_BYTES
    assert bundle["text/html"].count('alt="Reference @') == count


def test_the_same_report_gives_the_same_bytes(report, seen, clip):
    assert adherence_bundle(report(), seen("cat", "cup"), video=clip) == adherence_bundle(
        report(), seen("cat", "cup"), video=clip
    )


def test_a_video_that_is_gone_costs_the_pictures_and_not_the_numbers(report, seen, tmp_path):
    bundle = adherence_bundle(report(), seen("cat", "cup"), video=tmp_path / "gone.mp4")
    assert "cannot be read any more" in bundle["text/html"]
    assert "0.58 to 0.67" in bundle["text/html"]
    assert "cannot be read any more" not in adherence_bundle(report(), seen("cat", "cup"), video=None)["text/html"]


def test_one_frame_and_one_reference_are_enough(report, seen, clip):
    made = report(("cat",), frames=1)
    bundle = adherence_bundle(made, [replace(s, data=None) for s in seen("cat")], video=clip)
    assert "nearest to" not in bundle["text/html"]
    assert "1 frame of 4 s" in bundle["text/html"]
    assert adherence_line(made).endswith("; 1 frame")


def test_without_matplotlib_the_command_that_installs_it_is_told(report, seen, clip, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r'matplotlib.*pip install "refvideo-nb\[adherence\]"'):
        adherence_bundle(report(), seen("cat", "cup"), video=clip)


# --- the moments ------------------------------------------------------------------------------------------------------


def test_the_best_and_the_worst_moment_show_what_is_in_the_box(report, clip, photos):
    made = report(("cat",))
    ((best, worst),) = moments_of(made, clip)
    assert best.time == made.times[made.similarity[:, 0].argmax()]
    assert worst.time == made.times[made.similarity[:, 0].argmin()]
    assert (best.covered, worst.covered) == (True, False)
    cat = Image.open(io.BytesIO(photos["cat"])).crop((100, 20, 360, 280)).resize((60, 60))
    found = Image.fromarray(best.crop()).resize((60, 60))
    inner = (slice(15, 45), slice(15, 45))
    likeness = np.corrcoef(np.asarray(cat)[inner].ravel(), np.asarray(found)[inner].ravel())[0, 1]
    elsewhere = Image.fromarray(best.frame[-90:, -90:]).resize((60, 60))
    assert likeness > 0.9 > np.corrcoef(np.asarray(cat)[inner].ravel(), np.asarray(elsewhere)[inner].ravel())[0, 1]


# --- the figures ------------------------------------------------------------------------------------------------------


def test_a_reference_has_its_colour_in_every_figure_and_the_ground_is_clear(report, seen):
    colours = [s.colour for s in seen("cat", "cup")]
    for draw in (plots.curves_figure, plots.confusion_figure, plots.copying_figure):
        picture = Image.open(io.BytesIO(plots.png(draw(report(), colours), dpi=100)))
        assert picture.getpixel((0, 0))[3] == 0, draw
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture)
        assert all(colour_of(ground, c) > 30 for c in colours), draw


def test_the_strip_has_colour_only_where_it_is_covered(report, seen):
    made = report(("cat",))
    colour = seen("cat")[0].colour
    none = replace(made, similarity=np.full_like(made.similarity, 0.3))
    covered, bare = (
        Image.open(io.BytesIO(plots.png(plots.curves_figure(r, [colour]), dpi=100))).convert("RGBA")
        for r in (made, none)
    )
    strip = [np.asarray(p)[-70:-45, 60:640] for p in (covered, bare)]
    blue = [int(((s[..., 2].astype(int) - s[..., 0]) * (s[..., 3] > 60) > 80).sum()) for s in strip]
    assert blue[0] > 2000
    assert blue[1] == 0


def test_a_figure_for_paper_is_dark_on_white_shows_itself_and_is_none_of_pyplots(report, seen, clip):
    figure = paper_figure(report(), seen("cat", "cup"), video=clip)
    picture = Image.open(io.BytesIO(figure._repr_png_()))
    assert picture.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    large = Image.open(io.BytesIO(plots.png(figure, dpi=300)))
    assert large.width == round(300 * figure.get_size_inches()[0])


def test_what_the_user_set_for_pyplot_does_not_change_a_figure_nor_does_a_dollar_break_it(report, seen):
    import matplotlib as mpl

    odd = report(("a$b_{$", "$c$"))
    colours = [s.colour for s in seen("cat", "cup")]
    plain = plots.png(plots.curves_figure(odd, colours), dpi=60)
    with mpl.rc_context({"axes.grid": True, "figure.facecolor": "red", "axes.facecolor": "red"}):
        assert plots.png(plots.curves_figure(odd, colours), dpi=60) == plain


def test_loading_the_card_loads_no_matplotlib():
    code = "import sys, refvideo_nb.display.adherence; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"


def test_every_head_has_a_cell(report):
    from refvideo_nb.display.measured import row_of

    made = report()
    assert all(len(row_of(made, s)) == len(HEADS) for s in made.scores)
