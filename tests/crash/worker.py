"""A process that is going to be killed: it starts one job and tells each state that it reaches."""

import sys
import time

import refvideo_nb


def main(seed: int) -> None:
    job = refvideo_nb.generate(
        "a red ball", model="x-ai/grok-imagine-video", duration=1, resolution="480p", aspect_ratio="1:1", fresh=True
    )
    said = ""
    while said != "downloaded":
        status = job.status
        if status != said:
            said = status
            print(said, flush=True)
        time.sleep(0.001)


if __name__ == "__main__":
    main(int(sys.argv[1]))
