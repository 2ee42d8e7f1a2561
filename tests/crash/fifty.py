"""A process on a shared ledger: "start" begins fifty jobs, "join" looks after all that it finds."""

import sys

import refvideo_nb

JOBS = 50


def main(what: str) -> None:
    if what == "start":
        jobs = [
            refvideo_nb.generate(
                f"ball number {n}", model="x-ai/grok-imagine-video", duration=1, resolution="480p", aspect_ratio="1:1"
            )
            for n in range(JOBS)
        ]
        while any(job.api_id is None for job in jobs):
            pass
    else:
        jobs = refvideo_nb.resume()
    print("ready", len(jobs), flush=True)
    for job in jobs:
        job.wait(120)
    print("done", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
