"""Looking into a video: is it whole, what is it, and what do its frames show.

PyAV decodes in sequence, with threads, and frames are resized in libswscale before
they reach Python: seeking to each frame and keeping full-size RGB cost five to ten
times as much time and memory.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, BinaryIO

import av

from refvideo_nb.core.job import VideoFacts
from refvideo_nb.errors import DownloadError, one_line
from refvideo_nb.media.mp4 import look

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from av.container import InputContainer
    from numpy.typing import NDArray

    from refvideo_nb.media.mp4 import Tracks

__all__ = ["decoders", "frames_at", "length", "open_media", "probe"]

_PART = re.compile(r"(?:\.[0-9a-f]{8}(?=\.mp4\.part))|\.part\Z")
# Titles that are no UTF-8 must not cost the film; PyAV 19 reads over them by itself, and takes no word of it.
_MAJOR = int(av.__version__.partition(".")[0])
_LENIENT: dict[str, Any] = {"metadata_errors": "replace"} if _MAJOR < 19 else {}  # noqa: PLR2004 - as said
_OPTIONS = {
    # A hostile file may be a playlist that names other files or addresses: only films and sounds are opened,
    # and only from this disk.
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mp3,wav,ogg,flac,aac,mpegts,avi",
}


def open_media(path: Path) -> InputContainer:
    """A film or a sound, opened by what it is and by nothing that it refers to."""
    opened: InputContainer = av.open(str(path), options=_OPTIONS, **_LENIENT)
    return opened


def probe(path: Path) -> VideoFacts:
    """Look whether a file is a whole film, and say what it is.

    The films that the API makes are followed by their tables through every frame, and one is decoded;
    whatever else comes is decoded from end to end.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    VideoFacts

    Raises
    ------
    DownloadError
        Where it holds no video, or is not whole.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            nbytes = file.tell()
            missing = _missing(file, nbytes)
        if missing:
            raise DownloadError(
                f"{_called(path)} is cut off, or no video: {missing} bytes or more are missing at its end"
            )
        tracks = look(path)
        seen = _decoded(path) if tracks is None else _followed(path, tracks)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise DownloadError(f"{_called(path)} cannot be decoded as a video ({one_line(error, limit=120)})") from None
    return VideoFacts(sha256=digest, nbytes=nbytes, **seen)


def _followed(path: Path, tracks: Tracks) -> dict[str, Any]:
    """The facts of a film whose tables were followed to its end, once its first frame is decoded."""
    if tracks.problem:
        raise DownloadError(f"{_called(path)} is not whole: {tracks.problem}")
    decoder: Any = av.CodecContext.create(tracks.codec, "r")  # the stubs know no decode
    decoder.extradata = tracks.config
    decoder.thread_count = 1  # one frame, and many films may come at once
    decoder.options = {"skip_loop_filter": "all"}  # which only smooths what is shown
    shown = [*decoder.decode(av.Packet(tracks.first)), *decoder.decode(None)]
    if not shown:
        raise DownloadError(f"{_called(path)} cannot be decoded as a video (its first frame shows nothing)")
    return {
        "width": shown[0].width,
        "height": shown[0].height,
        "seconds": round(tracks.seconds, 3),
        "fps": round(tracks.frames / tracks.seconds, 3),
        "frames": tracks.frames,
        "audio": tracks.audio,
    }


def _decoded(path: Path) -> dict[str, Any]:
    """The facts of a film of any other kind, decoded from end to end."""
    with open_media(path) as container:
        if not container.streams.video:
            raise DownloadError(f"{_called(path)} has no video track")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        width, height = stream.codec_context.width, stream.codec_context.height
        rate = float(stream.average_rate or 0)
        announced = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
        audio = bool(container.streams.audio)
        frames, last = 0, 0.0
        for frame in container.decode(stream):
            frames += 1
            last = frame.time or last
    seconds = last + (1 / rate if rate else 0.0)
    # Other containers that are cut off decode without an error up to where they end.
    if not frames or (announced and seconds < announced - max(0.5, 3 / rate if rate else 0.5)):
        raise DownloadError(f"{_called(path)} ends after {seconds:.2f} s of the {announced:.2f} s that it announces")
    return {
        "width": width,
        "height": height,
        "seconds": round(announced or seconds, 3),
        "fps": round(rate, 3),
        "frames": frames,
        "audio": audio,
    }


