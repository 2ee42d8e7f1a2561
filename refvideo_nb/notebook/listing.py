"""``python -m refvideo_nb jobs``: the ledger's list, where there is no notebook."""

from __future__ import annotations

import argparse
import sys

from refvideo_nb.display.tables import jobs_table
from refvideo_nb.errors import RefVideoError
from refvideo_nb.ledger.store import Ledger
from refvideo_nb.settings import Settings

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """The command; it asks nobody and starts nothing."""
    parser = argparse.ArgumentParser(prog="python -m refvideo_nb jobs", description="The jobs of the home folder.")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many, newest first (default 50)")
    given = parser.parse_args(arguments)
    try:
        home = Settings.from_environment().home
        if not (home / "ledger.sqlite").exists():
            print(f"there is no ledger in {home}: REFVIDEO_HOME names the home folder")  # noqa: T201 - a command prints
            return 0
        ledger = Ledger(home)
        try:
            ledger.settle_abandoned()  # what its process left behind is not "not sent yet", but never sent, or unknown
            print(jobs_table(ledger.jobs(limit=given.limit))["text/plain"])  # noqa: T201 - as above
        finally:
            ledger.close()
    except RefVideoError as error:
        print(error, file=sys.stderr)  # noqa: T201 - as above
        return 1
    return 0
