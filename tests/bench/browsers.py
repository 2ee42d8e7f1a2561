"""From running a cell to a video that can play, in JupyterLab and Chromium, beside a bare video element."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
from jobs import KEY_ENV
from line import median_line
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import sync_playwright

TOKEN = "only-for-this-benchmark"
PATIENCE = 120  # seconds
CLIPS = (1, 4)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SETUP = """
import base64, refvideo_nb
from pathlib import Path
from IPython.display import HTML, display
from refvideo_nb.display import card as drawn
from refvideo_nb.display.shelf import Shelf
jobs = [refvideo_nb.generate(f"take {n}", duration=4, resolution="720p", fresh=True) for n in range(4)]
for job in jobs:
    job.wait()
loaded = jobs[0]._bundle()
"""
FORGET = "drawn._SHELF = Shelf(32_000_000)  # what was drawn before"
OURS = "for job in jobs[:{clips}]:\n    job.show()"
BARE = """
for job in jobs[:{clips}]:
    data = base64.b64encode(job.video.read_bytes()).decode()
    display(HTML(f'<video controls width="640" src="data:video/mp4;base64,{{data}}"></video>'))
"""
READY = """clips => {
    const videos = [...document.querySelectorAll(".jp-OutputArea-output video:not([data-old])")];
    return videos.length >= clips && videos.every(v => v.readyState >= 2) && performance.now() - window.begun;
}"""
BEGIN = """() => {
    document.querySelectorAll("video").forEach(v => { v.dataset.old = 1; });
    window.begun = performance.now();
}"""


class Lab:
    """JupyterLab on a free port with one notebook, open in Chromium."""

    def __init__(self, bench, **env):
        self._root = bench.new_folder()
        user = self._root / "user"
        self._env = bench.env | env | {
            "HOME": str(user), "IPYTHONDIR": str(user / "ipython"), "JUPYTER_CONFIG_DIR": str(user / "config"),
            "JUPYTER_DATA_DIR": str(user / "data"), "JUPYTER_RUNTIME_DIR": str(user / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(user / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(user / "spaces"),
        }  # fmt: skip
        # Every cell stays in the page, so that each can be found.
        self._set("notebook-extension:tracker", windowingMode="none")
        self._set("apputils-extension:notification", fetchNews="false", checkForUpdates=False)

    def _set(self, plugin, **values):
        extension, _, name = plugin.partition(":")
        path = Path(self._env["JUPYTERLAB_SETTINGS_DIR"]) / "@jupyterlab" / extension / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))

    @contextlib.contextmanager
    def open(self, cells):
        """The page of a notebook with these cells."""
        made = new_notebook(cells=[new_code_cell(c) for c in cells])
        made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(made, self._root / "bench.ipynb")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={port}"]
        command += [f"--ServerApp.root_dir={self._root}", f"--IdentityProvider.token={TOKEN}"]
        command += ["--LabApp.extension_manager=readonly", "--ServerApp.port_retries=0"]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, env=self._env, cwd=self._root, stdout=quiet, stderr=quiet) as server:
            try:
                address = f"http://127.0.0.1:{port}"
                wait_for(f"{address}/api?token={TOKEN}")
                with sync_playwright() as playwright:
                    path = next(filter(None, map(shutil.which, CHROMIUM)))
                    browser = playwright.chromium.launch(
                        executable_path=path, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
                    )
                    page = browser.new_page(viewport={"width": 1280, "height": 1000})
                    page.set_default_timeout(PATIENCE * 1000)
                    page.goto(f"{address}/lab/tree/bench.ipynb?token={TOKEN}")
                    connected = lambda ks: any(k["connections"] and k["execution_state"] == "idle" for k in ks)  # noqa: E731 - short
                    wait_for(f"{address}/api/kernels?token={TOKEN}", connected)
                    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', state="attached")
                    yield page
                    browser.close()
            finally:
                server.terminate()


def wait_for(url, fits=lambda _: True):
    """Ask until there is an answer that fits."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            if fits(json.load(answer)):
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{url.partition('?')[0]} did not come to it")
        time.sleep(0.2)


def run(page, number):
    """Run a cell, by its place in the notebook."""
    page.locator(".jp-CodeCell").nth(number).locator(".cm-content").click()
    page.evaluate(BEGIN)
    page.keyboard.press("Control+Enter")


def run_to_end(page, number, ready=None):
    """Run a cell until it has ended; seconds until so many videos could play, if it is asked how many."""
    prompt = page.locator(".jp-CodeCell").nth(number).locator(".jp-InputArea-prompt")
    before = prompt.inner_text()
    run(page, number)
    took = page.wait_for_function(READY, arg=ready).json_value() / 1000 if ready else None
    deadline = time.monotonic() + PATIENCE
    while (now := prompt.inner_text()) == before or "*" in now:
        if time.monotonic() > deadline:
            raise TimeoutError("a cell did not end")
        page.wait_for_timeout(50)
    return took


def measure(bench):
    cells = [SETUP, FORGET] + [text.format(clips=clips) for clips in CLIPS for text in (OURS, BARE)]
    found = {clips: [] for clips in CLIPS}
    with bench.server(seconds=0.1) as (address, _):
        lab = Lab(bench, OPENROUTER_BASE_URL=address, REFVIDEO_POLL_INTERVAL="0.1", **KEY_ENV)
        with lab.open(cells) as page:
            run_to_end(page, 0)
            for _ in range(bench.rounds):
                for place, clips in enumerate(CLIPS):
                    run_to_end(page, 1)
                    seconds = {}
                    for who, number in (("ours", 2 + 2 * place), ("bare video", 3 + 2 * place)):
                        # To its end: ours goes on drawing what the notebook keeps, and the next must not wait for that.
                        seconds[who] = run_to_end(page, number, ready=clips)
                    found[clips].append(seconds)
    for clips, rounds in found.items():
        what = f"{clips} clip{'s' if clips > 1 else ''} of 2 MB: cell run to video ready, drawn for the first time"
        yield median_line("browser", what, "s", rounds, ratios={"bare video": 1.2})