def _missing(file: BinaryIO, nbytes: int) -> int:
    """Bytes that an MP4 announces and does not have; 0 for a whole one and for what is none.

    The decoder forgives a lost end, so the boxes of the file are asked: each says its length.
    """
    at = 0
    while at < nbytes:
        file.seek(at)
        head = file.read(16)
        if at == 0 and head[4:8] != b"ftyp":
            return 0
        if len(head) < 8:  # noqa: PLR2004 - length and name of a box, four bytes each
            return 8 - len(head)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        elif size == 0:
            return 0  # the last box, up to the end of the file
        if size < 8:  # noqa: PLR2004 - as above
            return 0  # no box; the decoder will say what it thinks of it
        at += size
    return at - nbytes


def _called(path: Path) -> str:
    """The name that people will find; a file that is still being fetched has another."""
    return _PART.sub("", path.name)


def decoders() -> dict[str, bool]:
    """Which of the usual codecs of video can be read here."""
    names = {"H.264": ("h264",), "HEVC": ("hevc",), "VP9": ("vp9",), "AV1": ("av1", "libdav1d"), "AAC": ("aac",)}
    return {name: any(c in av.codecs_available for c in codecs) for name, codecs in names.items()}


def length(path: Path) -> float | None:
    """Seconds of a video or a sound, by its header; None where it is neither."""
    try:
        with open_media(path) as container:
            return container.duration / av.time_base if container.duration else None
    except (av.FFmpegError, OSError, ValueError):
        return None


def frames_at(path: Path, times: Sequence[float], *, width: int | Sequence[int]) -> list[NDArray[np.uint8]]:
    """The frames shown at some times, in one pass.

    Parameters
    ----------
    path : pathlib.Path
    times : sequence of float
        Seconds, ascending; what lies behind the end gives the last frame.
    width : int or sequence of int
        Pixels of the frames that are returned, of all or of each; the height follows the ratio.

    Returns
    -------
    list of ndarray
        One ``(height, width, 3)`` uint8 each.
    """
    wanted = list(times)
    widths = [width] * len(wanted) if isinstance(width, int) else width
    found: list[NDArray[np.uint8]] = []
    shown: av.VideoFrame | None = None
    for frame in decode(path):
        while len(found) < len(wanted) and shown is not None and (frame.time or 0.0) > wanted[len(found)] + 1e-6:
            found.append(_small(shown, widths[len(found)]))
        if len(found) == len(wanted):
            return found
        shown = frame
    if shown is None:
        raise DownloadError(f"{_called(path)} has no frame that can be decoded")
    return found + [_small(shown, each) for each in widths[len(found) :]]


def decode(path: Path) -> Iterator[av.VideoFrame]:
    """Every frame in the order in which they are shown, as the decoder gives them.

    Raises
    ------
    DownloadError
        Where it has no video track, or cannot be decoded.
    """
    try:
        with open_media(path) as container:
            if not container.streams.video:
                raise DownloadError(f"{_called(path)} has no video track")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield from container.decode(stream)
    except (av.FFmpegError, OSError, IndexError, ValueError) as error:
        raise DownloadError(f"{_called(path)} cannot be decoded as a video ({one_line(error, limit=120)})") from None


def _small(frame: av.VideoFrame, width: int) -> NDArray[np.uint8]:
    height = max(2, round(frame.height * width / frame.width / 2) * 2)
    import numpy as np  # noqa: PLC0415 - a film that is only fetched and looked at does not need it

    array = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    return np.ascontiguousarray(array, dtype=np.uint8)
