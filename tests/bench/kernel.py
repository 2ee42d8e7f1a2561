"""A real kernel, and a front end that notes when each message came."""

import contextlib
import time

from jupyter_client import KernelManager

PATIENCE = 300  # seconds


class Kernel:
    """A kernel of its own in a folder of its own.

    Attributes
    ----------
    heard : list of (float, dict)
        Every message on iopub, with the time at which it came.
    """

    def __init__(self, bench, **env):
        self._folder = bench.new_folder()
        self._env = bench.env | {
            "REFVIDEO_HOME": str(self._folder / "home"),
            "IPYTHONDIR": str(self._folder / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(self._folder / "runtime"),
            **env,
        }
        self.heard = []

    def __enter__(self):
        self._manager = KernelManager()
        self._manager.start_kernel(env=self._env, cwd=str(self._folder))
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE)
        return self

    def __exit__(self, *_):
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def start(self, code):
        return self._client.execute(code, allow_stdin=True)

    def listen(self, seconds):
        """Note what comes, for at most so many seconds or until nothing more is there."""
        with contextlib.suppress(Exception):  # the queue is empty
            self.heard.append((time.time(), self._client.get_iopub_msg(timeout=seconds)))
            return True
        return False

    def finish(self, cell):
        """Listen until a cell has ended; its error is ours."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.listen(0.5):
                message = self.heard[-1][1]
                if message["parent_header"].get("msg_id") == cell:
                    if message["msg_type"] == "error":
                        raise RuntimeError("\n".join(message["content"]["traceback"]))
                    if message["content"].get("execution_state") == "idle":
                        return
        raise TimeoutError("a cell did not end")

    def run(self, code):
        cell = self.start(code)
        self.finish(cell)
        return cell

    def value(self, expression):
        """What an expression prints."""
        cell = self.run(f"print({expression})")
        return "".join(
            m["content"]["text"]
            for _, m in self.heard
            if m["msg_type"] == "stream" and m["parent_header"].get("msg_id") == cell
        ).strip()

    def round_trip(self, code):
        """Seconds from the request to the reply."""
        start = time.perf_counter()
        asked = self._client.execute(code, silent=True)
        while self._client.get_shell_msg(timeout=PATIENCE)["parent_header"].get("msg_id") != asked:
            pass
        return time.perf_counter() - start
