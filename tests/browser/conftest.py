"""A real JupyterLab with Notebook 7 beside it, in a real Chromium."""

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

TOKEN = "only-for-these-tests"
PATIENCE = 60  # seconds
OLDER = Path(sys.prefix) / "ipykernel6"
KERNELS = {"older": {"PYTHONPATH": str(OLDER)}, "newest": {}}
PLAY = """async video => {
    video.muted = true;
    video.play().catch(() => {});  // what cannot play may never say so
    const end = Date.now() + 20000;
    while ((video.readyState < 4 || video.currentTime < 0.3) && Date.now() < end)
        await new Promise(go => setTimeout(go, 50));
    video.pause();
    return {ready: video.readyState, advances: video.currentTime >= 0.3, error: video.error && video.error.message};
}"""


# The texts below an element that are hard to read on what is behind them, and by how much; opacity counts.
# What cannot be used just now may be faint, and pictures and videos are not looked at.
FAINT = """(root, least) => {
    const parts = colour => (colour.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    const over = ([r, g, b, a = 1], under) => [r, g, b].map((v, n) => v * a + under[n] * (1 - a));
    const light = rgb => {
        const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ratio = (element, pseudo) => {
        let [opacity, layers] = [1, []];
        for (let e = element; e; e = e.parentElement) {
            const style = getComputedStyle(e);
            opacity *= Number(style.opacity);
            layers.push(parts(style.backgroundColor));
        }
        if (pseudo) opacity *= Number(getComputedStyle(element, pseudo).opacity);
        const behind = layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
        const [r, g, b, a = 1] = parts(getComputedStyle(element, pseudo).color);
        const [one, other] = [light(over([r, g, b, a * opacity], behind)), light(behind)].sort((x, y) => y - x);
        return (one + 0.05) / (other + 0.05);
    };
    const looked = [], faint = [];
    const look = (element, text, pseudo) => {
        if (!text.trim() || element.closest(":disabled") || !element.checkVisibility()) return;
        const found = ratio(element, pseudo);
        looked.push(text.trim());
        if (found < least) faint.push(`${text.trim().slice(0, 60)}: ${found.toFixed(2)}`);
    };
    for (const e of root.querySelectorAll("*")) {
        if (e.matches("option, datalist, datalist *, input[type=range]")) continue;
        if (e.matches("input, textarea, select")) {
            look(e, e.matches("select") ? e.selectedOptions[0]?.textContent ?? "" : e.value);
            if (e.placeholder && !e.value) look(e, e.placeholder, "::placeholder");
        } else {
            look(e, [...e.childNodes].filter(n => n.nodeType === Node.TEXT_NODE).map(n => n.data).join(" "));
        }
    }
    return {looked, faint};
}"""


def faint_texts(page, root, least=4.5):
    """The texts below the first element of this selector whose contrast is less, and all that were looked at."""
    found = page.locator(root).first.evaluate(f"(e, least) => ({FAINT})(e, least)", least)
    return found["faint"], found["looked"]


@pytest.fixture
def faint():
    """``faint(page, selector)``, see `faint_texts`."""
    return faint_texts


