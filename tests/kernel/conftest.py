"""Real kernels, the newest and the oldest that is supported, and a front end that listens to them."""

import json
import sys
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import pytest
import zmq
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager

OLDER = Path(sys.prefix) / "ipykernel6"
VERSIONS = {"older": "6.31.", "newest": "7."}
PATIENCE = 60  # seconds, for whatever surely comes


@pytest.fixture(scope="session")
def jupyter_path(tmp_path_factory):
    """A folder with one kernelspec for each version."""
    return with_kernelspecs(tmp_path_factory.mktemp("kernelspecs"))


def with_kernelspecs(root):
    """The same folder, with one kernelspec for each version."""
    for name in VERSIONS:
        folder = root / "kernels" / name
        folder.mkdir(parents=True)
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": "python",
            "env": {"PYTHONPATH": str(OLDER)} if name == "older" else {},
        }
        (folder / "kernel.json").write_text(json.dumps(spec))
    return root


@pytest.fixture(scope="session", params=list(VERSIONS))
def kernel_name(request):
    if request.param == "older" and not (OLDER / "ipykernel").is_dir():
        pytest.fail(f"the older ipykernel is not in {OLDER}: `make test` puts it there")
    if request.param == "newest" and metadata.version("ipykernel").startswith(VERSIONS["older"]):
        pytest.skip("the ipykernel that is installed is the older one")
    return request.param


@dataclass
class Ran:
    """What came of a cell: its reply, and what it showed until it was idle."""

    reply: dict
    messages: list = field(default_factory=list)

    def __getattr__(self, name):
        try:
            return self.reply["content"][name]
        except KeyError:
            raise AttributeError(name) from None

    def stream(self, name):
        return "".join(
            m["content"]["text"] for m in self.messages if m["msg_type"] == "stream" and m["content"]["name"] == name
        )

    @property
    def out(self):
        return self.stream("stdout")

    @property
    def bundles(self):
        """The MIME bundles that it displayed, in order."""
        return [m["content"]["data"] for m in self.messages if m["msg_type"] in {"display_data", "execute_result"}]


class FrontEnd:
    """A front end without a screen: it sends cells and keeps every message."""

    def __init__(self, manager, env, cwd):
        self._manager = manager
        self._start = {"env": env, "cwd": str(cwd)}
        self.heard = []  # iopub, in the order of arrival
        self._replies = {}

    def __enter__(self):
        self._manager.start_kernel(**self._start)
        self._connect()
        return self

    def __exit__(self, *_):
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def _connect(self):
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE)
        self._poller = zmq.Poller()
        self._channels = {c.socket: c for c in (self._client.shell_channel, self._client.iopub_channel)}
        for socket in self._channels:
            self._poller.register(socket, zmq.POLLIN)
        version = self.run("import ipykernel; print(ipykernel.__version__)").out
        assert version.startswith(VERSIONS[self._manager.kernel_name]), version

    def kill_and_start_again(self):
        """The kernel ends without a word, as a crash would, and a new one takes its place."""
        self._client.stop_channels()
        self._manager.restart_kernel(now=True)
        self._connect()

    def interrupt(self):
        self._manager.interrupt_kernel()

    def _listen(self, seconds):
        for socket, _ in self._poller.poll(max(0, seconds) * 1000):
            channel = self._channels[socket]
            message = channel.get_msg(timeout=0)
            if channel is self._client.iopub_channel:
                self.heard.append(message)
            else:
                self._replies[message["parent_header"]["msg_id"]] = message

    def until(self, found, what):
        """Listen until `found()` gives something."""
        deadline = time.monotonic() + PATIENCE
        while not (result := found()):
            left = deadline - time.monotonic()
            assert left > 0, f"{what} did not come within {PATIENCE} s"
            self._listen(left)
        return result

    def start(self, code):
        """Send a cell, and do not wait for it."""
        return self._client.execute(code, allow_stdin=True)

    def of(self, cell, *types):
        """The messages of a cell so far."""
        return [
            m for m in self.heard if m["parent_header"].get("msg_id") == cell and (not types or m["msg_type"] in types)
        ]

    def reply(self, cell):
        """Wait for the end of a cell."""
        reply = self.until(lambda: self._replies.get(cell), "the reply")
        idle = lambda m: m["content"]["execution_state"] == "idle"  # noqa: E731 - short and used once
        self.until(lambda: any(map(idle, self.of(cell, "status"))), "the idle state")
        return Ran(reply, self.of(cell))

    def run(self, code):
        """Run a cell to its end, well or not."""
        return self.reply(self.start(code))

    def ok(self, code):
        """Run a cell that must not fail."""
        ran = self.run(code)
        assert ran.status == "ok", (code, ran.ename, ran.evalue, getattr(ran, "traceback", ""))
        return ran

    def value(self, expression):
        """The value of a JSON-like expression in the kernel."""
        return json.loads(self.ok(f"import json; print(json.dumps({expression}))").out)

    def complete(self, code):
        """The texts that a front end would put in the place of `code`, completed at its end."""
        content = self._client.complete(code, len(code), reply=True, timeout=PATIENCE)["content"]
        return [code[: content["cursor_start"]] + match + code[content["cursor_end"] :] for match in content["matches"]]

    def result(self, cell):
        """Wait for what takes the place of a cell's still line; a front end finds that place by the display id."""
        _live, still = self.of(cell, "display_data")
        place = still["content"]["transient"]["display_id"]

        def found():
            updates = [m["content"] for m in self.heard if m["msg_type"] == "update_display_data"]
            return [u for u in updates if u["transient"]["display_id"] == place]

        return self.until(found, "the result")[-1]

    def lines(self, messages):
        """The texts of the live line among messages."""
        states = [m["content"]["data"].get("state", {}) for m in messages if m["msg_type"] == "comm_msg"]
        return [s["value"] for s in states if 'role="status"' in str(s.get("value"))]


@pytest.fixture
def start_kernel(kernel_name, jupyter_path):
    """``with start_kernel(place) as kernel:``."""

    return lambda place: front_end(place, kernel_name, jupyter_path)


def front_end(place, kernel_name, jupyter_path):
    """``with front_end(…) as kernel:`` a kernel of this version that works in this place."""
    specs = KernelSpecManager(kernel_dirs=[str(jupyter_path / "kernels")], ensure_native_kernel=False)
    manager = KernelManager(kernel_name=kernel_name, kernel_spec_manager=specs)
    manager.connection_file = str(place.folder / "user" / f"kernel-{time.monotonic_ns()}.json")
    return FrontEnd(manager, place.env, place.folder)


@pytest.fixture(scope="session")
def place(workplace, tmp_path_factory):
    """One home and one simulator for all tests that do not mind each other."""
    with workplace(tmp_path_factory.mktemp("kernel") / "place") as found:
        yield found


@pytest.fixture
def kernel(start_kernel, place):
    """A new kernel with the magic loaded, and two pictures."""
    with start_kernel(place) as found:
        found.ok("%load_ext refvideo_nb\nfrom skimage import data\ncat, cup = data.chelsea(), data.coffee()")
        yield found
