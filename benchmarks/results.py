"""What the results of a sweep cost: its table and its summary, for more and more finished and measured jobs.

``make bench-scale`` runs it after ``sweep.py``; the jobs and what was measured of them are made up,
32 frames of two references each.
"""

from __future__ import annotations

import contextlib
import hashlib
import resource
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sweep import timed

from refvideo_nb.core.adherence import Measured, Negatives, Report, Score
from refvideo_nb.core.design import Axis, Design
from refvideo_nb.core.job import JobRecord, State, VideoFacts
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.core.sweep import Cell, SweepRecord, SweepState
from refvideo_nb.ledger.documents import insert
from refvideo_nb.ledger.report_document import report_key, write_report
from refvideo_nb.notebook.session import Session
from refvideo_nb.notebook.sweep import Sweep
from refvideo_nb.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = ("a/fast", "b/slow")
FRAMES = 32
NAMES = ("cat", "cup")
RANDOM = np.random.default_rng(0)


def digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


REFERENCES = tuple(
    Reference(name=n, kind="image", sha256=digest(n), media_type="image/png", nbytes=1, width=640, height=480)
    for n in NAMES
)
ASKED = {
    "version": 1, "embedder_sha256": digest("network"), "frames": FRAMES, "every": None, "negatives": [], "seed": 0,
    "references": [{"name": r.name, "role": "subject", "pictures": [r.sha256]} for r in REFERENCES],
}  # fmt: skip


def report(film: str, adherence: float) -> Report:
    by_frame = RANDOM.normal(adherence, 0.05, (FRAMES, len(NAMES))).astype(np.float32)
    band = np.full(FRAMES, 0.3, np.float32)
    chance = Negatives(
        names=tuple(f"photo {n}" for n in range(32)), mean=band, low=band, high=band, sigma=0.05, threshold=0.4
    )
    score = {
        "role": "subject", "adherence": adherence, "low": adherence - 0.05, "high": adherence + 0.05,
        "covered": adherence, "z": 4.0, "p": 0.03, "coverage": 0.8, "onset": 0.0, "longest_gap": 0.5,
        "stability": 0.02, "drift": 0.0, "sameness": 0.9, "copied": 0.1, "first_frame_copy": False, "binding": 1.0,
        "margin": 0.2, "area": 0.2, "verdict": "followed", "sentence": "made up",
    }  # fmt: skip
    return Report(
        video=film[:8], video_sha256=film, seconds=4.0, width=864, height=480,
        references=tuple(
            Measured(name=r.name, role="subject", sha256=(r.sha256,), width=640, height=480) for r in REFERENCES
        ),
        times=np.linspace(0, 4, FRAMES), similarity=by_frame, z=by_frame,
        boxes=np.zeros((FRAMES, len(NAMES), 4), np.float32), copies=np.zeros((FRAMES, len(NAMES)), np.int32),
        negatives=dict.fromkeys(NAMES, chance), confusion=np.zeros((len(NAMES),) * 2, np.int64),
        scores=tuple(Score(reference=name, **score) for name in NAMES),
        settings={"embedder": "made up", "frames": FRAMES, "negatives": {n: list(chance.names) for n in NAMES}},
    )  # fmt: skip


def finished(session: Session, count: int) -> Sweep:
    """A sweep of so many jobs, all with a clip that was measured."""
    prompts = max(count // 8, 1)
    design = Design((
        (Axis("prompt", tuple(f"prompt {n}" for n in range(prompts))),), (Axis("model", MODELS),),
        (Axis("seed", tuple(range(4))),),
    ))  # fmt: skip
    record = SweepRecord(id="sw-1", state=SweepState.FINISHED, design=design, created=0.0, updated=0.0, simulated=True)
    cells, jobs, reports = [], [], []
    ledger = session.ledger
    for number in range(1, len(design) + 1):
        at = design.settings(number)
        request = VideoRequest(
            prompt=str(at["prompt"]), model=str(at["model"]), references=REFERENCES, duration=4, resolution="480p",
            seed=int(at["seed"] or 0),
        )  # fmt: skip
        film = digest(f"film {number}")
        cells.append(Cell(number=number, request=request, sent_prompt=request.prompt, fingerprint=film))
        jobs.append(
            JobRecord(
                id=f"rv-{number}", state=State.DOWNLOADED, request=request, sent_prompt=request.prompt, created=0.0,
                updated=1.0, cost=Decimal("0.10"), simulated=True, submitted=0.0, finished=40.0,
                video=VideoFacts(
                    sha256=film, nbytes=10**6, width=864, height=480, seconds=4.0, fps=24.0, frames=96, audio=False
                ),
            )
        )  # fmt: skip
        made = write_report(report(film, float(RANDOM.normal(0.6, 0.05))), ASKED)
        reports.append((report_key(film, ASKED), film, made, 0))
        if len(reports) == 200 or number == len(design):
            ledger.reports._put("REPLACE", reports)  # noqa: SLF001 - as below
            reports.clear()
    ledger.sweeps.add(record, cells)
    with ledger._database.writing() as db:  # noqa: SLF001 - ten thousand transactions would measure the disk
        for job in jobs:
            insert(db, job, fingerprint=job.id, owner=None, lease=None)
        db.execute("UPDATE cells SET job = 'rv-' || number WHERE sweep = 'sw-1'")
    return Sweep(session, sweep_id="sw-1")


@contextlib.contextmanager
def opened() -> Iterator[Session]:
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Session(Settings(home=Path(folder)))) as session:
        yield session


def one(count: int) -> list[Any]:
    """Seconds for the table, for a summary from it, and for all that stands before a drawing; then the peak in MB."""
    with opened() as session:
        sweep = finished(session, count)
        start = time.process_time()
        table = sweep.table()
        made = time.process_time() - start
        assert table.adherence.notna().all()
        assert len(table) == 2 * len(sweep)
        summed, summing = timed(sweep.summary)
        assert (summed.measured == len(sweep) // 2).all()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return [len(table), made, summing, peak]


def main() -> None:
    """Print the table."""
    print(f"{'jobs':>7} {'rows':>7} {'table':>8} {'summary':>8}   peak memory")
    one(8)  # imports
    for count in (16, 104, 1000, 10_000):
        rows, *seconds, peak = one(count)
        print(f"{count:7,} {rows:7,} " + " ".join(f"{s:6.2f} s" for s in seconds) + f"   {peak:.0f} MB")


if __name__ == "__main__":
    main()
