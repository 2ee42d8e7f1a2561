"""The compare player in the front ends that people use, and its still twin after everything is gone."""

import io
import json
import shutil
from fractions import Fraction
from html.parser import HTMLParser

import av
import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

pytestmark = pytest.mark.browser

FRAME = 0.042  # seconds: one frame at 24 a second
SIZE = (1280, 720)
LOOKS = 8
BITS, SIDE = 10, 96  # the frame's number, in squares of so many pixels along the upper edge
FILMS = {"one.mp4": 24, "two.mp4": 30, "three.mp4": 24, "four.mp4": 30}  # frames a second
PHOTOS = {"sky": (40, 120, 220), "field": (60, 160, 40)}
COMPARE = """from pathlib import Path
from refvideo_nb.notebook.comparing import compare
folder = Path({folder!r})
compared = compare(*[folder / name for name in {names}], references=[folder / "sky.png", folder / "field.png"])
compared"""

# Of each video: by how much its frames are ahead of the page's clock, in seconds, as they are presented.
OFFSETS = """async () => {
    const videos = [...document.querySelectorAll('.refvideo-player video')];
    const middle = values => values.sort((a, b) => a - b)[values.length >> 1];
    return await Promise.all(videos.map(video => new Promise(done => {
        const seen = [];
        const heard = (_, shown) => {
            seen.push(shown.mediaTime - shown.expectedDisplayTime / 1000);
            if (seen.length < 24) video.requestVideoFrameCallback(heard);
            else done(middle(seen));
        };
        video.requestVideoFrameCallback(heard);
    })));
}"""
# Of each video: the number of the frame that can be seen, several times at one moment for all of them.
NUMBERS = """async ([times, bits, side]) => {
    const videos = [...document.querySelectorAll('.refvideo-player video')];
    const canvas = Object.assign(document.createElement('canvas'), {width: bits * side, height: side});
    const pen = canvas.getContext('2d', {willReadFrequently: true});
    const read = video => {
        pen.drawImage(video, 0, 0, bits * side, side, 0, 0, bits * side, side);
        let number = 0;
        for (let bit = 0; bit < bits; bit++)
            number |= (pen.getImageData(bit * side + side / 2, side / 2, 1, 1).data[0] > 128) << bit;
        return number;
    };
    const found = [];
    for (let n = 0; n < times; n++) {
        await new Promise(requestAnimationFrame);
        found.push(videos.map(read));
    }
    return found;
}"""


def numbered_film(path, fps, seconds):
    """Each frame carries its number in black and white squares."""
    width, height = SIZE
    with av.open(str(path), "w", options={"movflags": "faststart"}) as target:
        track = target.add_stream("libx264", rate=fps)
        track.width, track.height, track.pix_fmt, track.bit_rate = width, height, "yuv420p", 1_500_000
        track.options = {"preset": "ultrafast"}
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        planes[:height] = np.linspace(60, 190, width).astype(np.uint8)
        for number in range(round(fps * seconds)):
            for bit in range(BITS):
                planes[:SIDE, bit * SIDE : (bit + 1) * SIDE] = 235 if number >> bit & 1 else 16
            planes[300:500] = np.roll(planes[600], 8 * number)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            target.mux(track.encode(frame))
        target.mux(track.encode(None))
    return path.read_bytes()


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """Four 720p videos of two rates, and two pictures."""
    folder = tmp_path_factory.mktemp("material")
    slow, fast = numbered_film(folder / "slow.mp4", 24, 13), numbered_film(folder / "fast.mp4", 30, 12.5)
    for name, rate in FILMS.items():
        (folder / name).write_bytes(slow if rate == 24 else fast)
    for name, colour in PHOTOS.items():
        Image.new("RGB", (320, 180), colour).save(folder / f"{name}.png")
    return folder


def notebook_in(folder, *cells):
    folder.mkdir(exist_ok=True)
    path = folder / f"{folder.name}.ipynb"
    made = new_notebook(cells=[new_code_cell(c) for c in cells])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, path)
    return path


