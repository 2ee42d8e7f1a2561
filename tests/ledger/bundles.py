"""What the tests of bundles share: two jobs, and homes between which they go."""

import contextlib
import dataclasses
import hashlib
from decimal import Decimal
from pathlib import Path

from refvideo_nb.core.job import JobRecord, State, VideoFacts
from refvideo_nb.core.pricing import Estimate
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.ledger.store import Ledger
from refvideo_nb.ledger.unbundle import Bundle
from refvideo_nb.ledger.unpack import unpacked

CLIP = b"\x00\x00\x00\x18ftypmp42" + b"a clip of 4 seconds" * 500
PICTURE = b"\xff\xd8 a picture of a cat"
NAMES = ("jobs/rv-20270115-aaaaaa.json", "jobs/rv-20270115-bbbbbb.json", "videos/rv-20270115-aaaaaa.mp4")


def sha(data):
    return hashlib.sha256(data).hexdigest()


def facts(data, **more):
    values = {"width": 864, "height": 496, "seconds": 4.0, "fps": 24.0, "frames": 96, "audio": False}
    return VideoFacts(sha256=sha(data), nbytes=len(data), **(values | more))


def reference(name="cat", data=PICTURE, **more):
    values = {"kind": "image", "media_type": "image/jpeg", "width": 451, "height": 300, "source": "photos/cat.jpg"}
    return Reference(name=name, sha256=sha(data), nbytes=len(data), **(values | more))


@dataclasses.dataclass
class Home:
    """A ledger and its files."""

    folder: Path
    ledger: Ledger
    media: MediaStore

    def keep(self, record, *, clip=CLIP, pictures=(PICTURE,)):
        """A job as if it had been made here."""
        for picture in pictures:
            self.media.put(picture, "image/jpeg")
        if record.state is State.DOWNLOADED:
            self.media.video(record.id).write_bytes(clip)
        self.ledger.bring_in([(record, record.id)])
        return record

    def seen(self):
        """Everything that somebody could notice."""
        files = {p.relative_to(self.folder).as_posix(): p for p in self.folder.rglob("*")}
        held = {n: p.read_bytes() if p.is_file() else None for n, p in files.items() if "ledger.sqlite" not in n}
        return held, self.ledger.jobs()

    def take(self, path):
        """Bring a bundle in."""
        bundle = Bundle.open(path)
        with unpacked(bundle, self.media, self.ledger):
            return self.ledger.bring_in([(r, f"of {r.id}") for r in bundle.records])


@contextlib.contextmanager
def opened_home(folder):
    with contextlib.closing(Ledger(folder, clock=lambda: 1_800_000_500.0)) as ledger:
        yield Home(folder, ledger, MediaStore(folder))


def job(job_id="rv-20270115-aaaaaa", **more):
    request = VideoRequest(prompt="@cat & <b>", references=(reference(),), duration=4, seed=7)
    values = {
        "state": State.DOWNLOADED,
        "request": request,
        "sent_prompt": "[Image1] & <b>",
        "created": 1_800_000_000.0,
        "updated": 1_800_000_042.0,
        "submitted": 1_800_000_001.0,
        "finished": 1_800_000_041.0,
        "estimate": Estimate(Decimal("0.2"), Decimal("0.3"), "4 s x USD 0.05"),
        "cost": Decimal("0.25"),
        "base_url": "https://openrouter.ai/api/v1",
        "api_id": "gen-vid-1",
        "api_status": "completed",
        "polling_url": "https://openrouter.ai/api/v1/videos/gen-vid-1?token=SIGNED",
        "video": facts(CLIP),
    }
    return JobRecord(id=job_id, **(values | more))


def failed(job_id="rv-20270115-bbbbbb", **more):
    return job(job_id, **({"state": State.FAILED, "video": None, "error": "moderation", "cost": None} | more))
