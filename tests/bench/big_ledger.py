"""A ledger with many jobs, written as the ledger writes them, and asked again and again."""

import contextlib
import json
import sys
import time
from pathlib import Path

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.ledger.documents import insert
from refvideo_nb.ledger.store import Ledger

MODELS = ("a/one", "b/two", "c/three")


def job(number):
    pictures = tuple(
        Reference(name=f"r{n}", kind="image", sha256=f"{number * 2 + n:064x}", media_type="image/png", nbytes=1)
        for n in range(2)
    )
    prompt = f"@r0 beside @r1, number {number}, " + "a slow pan over a wet street at night, neon in the puddles. " * 4
    return JobRecord(
        id=f"rv-20270115-{number:06}", state=State.DOWNLOADED,
        request=VideoRequest(prompt=prompt, model=MODELS[number % 3], references=pictures), sent_prompt=prompt,
        created=float(number), updated=float(number), api_id=f"gen-{number}", submitted=0.0, finished=60.0,
    )  # fmt: skip


def timed(does):
    start = time.perf_counter()
    does()
    return 1000 * (time.perf_counter() - start)


def ask(home, number):
    """Each question once, milliseconds."""
    start = time.perf_counter()
    ledger = Ledger(home)
    found = {"open": 1000 * (time.perf_counter() - start)}
    new = job(number)
    with contextlib.closing(ledger):
        found["insert"] = timed(lambda: ledger.add(new, fingerprint=new.id))
        found["newest 50"] = timed(lambda: ledger.jobs(limit=50))
        found["search"] = timed(lambda: ledger.find(text=f"number {number // 2}"))
        found["search for what is not there"] = timed(lambda: ledger.find(text="no such words"))
    return found


def main(home, count, rounds):
    with contextlib.closing(Ledger(home)) as ledger, ledger._database.writing() as db:
        for n in range(count):
            insert(db, job(n), fingerprint=str(n), owner=None, lease=None)
    asked = [ask(home, count + n) for n in range(3 * rounds)]
    print(json.dumps({what: [each[what] for each in asked] for what in asked[0]}))


main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
