"""While a job runs: the kernel stays free, its state is seen, and its result lands under its own cell."""

import base64
import io
import re

import pytest
from PIL import Image

pytestmark = pytest.mark.kernel

CELL = "%%refvideo --ref cat=cat --duration 4 --resolution 480p --no-audio --seed 7 --fresh --out {out}\n@cat runs"


def test_the_next_cell_answers_while_the_job_runs(kernel):
    kernel.ok(CELL.format(out="clip"))
    assert kernel.value("[clip.status, clip.video]")[0] in {"drafted", "submitting", "accepted", "running"}
    assert kernel.value("str(clip.wait().video)").endswith(".mp4")


def test_the_line_changes_and_the_result_comes_while_a_cell_sleeps(kernel):
    submitted = kernel.start(CELL.format(out="clip"))
    kernel.reply(submitted)
    before = len(kernel.heard)
    sleeping = kernel.start("import time; time.sleep(3)")
    kernel.reply(sleeping)
    # Everything up to here arrived before the sleeping cell was idle again.
    assert len(set(kernel.lines(kernel.heard[before:]))) >= 2
    # Nothing of the job pours into the cell that only slept; updates, and the buttons of a card that
    # has ended, find their place by an id.
    by_id = {"comm_open", "comm_msg", "comm_close", "update_display_data"}
    assert {m["msg_type"] for m in kernel.of(sleeping)} - by_id == {"status", "execute_input"}


def test_the_result_is_one_bundle_in_the_place_of_the_live_line(kernel):
    cell = kernel.start(CELL.format(out="clip"))
    shown = [m["content"] for m in kernel.reply(cell).messages if m["msg_type"] == "display_data"]
    live, still = shown
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= set(live["data"])
    assert set(still["data"]) == {"text/html", "text/plain"}
    assert "%refvideo resume" in still["data"]["text/html"], "what is there without this kernel"
    # Another cell has come and gone since: the result belongs under the first all the same.
    kernel.ok("print('another cell')")
    result = kernel.result(cell)
    assert set(result["data"]) == {"text/html", "image/png", "text/plain"}
    gone = [m["content"] for m in kernel.heard if m["msg_type"] == "update_display_data"]
    assert [g["data"]["text/html"] for g in gone if g["transient"] == live["transient"]] == ["<span></span>"]
    player = re.search(r'<video[^>]* src="data:video/mp4;base64,([^"]+)"', result["data"]["text/html"])
    film = base64.b64decode(player[1], validate=True)
    assert len(film) == kernel.value("clip.video.stat().st_size")
    sheet = Image.open(io.BytesIO(base64.b64decode(result["data"]["image/png"])))
    assert sheet.format == "PNG"
    assert min(sheet.size) > 100
    assert kernel.value("clip.id") in result["data"]["text/plain"]


def test_a_cell_can_await_one_job_while_another_runs(kernel):
    first = kernel.start(CELL.format(out="first"))
    second = kernel.start(CELL.format(out="second").replace("--seed 7", "--seed 8"))
    kernel.reply(second)
    ran = kernel.ok(
        "import asyncio\n"
        "ticks = 0\n"
        "async def tick():\n"
        "    global ticks\n"
        "    while True:\n"
        "        await asyncio.sleep(0.01)\n"
        "        ticks += 1\n"
        "ticking = asyncio.create_task(tick())\n"
        "done = await first\n"
        "ticking.cancel()\n"
        "print(done is first, first.status, ticks > 5)\n"
    )
    assert ran.out == "True downloaded True\n"
    kernel.ok("await second")
    ids = kernel.value("[first.id, second.id]")
    for cell, job in zip((first, second), ids, strict=True):
        assert job in kernel.result(cell)["data"]["text/plain"]
