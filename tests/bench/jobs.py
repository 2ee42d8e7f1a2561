"""One job and many: what is added to the server's own time, at which cost, and how soon each film is there."""

import shutil

from line import median_line, quantile

PEERS = ("openrouter", "httpx", "httpx-16", "httpx-16-checked")
KEY_ENV = {"OPENROUTER_API_KEY": "sk-bench-not-a-key"}


def measured(bench, client, count, seconds):
    """One client with so many jobs, on a server of its own."""
    folder = bench.new_folder()
    picture = bench.picture()
    with bench.server(seconds=seconds) as (address, stats):
        found = bench.run("client.py", client, address, folder, f"--jobs={count}", f"--picture={picture}")
        seen = stats()
    shutil.rmtree(folder)
    lags = [found["ended"][job] - ready for job, ready in seen["ready"].items()]
    assert len(lags) == count == seen["requests"]["content"], (client, len(lags), seen["requests"])
    return {
        "overhead": found["wall"] - seconds,
        "cpu": found["cpu"],
        "memory": found["memory"] / 1e6,
        "connections": seen["most_open"],
        "requests": sum(seen["requests"].values()),
        "p50": quantile(lags, 0.5),
        "p95": quantile(lags, 0.95),
    }


def rounds_of(bench, count, seconds, peers=PEERS):
    """Everybody once a round, one after the other."""
    names = ("ours", *peers)
    return [{name: measured(bench, name, count, seconds) for name in names} for _ in range(bench.rounds)]


def only(rounds, key):
    return [{name: values[key] for name, values in one.items()} for one in rounds]


def measure(bench):
    single = rounds_of(bench, 1, 2.0, PEERS[:3])
    yield median_line("one job", "wall beyond the server's time", "s", only(single, "overhead"), at_most=0.10)
    for count in (50, 200):
        rounds, row = rounds_of(bench, count, 5.0), f"{count} jobs"
        yield median_line(
            row, "wall beyond the server's time", "s", only(rounds, "overhead"),
            ratios={"openrouter": 0.35, "httpx-16": 0.8},
        )  # fmt: skip
        yield median_line(row, "CPU, the whole process", "s", only(rounds, "cpu"), ratios={"openrouter": 0.6})
        yield median_line(row, "memory at its highest", "MB", only(rounds, "memory"), at_most=70)
        yield median_line(row, "connections at once", "", only(rounds, "connections"), at_most=16)
        yield median_line(row, "requests", "", only(rounds, "requests"))
        yield median_line(row, "ready to playable, p50", "s", only(rounds, "p50"))
        yield median_line(row, "ready to playable, p95", "s", only(rounds, "p95"))
