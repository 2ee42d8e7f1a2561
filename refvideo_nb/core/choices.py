"""What each setting of a request may be for a model, and what becomes of a setting when the model changes.

`choices` says what may be picked; `narrow` asks `check` itself, so that what is kept is what may be sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from refvideo_nb.core.checks import check, spell_resolution
from refvideo_nb.core.references import Kind, Reference
from refvideo_nb.core.request import Frame, VideoRequest

if TYPE_CHECKING:
    from refvideo_nb.core.catalogue import Model
    from refvideo_nb.errors import InvalidRequestError

__all__ = ["Choices", "Narrowed", "Position", "Selection", "choices", "narrow"]

Position = Literal["first", "last"]


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What may be picked; None always means "the list does not say", so anything may be tried.

    Attributes
    ----------
    durations : tuple of int or None
        Seconds.
    resolutions, aspect_ratios : tuple of str or None
        As the API spells them.
    sizes : tuple of (int, int) or None
        (width, height) in pixels, instead of the two above.
    audio, seed : bool or None
        Whether sound and a seed may be asked for.
    provider : tuple of str
        The keys of provider options that are passed through; no other is.
    kinds : tuple of str
        The kinds of reference that the model honours; empty where it takes none.
    max_images, max_references : int or None
        The most images, and references of any kind; 0 where it takes none.
    frames : tuple of str or None
        The frames that an image may fix, of ``"first"`` and ``"last"``.
    why : mapping
        Attribute name to one short line, only where something narrows it.
    """

    durations: tuple[int, ...] | None
    resolutions: tuple[str, ...] | None
    aspect_ratios: tuple[str, ...] | None
    sizes: tuple[tuple[int, int], ...] | None
    audio: bool | None
    seed: bool | None
    provider: tuple[str, ...]
    kinds: tuple[Kind, ...]
    max_images: int | None
    max_references: int | None
    frames: tuple[Position, ...] | None
    why: Mapping[str, str]


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What is picked so far; None leaves a setting to the model.

    The attributes are those of `VideoRequest`; `frames` holds positions only.
    """

    duration: int | None = None
    resolution: str | None = None
    aspect_ratio: str | None = None
    size: tuple[int, int] | None = None
    seed: int | None = None
    generate_audio: bool | None = None
    provider: Mapping[str, Mapping[str, Any]] = msgspec.field(default_factory=dict)
    frames: tuple[Position, ...] = ()


class Narrowed(msgspec.Struct, frozen=True):
    """What is left of a selection, and one line for each thing that was taken out of it."""

    selection: Selection
    notes: tuple[str, ...]


def choices(model: Model, *, with_references: bool) -> Choices:
    """What each setting may be.

    Parameters
    ----------
    model : Model
    with_references : bool
        Whether the request has references: some models make shorter or smaller clips with them,
        and none fixes frames beside them.

    Examples
    --------
    >>> from refvideo_nb.core.catalogue import Model, ReferenceSupport
    >>> some = Model(id="a/b", durations=(4, 8, 12), references=ReferenceSupport(max_seconds=8))
    >>> choices(some, with_references=False).durations
    (4, 8, 12)
    >>> found = choices(some, with_references=True)
    >>> found.durations, found.why["durations"]
    ((4, 8), 'with references: at most 8 s')
    """
    support = model.references
    refused = support.status == "none" or support.max_images == 0
    why: dict[str, str] = {}
    if model.audio is False:
        why["audio"] = "it makes no sound"
    if model.seed is False:
        why["seed"] = "it takes no seed"
    if refused:
        why["max_images"] = why["max_references"] = f"it takes no references ({support.evidence})"
    images = min((n for n in (support.max_images, support.max_total) if n is not None), default=None)
    beside = with_references and not refused
    return Choices(
        durations=_durations(model, support.max_seconds if beside else None, why),
        resolutions=_resolutions(model, support.resolutions if beside else (), why),
        aspect_ratios=model.aspect_ratios or None,
        sizes=model.sizes or None,
        audio=model.audio,
        seed=model.seed,
        provider=model.passthrough,
        kinds=() if refused else support.kinds,
        max_images=0 if refused else images,
        max_references=0 if refused else images if support.kinds == ("image",) else support.max_total,
        frames=_frames(model, why, with_references=with_references),
        why=why,
    )


def _durations(model: Model, longest: int | None, why: dict[str, str]) -> tuple[int, ...] | None:
    offered = model.durations or None
    if not longest or (offered is not None and max(offered) <= longest):
        return offered
    why["durations"] = f"with references: at most {longest} s"
    return tuple(s for s in offered or range(1, longest + 1) if s <= longest)


def _resolutions(model: Model, fewer: tuple[str, ...], why: dict[str, str]) -> tuple[str, ...] | None:
    offered = model.resolutions or None
    if not fewer or (offered is not None and set(offered) <= set(fewer)):
        return offered
    kept = fewer if offered is None else tuple(r for r in offered if r in fewer)
    why["resolutions"] = f"with references: {', '.join(kept) or 'none of its own'}"
    return kept


def _frames(model: Model, why: dict[str, str], *, with_references: bool) -> tuple[Position, ...] | None:
    if with_references:
        why["frames"] = "frames and references exclude each other"
        return ()
    if model.frame_types is None:
        return None
    both: tuple[Position, ...] = ("first", "last")
    offered = tuple(p for p in both if f"{p}_frame" in model.frame_types)
    if offered != both:
        why["frames"] = f"it fixes the {offered[0]} frame only" if offered else "it fixes no frames"
    return offered


def narrow(selection: Selection, model: Model, *, with_references: bool, simulated: bool = False) -> Narrowed:
    """Keep what the model takes; what it does not take is left to the model, and said.

    Parameters
    ----------
    selection : Selection
    model : Model
        The model that is picked now.
    with_references : bool
        Whether the request has references.
    simulated : bool
        Whether the simulator answers, which has provider options of its own.

    Examples
    --------
    >>> from refvideo_nb.core.catalogue import Model
    >>> found = narrow(Selection(duration=12, seed=7), Model(id="a/b", durations=(4, 6, 8)), with_references=False)
    >>> found.selection.duration, found.selection.seed
    (None, 7)
    >>> found.notes
    ('duration 12 s is not offered by a/b; allowed: 4, 6, 8 (taken out)',)
    """
    if selection.resolution is not None:
        selection = msgspec.structs.replace(selection, resolution=spell_resolution(selection.resolution, model))
    selection, said = _narrow_provider(selection, model, simulated=simulated)
    # One at a time: a size may stay once the resolution that it excluded is gone.
    while problem := _first_problem(selection, model, with_references=with_references, simulated=simulated):
        said.append(f"{problem} (taken out)")
        if problem.field == "frames":
            named = problem.value in selection.frames  # else it is about all of them
            left = tuple(p for p in selection.frames if named and p != problem.value)
            selection = msgspec.structs.replace(selection, frames=left)
        else:
            # The fields of a problem and of a selection are both named as the request names them.
            changed: dict[str, Any] = {problem.field: None}
            selection = msgspec.structs.replace(selection, **changed)
    return Narrowed(selection, tuple(said))


_SETTINGS = frozenset({"duration", "resolution", "aspect_ratio", "size", "seed", "generate_audio", "frames"})
_ANY = Reference(name="image", kind="image", sha256="", media_type="image/png", nbytes=0)


def _first_problem(
    selection: Selection, model: Model, *, with_references: bool, simulated: bool
) -> InvalidRequestError | None:
    request = VideoRequest(
        prompt="any",
        model=model.id,
        references=(_ANY,) if with_references else (),
        frames=tuple(Frame(p, _ANY) for p in selection.frames),
        duration=selection.duration,
        resolution=selection.resolution,
        aspect_ratio=selection.aspect_ratio,
        size=selection.size,
        seed=selection.seed,
        generate_audio=selection.generate_audio,
    )
    # What is wrong with the references themselves is no setting that could be left to the model.
    return next((p for p in check(request, model, simulated=simulated) if p.field in _SETTINGS), None)


def _narrow_provider(selection: Selection, model: Model, *, simulated: bool) -> tuple[Selection, list[str]]:
    """Each option by itself: of several, only those that are refused go."""
    said: list[str] = []
    kept: dict[str, dict[str, Any]] = {}
    for slug, options in selection.provider.items():
        for key, value in options.items():
            alone = VideoRequest(prompt="any", model=model.id, provider={slug: {key: value}})
            if problems := check(alone, model, simulated=simulated):
                said.append(f"{problems[0]} (taken out)")
            else:
                kept.setdefault(slug, {})[key] = value
    return msgspec.structs.replace(selection, provider=kept), said
