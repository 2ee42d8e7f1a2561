"""``REFVIDEO_LIVE=1 make live-check``: one real job, the cheapest there is, and what it shows of our double.

The same request is made of the live API and of the simulator. Compared are the shapes of the
answers, the model list with the captured one, the bill with the estimate, and the clip with what
was asked for. It costs money, at most what ``REFVIDEO_LIVE_MAX_COST`` says (USD 0.50), and writes
``live-check.json``, in which there is no key, no address and no text of anybody.
"""

import json
import os
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from refvideo_nb.client.client import VideoClient
from refvideo_nb.core.pricing import about, usd
from refvideo_nb.engine.wish import Wish
from refvideo_nb.errors import RefVideoError
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.session import Session
from refvideo_nb.settings import Secret, Settings
from refvideo_nb.simulator import Simulator
from tests.live.recorder import Recorder
from tests.live.shapes import differences

PROMPT = "@cat sits on a wooden table and looks around. Keep its fur pattern and the colour of its eyes."
KNOWN = {"documented", "priced"}  # what the API's own pages say of references
STATUSES = {"pending", "in_progress", "completed", "failed", "cancelled", "expired"}
FACTS = (
    *("supported_resolutions", "supported_aspect_ratios", "supported_sizes", "supported_durations"),
    *("supported_frame_images", "generate_audio", "seed", "pricing_skus", "allowed_passthrough_parameters"),
)


class Recorded(Session):
    """A session whose exchanges are noted."""

    def __init__(self, settings):
        self.recorder = Recorder()
        super().__init__(settings)

    def _client(self, base_url, key):
        if (base_url, key) not in self._clients:
            self._clients[base_url, key] = VideoClient(base_url, key, transport=self.recorder)
        return self._clients[base_url, key]


def cheapest(session, most):
    """The draft of the cheapest job with one reference; none is sent.

    Raises
    ------
    RefVideoError
        Where nothing costs that little.
    """
    from skimage import data

    picture, drafts = data.chelsea(), []
    for model in session.catalogue().models:
        if model.references.status not in KNOWN or not model.durations:
            continue
        ratio = "16:9" if "16:9" in (model.aspect_ratios or ()) else None
        for resolution in model.resolutions or (None,):
            wish = Wish(
                prompt=PROMPT,
                references={"cat": picture},
                model=model.id,
                duration=min(model.durations),
                resolution=resolution,
                aspect_ratio=ratio,
                generate_audio=False if model.audio else None,
                max_cost=most,
            )
            try:
                drafts.append(session.draft(wish))
            except RefVideoError:
                continue  # not offered, too dear, or without an estimate
    if not drafts:
        raise RefVideoError(f"no job with a reference is estimated at {usd(most)} or less: set REFVIDEO_LIVE_MAX_COST")
    return min(drafts, key=lambda d: (d.prices.high, d.request.model))


def same_again(session, draft):
    """The same request, made of the simulator."""
    from skimage import data

    asked = draft.request
    return session.draft(
        Wish(
            prompt=PROMPT,
            references={"cat": data.chelsea()},
            model=asked.model,
            duration=asked.duration,
            resolution=asked.resolution,
            aspect_ratio=asked.aspect_ratio,
            generate_audio=asked.generate_audio,
        )
    )


def run(session, draft, *, patience):
    """The job at its end, whatever that is."""
    record, _ = session.submit(draft, fresh=True)
    try:
        Job(session, record.id).wait(timeout=patience)
    except RefVideoError as error:
        print(f"  {error}")
    return session.ledger.get(record.id)


def listed(live):
    """How the model list differs from the captured one, a line each."""
    double = json.loads(captured_text())["data"]
    before, now = {row["id"]: row for row in double}, {row.get("id"): row for row in live if isinstance(row, dict)}
    lines = [f"{name}: gone from the list" for name in sorted(before.keys() - now.keys())]
    for name in sorted(before.keys() & now.keys()):
        lines += [
            f"{name}.{fact}: live {now[name].get(fact)}, captured {before[name].get(fact)}"
            for fact in FACTS
            if now[name].get(fact) != before[name].get(fact)
        ]
    return lines


