"""How long a measurement takes, and how much memory: run in a process of its own, which prints JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from photographs import reference

from refvideo_nb.measure.embedders import find_embedder
from refvideo_nb.measure.embedders.runtime import Network
from refvideo_nb.measure.targets import Given
from refvideo_nb.measure.video import measure_video

__all__ = ["main"]


def main(path: Path) -> dict[str, float]:
    """32 frames of a film against 4 references; the network and the negatives are ready, as after a first film."""
    embedder = find_embedder()
    references = [Given(name=name, pictures=(reference(name),)) for name in ("cat", "pack", "woman", "motorcycle")]
    measure_video(path, references, embedder=embedder, frames=1)
    inside = 0.0
    run = Network.run

    def timed(self: Network, images: object, outputs: object) -> object:
        nonlocal inside
        begun = time.perf_counter()
        try:
            return run(self, images, outputs)
        finally:
            inside += time.perf_counter() - begun

    Network.run = timed
    begun = time.perf_counter()
    measure_video(path, references, embedder=embedder, frames=32)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "network": inside, "megabytes": peak}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
