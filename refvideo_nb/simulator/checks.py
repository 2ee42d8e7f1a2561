"""From a JSON body to an `Order`, or to the 400 that the API would answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refvideo_nb.simulator.catalogue import models
from refvideo_nb.simulator.direction import read_direction
from refvideo_nb.simulator.envelope import Refusal
from refvideo_nb.simulator.frame_size import every_size, frame_size
from refvideo_nb.simulator.materials import check_limits, honoured, read_frames, read_references
from refvideo_nb.simulator.order import Direction, Order
from refvideo_nb.simulator.shapes import field, required, unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from refvideo_nb.simulator.catalogue import Model

_SESSION_ID_LENGTH = 256
_OURS = "simulator"  # the provider slug of the keys that set the truth


def read_order(body: Any) -> Order:
    """Understand a request as the API would; fields that nobody knows are ignored, as the API does.

    Raises
    ------
    Refusal
        400 with a text that names the value and the allowed ones.
    """
    if not isinstance(body, dict):
        raise Refusal(400, "Invalid request parameters: the body must be a JSON object")
    model = _model(required(body, "model", str))
    prompt = required(body, "prompt", str)
    if not prompt.strip():
        raise Refusal(400, "Invalid request parameters: prompt must not be empty")
    _check_bookkeeping(body)
    duration = _duration(body, model)
    resolution, (width, height) = _frame(body, model)
    frames = read_frames(body, model)
    sent = read_references(body)
    # Frames win: with both in one request the references are ignored, and nobody says so.
    references = () if frames else honoured(sent, model)
    check_limits(references, model, duration)
    images = sum(each.kind == "image" for each in references)
    return Order(
        model=model.id,
        prompt=prompt,
        resolution=resolution,
        width=width,
        height=height,
        duration=duration,
        audio=_audio(body, model),
        seed=_seed(body, model),
        references=references,
        dropped_images=sum(each.kind == "image" for each in sent) - images,
        frames=frames,
        direction=_direction(body, model, images=images, duration=duration),
    )


def _model(name: str) -> Model:
    # 400 rather than 404: the path exists, one of the body's values does not.
    try:
        return models()[name]
    except KeyError:
        raise Refusal(400, f"Model {name} does not exist") from None


def _check_bookkeeping(body: Mapping[str, Any]) -> None:
    for name, kind in (("user", str), ("callback_url", str), ("previous_job_id", str), ("trace", dict)):
        field(body, name, kind)
    session = field(body, "session_id", str)
    if session is not None and len(session) > _SESSION_ID_LENGTH:
        raise Refusal(400, f"Invalid request parameters: session_id has at most {_SESSION_ID_LENGTH} characters")
    for name in ("upscale_factor", "creativity"):  # for upscaling models, of which none is offered here
        if body.get(name) is not None:
            raise Refusal(400, f"{name} is not supported for this model")


def _duration(body: Mapping[str, Any], model: Model) -> int:
    asked = field(body, "duration", int)
    if asked is None:
        return 5 if 5 in model.durations else model.durations[0]  # noqa: PLR2004 - the usual length
    if asked not in model.durations:
        raise unsupported(f"Duration {asked}s", "durations", model.durations)
    return asked


def _frame(body: Mapping[str, Any], model: Model) -> tuple[str, tuple[int, int]]:
    size = field(body, "size", str)
    resolution = field(body, "resolution", str)
    aspect_ratio = field(body, "aspect_ratio", str)
    if resolution is not None and resolution not in model.resolutions:
        raise unsupported(f"Resolution {resolution}", "resolutions", model.resolutions)
    if aspect_ratio is not None and aspect_ratio not in model.aspect_ratios:
        raise unsupported(f"Aspect ratio {aspect_ratio}", "aspect ratios", model.aspect_ratios)
    if size is None:
        resolution = resolution or ("720p" if "720p" in model.resolutions else model.resolutions[0])
        return resolution, frame_size(model, resolution, aspect_ratio or _usual_ratio(model))
    sizes = every_size(model)
    if size not in sizes:
        raise unsupported(f"Size {size}", "sizes", model.sizes or sizes)
    # The two ways to say it are interchangeable; what the API does when they contradict is not documented, and a
    # silent choice would hide a mistake of the caller.
    if resolution not in {None, sizes[size][0]} or aspect_ratio not in {None, sizes[size][1]}:
        raise Refusal(400, f"Size {size} contradicts the resolution or aspect_ratio beside it. Send one or the other")
    width, height = (int(part) for part in size.split("x"))
    return sizes[size][0], (width, height)


def _usual_ratio(model: Model) -> str:
    return "16:9" if "16:9" in model.aspect_ratios else model.aspect_ratios[0]


def _audio(body: Mapping[str, Any], model: Model) -> bool:
    asked = field(body, "generate_audio", bool)
    if asked is not None and not model.audio:
        raise Refusal(400, "generate_audio is not supported for this model")
    return model.audio if asked is None else asked


def _seed(body: Mapping[str, Any], model: Model) -> int | None:
    seed = field(body, "seed", int)
    if seed is not None and not model.seed:
        raise Refusal(400, "seed is not supported for this model")
    return seed


def _direction(body: Mapping[str, Any], model: Model, *, images: int, duration: int) -> Direction:
    found = Direction()
    for slug, parameters in _passthrough(body):
        if slug == _OURS:
            found = read_direction(parameters, images=images, duration=duration)
            continue
        for key in parameters:
            if key not in model.passthrough:
                raise unsupported(f"Passthrough parameter {key}", "passthrough parameters", model.passthrough)
    return found


def _passthrough(body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    provider = field(body, "provider", dict) or {}
    options = field(provider, "options", dict, where="provider.") or {}
    for slug in options:
        choices = field(options, slug, dict, where="provider.options.") or {}
        yield slug, field(choices, "parameters", dict, where=f"provider.options.{slug}.") or {}
