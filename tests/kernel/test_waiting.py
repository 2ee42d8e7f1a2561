"""Waiting for a job that takes its time: it can be cut short, and the job lives on."""

import http.server
import threading
import time

import pytest

pytestmark = pytest.mark.kernel

CELL = "%%refvideo --ref cat --duration 4 --resolution 480p --no-audio --out clip\n@cat runs"
WAIT = "%%refvideo --ref cat --duration 4 --resolution 480p --no-audio --out clip --wait\n@cat runs"
# Says so when the main thread stands still, within the function of a name where one is told: only then is it certain
# that the interrupt meets that wait. On a busy machine a short one stands still for long enough, too.
STANDS_STILL = """
import asyncio, sys, threading, time, refvideo_nb
within = ""
def called(frame):
    while frame:
        yield frame.f_code.co_name
        frame = frame.f_back
def tell_when_it_stands_still():
    def look(main=threading.main_thread().ident):
        seen, times = None, 0
        while times < 5:
            time.sleep(0.01)
            frame = sys._current_frames()[main]
            still = seen == (id(frame), frame.f_lasti) and (not within or within in called(frame))
            times = times + 1 if still else 0
            seen = id(frame), frame.f_lasti
        print("waiting", flush=True)
    threading.Thread(target=look).start()
def in_the_next_cell(_):
    get_ipython().events.unregister("pre_run_cell", in_the_next_cell)
    tell_when_it_stands_still()
"""
SLEEP = "time.sleep(3600)"
AWAIT = "while True:\n    await asyncio.sleep(0.2)"
# What each wait is compared with in the same kernel, and how many times as long it may take: a traceback
# of more frames takes longer to write.
BARE = {"clip.wait()": (SLEEP, 12), "await clip": (AWAIT, 4)}


@pytest.fixture
def waiting(start_kernel, workplace, held_api, tmp_path):
    """A kernel with a job that runs until it is told to end."""
    with workplace(tmp_path / "place", **held_api.env) as place, start_kernel(place) as kernel:
        kernel.ok("%load_ext refvideo_nb\nfrom skimage import data\ncat = data.chelsea()")
        kernel.ok(STANDS_STILL)
        kernel.ok(CELL)
        yield kernel


def interrupted(kernel, code, *, within=""):
    """Run a cell until it waits, and interrupt it: what came of it, and how many seconds later."""
    kernel.ok(f"within = {within!r}\nget_ipython().events.register('pre_run_cell', in_the_next_cell)")
    cell = kernel.start(code)
    kernel.until(lambda: "waiting" in "".join(m["content"]["text"] for m in kernel.of(cell, "stream")), "the wait")
    start = time.monotonic()
    kernel.interrupt()
    ran = kernel.reply(cell)  # it cannot have ended by itself, so only the interrupt can end the cell
    return ran, time.monotonic() - start


@pytest.mark.alone
def test_an_interrupt_ends_the_wait_and_not_the_job(waiting, held_api, kernel_name):
    paid = held_api.simulator.stats()["paid_jobs"]
    for wait, (bare, few) in BARE.items():
        # The first interrupt of a kernel loads what formats tracebacks.
        interrupted(waiting, bare)
        usual = [interrupted(waiting, bare)[1] for _ in range(3)]
        ended = [interrupted(waiting, wait) for _ in range(3)]
        # An async cell that is interrupted reports the cancellation that it was ended by.
        assert {(ran.status, ran.ename) for ran, _ in ended} == {
            ("error", "CancelledError" if wait.startswith("await") else "KeyboardInterrupt")
        }
        took = [seconds for _, seconds in ended]
        print(f"{kernel_name}: {wait} ended {told(took)} after the interrupt; bare {told(usual)}")
        assert min(took) < few * max(usual), f"{wait}: {told(took)}, bare {told(usual)}"
        assert waiting.value("clip.status") in {"submitting", "accepted", "running"}
    finish(waiting, held_api)
    assert waiting.value("clip.wait().status") == "downloaded"
    assert held_api.simulator.stats()["paid_jobs"] == paid


def finish(kernel, held_api):
    """Let every job end; only what the API has can be ended."""
    kernel.ok(
        "while [job for job in refvideo_nb.jobs() if job.status in {'drafted', 'submitting'}]:\n    time.sleep(0.01)"
    )
    held_api.finish()


