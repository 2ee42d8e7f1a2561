"""Films whose truth is known: subjects pasted into scenes, and the simulator's own with the truth that it tells."""

from __future__ import annotations

import base64
import io
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import httpx
import numpy as np
from PIL import Image

from refvideo_nb.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["HEIGHT", "WIDTH", "Truth", "connected", "paste", "scenes", "simulated", "write"]

WIDTH, HEIGHT = 1280, 720
_CRF = {"usual": "23", "low": "38"}  # about 1 Mbit/s and 0.1 Mbit/s of these films


@dataclass(frozen=True, slots=True)
class Truth:
    """Of one reference: where it is in each frame of the film, ``(frames, 4)``; NaN where it is not."""

    boxes: np.ndarray
    fps: float

    @property
    def visible(self) -> np.ndarray:
        return np.isfinite(self.boxes[:, 0])

    def at(self, times: np.ndarray) -> Truth:
        """At the frames that were sampled."""
        return Truth(self.boxes[np.round(times * self.fps).astype(int).clip(0, len(self.boxes) - 1)], self.fps)

    @property
    def onset(self) -> float | None:
        return float(np.flatnonzero(self.visible)[0] / self.fps) if self.visible.any() else None


def paste(frame: np.ndarray, view: np.ndarray, *, area: float, at: tuple[float, float]) -> list[float]:
    """Draw a view into a frame with a soft, rounded edge.

    Parameters
    ----------
    frame : ndarray
        ``(height, width, 3)`` uint8, which is changed.
    view : ndarray
        The subject.
    area : float
        Share of the frame that it covers.
    at : tuple of float
        Where, 0 to 1 in both directions of what keeps it whole.

    Returns
    -------
    list of float
        Its box: x0, y0, x1, y1.
    """
    tall, wide = frame.shape[:2]
    ratio = np.clip(view.shape[1] / view.shape[0], 0.4, 2.5)
    filled = 0.93  # of its box, by the rounded mask
    height = min(tall, round((area * tall * wide / filled / ratio) ** 0.5))
    width = min(wide, round(height * ratio))
    small = np.asarray(Image.fromarray(np.ascontiguousarray(view)).resize((width, height), Image.Resampling.LANCZOS))
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    radius = (np.abs(x) ** 6 + np.abs(y) ** 6) ** (1 / 6)
    mask = np.clip((1.02 - radius) * min(width, height) / 4, 0, 1)[..., None]
    left, top = round((wide - width) * at[0]), round((tall - height) * at[1])
    part = frame[top : top + height, left : left + width]
    part[:] = (small * mask + part * (1 - mask)).astype(np.uint8)
    return [left, top, left + width, top + height]


def write(path: Path, frames: Sequence[np.ndarray], *, fps: int, rate: str = "usual") -> Path:
    """An MP4 (H.264) of frames; `rate` is ``"usual"`` or ``"low"``."""
    with av.open(str(path), "w") as target:
        track = target.add_stream("libx264", rate=fps, options={"crf": _CRF[rate], "preset": "veryfast"})
        track.height, track.width = frames[0].shape[:2]
        track.pix_fmt = "yuv420p"
        for number, frame in enumerate(frames):
            shown = av.VideoFrame.from_ndarray(frame, format="rgb24")
            shown.pts, shown.time_base = number, Fraction(1, fps)
            target.mux(track.encode(shown))
        target.mux(track.encode(None))
    return path


def simulated(
    api: httpx.Client, path: Path, prompt: str, pictures: Sequence[np.ndarray], **parameters: Any
) -> list[Truth]:
    """A film of the simulator in 720p, 5 s at 24 frames a second, and its own truth."""
    body: dict[str, Any] = {
        "model": "bytedance/seedance-2.0",
        "prompt": prompt,
        "duration": 5,
        "resolution": "720p",
        "aspect_ratio": "16:9",
    }
    if pictures:
        body["input_references"] = [{"type": "image_url", "image_url": {"url": _data_url(one)}} for one in pictures]
        body["provider"] = {"options": {"simulator": {"parameters": parameters}}}
    answer = api.post("/videos", json=body)
    answer.raise_for_status()
    job = answer.json()["id"]
    deadline = time.monotonic() + 300
    while (told := api.get(f"/videos/{job}").json())["status"] in {"pending", "in_progress"}:
        if time.monotonic() > deadline:
            raise TimeoutError(told)
        time.sleep(0.1)
    path.write_bytes(api.get(told["unsigned_urls"][0]).content)
    truth = api.get(f"/videos/{job}/truth").json()
    nowhere = [np.nan] * 4
    return [
        Truth(np.array([box or nowhere for box in row["box"]], np.float64), truth["fps"]) for row in truth["references"]
    ]


def scenes(folder: Path, prompts: Sequence[str]) -> dict[str, list[np.ndarray]]:
    """Scenes of the simulator without anybody in them: 40 frames of 5 s each."""
    with Simulator(seconds=0) as simulator, connected(simulator) as api:
        found = {}
        for prompt in prompts:
            simulated(api, folder / "scene.mp4", prompt, [])
            with av.open(str(folder / "scene.mp4")) as film:
                frames = [f.to_ndarray(format="rgb24") for n, f in enumerate(film.decode(video=0)) if n % 3 == 0]
            found[prompt] = frames
    return found


def connected(simulator: Simulator) -> httpx.Client:
    """Its API."""
    headers = {"Authorization": f"Bearer {simulator.api_key}"}
    return httpx.Client(base_url=simulator.base_url, headers=headers, timeout=60)


def _data_url(image: np.ndarray) -> str:
    packed = io.BytesIO()
    Image.fromarray(image).save(packed, "PNG")
    return "data:image/png;base64," + base64.b64encode(packed.getvalue()).decode()
