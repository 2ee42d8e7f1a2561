"""Real photographs, a real clip made of them, and a job in every state."""

import functools
import hashlib
import io
from decimal import Decimal
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from refvideo_nb.core.adherence import UNVALIDATED, Measured, Negatives, Report, Score
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.media.video import probe

PHOTOS = {"cat": "chelsea", "cup": "coffee", "woman": "astronaut", "rocket": "rocket"}
PROMPT = (
    "@cat walks across a table beside @cup, soft morning light.\n"
    "Keep its fur pattern; the price tag says $5 and $6, write to me@@home.org."
)


def photo(which):
    """A photograph of scikit-image as JPEG bytes."""
    from skimage import data

    out = io.BytesIO()
    Image.fromarray(getattr(data, which)()).save(out, "JPEG", quality=92)
    return out.getvalue()


@pytest.fixture(scope="session")
def photos():
    """JPEG bytes by name."""
    return {name: photo(which) for name, which in PHOTOS.items()}


def make_clip(path, photos, *, size=(864, 496), seconds=4.0, bit_rate=2_000_000):
    """The cat, round and growing, across the coffee table: H.264, 24 fps, silent."""
    cat = Image.open(io.BytesIO(photos["cat"])).crop((100, 20, 360, 280))
    cup = Image.open(io.BytesIO(photos["cup"])).resize((round(size[0] * 1.2), round(size[1] * 1.4)))
    round_mask = Image.fromarray(
        (255 * np.clip((1 - np.hypot(*np.mgrid[-1:1:260j, -1:1:260j])) * 6, 0, 1)).astype(np.uint8)
    )
    with av.open(str(path), "w", options={"movflags": "faststart"}) as target:
        track = target.add_stream("libx264", rate=24)
        track.width, track.height, track.pix_fmt = *size, "yuv420p"
        track.bit_rate = bit_rate
        count = round(seconds * 24)
        for n in range(count):
            part = n / count
            side = round(size[1] * (0.35 + 0.25 * part))
            frame = cup.crop(
                (round(60 * part), round(40 * part), round(60 * part) + size[0], round(40 * part) + size[1])
            )
            at = (round(size[0] * (0.05 + 0.55 * part)), round(size[1] * (0.4 - 0.15 * np.sin(part * 9))))
            frame.paste(cat.resize((side, side)), at, round_mask.resize((side, side)))
            shown = av.VideoFrame.from_image(frame)
            shown.pts, shown.time_base = n, Fraction(1, 24)
            target.mux(track.encode(shown))
        target.mux(track.encode(None))
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory, photos):
    return make_clip(tmp_path_factory.mktemp("clip") / "rv-20261123-k3f9q2.mp4", photos)


@pytest.fixture(scope="session")
def facts(clip):
    return probe(clip)


@pytest.fixture(scope="session")
def upright(tmp_path_factory, photos):
    return make_clip(tmp_path_factory.mktemp("upright") / "upright.mp4", photos, size=(272, 480), seconds=1.0)


@pytest.fixture(scope="session")
def reference():
    """Makes a reference of a photograph."""
    return make_reference


def make_reference(name, data, **changes):
    width, height = Image.open(io.BytesIO(data)).size
    values = {
        "name": name,
        "kind": "image",
        "sha256": hashlib.sha256(data).hexdigest(),
        "media_type": "image/jpeg",
        "nbytes": len(data),
        "width": width,
        "height": height,
        "source": f"photos/{name}.jpg",
    }
    return Reference(**(values | changes))


@pytest.fixture
def reader(photos):
    """`reference_bytes` over the photographs, by hash."""
    by_hash = {hashlib.sha256(d).hexdigest(): d for d in photos.values()}
    return lambda r: by_hash.get(r.sha256)


@pytest.fixture
def record(photos, facts):
    """Makes a record; without changes, a finished simulated job with two references."""

    def make(names=("cat", "cup"), request=(), **changes):
        asked = {
            "prompt": PROMPT,
            "references": tuple(make_reference(n, photos[n]) for n in names),
            "duration": 4,
            "resolution": "480p",
            "aspect_ratio": "16:9",
            "seed": 7,
            "generate_audio": False,
        } | dict(request)
        state = changes.get("state", State.DOWNLOADED)
        done = state is State.DOWNLOADED
        values = {
            "id": "rv-20261123-k3f9q2",
            "state": state,
            "request": VideoRequest(**asked),
            "sent_prompt": "[Image1] walks across a table beside [Image2], soft morning light.",
            "created": 1_795_436_569.0,
            "updated": 1_795_436_611.0,
            "submitted": 1_795_436_570.0,
            "finished": 1_795_436_611.0 if done else None,
            "estimate": Estimate(Decimal("0.36288"), Decimal("0.36288"), "86,400 tokens x USD 0.0000042"),
            "cost": Decimal("0.36288") if done else None,
            "api_id": "job-abc123",
            "api_status": "completed" if done else "",
            "polls": 5,
            "video": facts if done else None,
        }
        return JobRecord(**(values | changes))

    return make