def captured_text():
    from importlib.resources import files

    return (files("refvideo_nb") / "data" / "captured_models.json").read_text(encoding="utf-8")


def priced(record):
    """What the bill says of the price rules."""
    if record.cost is None:
        return ["no bill came with the answer"]
    low, high = record.estimate.low, record.estimate.high
    # Providers round frames up: about 5 % was seen.
    if low * Decimal("0.99") <= record.cost <= high * Decimal("1.06"):
        return []
    return [f"billed {usd(record.cost)}, estimated {about(record.estimate)} ({record.estimate.working})"]


def clip(real, double):
    """What came instead of what was asked for."""
    if real.video is None:
        return [f"the job ended as {real.state.value}"]
    return [note for note in real.notes if note not in double.notes]


def compare(live, double):
    """How the live answers differ from the simulator's, a line each.

    Parameters
    ----------
    live, double : Recorder
    """
    lines = []
    for kind in ("submit", "poll", "content"):
        ours, theirs = double.of(kind), live.of(kind)
        for name, note in theirs.items():
            if name not in ours and name.partition(" ")[2] in STATUSES:
                continue  # which of them a poll meets is a matter of time
            if name not in ours:
                lines.append(f"{kind}: the live API answers {name!r}, which the simulator did not")
                continue
            lines += differences(note["body"], ours[name]["body"], f"{kind} ({name})")
            lines += differences(note["headers"], ours[name]["headers"], f"{kind} ({name}) headers")
    return lines


def check(base_url, key, *, most, patience=1800.0, simulator=None, to=None, settings=None):
    """Run both jobs; what has drifted, by chapter.

    Parameters
    ----------
    base_url, key : str, Secret
        The API that is looked at.
    most : Decimal
        USD that its job may be estimated at.
    patience : float
        Seconds.
    simulator : Simulator
        The double, running.
    to : pathlib.Path, optional
        Where the recording goes.
    settings : dict, optional
        Further `Settings`, for tests.
    """
    with tempfile.TemporaryDirectory() as folder:
        shared = {"poll_interval": 10.0, "poll_max": 30.0, **(settings or {})}
        there = Recorded(Settings(key=key, base_url=base_url, home=Path(folder) / "live", **shared))
        here = Recorded(
            Settings(
                key=Secret(simulator.api_key),
                base_url=simulator.base_url,
                home=Path(folder) / "double",
                poll_interval=0.5,
                poll_max=1.0,
            )
        )
        try:
            draft = cheapest(there, most)
            asked = draft.request
            print(f"{asked.model}, {asked.duration} s, {asked.resolution}: {about(draft.prices)}, at most {usd(most)}")
            real = run(there, draft, patience=patience)
            double = run(here, same_again(here, draft), patience=patience)
            found = {
                "answers": compare(there.recorder, here.recorder),
                "model list": listed(there.recorder.models),
                "price": priced(real),
                "clip": clip(real, double),
            }
            if to is not None:
                seen = {"live": there.recorder.seen, "simulated": here.recorder.seen, "drift": found}
                to.write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")
            return found
        finally:
            there.close()
            here.close()


def main():
    """The command."""
    if os.environ.get("REFVIDEO_LIVE") != "1":
        print("this makes one real, paid job: say REFVIDEO_LIVE=1 make live-check", file=sys.stderr)
        return 2
    settings = Settings.from_environment()
    if settings.key is None:
        print("it needs a key: set OPENROUTER_API_KEY", file=sys.stderr)
        return 2
    most = Decimal(os.environ.get("REFVIDEO_LIVE_MAX_COST", "0.50"))
    to = Path("live-check.json")
    try:
        with Simulator(seconds=2) as simulator:
            found = check(settings.base_url, settings.key, most=most, simulator=simulator, to=to)
    except RefVideoError as error:
        print(error, file=sys.stderr)
        return 1
    for chapter, lines in found.items():
        print(f"{chapter}: {'as it is simulated' if not lines else f'{len(lines)} differ'}")
        for line in lines:
            print(f"  {line}")
    print(f"recorded in {to}")
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
