"""One film of the simulator, from the submit to its bytes over HTTP, in a new process."""

from line import median_line


def measure(bench):
    rounds = [bench.run("render.py") for _ in range(bench.rounds)]
    yield median_line(
        "simulator", "720p, 4 s, one reference", "s", [{"ours": r["seconds"]} for r in rounds], at_most=2.0
    )
    yield median_line(
        "simulator", "memory of its process", "MB", [{"ours": r["memory"] / 1e6} for r in rounds], at_most=200
    )
