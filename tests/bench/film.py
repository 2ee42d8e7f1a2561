"""Films of an exact size, made once and kept for a run."""

from fractions import Fraction

import av
import numpy as np

SIZE = (1280, 720)
FPS = 24
# As those send who stream: the first frame is not half of the film.
STEADY = {"preset": "veryfast"}


def film(path, nbytes, *, seconds=4):
    """An H.264 film in MP4 of exactly so many bytes: a moving picture with noise, filled up with an empty box."""
    rate = min(nbytes * 8 / seconds * 0.9, 20_000_000)
    width, height = SIZE
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0 : height + 200, 0 : width + 800]
    wave = 128 + 90 * np.sin(x / 47)[..., None] * np.cos(y / 31)[..., None] * [1, 0.7, 0.4]
    picture = np.clip(wave + rng.normal(0, 6, wave.shape), 16, 200).astype(np.uint8)
    grain = rng.integers(0, 24, (height + 64, width + 64, 1), np.uint8)
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream(
            "libx264", rate=FPS, options=STEADY | {"maxrate": str(int(rate)), "bufsize": str(int(rate / 4))}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate, stream.time_base = int(rate), Fraction(1, FPS)
        for n in range(seconds * FPS):
            a, b = rng.integers(0, 64, 2)
            shown = picture[n : n + height, 3 * n : 3 * n + width] + grain[a : a + height, b : b + width]
            out.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        out.mux(stream.encode())
    left = nbytes - path.stat().st_size
    assert left >= 8, f"the film itself has {path.stat().st_size} bytes already, of {nbytes}"
    with path.open("ab") as file:
        file.write(left.to_bytes(4, "big") + b"free")
        while left > 8:
            some = min(left - 8, 1 << 20)
            file.write(rng.bytes(some))
            left -= some
    return path
