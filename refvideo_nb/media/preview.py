"""A small copy of a large video, so that a notebook can hold something that plays."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from refvideo_nb.errors import DownloadError, one_line
from refvideo_nb.media.video import open_media

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["preview"]

_LEAST_RATE = 60_000  # bits a second; below that nothing can be recognised
_MOST_RATE = 1_500_000
_WIDTHS = ((1_200_000, 854), (500_000, 640), (200_000, 426), (0, 320))


def preview(path: Path, *, most_bytes: int, seconds: float) -> bytes | None:
    """A silent H.264 copy of at most `most_bytes`, or None where it cannot be that small.

    Parameters
    ----------
    path : pathlib.Path
        The video.
    most_bytes : int
        Its largest size in bytes.
    seconds : float
        How long the video is; the bit rate follows from it.
    """
    # An encoder overshoots on a short clip; the second try leaves it more room.
    for share in (0.8, 0.5):
        rate = int(most_bytes * 8 / max(seconds, 0.1) * share)
        if rate < _LEAST_RATE:
            return None
        data = _encode(path, min(rate, _MOST_RATE))
        if len(data) <= most_bytes:
            return data
    return None


def _encode(path: Path, rate: int) -> bytes:
    wanted = next(w for least, w in _WIDTHS if rate >= least)
    out = io.BytesIO()
    try:
        with open_media(path) as source:
            track = source.streams.video[0]
            track.thread_type = "AUTO"
            width = max(2, min(wanted, track.codec_context.width) // 2 * 2)
            height = max(2, round(track.codec_context.height * width / track.codec_context.width / 2) * 2)
            fps = Fraction(track.average_rate or 24)
            with av.open(out, "w", format="mp4") as target:  # in memory FFmpeg cannot move the index to the front
                made = target.add_stream("libx264", rate=fps)
                made.width, made.height, made.pix_fmt = width, height, "yuv420p"
                made.bit_rate = rate
                made.options = {"preset": "veryfast", "maxrate": str(rate), "bufsize": str(rate)}
                for number, frame in enumerate(source.decode(track)):
                    small = frame.reformat(width=width, height=height, format="yuv420p")
                    small.pts, small.time_base = number, 1 / fps
                    target.mux(made.encode(small))
                target.mux(made.encode(None))
    except (av.FFmpegError, OSError, IndexError, ValueError) as error:
        raise DownloadError(f"{path.name} cannot be decoded as a video ({one_line(error, limit=120)})") from None
    return out.getvalue()
