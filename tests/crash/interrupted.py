"""A process that interrupts its own calls of a ledger, each at every moment there is; it tells where that did harm.

What a real interrupt meets by chance is met here one after the other: the interpreter looks for signals after a
call, where a function begins or goes on, and where a loop goes back, and raises the interrupt there.
"""

import contextlib
import dis
import sys
import threading
import traceback
from pathlib import Path

import refvideo_nb.ledger
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.ledger.store import Ledger, new_id

# The ledger's own code, and what a `with` on one of its generators passes through.
TRACED = (str(Path(refvideo_nb.ledger.__file__).parent), contextlib.__file__)
LOOKS = ("CALL", "RESUME", "JUMP_BACKWARD")
PATIENCE = 5  # seconds, for what takes milliseconds or never comes


def drafted():
    what = {"request": VideoRequest(prompt="a cat"), "sent_prompt": "a cat"}
    return JobRecord(id=new_id(1.0), state=State.DRAFTED, created=1, updated=1, **what)


CALLS = {
    "get": lambda ledger, job_id: ledger.get(job_id),
    "jobs": lambda ledger, _: ledger.jobs(),
    "add": lambda ledger, _: ledger.add(drafted(), fingerprint="x"),
    "advance": lambda ledger, job_id: ledger.advance(job_id, error="x"),
    "claim": lambda ledger, job_id: ledger.claim(job_id),
    "release": lambda ledger, job_id: ledger.release(job_id),
    "renew": lambda ledger, _: ledger.renew(),
}


@contextlib.contextmanager
def interrupted_at(moment):
    """Raise KeyboardInterrupt at the so many-th moment at which the interpreter looks for signals."""
    left, last = moment, {}

    def trace(frame, event, _):
        nonlocal left
        if not frame.f_code.co_filename.startswith(TRACED):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            looked = last.get(frame, "").startswith(LOOKS)
            last[frame] = dis.opname[frame.f_code.co_code[frame.f_lasti]]
            left -= looked
            if looked and left < 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    # Python 3.12 looks once, when tracing begins, whether any frame wants it opcode by opcode.
    sys._getframe().f_trace_opcodes = True
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)


def main(home):
    ledger = Ledger(Path(home))
    job_id = ledger.add(drafted(), fingerprint="x").id
    for name, call in CALLS.items():
        moment = 0
        while True:
            try:
                with interrupted_at(moment):
                    call(ledger, job_id)
            except KeyboardInterrupt as interrupt:
                kept = interrupt  # as a notebook keeps its last traceback, and with it every frame
            else:
                break
            engine = threading.Thread(target=lambda: ledger.advance(job_id, error="y"), daemon=True)
            engine.start()
            engine.join(PATIENCE)
            if engine.is_alive():
                path = " > ".join(entry.name for entry in traceback.extract_tb(kept.__traceback__))
                print(f"locked for the engine's thread after an interrupt in {path}", flush=True)
                return
            moment += 1
        print(f"{name} {moment}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
