"""A ledger of very many jobs."""

from line import median_line

COUNT = 100_000
GOALS = {"open": 50, "insert": 5, "newest 50": 20, "search": 50}


def rounds_of(bench, count=COUNT):
    """Each question of a ledger with so many jobs, milliseconds."""
    home = bench.folder / f"ledger-{count}"
    found = bench.run("big_ledger.py", home, count, bench.rounds)
    return [{what: values[n] for what, values in found.items()} for n in range(len(found["open"]))]


def measure(bench):
    rounds = rounds_of(bench)
    for what, most in GOALS.items():
        yield median_line("ledger", f"{COUNT:,} jobs: {what}", "ms", [{"ours": r[what]} for r in rounds], at_most=most)