class Player:
    """The player of a page, with what can be seen of it."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator(".refvideo-player")
        self.videos = self.root.locator("video")

    def ready(self):
        self.page.wait_for_function(
            "count => { const found = [...document.querySelectorAll('.refvideo-player video')];"
            " return found.length === count && found.every(v => v.readyState >= 2 && !v.seeking) }",
            arg=len(FILMS),
        )
        self.root.locator(".refvideo-reference:enabled").nth(1).wait_for()

    def press(self, *keys):
        for key in keys:
            self.root.press(key)

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    @property
    def reading(self):
        return self.root.locator(".refvideo-reading").inner_text()

    def plays_until(self, seconds):
        # A machine that has much else to do plays slowly; together it has to be all the same.
        self.page.wait_for_function(
            "least => Number(document.querySelector('.refvideo-scrub').value) >= least", arg=seconds, timeout=150_000
        )

    def together(self, seconds):
        """Within a frame from these seconds of play on, by what is presented and by what can be seen.

        A machine that has much else to do presents late, now this video and now that one; a player that lets its
        videos drift is apart each time.
        """
        for measure in (self.drift, self.apart):
            looks = []
            while True:
                self.plays_until(seconds)
                looks.append(measure())
                if looks[-1] <= FRAME:
                    break
                assert len(looks) < LOOKS, looks
                self.root.locator(".refvideo-scrub").fill("0.2")

    def drift(self):
        """Seconds between the video that is furthest ahead and the one that is furthest behind, as presented."""
        offsets = self.page.evaluate(OFFSETS)
        return max(offsets) - min(offsets)

    def seen(self, times=1):
        """What can be seen: of each video the second at which its frame begins, at several moments."""
        found = self.page.evaluate(NUMBERS, [times, BITS, SIDE])
        return [[number / rate for number, rate in zip(one, FILMS.values(), strict=True)] for one in found]

    def apart(self):
        """Seconds between the frames that can be seen at one moment; the middle of many."""
        spreads = sorted(max(one) - min(one) for one in self.seen(31))
        return spreads[15]

    def shows(self, seconds):
        """Wait until every video shows the very frame of a time."""
        wanted = [int(seconds * rate + 1e-3) / rate for rate in FILMS.values()]
        for _ in range(400):
            if self.seen() == [wanted]:
                return
            self.page.wait_for_timeout(25)
        assert self.seen() == [wanted], seconds

    def frame(self, index=0):
        """What is seen of a video, with whatever lies over it: (height, width, 3)."""
        data = self.root.locator(".refvideo-fit").nth(index).screenshot()
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def colour_at(pixels, x, y):
    height, width = pixels.shape[:2]
    return pixels[round(y * height), round(x * width)]


def saved(path):
    """The outputs of a notebook's first cell as they are stored, and the size of the file."""
    notebook = json.loads(path.read_text())
    assert "widgets" not in notebook["metadata"]
    return notebook["cells"][0]["outputs"], path.stat().st_size


def the_twin_stands_alone(notebook):
    """Reopened without a kernel: the still version shows, and its videos play."""
    page = notebook.page
    page.locator(
        ".jp-OutputArea-output img[alt='Video D at 0.5 s'], .jp-OutputArea-output img[alt^='Video D']"
    ).first.wait_for()
    assert page.locator(".refvideo-player").count() == 0
    assert page.get_by_text("model not found").filter(visible=True).count() == 0
    assert notebook.videos.count() == len(FILMS)
    assert notebook.plays() == [notebook.PLAYING] * len(FILMS)


@pytest.mark.alone
@pytest.mark.timeout(900)
@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_four_videos_run_on_one_clock(server, open_notebook, material, tmp_path, app):
    server.theme("Light")
    folder = server.root / f"one-clock-{app}"
    shutil.copytree(material, folder)
    path = notebook_in(folder, COMPARE.format(folder=".", names=list(FILMS)), "'the player is at', compared.time")
    notebook = open_notebook(path, app=app)
    page, player = notebook.page, Player(notebook.page)
    asked = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda data: asked.append(str(data))))
    notebook.kernel_is_idle()  # a page that goes before leaves a kernel behind, which nobody would end
    page.reload()
    notebook.run_all()
    player.ready()
    # The server offers the files: the kernel was asked for the pictures alone.
    assert not [message for message in asked if '"ask":"video"' in message.replace(" ", "")]
    assert not page.locator(".jp-OutputArea-output img[alt^='Video D']").filter(visible=True).count(), (
        "hidden meanwhile"
    )
    notebook.picture(tmp_path / "light-1280.png", height=1100)

    player.button("Play").click()
    player.together(10)
    # Seeks while it plays.
    for seconds in (3, 1, 8, 2, 5, 0.5, 7, 4, 6, 1.5):
        player.root.locator(".refvideo-scrub").fill(str(seconds))
    player.together(2)
    player.button("Pause").click()
    player.button("Play").wait_for()
    _, _, seconds = player.reading.partition(" / ")[0].partition(":")
    player.shows(float(seconds) + 0.005)
    # And while it stands: the very frame.
    for seconds in (3, 11.5, 0, 7.3, 2.7, 12.4, 1.1, 9.9, 5.5, 4.2):
        player.root.locator(".refvideo-scrub").fill(str(seconds))
        player.shows(int(seconds * 30 + 1e-3) / 30)

    # Its time goes to Python, and comes from there.
    cell = page.locator(".jp-CodeCell", has_text="the player is at")
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(
        "() => /4.2/.test([...document.querySelectorAll('.jp-OutputArea-executeResult')].at(-1)?.innerText)"
    )
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("compared.time = 2.5")
    page.keyboard.press("Shift+Enter")
    player.shows(2.5)

    notebook.save()
    outputs, nbytes = saved(path)
    assert nbytes <= 2_100_000
    assert sorted(outputs[1]["data"]) == ["image/png", "text/html", "text/plain"]
    notebook.shut_down_kernel()
    server.end_kernels()
    notebook.open()
    the_twin_stands_alone(notebook)
    notebook.picture(tmp_path / "twin-light.png", height=1700)