class Server:
    """One server for the session; each test has its own folder below its root."""

    def __init__(self, place, root, port):
        self.place, self.root = place, root
        self.address = f"http://127.0.0.1:{port}"
        self._settings = Path(place.env["JUPYTERLAB_SETTINGS_DIR"])

    def ask(self, path, method="GET"):
        request = urllib.request.Request(f"{self.address}/{path}", method=method)
        request.add_header("Authorization", f"token {TOKEN}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or "null")

    def settings(self, plugin, **values):
        extension, _, name = plugin.partition(":")
        folder = self._settings / extension
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(values))

    def theme(self, name):
        self.settings("@jupyterlab/apputils-extension:themes", theme=f"JupyterLab {name}")

    def kernels(self):
        """The running kernels, or None while the server cannot tell: it fails on one that starts or ends just now."""
        try:
            return self.ask("api/kernels")
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise
            return None

    def until(self, fits, page):
        """Ask for the list of kernels until it fits; the page lives on meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while (kernels := self.kernels()) is None or not fits(kernels):
            assert time.monotonic() < deadline, kernels
            page.wait_for_timeout(100)

    def written(self, name, cells, kernel="python3"):
        """The path of a new notebook, in a folder of its own."""
        import nbformat
        from nbformat.v4 import new_code_cell, new_notebook

        folder = self.root / name
        folder.mkdir()
        path = folder / f"{name}.ipynb"
        made = new_notebook(cells=[new_code_cell(c) for c in cells])
        made.metadata.kernelspec = {"name": kernel, "display_name": kernel, "language": "python"}
        nbformat.write(made, path)
        return path

    def end_kernels(self):
        deadline = time.monotonic() + PATIENCE
        while (kernels := self.kernels()) is None:
            assert time.monotonic() < deadline, "the server cannot list its kernels"
            time.sleep(0.1)
        for kernel in kernels:
            with contextlib.suppress(urllib.error.HTTPError):  # it may be ending by itself
                self.ask(f"api/kernels/{kernel['id']}", "DELETE")


@pytest.fixture(scope="session")
def server(workplace, tmp_path_factory):
    """``jupyter lab`` on a free port, which serves Notebook 7 too, and asks nobody for news."""
    with workplace(tmp_path_factory.mktemp("browser") / "place", seconds=4) as place, running(place) as found:
        yield found


@contextlib.contextmanager
def running(place):
    """The server in a place; it ends with it."""
    with contextlib.ExitStack() as ends:
        del place.env["REFVIDEO_HOME"]  # the home is then beside each notebook
        root = place.folder / "notebooks"
        root.mkdir()
        for name, env in KERNELS.items():
            folder = Path(place.env["JUPYTER_DATA_DIR"]) / "kernels" / name
            folder.mkdir(parents=True)
            command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            spec = {"argv": command, "display_name": name, "language": "python", "env": env}
            (folder / "kernel.json").write_text(json.dumps(spec))
        place.env |= {
            "JUPYTERLAB_SETTINGS_DIR": str(place.folder / "user" / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(place.folder / "user" / "workspaces"),
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [str(Path(sys.executable).with_name("jupyter")), "lab", "--no-browser", "--allow-root"]
        command += [f"--ServerApp.root_dir={root}", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
        command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"]
        command += ["--ServerApp.terminals_enabled=False", "--LabApp.extension_manager=readonly"]
        found = Server(place, root, port)
        found.settings(
            "@jupyterlab/apputils-extension:notification",
            fetchNews="false",
            checkForUpdates=False,
            doNotDisturbMode=True,
        )
        log = place.folder / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=place.env, cwd=root, stdout=output, stderr=output)
        ends.callback(_end, process)
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                found.ask("api")
                break
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail("JupyterLab did not start:\n" + log.read_text()[-3000:])
            time.sleep(0.1)
        yield found


def _end(process):
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def chromium():
    # Not longer than its module: while Playwright is there, a loop of its own runs in this thread,
    # and no other test could run one.
    with launched() as browser:
        yield browser


@contextlib.contextmanager
def launched():
    """A Chromium that reaches this machine alone."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.fail("the browser tests need Chromium: install the package 'chromium'")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    quiet += [
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=quiet)
        yield browser
        browser.close()


