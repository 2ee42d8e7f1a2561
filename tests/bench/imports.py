"""How long it takes until the package can be used, beside others."""

import subprocess
import sys

from kernel import Kernel
from line import median_line

PEERS = {"openrouter": "openrouter", "httpx": "httpx", "mediapy": "mediapy", "fal-client": "fal_client"}
# What a notebook has loaded anyway comes first, outside of the time.
TIMED = "{before}import time; start = time.perf_counter(); import {module}; print(1000 * (time.perf_counter() - start))"


def milliseconds(bench, module, before=""):
    code = TIMED.format(module=module, before=f"import {before}; " if before else "")
    ran = subprocess.run([sys.executable, "-c", code], env=bench.env, capture_output=True, text=True, check=True)
    return float(ran.stdout)


def rounds_of(bench, peers=PEERS):
    modules = {"ours": "refvideo_nb"} | peers
    milliseconds(bench, ",".join(modules.values()))  # compiled files and the disk's cache are there for everybody
    return [{name: milliseconds(bench, module) for name, module in modules.items()} for _ in range(2 * bench.rounds)]


def measure(bench):
    yield median_line("import", "import in an empty Python", "ms", rounds_of(bench), ratios={"openrouter": 0.25})
    shares = [{"ours": milliseconds(bench, "refvideo_nb", before="IPython")} for _ in range(2 * bench.rounds)]
    yield median_line("import", "import beside a loaded IPython", "ms", shares, at_most=40)
    loads = []
    for _ in range(bench.rounds):
        with Kernel(bench) as kernel:
            kernel.run("import ipywidgets, time")
            kernel.run("start = time.perf_counter()\n%load_ext refvideo_nb\ntook = time.perf_counter() - start")
            loads.append({"ours": 1000 * float(kernel.value("took"))})
    yield median_line("import", "%load_ext in a kernel with ipywidgets loaded", "ms", loads, at_most=40)