@pytest.mark.timeout(240)
def test_keys_and_references(server, open_notebook, material, tmp_path):
    server.theme("Dark")
    # Outside of what the server offers: the bytes come from the kernel.
    path = notebook_in(server.root / "keys", COMPARE.format(folder=str(material), names=list(FILMS)))
    notebook = open_notebook(path, app="notebook")
    notebook.run_all()
    page, player = notebook.page, Player(notebook.page)
    player.ready()
    cells = page.locator(".jp-Cell").count()
    player.root.focus()
    the_keys_move(player)
    they_loop(player)
    they_flip(player)
    the_reference_lies_over_the_frames(player)
    notebook.picture(tmp_path / "overlay-dark.png", height=1000)

    player.root.focus()
    player.press("?")
    assert player.root.get_by_role("dialog", name="Keys").is_visible()
    notebook.picture(tmp_path / "keys-dark.png", height=1000)
    page.keyboard.press("Escape")
    assert not player.root.get_by_role("dialog", name="Keys").is_visible()
    # None of these keys was a command of the notebook, and its own still work.
    assert page.locator(".jp-Cell").count() == cells
    player.root.focus()
    saving = lambda r: r.request.method == "PUT" and "/api/contents/" in r.url and r.ok  # noqa: E731 - used once
    with page.expect_response(saving):
        page.keyboard.press("Control+s")
    notebook.picture(tmp_path / "dark-600.png", width=600, height=2600)

    notebook.shut_down_kernel()
    server.end_kernels()
    notebook.open()
    the_twin_stands_alone(notebook)
    notebook.picture(tmp_path / "twin-dark-600.png", width=600, height=2600)


def the_keys_move(player):
    player.press("ArrowRight", "ArrowRight")
    player.shows(2 / 30)
    player.press("ArrowLeft", "Shift+ArrowRight")
    player.shows(31 / 30)
    player.press("Home")
    player.shows(0)
    player.press("Space")
    player.button("Pause").wait_for()
    player.plays_until(0.3)
    player.press("k")
    player.button("Play").wait_for()
    player.press("-", "-")
    assert player.root.get_by_label("Speed").input_value() == "0.25"
    player.press("+")
    assert player.root.get_by_label("Speed").input_value() == "0.5"


def they_loop(player):
    # From the first second to the second one, and never beyond.
    player.press("+", "Home", "Shift+ArrowRight", "[", "Shift+ArrowRight", "]", "Space")
    assert player.button("Loop").get_attribute("aria-pressed") == "true"
    highest = player.page.evaluate("""async () => {
        const scrub = document.querySelector('.refvideo-scrub');
        let [before, highest, back] = [0, 0, 0];
        while (back < 2) {
            await new Promise(requestAnimationFrame);
            const now = Number(scrub.value);
            if (now < before) back += 1;
            [before, highest] = [now, Math.max(now, highest)];
        }
        return highest;
    }""")
    assert 1.5 < highest < 2.5
    player.press("Space", "l")
    assert player.button("Loop").get_attribute("aria-pressed") == "false"


def they_flip(player):
    visible = lambda: [n for n, v in enumerate(player.videos.all()) if v.is_visible()]  # noqa: E731 - used here
    assert visible() == [0, 1, 2, 3]
    player.press("3", "x")
    assert visible() == [2]
    player.press("x")
    assert visible() == [0]
    player.press("4", "x")
    assert visible() == [0]
    player.press("s")
    assert visible() == [0, 1, 2, 3]