class Notebook:
    """An open notebook, by mouse and keyboard."""

    PLAYING = {"ready": 4, "advances": True, "error": None}  # noqa: RUF012 - nobody changes it

    def __init__(self, page, server, path, app):
        self.page = page
        self._server = server
        # A workspace of its own: Lab would open what the test before had open.
        where = {"lab": f"lab/workspaces/{path.stem}/tree", "notebook": "notebooks"}[app]
        self._url = f"{server.address}/{where}/{path.relative_to(server.root).as_posix()}?token={TOKEN}"
        self.open()

    def open(self):
        """Open it, or reload it from what is saved."""
        self.page.goto(self._url)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")

    def menu(self, name, command):
        self.page.locator(".lm-MenuBar-item", has_text=name).filter(visible=True).first.click()
        self.page.locator(f'.lm-Menu-item[data-command="{command}"]').click()

    def run_all(self):
        self.kernel_is_idle()
        self.menu("Run", "runmenu:run-all")

    def kernel_is_idle(self):
        """Wait until the page is connected to a kernel that has nothing to do."""
        self._server.until(lambda ks: any(k["connections"] and k["execution_state"] == "idle" for k in ks), self.page)
        self.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', state="attached")

    def save(self):
        saved = lambda r: r.request.method == "PUT" and "/api/contents/" in r.url and r.ok  # noqa: E731 - used once
        with self.page.expect_response(saved):
            self.menu("File", "docmanager:save")

    def shut_down_kernel(self):
        self.menu("Kernel", "kernelmenu:shutdown")
        self._server.until(lambda kernels: not kernels, self.page)

    def restart_kernel(self):
        again = lambda r: r.request.method == "POST" and r.url.split("?")[0].endswith("/restart") and r.ok  # noqa: E731 - used once
        with self.page.expect_response(again):
            self.menu("Kernel", "kernelmenu:restart")
            self.page.locator(".jp-Dialog .jp-mod-warn").click()
        self.kernel_is_idle()

    def output(self, cell):
        """The outputs of the code cell with this text."""
        return self.page.locator(".jp-CodeCell", has_text=cell).locator(".jp-OutputArea-output")

    @property
    def videos(self):
        """Those that can be seen: beside a live player its still twin is there, and hidden."""
        return self.page.locator(".jp-OutputArea-output video").filter(visible=True)

    def faint(self, root, least=4.5):
        """The texts below the first element of this selector whose contrast is less, of all that were looked at."""
        return faint_texts(self.page, root, least)

    def plays(self):
        """What comes of playing each video: ready state, whether its time advances."""
        found = []
        for video in self.videos.all():
            video.scroll_into_view_if_needed()
            found.append(video.evaluate(PLAY))
        return found

    def picture(self, path, *, width=1280, height=3000):
        """A screenshot, by default of a window that is tall enough for a whole notebook."""
        before = self.page.viewport_size
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_timeout(300)  # the layout settles; nothing is asserted of it
        self.page.screenshot(path=str(path))
        self.page.set_viewport_size(before)


@pytest.fixture
def open_notebook(server, chromium):
    """``open_notebook(path, app="lab")``; what it opened is closed, and its kernels ended, after the test."""
    abroad = []
    with contextlib.ExitStack() as ends:
        ends.callback(server.end_kernels)

        def open_(path, *, app="lab", width=1280, height=1000):
            context = chromium.new_context(viewport={"width": width, "height": height})
            ends.callback(context.close)
            context.set_default_timeout(PATIENCE * 1000)
            context.grant_permissions(["clipboard-read", "clipboard-write"])
            context.on("request", lambda r: abroad.append(r.url) if _leaves(r.url) else None)
            page = context.new_page()
            page.on("dialog", lambda d: d.accept())
            return Notebook(page, server, path, app)

        yield open_
    assert not abroad, "pages may load nothing from elsewhere"


def _leaves(url):
    parts = urlsplit(url)
    return parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname != "127.0.0.1"


@pytest.fixture(scope="session")
def one_clip(server):
    """A notebook with one clip, run and saved by a kernel that is gone."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    folder = server.root / "one"
    folder.mkdir()
    path = folder / "one_clip.ipynb"
    cells = [
        "%load_ext refvideo_nb\nfrom skimage import data\ncat, cup = data.chelsea(), data.coffee()",
        "%%refvideo --ref cat --ref cup --duration 4 --resolution 480p --out clip\n@cat, @cup: it costs $5, not $6.",
    ]
    notebook = new_notebook(cells=[new_code_cell(c) for c in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    command = [str(Path(sys.executable).with_name("jupyter")), "execute", "--inplace", str(path)]
    subprocess.run(command, env=server.place.env, cwd=folder, check=True, capture_output=True, timeout=120)
    return path