def told(seconds):
    return ", ".join(f"{1000 * each:.0f}" for each in seconds) + " ms"


def test_an_interrupted_cell_says_where_its_job_is(waiting, held_api):
    ran, _ = interrupted(waiting, WAIT, within="_wait")
    assert (ran.status, ran.ename) == ("error", "UsageError")
    job = waiting.value("clip.id")
    assert f"interrupted: job {job} goes on" in ran.stream("stderr")
    assert waiting.value("clip.status") in {"submitting", "accepted", "running"}
    finish(waiting, held_api)
    assert waiting.value("clip.wait().status") == "downloaded"


@pytest.fixture
def silent_server():
    """A server of pictures that answers nobody: its address, and an event when it was asked."""
    asked, end = threading.Event(), threading.Event()

    class Silent(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.set()
            end.wait(600)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/cat.png", asked
        end.set()
        server.shutdown()


@pytest.mark.alone
def test_an_interrupt_of_a_cell_that_drafts_sends_nothing(waiting, held_api, silent_server, kernel_name):
    address, asked = silent_server
    before = held_api.simulator.stats()["accepted"]
    interrupted(waiting, SLEEP)
    usual = [interrupted(waiting, SLEEP)[1] for _ in range(3)]
    code = f"%%refvideo --ref cat={address} --duration 4 --resolution 480p --no-audio --out other\n@cat sits"
    ended = [interrupted(waiting, code) for _ in range(3)]
    assert asked.is_set(), "it was interrupted before it fetched anything"
    assert {(ran.status, ran.ename) for ran, _ in ended} == {("error", "KeyboardInterrupt")}
    took = [seconds for _, seconds in ended]
    print(f"{kernel_name}: a cell that drafts ended {told(took)} after the interrupt; bare {told(usual)}")
    assert min(took) < 12 * max(usual), f"{told(took)}, bare {told(usual)}"
    assert held_api.simulator.stats()["accepted"] == before
    assert waiting.value("len(refvideo_nb.jobs())") == 1
    # The other job has not noticed, nor is there anything that the next cell would stumble over.
    waiting.ok("%%refvideo --ref cat --duration 4 --resolution 480p --no-audio --out other\n@cat sits")
    finish(waiting, held_api)
    assert waiting.value("[clip.wait().status, other.wait().status]") == ["downloaded", "downloaded"]


def test_a_timeout_names_the_job(waiting, held_api):
    ran = waiting.run("clip.wait(timeout=0.2)")
    assert (ran.status, ran.ename) == ("error", "WaitTimeoutError")
    job = waiting.value("clip.id")
    assert job in ran.evalue
    assert waiting.value("clip.status") in {"submitting", "accepted", "running"}
    ran = waiting.ok(
        f"try:\n    clip.wait(timeout=0)\nexcept TimeoutError as error:\n    print(error.job_id == {job!r})"
    )
    assert ran.out == "True\n"
    finish(waiting, held_api)
    assert waiting.value("clip.wait().status") == "downloaded"


def test_a_new_kernel_takes_the_job_up_and_pays_nothing_again(start_kernel, workplace, tmp_path):
    with workplace(tmp_path / "place", seconds=3) as place, start_kernel(place) as kernel:
        kernel.ok("%load_ext refvideo_nb\nfrom skimage import data\ncat = data.chelsea()")
        kernel.ok(CELL)
        job = kernel.value("clip.id")
        # Once it was asked after, the API has certainly accepted it.
        kernel.until(lambda: [line for line in kernel.lines(kernel.heard) if " poll" in line], "the first poll")
        kernel.kill_and_start_again()
        taken_up = "import refvideo_nb\njobs = refvideo_nb.resume()\nprint([j.id for j in jobs], jobs[0].video)"
        assert kernel.ok(taken_up).out == f"{[job]} None\n"
        assert kernel.value("[jobs[0].wait().status, jobs[0].video.stat().st_size > 10_000]") == ["downloaded", True]
        assert kernel.value("[j.id for j in refvideo_nb.resume()]") == []
        assert (place.submits, place.paid_jobs) == (1, 1)
