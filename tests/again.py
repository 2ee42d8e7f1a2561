"""Run the tests; the few that failed are run once more by themselves, and are named.

A browser, a kernel and two busy cores are not the same twice. What fails twice has failed, and so has a run in
which more than a few failed, or one that was ended.
"""

import json
import subprocess
import sys
from pathlib import Path

FEW = 5
FAILED = Path(".pytest_cache/v/cache/lastfailed")


def main(arguments):
    """The exit status of pytest: 0 where each test passed at least once of twice."""
    FAILED.unlink(missing_ok=True)
    pytest = [sys.executable, "-m", "pytest", *arguments]
    status = subprocess.run(pytest, check=False).returncode
    failed = list(json.loads(FAILED.read_text())) if FAILED.exists() else []
    if status != 1 or not 0 < len(failed) <= FEW:
        return status
    print(f"\n{len(failed)} failed; once more, by themselves:", *failed, sep="\n  ", flush=True)
    status = subprocess.run([*pytest, "--last-failed"], check=False).returncode
    print("\nfailed once of twice:" if status == 0 else "\nof these some failed twice:", *failed, sep="\n  ")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
