"""A process that is going to end: it starts one job and tells each state that it reaches."""

import os
import signal
import sys
import time


def leave_in_good_order(*_: object) -> None:
    sys.exit(7)


def leave_at_once(*_: object) -> None:
    os._exit(9)


def main() -> None:
    # Told here, since a shell that starts the tests in the background lets its children ignore an interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGUSR1, leave_in_good_order)
    signal.signal(signal.SIGUSR2, leave_at_once)
    print("started", flush=True)
    import numpy as np

    import refvideo_nb
    from refvideo_nb.core.job import SETTLED

    job = refvideo_nb.generate(
        "@ball rolls",
        references={"ball": np.full((320, 320, 3), os.getpid() % 256, np.uint8)},
        model="x-ai/grok-imagine-video",
        duration=1,
        resolution="480p",
        aspect_ratio="1:1",
        fresh=True,
    )
    said = ""
    while said not in SETTLED:
        status = job.status
        if status != said:
            said = status
            print(said, job.id, flush=True)
        time.sleep(0.001)


if __name__ == "__main__":
    main()
