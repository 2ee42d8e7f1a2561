"""The jobs panel in a real kernel: what a front end gets of ten thousand jobs, and how soon (``-s`` prints it)."""

import contextlib
import sqlite3
import time

import msgspec
import pytest

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.ledger import documents
from refvideo_nb.ledger.store import Ledger

pytestmark = pytest.mark.kernel

JOBS = 10_000
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def full_place(workplace, tmp_path):
    """A home with ten thousand finished jobs, written at once: one by one, the disk would take minutes."""
    with workplace(tmp_path / "place") as place:
        Ledger(place.home).close()
        first = JobRecord(
            id="", state=State.FAILED, request=VideoRequest(prompt=""), sent_prompt="", created=0.0, updated=0.0
        )
        with contextlib.closing(sqlite3.connect(place.home / "ledger.sqlite")) as db, db:
            for n in range(JOBS):
                request = VideoRequest(prompt=f"ball {n} rolls over the table", model=f"some/model-{n % 7}")
                job = msgspec.structs.replace(first, id=f"rv-20270115-{n:06}", request=request, created=1.8e9 + n)
                documents.insert(db, job, fingerprint=job.id, owner=None, lease=None)
        yield place


class Panel:
    """A panel, by the messages that a page would send and get."""

    def __init__(self, kernel):
        self._kernel = kernel
        kernel.ok("from refvideo_nb.notebook.panel import JobsPanel\npanel = JobsPanel(shell=get_ipython())")
        self.text, self.table = kernel.value("[panel._text.model_id, panel.table.model_id]")

    def change(self, model, state, fits):
        """Set something as a page does, and wait for rows that fit; the seconds that it took, and the message."""
        kernel, heard = self._kernel, len(self._kernel.heard)
        data = {"method": "update", "state": state, "buffer_paths": []}
        started = time.perf_counter()
        kernel._client.shell_channel.send(kernel._client.session.msg("comm_msg", {"comm_id": model, "data": data}))

        def answer():
            ours = [m["content"] for m in kernel.heard[heard:] if m["msg_type"] == "comm_msg"]
            states = [c["data"].get("state", {}) for c in ours if c["comm_id"] == self.table]
            return next((s for s in states if "rows" in s and fits([r["id"] for r in s["rows"]])), None)

        found = kernel.until(answer, "the rows")
        return time.perf_counter() - started, found


def test_ten_thousand_jobs_come_a_page_at_a_time(start_kernel, full_place):
    with start_kernel(full_place) as kernel:
        kernel.ok("%load_ext refvideo_nb")
        for words in ("opened first", "opened again"):
            started = time.perf_counter()
            shown = kernel.ok("%refvideo jobs")
            print(f"\n{words}: {time.perf_counter() - started:.3f} s", end="")
        live, still = shown.bundles
        assert VIEW in live
        assert VIEW not in still
        assert "rv-20270115-009999" in still["text/plain"]
        panel = Panel(kernel)
        assert kernel.value("[panel.table.total, panel.table.pages]") == ["10,000 jobs", 1000]
        for page in (2, 500, 1000):
            last = f"rv-20270115-{JOBS - 10 * page:06}"
            took, state = panel.change(panel.table, {"page": page}, lambda ids, last=last: ids[-1:] == [last])
            assert len(state["rows"]) == 10
            assert len(msgspec.json.encode(state)) < 10_000, "bytes of one page"
            print(f"\npage {page}: {took:.3f} s", end="")
        for text, count in (("ball 77", 10), ("no such job", 0), ("ball 9998 ", 1)):
            took, _ = panel.change(panel.text, {"value": text}, lambda ids, count=count: len(ids) == count)
            print(f"\nsearched {text!r}: {took:.3f} s, of it 0.25 s for the next key", end="")


def test_a_notebook_that_runs_by_itself_gets_the_still_ones_alone(start_kernel, full_place):
    with start_kernel(full_place) as kernel:
        kernel.ok("%load_ext refvideo_nb")
        for command in ("%refvideo jobs", "%refvideo models"):
            ran = kernel.reply(kernel._client.execute(command, allow_stdin=False))
            (bundle,) = ran.bundles
            assert set(bundle) == {"text/html", "text/plain"}
        assert kernel.value("'anywidget' in __import__('sys').modules") is False
        (bundle,) = kernel.reply(kernel._client.execute("%refvideo form", allow_stdin=False)).bundles
        assert set(bundle) == {"text/html", "text/plain"}
        assert "run this cell" in bundle["text/plain"]