# --- adherence --------------------------------------------------------------------------------------------------------


def make_report(facts, names=("cat", "cup"), *, roles=("subject", "scene"), frames=32, copied=(0.0, 0.0), **changes):
    """What a measurement of `make_clip` may say: the cat comes at a quarter and is where the clip has it."""
    count = len(names)
    random = np.random.default_rng(3)
    times = np.linspace(0, facts.seconds, frames, endpoint=False)
    levels = [0.72 if n % 2 == 0 else 0.55 for n in range(count)]
    similarity = np.stack([level + 0.02 * random.standard_normal(frames) for level in levels], axis=1)
    similarity[: frames // 4, 0] = 0.36 + 0.02 * random.standard_normal(frames // 4)
    similarity = similarity.astype(np.float32)
    boxes = np.zeros((frames, count, 4), np.float32)
    boxes[..., 2:] = facts.width, facts.height
    part = times / facts.seconds
    side = facts.height * (0.35 + 0.25 * part)
    left, top = facts.width * (0.05 + 0.55 * part), facts.height * (0.4 - 0.15 * np.sin(part * 9))
    boxes[:, 0] = np.stack([left, top, left + side, top + side], axis=1)
    negatives = {
        name: Negatives(
            names=tuple(f"picture {n}" for n in range(32)),
            mean=np.full(frames, 0.34, np.float32),
            low=(0.26 + 0.01 * random.standard_normal(frames)).astype(np.float32),
            high=(0.42 + 0.01 * random.standard_normal(frames)).astype(np.float32),
            sigma=0.05,
            threshold=0.43,
        )
        for name in names
    }
    covered = similarity > 0.43
    confusion = np.diag(covered.sum(axis=0)).astype(np.int64)
    if count > 1:
        confusion[0, 1], confusion[0, 0] = 3, confusion[0, 0] - 3
    scores = tuple(
        Score(
            reference=name,
            role=roles[n],
            adherence=float(similarity[:, n].mean()),
            low=float(similarity[:, n].mean()) - 0.05,
            high=float(similarity[:, n].mean()) + 0.04,
            covered=0.72,
            z=6.2,
            p=1 / 33,
            coverage=float(covered[:, n].mean()),
            onset=float(times[covered[:, n].argmax()]),
            longest_gap=1.0 if n == 0 else 0.0,
            stability=0.013,
            drift=0.01,
            sameness=0.9,
            copied=copied[n] if n < len(copied) else 0.0,
            first_frame_copy=n < len(copied) and copied[n] > 0.5,
            binding=0.9 if count > 1 else None,
            margin=0.2 if count > 1 else None,
            area=0.12,
            verdict="followed",
            sentence=f"{name}: visible in {covered[:, n].mean():.0%} of frames, far above chance (z 6.2), not copied",
        )
        for n, name in enumerate(names)
    )
    values = {
        "video": "rv-20261123-k3f9q2",
        "video_sha256": facts.sha256,
        "seconds": facts.seconds,
        "width": facts.width,
        "height": facts.height,
        "references": tuple(
            Measured(name=name, role=roles[n], sha256=("ab" * 32,), width=451, height=300)
            for n, name in enumerate(names)
        ),
        "times": times,
        "similarity": similarity,
        "z": ((similarity - 0.34) / 0.05).astype(np.float32),
        "boxes": boxes,
        "copies": np.zeros((frames, count), np.int32),
        "negatives": negatives,
        "confusion": confusion,
        "scores": scores,
        "settings": {"embedder": "efficientnet-lite0", "frames": frames, "seed": 0},
        "notes": (UNVALIDATED, "a look-alike of the same kind scores nearly as high as the subject itself"),
    }
    return Report(**(values | changes))


@pytest.fixture
def report(facts):
    """Makes a report of the clip; see `make_report`."""
    return functools.partial(make_report, facts)