def the_reference_lies_over_the_frames(player):
    player.press("End", "Home")
    player.shows(0)
    bare = player.frame()
    player.press("o", ".", ".", ".", ".", ".")
    for x, y in ((0.1, 0.5), (0.5, 0.8), (0.9, 0.3)):
        assert np.abs(colour_at(player.frame(), x, y) - PHOTOS["sky"]).max() <= 3
    player.press(",", ",", ",", ",", ",")
    half = (colour_at(bare, 0.5, 0.8) + PHOTOS["sky"]) / 2
    assert np.abs(colour_at(player.frame(3), 0.5, 0.8) - half).max() <= 4
    player.press("w")
    wiped = player.frame(1)
    assert np.abs(colour_at(wiped, 0.25, 0.8) - colour_at(bare, 0.25, 0.8)).max() <= 4
    assert np.abs(colour_at(wiped, 0.75, 0.8) - PHOTOS["sky"]).max() <= 3
    player.press("d", "r")
    different = np.abs(colour_at(bare, 0.5, 0.8) - PHOTOS["field"])
    assert np.abs(colour_at(player.frame(2), 0.5, 0.8) - different).max() <= 4
    player.press("Escape")
    assert np.abs(player.frame() - bare).mean() <= 1
    player.root.get_by_role("button", name="Compare with @sky").click()
    assert player.button("Overlay").get_attribute("aria-pressed") == "true"


RUNS = """%load_ext refvideo_nb
import refvideo_nb
from refvideo_nb.notebook.comparing import compare
from skimage import data
asked = {"references": {"cat": data.chelsea(), "cup": data.coffee()}, "resolution": "480p", "duration": 4}
runs = [
    refvideo_nb.generate("@cat beside @cup, <i>soft</i> light, $5 and $6", seed=7, **asked),
    refvideo_nb.generate("@cat beside @cup, <i>hard</i> light, $5 and $6", seed=8, **asked),
]
compared = compare(*[run.wait() for run in runs])
compared"""


class Styles(HTMLParser):
    """The style properties of every element, in document order; the outermost is the notebook's, not ours."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        style = dict(attrs).get("style") or ""
        self.found.append((tag, sorted(p.partition(":")[0].strip() for p in style.split(";") if p.strip())))


def test_runs_of_ours_and_what_a_stranger_sees_of_them(server, open_notebook, tmp_path):
    server.theme("Light")
    path = notebook_in(server.root / "runs", RUNS)
    notebook = open_notebook(path)
    notebook.run_all()
    page, root = notebook.page, notebook.page.locator(".refvideo-player")
    page.wait_for_function(
        "() => { const found = [...document.querySelectorAll('.refvideo-player video')];"
        " return found.length === 2 && found.every(v => v.readyState >= 2 && !v.seeking) }"
    )
    assert root.locator(".refvideo-differences .refvideo-marked").all_inner_texts() == [
        "“soft”",
        "“hard”",
        "seed 7",
        "seed 8",
    ]
    root.get_by_text("Prompt and settings").click()
    assert root.locator(".refvideo-asked").inner_text().count("beside @cup, <i>") == 2
    assert root.locator(".refvideo-asked .refvideo-marked").all_inner_texts() == ["seed 7", "soft", "seed 8", "hard"]
    assert root.get_by_text("SIMULATED").count() == 2
    assert root.locator("i").count() == 0, "a prompt is no markup"
    # One video's sound, when it is asked for.
    silent = "() => [...document.querySelectorAll('.refvideo-player video')].map(v => v.muted)"
    assert page.evaluate(silent) == [True, True]
    root.press("m")
    assert page.evaluate(silent) == [False, True]
    root.press("2")
    assert page.evaluate(silent) == [True, False]
    notebook.picture(tmp_path / "runs-light.png", height=1000)
    root.press("m", timeout=5000)
    root.press("w")
    notebook.picture(tmp_path / "wipe-light.png", height=1000)
    notebook.kernel_is_idle()
    notebook.save()

    made = json.loads(path.read_text())
    marker = {"text/html": '<b onclick="1">marker</b>', "text/plain": ""}
    made["cells"][0]["outputs"].append({"output_type": "display_data", "metadata": {}, "data": marker})
    stranger = path.with_name("stranger.ipynb")
    stranger.write_text(json.dumps(made))
    html = "".join(made["cells"][0]["outputs"][1]["data"]["text/html"])
    other = open_notebook(stranger)
    marked = other.page.locator(".jp-OutputArea-output b", has_text="marker")
    marked.wait_for()
    assert marked.get_attribute("onclick") is None, "the notebook is trusted, so this shows nothing"
    twin = other.page.locator(".jp-OutputArea-output .mathjax_ignore").last
    wanted = Styles(html[html.index('<div class="mathjax_ignore"') :]).found
    assert Styles(twin.evaluate("e => e.outerHTML")).found == wanted, "the sanitiser dropped something"
    assert "light, $5 and $6" in twin.inner_text()
    assert twin.locator("mjx-container").count() == 0
    assert other.plays() == [other.PLAYING] * 2
    other.picture(tmp_path / "stranger-light.png", height=1300)
