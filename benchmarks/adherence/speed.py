"""How long a measurement takes, and how much memory: run in a process of its own, which prints JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from photographs import reference

from refvideo_nb.measure.embedders import find_embedder
from refvideo_nb.measure.embedders.runtime import Network
from refvideo_nb.measure.targets import Given
from refvideo_nb.measure.video import measure_video

if TYPE_CHECKING:
    import numpy as np

__all__ = ["main"]


def main(path: Path) -> dict[str, float]:
    """32 frames of a film against 4 references; network and negatives are ready, as after a first film.

    Frames are looked at side by side, so what counts is time of the processor, not of the clock.
    """
    find_embedder(threads=1)
    before = _most()
    references = [Given(name=name, pictures=(reference(name),)) for name in ("cat", "pack", "woman", "motorcycle")]
    measure_video(path, references, frames=1)
    inside: list[float] = []
    run = Network.run

    def timed(self: Network, images: np.ndarray, outputs: list[str]) -> list[np.ndarray]:
        begun = time.thread_time()
        try:
            return run(self, images, outputs)
        finally:
            inside.append(time.thread_time() - begun)

    Network.run = timed
    begun, worked = time.perf_counter(), time.process_time()
    measure_video(path, references, frames=32)
    return {
        "seconds": time.perf_counter() - begun,
        "worked": time.process_time() - worked,
        "network": sum(inside),
        "megabytes": _most(),
        "before": before,
    }


def _most() -> float:
    """The most memory that this process had, MB.

    Not ``ru_maxrss``, which a process takes over from the one that started it: that of the whole
    benchmark, which holds films, would be told as the measurement's.
    """
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("utf-8").splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
