"""One finished clip as a MIME bundle, the first time in this process; what is imported comes before the clock."""

import json
import sys
import time
from pathlib import Path


def ours(film, picture, home):
    import shutil

    from refvideo_nb.core.job import JobRecord, State
    from refvideo_nb.core.references import Reference
    from refvideo_nb.core.request import VideoRequest
    from refvideo_nb.display.card import card, warm
    from refvideo_nb.ledger.media import MediaStore
    from refvideo_nb.media.video import probe

    warm()  # as is done while a job runs
    media = MediaStore(home)
    data = picture.read_bytes()
    sha256 = media.put(data, "image/jpeg")
    references = tuple(
        Reference(
            name=f"r{n}", kind="image", sha256=sha256, media_type="image/jpeg", nbytes=len(data), width=1280, height=720
        )
        for n in range(4)
    )
    record = JobRecord(
        id="rv-20260101-aaaaaa",
        state=State.DOWNLOADED,
        request=VideoRequest(prompt="@r0 @r1 @r2 @r3", references=references),
        sent_prompt="",
        created=0.0,
        updated=0.0,
        video=probe(film),
    )
    video = media.video(record.id)
    video.parent.mkdir()
    shutil.copy(film, video)
    return lambda: card(record, reference_bytes=media.read, video=video)


def ipython(film, *_):
    from IPython.display import Video

    return lambda: {"text/html": Video(str(film), embed=True)._repr_html_()}


def mediapy(film, *_):
    import mediapy

    return lambda: {"text/html": mediapy.show_video(mediapy.read_video(film), fps=24, codec="h264", return_html=True)}


ways = {"ours": ours, "IPython.display.Video": ipython, "mediapy": mediapy}
show = ways[sys.argv[1]](*map(Path, sys.argv[2:]))
start = time.perf_counter()
bundle = show()
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "nbytes": sum(len(v.encode()) for v in bundle.values())}))
