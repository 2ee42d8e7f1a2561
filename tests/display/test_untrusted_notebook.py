"""A card in a notebook that JupyterLab does not trust, seen in a real browser.

What the sanitiser drops is known only to itself: so it is asked. The screenshots
stay in pytest's temporary folder, for eyes.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from html.parser import HTMLParser

import pytest

from refvideo_nb.core.catalogue import Model
from refvideo_nb.core.job import State
from refvideo_nb.core.references import Naming, compile_prompt
from refvideo_nb.display.adherence import adherence_bundle
from refvideo_nb.display.card import card
from refvideo_nb.display.dry import dry_run
from refvideo_nb.display.line import progress_html
from refvideo_nb.display.sides import Seen
from refvideo_nb.display.tables import jobs_table

pytestmark = pytest.mark.browser

TOKEN = "only-for-this-test"


def chromium():
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("needs the package 'chromium'")
    return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab of its own: own home, own settings, own port. Gives (address, folder, set theme)."""
    home = tmp_path_factory.mktemp("lab")
    root = home / "notebooks"
    root.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    plugins = home / "settings" / "@jupyterlab" / "apputils-extension"
    plugins.mkdir(parents=True)
    (plugins / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    env = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "OPENROUTER", "REFVIDEO"))}
    env |= {
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.root_dir={root}"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += [f"--IdentityProvider.token={TOKEN}"]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 40
        while True:
            try:
                with urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=2):
                    break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.fail("JupyterLab did not start:\n" + (home / "log").read_text()[-2000:])
                time.sleep(0.1)

        def theme(name):
            (plugins / "themes.jupyterlab-settings").write_text(json.dumps({"theme": f"JupyterLab {name}"}))

        yield address, root, theme
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    path = chromium()
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


def notebook(path, bundles):
    """Saved by nobody that JupyterLab knows: not trusted."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell{n}",
            "metadata": {},
            "execution_count": n + 1,
            "source": "clip.show()",
            "outputs": [{"output_type": "display_data", "metadata": {}, "data": bundle}],
        }
        for n, bundle in enumerate(bundles)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}))


def opened(browser, address, name, *, width, height=1000):
    """The notebook in a page, with its first output drawn."""
    page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=1)
    page.set_default_timeout(30_000)
    page.goto(f"{address}/doc/tree/{name}?token={TOKEN}")
    page.wait_for_selector(".jp-OutputArea-output video")
    return page


@pytest.fixture
def cards(record, reader, clip, report, photos):
    """A finished card, one that ended badly with hostile words, and the other outputs."""
    hostile = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
    unknown = record(
        state=State.OUTCOME_UNKNOWN, error=hostile, request={"prompt": "@cat " + hostile, "model": hostile}
    )
    compiled = compile_prompt(hostile, [], Naming.WORDS)
    return [
        card(record(names=("cat", "cup", "woman", "rocket"), simulated=True), reference_bytes=reader, video=clip),
        card(unknown, reference_bytes=lambda r: None, video=None),
        jobs_table([record(), unknown]),
        dry_run(
            body={"prompt": hostile},
            compiled=compiled,
            prices=None,
            notes=[hostile],
            model=Model(id=hostile),
            simulated=True,
        ),
        {"text/html": progress_html(unknown, now=0.0), "text/plain": ""},
        adherence_bundle(
            report(("cat", "cup"), roles=("subject", "subject"), video=hostile),
            [Seen(name="@cat", colour="#2f6fed", data=photos["cat"]), Seen(name="@cup", colour="#0f9488", data=None)],
            video=clip,
            simulated=True,
        ),
    ]


class Styles(HTMLParser):
    """The style properties of every element, in document order."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        style = dict(attrs).get("style") or ""
        self.found.append((tag, sorted(p.partition(":")[0].strip() for p in style.split(";") if p.strip())))


def styles(html):
    parser = Styles()
    parser.feed(html)
    return parser.found


def test_an_untrusted_card_keeps_its_style_plays_and_leaves_dollars_alone(lab, browser, cards, tmp_path):
    address, root, theme = lab
    theme("Light")
    made = cards
    notebook(root / "card.ipynb", made)
    page = opened(browser, address, "card.ipynb", width=1280)
    try:
        playing = """async () => {
            const video = document.querySelector('.jp-OutputArea-output video');
            video.muted = true;
            await video.play();
            const end = Date.now() + 15000;
            while ((video.readyState < 4 || video.currentTime < 0.3) && Date.now() < end)
                await new Promise(r => setTimeout(r, 50));
            video.pause();
            return [video.readyState, video.currentTime > 0.3, video.videoWidth, video.error && video.error.message];
        }"""
        assert page.evaluate(playing) == [4, True, 864, None]
        page.wait_for_timeout(1500)  # the typesetter is loaded late
        assert page.locator(".jp-OutputArea-output mjx-container").count() == 0
        assert "$5 and $6, write to me@home.org." in page.inner_text(".jp-OutputArea-output")
        for number, bundle in enumerate(made):
            root_element = page.locator(".jp-OutputArea-output.jp-RenderedHTMLCommon > div").nth(number)
            kept = styles(root_element.evaluate("e => e.outerHTML"))
            assert kept == styles(bundle["text/html"]), "the sanitiser dropped something"
        assert page.evaluate("window.hit") is None
        page.screenshot(path=str(tmp_path / "light-1280.png"), full_page=True)
    finally:
        page.close()


def test_the_card_wraps_into_one_column_and_fits(lab, browser, cards, tmp_path):
    address, root, theme = lab
    theme("Dark")
    notebook(root / "narrow.ipynb", cards[:1])
    page = opened(browser, address, "narrow.ipynb", width=1280)
    boxes = """() => {
        const box = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
        const root = document.querySelector('.jp-OutputArea-output.jp-RenderedHTMLCommon > div');
        return [box(root.querySelector('img')), box(root.querySelector('video')), innerWidth];
    }"""
    try:
        image, video, _ = page.evaluate(boxes)
        assert image[2] < video[0]
        assert abs(image[1] - video[1]) < 2
        page.screenshot(path=str(tmp_path / "dark-1280.png"))
        page.set_viewport_size({"width": 600, "height": 1000})
        page.wait_for_function("document.querySelector('.jp-OutputArea-output video').clientWidth < 560")
        image, video, width = page.evaluate(boxes)
        assert image[3] < video[1]
        assert video[2] <= width
        page.screenshot(path=str(tmp_path / "dark-600.png"))
    finally:
        page.close()
