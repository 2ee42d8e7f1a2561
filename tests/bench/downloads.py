"""A large file: as fast as curl, and in no more memory than a small one."""

import subprocess
import time

from line import median_line

LARGE = 500_000_000


def curl(url, to, *, synced):
    """Seconds; where `synced`, until the file is on the disk, as ours is."""
    start = time.perf_counter()
    subprocess.run(["curl", "--silent", "--fail", "--output", to, url], check=True)
    if synced:
        subprocess.run(["sync", to], check=True)
    return time.perf_counter() - start


def rounds_of(bench, nbytes):
    found = []
    with bench.server(film=bench.film(nbytes), seconds=0) as (address, _):
        for _ in range(bench.rounds):
            folder = bench.new_folder()
            one = bench.run("download.py", address, folder / "ours.mp4")
            url = f"{address}/videos/{one['job']}/content"
            one["curl, then sync"] = curl(url, folder / "curl.mp4", synced=True)
            one["curl"] = curl(url, folder / "again.mp4", synced=False)
            for path in folder.iterdir():
                path.unlink()
            found.append(one)
    return found


def measure(bench):
    rounds = rounds_of(bench, LARGE)
    curls = ("curl, then sync", "curl")
    speed = [{"ours": LARGE / 1e6 / r["seconds"], **{c: LARGE / 1e6 / r[c] for c in curls}} for r in rounds]
    yield median_line(
        "download", "500 MB, until it is on the disk", "MB/s", speed, ratios_at_least={"curl, then sync": 0.9}
    )
    whole = [{"ours": r["checked"], "curl, then sync": r["curl, then sync"]} for r in rounds]
    yield median_line("download", "500 MB, checked as a film too", "s", whole)
    yield median_line("download", "memory growth", "MB", [{"ours": r["growth"] / 1e6} for r in rounds], at_most=16)
