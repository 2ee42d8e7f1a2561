"""Two kernels on one ledger: each job is asked after by one of them, and survives the other's death."""

import pytest

pytestmark = pytest.mark.kernel

START = """
jobs = [refvideo_nb.generate(f"ball {n}", model="x-ai/grok-imagine-video", duration=1, resolution="480p",
                             aspect_ratio="1:1") for n in range(50)]
while any(job.api_id is None for job in jobs):
    pass
"""


@pytest.fixture
def place(workplace, tmp_path):
    with workplace(tmp_path / "place", seconds=8) as found:
        yield found


def test_fifty_jobs_of_a_kernel_that_dies(start_kernel, place):
    with start_kernel(place) as one, start_kernel(place) as two:
        one.ok("import refvideo_nb")
        one.ok(START)
        two.ok("%load_ext refvideo_nb\nimport refvideo_nb")
        two.ok("jobs = refvideo_nb.resume()")
        assert two.value("len(jobs)") == 50
        owners = "len({o for (o,) in jobs[0]._session.ledger._database._db.execute('SELECT DISTINCT owner FROM jobs')})"
        assert two.value(owners) == 1, "the first kernel looks after all of them"
        one.kill_and_start_again()
        assert two.value("[job.wait(60).status for job in jobs]") == ["downloaded"] * 50
        assert (place.submits, place.paid_jobs) == (50, 50)
        # The new kernel in the place of the dead one has nothing left to tell of.
        assert one.ok("%load_ext refvideo_nb").out == ""


def test_loading_tells_of_what_is_unfinished(start_kernel, place):
    with start_kernel(place) as kernel:
        assert kernel.ok("%load_ext refvideo_nb\nimport refvideo_nb").out == ""
        kernel.ok(START.replace("range(50)", "range(2)"))
        # A kernel that dies in the middle of a submit leaves this behind.
        kernel.ok("from refvideo_nb.core.job import State\nledger = jobs[0]._session.ledger")
        kernel.ok(
            "import msgspec; lost = msgspec.structs.replace(jobs[0].record, id='rv-20261123-zzzzzz',"
            " state=State.SUBMITTING, api_id=None); ledger.add(lost, fingerprint='lost')"
        )
        kernel.kill_and_start_again()
        said = kernel.ok("%load_ext refvideo_nb").out
        assert said == (
            "2 jobs are unfinished: %refvideo resume goes on, without paying again; "
            "1 job is of unknown outcome since a crash: %refvideo jobs\n"
        )
        assert kernel.value("[j.status for j in __import__('refvideo_nb').jobs()]").count("outcome_unknown") == 1


def test_a_running_loop_can_be_entered_again(start_kernel, place):
    with start_kernel(place) as kernel:
        assert kernel.run("import asyncio\nasyncio.run(asyncio.sleep(0))").status == "error"
        assert kernel.ok("import refvideo_nb\nprint(refvideo_nb.allow_nested())").out.startswith("nest_asyncio")
        assert kernel.ok("print(asyncio.run(asyncio.sleep(0, 7)))").out == "7\n"
        assert kernel.ok("print(await asyncio.sleep(0, 8))").out == "8\n", "and the kernel lives on"
