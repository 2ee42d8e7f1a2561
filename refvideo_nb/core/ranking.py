"""Which models fit what is needed, and in which order to look at them.

The API's guide to choosing a model filters by what a model must be able to do, and
then orders by cost, speed or quality. Its evidence is thin, and it says so: speed is
read off the model's id, quality is the highest resolution. So every place in the order
carries its reason, nothing here claims to be measured, and what is not known comes last.

Source: https://openrouter.ai/docs/cookbook/video-generation/choose-video-model
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from refvideo_nb.core.catalogue import Model, nominal_size
from refvideo_nb.core.checks import check, notes, spell_resolution
from refvideo_nb.core.choices import choices
from refvideo_nb.core.pricing import Estimate, about, estimate, usd
from refvideo_nb.core.references import Reference
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from refvideo_nb.core.choices import Choices

__all__ = ["By", "Need", "Ranked", "rank"]

By = Literal["cost", "quality", "speed", "name"]


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What the clip must have; the defaults need nothing.

    Attributes
    ----------
    references : int
        So many reference images must be taken; 1 or more leaves out models without references.
    audio, seed : bool
        Whether sound and a seed are needed.
    duration : int or None
        Seconds.
    resolution, aspect_ratio : str or None
        Such as ``"720p"`` and ``"16:9"``.
    max_price : Decimal or None
        USD that the clip may cost at most; a model without an estimate is left out then.
    """

    references: int = 0
    audio: bool = False
    seed: bool = False
    duration: int | None = None
    resolution: str | None = None
    aspect_ratio: str | None = None
    max_price: Decimal | None = None


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """One model in its place.

    Attributes
    ----------
    model : Model
    reason : str
        Why it stands here, and on what evidence, in one line.
    price : Estimate or None
        USD for `clip`.
    clip : str
        The clip that is priced, such as ``"5 s, 720p, 16:9"``.
    unsure : tuple of str
        What is needed, and not known of this model; it may be tried all the same.
    excluded_because : tuple of str
        Why it does not do; empty where it does.
    """

    model: Model
    reason: str
    price: Estimate | None
    clip: str
    unsure: tuple[str, ...] = ()
    excluded_because: tuple[str, ...] = ()


def rank(
    models: Iterable[Model], *, by: By, need: Need | None = None, seconds: int = 5, resolution: str = "720p"
) -> tuple[Ranked, ...]:
    """All models: those that do, those of which something needed is not known, those that do not do.

    Parameters
    ----------
    models : iterable of Model
    by : {"cost", "quality", "speed", "name"}
        The order within each of the three. Models that stand equal are ordered by cost, then by id.
    need : Need, optional
        What the clip must have.
    seconds, resolution : int, str
        The clip that is priced where `need` does not say; a model that does not take it is
        priced for the nearest that it takes, and compared by the second.

    Returns
    -------
    tuple of Ranked

    Examples
    --------
    >>> two = [
    ...     Model(id="a/video", prices={"duration_seconds": "0.10"}),
    ...     Model(id="b/video-fast", durations=(4, 6), prices={"duration_seconds": "0.20"}),
    ... ]
    >>> [r.model.id for r in rank(two, by="cost")], [r.model.id for r in rank(two, by="speed")]
    (['a/video', 'b/video-fast'], ['b/video-fast', 'a/video'])
    >>> rank(two, by="cost")[1].reason
    'about USD 0.20 a second: about USD 0.80 for 4 s, 720p, 16:9'
    >>> rank(two, by="cost", need=Need(duration=5))[1].excluded_because
    ('duration 5 s is not offered by b/video-fast; allowed: 4, 6',)
    """
    need = need or Need()
    placed = [_place(m, by, need, seconds, resolution) for m in models]
    return tuple(found for _, found in sorted(placed, key=lambda p: p[0]))


_Key = tuple[object, ...]
_ANY = Reference(name="image", kind="image", sha256="", media_type="image/png", nbytes=0)


def _place(model: Model, by: By, need: Need, seconds: int, resolution: str) -> tuple[_Key, Ranked]:
    offered = choices(model, with_references=need.references > 0)
    wanted = VideoRequest(
        prompt="any",
        model=model.id,
        references=(_ANY,) * need.references,
        duration=need.duration,
        resolution=None if need.resolution is None else spell_resolution(need.resolution, model),
        aspect_ratio=need.aspect_ratio,
        seed=0 if need.seed else None,
        generate_audio=True if need.audio else None,
    )
    clip = _nearest(wanted, offered, seconds, resolution)
    price = estimate(clip, model)
    words = _words(clip)
    excluded = [str(problem) for problem in check(wanted, model)]
    if need.max_price is not None:
        if price is None:
            excluded.append(f"there is no estimate for {words} to compare with {usd(need.max_price)}")
        elif price.high > need.max_price:
            excluded.append(f"{about(price)} for {words} is more than {usd(need.max_price)}")
    unsure = [*notes(wanted, model), *_unsaid(need, offered)]
    a_second = None if price is None else _by_second(price, clip.duration or 1)
    place, reason = _reason(by, model, offered, a_second)
    if by == "cost":
        reason = f"{reason}: {about(price)} for {words}" if price else f"{reason} for {words}"
    key = (
        bool(excluded),
        bool(unsure) and by != "name",
        place,
        (a_second.high, a_second.low) if a_second and by != "name" else (Decimal("Infinity"),),
        model.id,
    )
    found = Ranked(
        model=model, reason=reason, price=price, clip=words, unsure=tuple(unsure), excluded_because=tuple(excluded)
    )
    return key, found


