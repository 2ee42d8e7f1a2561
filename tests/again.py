"""Run every test: what needs nothing to itself on all cores, then what does, one after the other.

A real front end and a comparison of times are not the same twice on two busy cores: of those a few that failed are
run once more by themselves, and are named. Nothing else gets a second chance: what pays, keeps or measures has failed
where it failed once. With arguments this is pytest.
"""

import json
import subprocess
import sys
from pathlib import Path

FEW = 5
FAILED = Path(".pytest_cache/v/cache/lastfailed")
FORGIVEN = "browser or alone"
CORES = ["--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile"]
BEFORE = (
    ["-m", f"not (kernel or {FORGIVEN})", *CORES],
    ["-m", f"kernel and not ({FORGIVEN})", *CORES],
)
INTERRUPTED = 2


def run(*arguments):
    """Pytest's exit status."""
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def forgiving():
    """The exit status of those that may be run once more."""
    FAILED.unlink(missing_ok=True)
    status = run("-m", FORGIVEN)
    failed = list(json.loads(FAILED.read_text())) if FAILED.exists() else []
    if status != 1 or not 0 < len(failed) <= FEW:
        return status
    print(f"\n{len(failed)} failed; once more, by themselves:", *failed, sep="\n  ", flush=True)
    status = run(*failed)
    print("\nof these some failed twice:" if status else "\nfailed once of twice:", *failed, sep="\n  ")
    return status


def main(arguments):
    """The exit status of the first run that failed, or 0; the others are run all the same, so that all is known."""
    if arguments:
        return run(*arguments)
    statuses = []
    for some in BEFORE:
        statuses.append(run(*some))
        if statuses[-1] >= INTERRUPTED:
            return statuses[-1]
    statuses.append(forgiving())
    return next(filter(None, statuses), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
