"""Waiting for a job that takes its time: it can be cut short, and the job lives on."""

import pytest

pytestmark = pytest.mark.kernel

CELL = "%%refvideo --ref cat --duration 4 --resolution 480p --no-audio --out clip\n@cat runs"


@pytest.fixture
def waiting(start_kernel, workplace, held_api, tmp_path):
    """A kernel with a job that runs until it is told to end."""
    with workplace(tmp_path / "place", **held_api.env) as place, start_kernel(place) as kernel:
        kernel.ok("%load_ext refvideo_nb\nfrom skimage import data\ncat = data.chelsea()")
        kernel.ok(CELL)
        yield kernel


@pytest.mark.parametrize("wait", ["clip.wait()", "await clip"])
def test_an_interrupt_ends_the_wait_and_not_the_job(waiting, held_api, wait):
    cell = waiting.start(f"print('waiting', flush=True)\n{wait}")
    waiting.until(lambda: waiting.of(cell, "stream"), "the beginning of the wait")
    waiting.interrupt()
    # The job cannot have ended, so only the interrupt can end the cell.
    ran = waiting.reply(cell)
    # An async cell that is interrupted reports the cancellation that it was ended by.
    assert (ran.status, ran.ename) in {("error", "KeyboardInterrupt"), ("error", "CancelledError")}
    assert waiting.value("clip.status") in {"submitting", "accepted", "running"}
    held_api.finish()
    assert waiting.value("clip.wait().status") == "downloaded"


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
    held_api.finish()
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
