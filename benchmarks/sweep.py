"""What a sweep costs before anything is sent: planning, the ledger, the card, for more and more cells.

``make bench-scale`` runs it; nothing is sent, and no network is asked.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from refvideo_nb.client.models import captured
from refvideo_nb.core.sweep import SweepRecord, SweepState
from refvideo_nb.core.tally import Tally
from refvideo_nb.display.sweep import sweep_bundle
from refvideo_nb.engine.planning import plan
from refvideo_nb.engine.sweep_wish import sweep_wish
from refvideo_nb.engine.wish import Wish
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.ledger.store import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURE = np.random.default_rng(0).integers(0, 255, (600, 800, 3), np.uint8)


def timed(does: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and the seconds of the processor that it took."""
    start = time.process_time()  # of this process: others on the machine do not count
    found = does()
    return found, time.process_time() - start


def one(count: int) -> list[float]:
    """Seconds to plan, to write down, to read again, to sum up and to draw; then the peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        ledger, media = Ledger(home), MediaStore(home)
        wish = Wish(
            prompt=["@it on a table", "@it in the rain"],
            references={"it": PICTURE},
            model=["bytedance/seedance-2.0-fast", "alibaba/wan-3.0"],
            seed=range(max(count // 4, 1)),  # type: ignore[arg-type]
            duration=4,
            resolution="480p",
        )  # type: ignore[arg-type]
        asked = sweep_wish(wish)
        coming = plan(asked, models=captured().models, media=media, ledger=ledger, address="", simulated=True)
        planned, planning = timed(lambda: asyncio.run(coming))
        record = SweepRecord(
            id="sw-1", state=SweepState.RUNNING, design=planned.design, created=0.0, updated=0.0, simulated=True
        )
        _, writing = timed(lambda: ledger.sweeps.add(record, planned.cells))
        cells, reading = timed(lambda: ledger.sweeps.cells("sw-1"))
        tally = Tally(planned.design, cells)
        _, looking = timed(lambda: tally.take(ledger.sweeps.places("sw-1", seen=tally.seen)))
        _, drawing = timed(lambda: sweep_bundle(record, tally, state="running"))
        ledger.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return [planning, writing, reading, looking, drawing, peak]


def main() -> None:
    """Print the table."""
    print(f"{'cells':>7} {'plan':>8} {'write':>8} {'read':>8} {'look':>8} {'draw':>8}   peak memory")
    one(4)  # imports
    for count in (10, 100, 1000, 10_000):
        *seconds, peak = one(count)
        print(f"{count:7,} " + " ".join(f"{s:6.2f} s" for s in seconds) + f"   {peak:.0f} MB")


if __name__ == "__main__":
    main()
