"""What jobs cost the kernel that they run in, and what is seen of them while it computes."""

import time

from jobs import KEY_ENV
from kernel import Kernel
from line import median_line, quantile

ACTIVE = 200
TRIPS = 100
MANY = """
import refvideo_nb
import numpy as np
started = [refvideo_nb.generate(f"take {n}", duration=4, resolution="720p", fresh=True) for n in range(COUNT)]
while any(job.status in {"drafted", "submitting"} for job in started):
    time.sleep(0.1)
""".replace("COUNT", str(ACTIVE))
CELL = "%%refvideo --duration 4 --resolution 720p --fresh\ntake"
SLEEP = "time.sleep({seconds})"
BUSY = "end = time.monotonic() + {seconds}\nn = 0\nwhile time.monotonic() < end:\n    n += 1"
WITHIN = 1.0  # seconds


def trips(kernel, times):
    """The 95th of a hundred round trips, milliseconds, a little apart as a person's cells are."""
    took = []
    for _ in range(times):
        took.append(kernel.round_trip("1+1"))
        time.sleep(0.02)
    return 1000 * quantile(took, 0.95)


def free(bench, poll):
    """Rounds of one kernel with many active jobs, and an idle one beside it."""
    with bench.server(seconds=3600) as (address, _):
        env = {"OPENROUTER_BASE_URL": address, **KEY_ENV, **({"REFVIDEO_POLL_INTERVAL": poll} if poll else {})}
        with Kernel(bench, **env) as kernel, Kernel(bench, **env) as idle:
            for each in (kernel, idle):
                each.run("import time\n%load_ext refvideo_nb")
                trips(each, 20)
            kernel.run(MANY)
            return [{"ours": trips(kernel, TRIPS), "idle": trips(idle, TRIPS)} for _ in range(bench.rounds)]


def seen(bench, code, *, seconds, cells):
    """The share of state changes that the front end was told of within a second, while a cell computed."""
    # Jobs change three times: twice, at 30 and at 100 % of their time, while the cell below is running.
    with bench.server(seconds=seconds * 0.8) as (address, stats):
        env = {"OPENROUTER_BASE_URL": address, **KEY_ENV, "REFVIDEO_POLL_INTERVAL": "0.5"}
        with Kernel(bench, **env) as kernel:
            kernel.run("import time\n%load_ext refvideo_nb")
            jobs = [kernel.run(CELL) for _ in range(cells)]
            kernel.run(code.format(seconds=seconds))
            end = time.time()
            while kernel.listen(0.5):
                pass
            told = stats()["told"]
            heard = [(at, m) for at, m in kernel.heard if m["parent_header"].get("msg_id") in jobs]
    shares, late = [], []
    for cell, states in zip(jobs, told.values(), strict=True):
        for status, words in WORDS.items():
            if status not in states or states[status] > end - WITHIN:
                continue
            came = [at for at, m in heard if m["parent_header"]["msg_id"] == cell and words(m)]
            late.append(min((at - states[status] for at in came), default=float("inf")))
            shares.append(late[-1] <= WITHIN)
    assert len(shares) >= cells, (told, "no state changed while the cell ran")
    return 100 * sum(shares) / len(shares)


def line_says(text):
    def says(message):
        state = message["content"].get("data", {}).get("state", {}) if message["msg_type"] == "comm_msg" else {}
        return text in str(state.get("value", ""))

    return says


def shows_result(message):
    return message["msg_type"] == "update_display_data" or line_says("completed")(message)


WORDS = {"in_progress": line_says("in progress"), "completed": shows_result}


def measure(bench):
    live, often = free(bench, None), free(bench, "0.5")
    what = f"p95 round trip of 1+1 with {ACTIVE} jobs active"
    yield median_line("kernel free", f"{what}, polls as for the API", "ms", live, ratios={"idle": 1.3})
    yield median_line("kernel free", f"{what}, first polls 0.5 s apart", "ms", often, ratios={"idle": 1.3})
    asleep = [{"ours": seen(bench, SLEEP, seconds=30, cells=10)}]
    yield median_line("blocked kernel", "state changes seen within 1 s, time.sleep(30)", "%", asleep, at_least=100)
    busy = [{"ours": seen(bench, BUSY, seconds=20, cells=10)}]
    yield median_line("blocked kernel", "state changes seen within 1 s, a busy loop", "%", busy, at_least=90)
