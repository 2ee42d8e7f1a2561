"""``python -m refvideo_nb simulator``: one JSON line, then the API until somebody stops it."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from refvideo_nb.simulator.archive import write_whole
from refvideo_nb.simulator.faults import Fault
from refvideo_nb.simulator.faults.catalogue import explain
from refvideo_nb.simulator.server import Simulator

_KEY_VARIABLE = "REFVIDEO_SIMULATOR_KEY"
_LOOK = 0.25  # seconds between two looks at whether anybody is still there


def main(argv: list[str]) -> int:
    """Serve until SIGINT, SIGTERM, or nobody has come for the idle time.

    Parameters
    ----------
    argv
        The arguments after the command's name.

    Returns
    -------
    int
        The exit status.
    """
    options = _parser().parse_args(argv)
    if "help" in options.fault:
        sys.stdout.write(explain())
        return 0
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        return _serve(options, stop)
    except OSError as error:
        sys.stderr.write(f"the simulator cannot run: {error}\n")
        return 1


def _serve(options: argparse.Namespace, stop: threading.Event) -> int:
    with Simulator(
        seconds=options.seconds,
        state=options.state,
        polling_url=options.polling_url,
        port=options.port,
        api_key=os.environ.get(_KEY_VARIABLE) or None,
        signed_urls=options.signed_urls,
        faults=options.fault,
    ) as simulator:
        line = json.dumps({"base_url": simulator.base_url, "api_key": simulator.api_key, "pid": os.getpid()})
        if options.announce is not None:
            write_whole(options.announce, line.encode() + b"\n")
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        while not stop.wait(_LOOK if options.idle_timeout else None):
            if simulator.idle > options.idle_timeout:
                break
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m refvideo_nb simulator",
        description="Serve a double of the video API on this machine. Nothing is paid, and every frame says SIMULATED.",
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--seconds", type=_span, default=5.0, help="how long a job takes (default 5)")
    parser.add_argument("--state", type=Path, help="folder in which jobs persist (default: a temporary one)")
    parser.add_argument(
        "--idle-timeout", type=_span, default=0.0, metavar="S", help="exit after S seconds without a request or a job"
    )
    parser.add_argument("--announce", type=Path, metavar="FILE", help="write the JSON line to this file too")
    parser.add_argument("--polling-url", choices=["relative", "absolute"], default="relative")
    parser.add_argument(
        "--signed-urls", type=_span, metavar="S", help="hand out addresses that need no key for S seconds"
    )
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="SPEC",
        help="what is to go wrong; --fault help lists it",
    )
    return parser


def _fault(text: str) -> Fault | str:
    if text == "help":
        return text
    try:
        return Fault.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _span(text: str) -> float:
    """A number of seconds; argparse turns the ValueError into its own message."""
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError(text)
    return seconds
