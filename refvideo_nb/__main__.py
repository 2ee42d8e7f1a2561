"""``python -m refvideo_nb``: the demonstration, the simulator, the ledger's list."""

from __future__ import annotations

import sys

_USAGE = """\
usage: python -m refvideo_nb demo [--notebook FILE] [--to FOLDER]   run the quickstart against the simulator
       python -m refvideo_nb simulator [--port N] [--seconds S] …   a stand-in for the API, on this machine only
       python -m refvideo_nb jobs [--limit N]                       what is in the ledger, newest first
"""


def main(arguments: list[str]) -> int:
    """Run one command; each is imported only when it is asked for."""
    command, *rest = arguments or [""]
    if command == "simulator":
        from refvideo_nb.simulator.cli import main as simulator  # noqa: PLC0415 - a command imports only its own room

        return simulator(rest)
    if command == "demo":
        from refvideo_nb.notebook.demo import main as demo  # noqa: PLC0415 - as above

        return demo(rest)
    if command == "jobs":
        from refvideo_nb.notebook.listing import main as listing  # noqa: PLC0415 - as above

        return listing(rest)
    print(_USAGE, end="", file=sys.stdout if command in {"-h", "--help"} else sys.stderr)
    return 0 if command in {"-h", "--help"} else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
