"""Sweeps in real kernels: planned, confirmed, killed with the kernel, found again, and shown to whoever looks."""

import time

import pytest

pytestmark = pytest.mark.kernel

CELL = (
    "%%refvideo_sweep --grid thing=ball,hat --grid seed=0..1 -m alibaba/wan-3.0 -d 2 --resolution 480p "
    "--aspect-ratio 1:1 --no-audio -o runs {more}\na red {{{{thing}}}}"
)
SEEN = """
import refvideo_nb
from refvideo_nb.notebook.current import current_session
found, = refvideo_nb.sweeps()
"""


@pytest.fixture
def own_place(workplace, tmp_path):
    with workplace(tmp_path / "place", seconds=1) as found:
        yield found


def test_from_the_plan_over_a_crash_to_the_end(start_kernel, own_place):
    with start_kernel(own_place) as kernel:
        kernel.ok("%load_ext refvideo_nb")
        ran = kernel.ok(CELL.format(more="--at-once 1"))
        live, still = ran.bundles
        assert "application/vnd.jupyter.widget-view+json" in live
        assert "A sweep of 4 cells: 4 jobs to pay, about USD 0.40 in all" in still["text/plain"]
        assert "Nothing was sent" in still["text/plain"]
        assert own_place.submits == 0
        assert kernel.value("runs.state") == "planned"

        # Confirmed, it runs beside the cells; the kernel is killed when the first job is there.
        kernel.ok("runs.start()\nimport time\nwhile not runs.jobs: time.sleep(0.01)")
        kernel.kill_and_start_again()
        said = kernel.ok("%load_ext refvideo_nb").out
        sweep_id = kernel.value("__import__('refvideo_nb').sweeps()[0].id")
        assert f"a sweep is interrupted: %refvideo resume {sweep_id} goes on with it" in said
        kernel.ok(SEEN)
        assert kernel.value("found.state") == "interrupted"

        # Taken up again, it comes to its end; what the kill left unknown is not sent again.
        ran = kernel.ok(f"%refvideo resume {sweep_id}")
        assert "Sweep" in ran.bundles[-1]["text/plain"]
        assert kernel.value("found.wait(60).state") == "finished"
        states = kernel.value("[c.state for c in found.cells]")
        assert set(states) <= {"done", "unknown"}
        assert states.count("unknown") <= 1
        assert own_place.paid_jobs <= 4
        assert own_place.paid_jobs >= states.count("done")
        assert "finished" in kernel.ok("%refvideo sweeps").bundles[-1]["text/plain"]

        # The still picture under the cell that resumed it says how it ended.
        updates = lambda: [m for m in kernel.heard if m["msg_type"] == "update_display_data"]  # noqa: E731 - used once
        ended = kernel.until(updates, "the last still picture")[-1]["content"]["data"]
        assert "Sweep finished" in ended["text/plain"]


def test_a_limit_decides_in_the_cell(start_kernel, own_place):
    with start_kernel(own_place) as kernel:
        kernel.ok("%load_ext refvideo_nb")
        ran = kernel.run(CELL.format(more="--max-cost 0.39"))
        assert (ran.status, ran.ename) == ("error", "UsageError")
        assert "4 jobs, about USD 0.40, are more than max_cost USD 0.39" in ran.stream("stderr")
        assert own_place.submits == 0
        kernel.ok("%config RefVideoMagics.session_budget = 0.2")
        ran = kernel.run(CELL.format(more="--max-cost 0.40 --wait"))
        assert ran.ename == "UsageError"
        assert "budget of USD 0.20" in ran.stream("stderr")
        assert own_place.paid_jobs == 2
        assert "Sweep stopped" in ran.bundles[-1]["text/plain"]

        # With more of both it goes on from a line.
        ran = kernel.run("%refvideo resume runs --max-cost lots")
        assert "max_cost 'lots' cannot be used" in ran.stream("stderr")
        kernel.ok("%config RefVideoMagics.session_budget = 1")
        kernel.ok("%refvideo resume runs --max-cost 0.30")
        assert kernel.run("runs.wait(60)").ename == "SweepStoppedError"
        assert own_place.paid_jobs == 3
        kernel.ok("%refvideo resume runs --max-cost 1")
        assert kernel.value("runs.wait(60).state") == "finished"
        assert own_place.paid_jobs == 4


def test_an_interrupt_ends_the_wait_alone(start_kernel, own_place):
    with start_kernel(own_place) as kernel:
        kernel.ok("%load_ext refvideo_nb")
        cell = kernel.start(CELL.format(more="--max-cost 1 --at-once 1 --wait"))
        # With the second job on its way the first has ended, and the cell has long been waiting.
        deadline = time.monotonic() + 60
        while own_place.paid_jobs < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)  # the API tells nobody; it must be asked
        kernel.interrupt()
        ran = kernel.reply(cell)
        assert ran.ename == "UsageError", ran.traceback
        assert "interrupted: sweep sw-" in ran.stream("stderr")
        assert kernel.value("runs.wait(60).state") == "finished"
        assert own_place.paid_jobs == 4


def test_what_is_typed_can_be_completed(kernel):
    assert "%%refvideo_sweep --grid" in kernel.complete("%%refvideo_sweep --gr")
    assert "%refvideo sweeps" in kernel.complete("%refvideo sw")
