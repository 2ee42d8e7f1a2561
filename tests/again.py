"""Run the tests; the few that failed are run once more by themselves, and are named.

Without arguments everything is run, what needs no screen, no kernel and no quiet on all cores. A browser, a kernel
and busy cores are not the same twice. What fails twice has failed, and so has a run in which more than a few failed,
or one that was ended.
"""

import json
import subprocess
import sys
from pathlib import Path

FEW = 5
FAILED = Path(".pytest_cache/v/cache/lastfailed")
ALONE = "kernel or browser or alone"
EVERYTHING = (
    ["-m", f"not ({ALONE})", "--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile"],
    ["-m", ALONE],
)


def run(*arguments):
    """Pytest's exit status, and the tests that failed."""
    FAILED.unlink(missing_ok=True)
    status = subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode
    return status, list(json.loads(FAILED.read_text())) if FAILED.exists() else []


def main(arguments):
    """The exit status of pytest: 0 where each test passed at least once of twice."""
    failed = []
    for some in [arguments] if arguments else EVERYTHING:
        status, found = run(*some)
        failed += found
        if status not in {0, 1} or len(failed) > FEW or (status and not found):
            return status or 1
    if not failed:
        return 0
    print(f"\n{len(failed)} failed; once more, by themselves:", *failed, sep="\n  ", flush=True)
    status, _ = run(*failed)
    print("\nfailed once of twice:" if status == 0 else "\nof these some failed twice:", *failed, sep="\n  ")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
