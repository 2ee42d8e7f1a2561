"""Run every test: first what needs nothing to itself, then kernels, then browsers; at last comparisons of times, alone.

Real kernels, real front ends and comparisons of times are not the same twice on two busy cores: of those a few that
failed are run once more by themselves, and are named; one that fails twice has failed. The first part, where paying,
keeping and measuring are tested without them, gets no second chance. With arguments this is pytest.
"""

import json
import subprocess
import sys
from pathlib import Path

FEW = 5
FAILED = Path(".pytest_cache/v/cache/lastfailed")
CORES = ["--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile"]
STRICT = ["-m", "not (kernel or browser or alone)", *CORES]
FORGIVEN = (
    ["-m", "kernel and not (browser or alone)", *CORES],
    ["-m", "browser and not alone", *CORES],
    ["-m", "alone"],
)
SOME_FAILED = 1


def run(*arguments):
    """Pytest's exit status."""
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def forgiving():
    """The exit status of those that may be run once more."""
    FAILED.unlink(missing_ok=True)
    status = max([run(*some) for some in FORGIVEN])
    failed = list(json.loads(FAILED.read_text())) if FAILED.exists() else []
    if status != SOME_FAILED or not 0 < len(failed) <= FEW:
        return status
    print(f"\n{len(failed)} failed; once more, by themselves:", *failed, sep="\n  ", flush=True)
    status = run(*failed)
    print("\nof these some failed twice:" if status else "\nfailed once of twice:", *failed, sep="\n  ")
    return status


def main(arguments):
    """The exit status of the first part that failed, or 0; the others are run all the same, so that all is known."""
    if arguments:
        return run(*arguments)
    strict = run(*STRICT)
    return strict if strict > SOME_FAILED else forgiving() or strict


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
