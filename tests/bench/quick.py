"""The ratios that must not get worse, on a small scale: under a minute, as JSON for the tests."""

import json
import sys
import tempfile
from pathlib import Path

from bench import Bench
from imports import rounds_of as imports
from jobs import only, rounds_of
from ledgers import rounds_of as ledgers
from line import median_line
from shows import rounds_of as shows

JOBS, SECONDS = 30, 1.5
WAYS = ("ours", "IPython.display.Video")


def main(folder):
    bench = Bench(Path(folder), 2)
    beside_sdk = imports(bench, {"openrouter": "openrouter"})
    jobs = rounds_of(bench, JOBS, SECONDS, ("openrouter", "httpx-16"))
    few, many = (ledgers(bench, count) for count in (200, 4000))
    shown = shows(bench, WAYS)
    ratio = lambda rounds: median_line("", "", "", rounds).ratios  # noqa: E731 - short
    least = lambda rounds, what: min(r[what] for r in rounds)  # noqa: E731 - as above
    return {
        "import": ratio(beside_sdk),
        "overhead": ratio(only(jobs, "overhead")),
        "cpu": ratio(only(jobs, "cpu")),
        "requests": ratio(only(jobs, "requests")),
        "connections": max(r["ours"]["connections"] for r in jobs),
        "ledger": {what: least(many, what) / least(few, what) for what in few[0]},
        "bytes shown": ratio([{way: r[way]["nbytes"] for way in WAYS} for r in shown]),
    }


with tempfile.TemporaryDirectory(prefix="refvideo-bench-", dir=sys.argv[1]) as folder:
    print(json.dumps(main(folder)))