def _unsaid(need: Need, offered: Choices) -> list[str]:
    """What is needed and what the list is silent about, beyond the notes that a request gets anyway."""
    fields = (
        ("durations", need.duration, offered.durations),
        ("resolutions", need.resolution, offered.resolutions),
        ("aspect ratios", need.aspect_ratio, offered.aspect_ratios),
    )
    silent = [name for name, value, known in fields if value is not None and known is None]
    said = [f"the model list does not say which {name} it takes" for name in silent]
    if need.references > 1 and offered.max_images is None:
        said.append("how many references it takes is not published")
    return said


def _nearest(wanted: VideoRequest, offered: Choices, seconds: int, resolution: str) -> VideoRequest:
    """The clip that is priced: what is needed, else what is nearest to the stated clip."""
    lines = _lines(wanted.resolution or resolution)
    duration = wanted.duration or seconds
    return VideoRequest(
        prompt=wanted.prompt,
        model=wanted.model,
        references=wanted.references,
        duration=min(offered.durations or (duration,), key=lambda s: abs(s - duration)),
        resolution=min(offered.resolutions or (wanted.resolution or resolution,), key=lambda r: abs(_lines(r) - lines)),
        aspect_ratio=_ratio(wanted.aspect_ratio or "16:9", offered),
        generate_audio=wanted.generate_audio,
    )


def _ratio(wanted: str, offered: Choices) -> str | None:
    ratios = offered.aspect_ratios
    return wanted if ratios is None or wanted in ratios else ratios[0]


def _lines(resolution: str) -> int:
    """Pixels of the short side that a resolution's name stands for; 0 where it does not say."""
    size = nominal_size(Model(id=""), resolution, "1:1")
    return size[1] if size else 0


def _words(clip: VideoRequest) -> str:
    images = len(clip.references)
    count = f"{images} image{'s' if images > 1 else ''}" if images else None
    said = (f"{clip.duration} s", clip.resolution, clip.aspect_ratio, count)
    return ", ".join(one_line(w, limit=40) for w in said if w)


def _by_second(price: Estimate, seconds: int) -> Estimate:
    return Estimate(price.low / seconds, price.high / seconds, "")


def _reason(by: By, model: Model, offered: Choices, a_second: Estimate | None) -> tuple[_Key, str]:
    """A place, the smallest first, and the evidence for it; places that are equal are ordered by cost anyway."""
    match by:
        case "cost":
            if a_second is None:
                return (), "unknown: its price list gives no estimate"
            return (), f"{about(a_second)} a second"
        case "speed":
            return _speed(model)
        case "quality":
            return _quality(offered)
        case "name":
            return (model.id,), "in the order of the ids"


_TIERS = {
    "fast": (0, "quick"),
    "lite": (2, "rather quick"),
    "std": (2, "rather quick"),
    "pro": (3, "slow"),
    "o1": (3, "slow"),
}
# A fast camera or fast action says nothing of how long one waits.
_SAID_FAST = re.compile(
    r"\b(?:fast(?:er|est)?|quick(?:er|est|ly)?|rapid(?:ly)?|low[- ]latency)\b"
    r"(?![- ](?:mov|motion|pace|action|cut|camera))",
    re.IGNORECASE,
)


def _speed(model: Model) -> tuple[_Key, str]:
    """The guide's rule of thumb; a model that it puts in the middle for want of a hint is unknown here."""
    parts = re.split(r"[^a-z0-9]+", model.id.rpartition("/")[2].lower())
    for word, (tier, pace) in _TIERS.items():
        if word in parts:
            return (tier,), f"{pace}, since its id says {word!r}: the API guide's rule of thumb, not measured"
    if found := _SAID_FAST.search(model.description):
        quoted = one_line(model.description[found.start() : found.start() + 80], limit=40)
        return (1,), f"quick, since its description says {quoted!r}: not measured"
    return (4,), "unknown: neither its id nor its description says how quick it is"


def _quality(offered: Choices) -> tuple[_Key, str]:
    """The guide's stand-in: the highest resolution, with references where they are needed."""
    best = max(offered.resolutions or (), key=_lines, default="")
    if lines := _lines(best):
        return (0, -lines), f"up to {one_line(best, limit=20)}: the API guide takes that for quality; not measured"
    if offered.sizes:
        width, height = max(offered.sizes, key=min)
        return (0, -min(width, height)), (f"up to {width}x{height}: the API guide takes that for quality; not measured")
    return (1, 0), "unknown: the model list does not say which resolutions it takes"
