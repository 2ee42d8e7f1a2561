"""Long waits on a clock that jumps: how often is asked, and what that costs."""

from line import median_line

COUNT, MINUTES = 1000, 10


def measured(bench, count):
    folder = bench.new_folder()
    clock = folder / "clock"
    clock.write_bytes(bytes(8))
    with bench.server(seconds=60 * MINUTES, clock=clock) as (address, stats):
        found = bench.run("long_wait.py", address, folder / "home", clock, count)
        requests = stats()["requests"]
    assert requests["content"] == count, requests
    return {
        "requests": (sum(requests.values()) - requests["models"]) / count,
        "cpu": 1000 * found["cpu"] / (count * MINUTES),
    }


def measure(bench):
    rounds = [measured(bench, COUNT)]  # once: it is many thousand requests
    what = f"{COUNT} jobs of {MINUTES} minutes"
    yield median_line(
        "long waits", f"{what}: requests a job", "", [{"ours": r["requests"]} for r in rounds], at_most=40
    )
    yield median_line(
        "long waits", f"{what}: CPU a job and minute", "ms", [{"ours": r["cpu"]} for r in rounds], at_most=5
    )
