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
BEFORE = (
    ["-m", f"not (kernel or {FORGIVEN})", "--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile"],
    ["-m", f"kernel and not ({FORGIVEN})"],
)


def run(*arguments):
    """Pytest's exit status."""
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


def main(arguments):
    """The exit status of the first run that failed, or 0."""
    if arguments:
        return run(*arguments)
    for some in BEFORE:
        if status := run(*some):
            return status
    FAILED.unlink(missing_ok=True)
    status = run("-m", FORGIVEN)
    failed = list(json.loads(FAILED.read_text())) if FAILED.exists() else []
    if status != 1 or not 0 < len(failed) <= FEW:
        return status
    print(f"\n{len(failed)} failed; once more, by themselves:", *failed, sep="\n  ", flush=True)
    status = run(*failed)
    print("\nof these some failed twice:" if status else "\nfailed once of twice:", *failed, sep="\n  ")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
