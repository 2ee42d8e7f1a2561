"""Whether a request fits its model, told before anything is paid.

`check` gives every problem at once; a problem that the model list proves refuses
the request, what is merely not known is a note. Each text names the bad value,
the allowed ones and what to do.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from refvideo_nb.errors import KEY, BadReferenceError, InvalidRequestError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from refvideo_nb.core.catalogue import ImageLimits, Model
    from refvideo_nb.core.references import Reference
    from refvideo_nb.core.request import VideoRequest

__all__ = ["FRAMES_OR_REFERENCES", "check", "find_model", "holds_key", "notes", "spell_resolution"]

FRAMES_OR_REFERENCES = (
    "frames and references exclude each other: the API would ignore the references; keep one of the two"
)
_MAX_PROMPT = 100_000  # characters; far above every published limit, so that a pasted file is caught
_DEEPEST = 20  # levels of lists and dicts
_MAX_SEED = 2**53 - 1  # larger integers in JSON are rounded by whatever reads them as doubles


def _words(values: Iterable[object], *, most: int = 40) -> str:
    listed = [one_line(v, limit=80) for v in values]
    return ", ".join(listed[:most]) + (", …" if len(listed) > most else "")


def _sizes(values: Iterable[tuple[int, int]]) -> str:
    return _words(f"{w}x{h}" for w, h in values)


def holds_key(text: str) -> bool:
    """Whether a text holds what looks like an API key.

    Examples
    --------
    >>> holds_key("a cat on a sk-i lift beside a desk-or-bedside lamp")
    False
    """
    return KEY.search(text) is not None


def find_model(model_id: str, models: Iterable[Model]) -> Model:
    """The model of this id.

    Raises
    ------
    InvalidRequestError
        With the nearest ids, where the list has none of this name.
    """
    known = {m.id: m for m in models}
    if model_id in known:
        return known[model_id]
    import difflib  # noqa: PLC0415 - only for a name that is not known

    shown = one_line(model_id, limit=80)
    by_tail = {i.rpartition("/")[2]: i for i in known}
    near = difflib.get_close_matches(model_id, known, n=3, cutoff=0.5) or [
        by_tail[t] for t in difflib.get_close_matches(model_id.rpartition("/")[2], by_tail, n=3, cutoff=0.5)
    ]
    hint = f"did you mean {_words(near)}?" if near else f"allowed: {_words(known)}"
    raise InvalidRequestError(
        f"model {shown!r} is not in the list of video models; {hint} (%refvideo models lists all)",
        field="model",
        value=model_id,
        allowed=known,
    )


def spell_resolution(resolution: str, model: Model) -> str:
    """The resolution as the API spells it (``4k`` becomes ``4K``)."""
    spelled = {r.lower(): r for r in model.resolutions or ("1K", "2K", "4K")}
    return spelled.get(resolution.lower(), resolution)


def check(request: VideoRequest, model: Model, *, simulated: bool = False) -> list[InvalidRequestError]:
    """Every reason for which the request would fail, in the order of the arguments.

    Parameters
    ----------
    request : VideoRequest
    model : Model
        The model that the request names.
    simulated : bool
        Whether the simulator answers; only there do ``simulator`` options exist.

    Returns
    -------
    list of InvalidRequestError
        Empty where the request may be sent. The caller raises the first.
    """
    return [*_settings(request, model), *_provider(request, model, simulated=simulated), *_inputs(request, model)]


def _no(field: str, value: Any, message: str, allowed: Iterable[object] = ()) -> InvalidRequestError:
    return InvalidRequestError(message, field=field, value=value, allowed=allowed)


def _prompt(prompt: str) -> Iterator[InvalidRequestError]:
    if not prompt.strip():
        yield _no("prompt", prompt, "the prompt is empty: say what the clip shows")
    elif len(prompt) > _MAX_PROMPT:
        yield _no(
            "prompt",
            None,
            f"the prompt has {len(prompt)} characters; at most {_MAX_PROMPT} are sent: shorten it",
        )
    elif _lone_surrogate(prompt):
        yield _no("prompt", None, "the prompt holds half a character (a lone surrogate): type that part again")


def _settings(request: VideoRequest, model: Model) -> Iterator[InvalidRequestError]:
    yield from _prompt(request.prompt)
    if request.duration is not None and model.durations and request.duration not in model.durations:
        yield _no(
            "duration",
            request.duration,
            f"duration {request.duration} s is not offered by {model.id}; allowed: {_words(model.durations)}",
            model.durations,
        )
    for field, value, allowed in (
        ("resolution", request.resolution, model.resolutions),
        ("aspect_ratio", request.aspect_ratio, model.aspect_ratios),
    ):
        if value is not None and allowed and value not in allowed:
            yield _no(
                field,
                value,
                f"{field.replace('_', ' ')} {one_line(value, limit=40)!r} is not offered by {model.id}; "
                f"allowed: {_words(allowed)}",
                allowed,
            )
    if request.size is not None:
        yield from _size(request.size, request, model)
    if request.seed is not None and model.seed is False:
        yield _no("seed", request.seed, f"{model.id} takes no seed: leave seed out, or choose another model")
    elif request.seed is not None and abs(request.seed) > _MAX_SEED:
        yield _no(
            "seed",
            request.seed,
            f"seed {one_line(request.seed, limit=40)} would be rounded on its way; "
            f"allowed: whole numbers from -{_MAX_SEED} to {_MAX_SEED}",
        )
    if request.generate_audio and model.audio is False:
        yield _no("generate_audio", True, f"{model.id} makes no sound: leave audio out, or choose another model")


def _size(size: tuple[int, int], request: VideoRequest, model: Model) -> Iterator[InvalidRequestError]:
    text = f"{size[0]}x{size[1]}"
    if request.resolution is not None or request.aspect_ratio is not None:
        yield _no("size", text, f"size {text} stands instead of resolution and aspect ratio: give one or the other")
    if min(size) < 1:
        yield _no("size", text, f"size {text} has no pixels: give WIDTHxHEIGHT, such as 1280x720")
    elif model.sizes and size not in model.sizes:
        yield _no(
            "size",
            text,
            f"size {text} is not offered by {model.id}; allowed: {_sizes(model.sizes)}",
            [f"{w}x{h}" for w, h in model.sizes],
        )


def _provider(request: VideoRequest, model: Model, *, simulated: bool) -> Iterator[InvalidRequestError]:
    for slug, options in request.provider.items():
        for key, value in options.items():
            if not _is_json(value):
                yield _no(
                    "provider",
                    value,
                    f"provider option {one_line(f'{slug}.{key}', limit=60)!r} is {_an(type(value).__name__)}, "
                    "which JSON does not have; allowed: text, finite numbers, true, false, lists and dicts of them",
                )
        if slug == "simulator":
            if not simulated:
                yield _no("provider", slug, "provider options for 'simulator' exist only in the simulator: remove them")
            continue
        for key in options:
            if key not in model.passthrough:
                allowed = _words(model.passthrough) or "none"
                yield _no(
                    "provider",
                    key,
                    f"provider option {one_line(key, limit=60)!r} is not passed through for {model.id}; "
                    f"allowed: {allowed}",
                    model.passthrough,
                )


def _inputs(request: VideoRequest, model: Model) -> Iterator[InvalidRequestError]:
    if request.frames and request.references:
        yield _no(
            "frames",
            [f.position for f in request.frames],
            FRAMES_OR_REFERENCES,
        )
    for frame in request.frames:
        if model.frame_types is not None and f"{frame.position}_frame" not in model.frame_types:
            allowed = [t.removesuffix("_frame") for t in model.frame_types]
            yield _no(
                "frames",
                frame.position,
                f"{model.id} fixes no {frame.position} frame; allowed: {_words(allowed) or 'none'}",
                allowed,
            )
    if request.references:
        yield from _references(request, model)


def _references(request: VideoRequest, model: Model) -> Iterator[InvalidRequestError]:
    support = model.references
    if support.max_images == 0 or support.status == "none":
        yield BadReferenceError(
            f"{model.id} takes no references ({support.evidence}); "
            "choose a model that does: %refvideo models lists them",
            field="references",
            value=len(request.references),
        )
        return
    images, total = request.count("image"), len(request.references)
    if support.max_images is not None and images > support.max_images:
        yield BadReferenceError(
            f"{images} reference images are more than {model.id} takes; allowed: at most {support.max_images}",
            field="references",
            value=images,
            allowed=(support.max_images,),
        )
    elif support.max_total is not None and total > support.max_total:
        yield BadReferenceError(
            f"{total} references are more than {model.id} takes; allowed: at most {support.max_total} in all",
            field="references",
            value=total,
            allowed=(support.max_total,),
        )
    if support.max_seconds and request.duration and request.duration > support.max_seconds:
        yield _no(
            "duration",
            request.duration,
            f"duration {request.duration} s is too long for {model.id} with references; "
            f"allowed: up to {support.max_seconds}",
        )
    if support.resolutions and request.resolution and request.resolution not in support.resolutions:
        yield _no(
            "resolution",
            request.resolution,
            f"resolution {one_line(request.resolution, limit=40)!r} is not offered by {model.id} with references; "
            f"allowed: {_words(support.resolutions)}",
            support.resolutions,
        )
    for reference in request.references:
        yield from _reference(reference, model)


def _reference(reference: Reference, model: Model) -> Iterator[InvalidRequestError]:
    support, name = model.references, reference.name
    if reference.kind not in support.kinds:
        yield BadReferenceError(
            f"reference {name!r} is {_an(reference.kind)}, which {model.id} is not known to honour "
            f"(providers drop it silently); allowed: {_words(support.kinds)}",
            field="references",
            value=name,
            allowed=support.kinds,
        )
        return
    if reference.kind != "image" or not (reference.width and reference.height):
        return
    width, height, limits = reference.width, reference.height, support.images
    ratio = width / height
    problem = ""
    if limits.min_side and min(width, height) < limits.min_side:
        problem = f"each side must have at least {limits.min_side} pixels: use a larger picture"
    elif limits.max_side and max(width, height) > limits.max_side:
        problem = f"each side must have at most {limits.max_side} pixels"
    elif (limits.min_ratio and ratio < limits.min_ratio) or (limits.max_ratio and ratio > limits.max_ratio):
        ends = [f"{word} {ratio:g}" for word, ratio in _ratios(limits) if ratio]
        problem = f"width / height must be {' and '.join(ends)}: crop it"
    elif limits.max_bytes and reference.nbytes > limits.max_bytes:
        problem = f"at most {limits.max_bytes / 1e6:g} MB are taken"
    if problem:
        yield BadReferenceError(
            f"reference {name!r} ({width}x{height}, {reference.nbytes / 1e6:.1f} MB) "
            f"does not fit {model.id}: {problem}",
            field="references",
            value=name,
        )


def _ratios(limits: ImageLimits) -> tuple[tuple[str, float | None], tuple[str, float | None]]:
    return ("at least", limits.min_ratio), ("at most", limits.max_ratio)


def _an(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"


def _lone_surrogate(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)


def _is_json(value: Any, depth: int = 0) -> bool:
    """Whether JSON has this value, so that it arrives as it was given."""
    match value:
        case _ if depth > _DEEPEST:  # what holds itself has no end
            return False
        case bool() | None:
            return True
        case int():
            return abs(value) <= _MAX_SEED
        case float():
            return type(value) is float and isfinite(value)
        case str():
            return not _lone_surrogate(value)
        case list() | tuple():
            return all(_is_json(v, depth + 1) for v in value)
        case dict():
            return all(isinstance(k, str) and _is_json(k) and _is_json(v, depth + 1) for k, v in value.items())
    return False


def notes(request: VideoRequest, model: Model) -> list[str]:
    """What a person should know before paying, though nothing forbids the request."""
    said: list[str] = []
    if request.references:
        support = model.references
        if support.status == "provider-only":
            said.append(f"references: {support.evidence}; they may be ignored")
        elif support.status in {"unknown", "unclear"}:
            said.append(f"it is not known whether {model.id} follows references ({support.evidence})")
    if request.seed is not None and model.seed is None:
        said.append(f"the model list does not say whether {model.id} takes a seed; it may refuse")
    if request.generate_audio and model.audio is None:
        said.append(f"the model list does not say whether {model.id} makes sound; it may refuse")
    return said
