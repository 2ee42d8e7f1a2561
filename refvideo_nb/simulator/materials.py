"""Reading references and frame images out of a request, and the limits that models set on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from refvideo_nb.simulator.envelope import Refusal
from refvideo_nb.simulator.order import Kind, Material
from refvideo_nb.simulator.shapes import field, required, unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from refvideo_nb.simulator.catalogue import Model

_TYPES = ("image_url", "video_url", "audio_url")


def read_references(body: Mapping[str, Any]) -> tuple[Material, ...]:
    """Every entry of ``input_references``; their order is what a prompt's ``[Image1]`` counts."""
    entries = field(body, "input_references", list) or []
    return tuple(_material(entry, f"Reference {n}", "input_references") for n, entry in enumerate(entries, start=1))


def read_frames(body: Mapping[str, Any], model: Model) -> tuple[tuple[str, Material], ...]:
    """Every entry of ``frame_images``, with its frame type."""
    frames: dict[str, Material] = {}
    for entry in field(body, "frame_images", list) or []:
        material = _material(entry, "Frame image", "frame_images")
        frame_type = required(entry, "frame_type", str, where="frame_images[].")
        if material.kind != "image":
            raise Refusal(400, "Invalid request parameters: frame_images[].type must be image_url")
        if frame_type not in model.frame_types:
            raise unsupported(f"Frame type {frame_type}", "frame types", model.frame_types)
        if frame_type in frames:
            raise Refusal(400, f"Invalid request parameters: more than one frame image is {frame_type}")
        frames[frame_type] = Material(name=f"Frame image {frame_type}", kind="image", url=material.url)
    return tuple(frames.items())


def honoured(references: tuple[Material, ...], model: Model) -> tuple[Material, ...]:
    """The references that the model makes use of; the others are dropped silently, as providers do."""
    if model.most_images == 0:
        return ()
    return tuple(each for each in references if each.kind == "image" or model.hears_and_sees)


def check_limits(references: tuple[Material, ...], model: Model, duration: int) -> None:
    """Refuse what the provider would refuse about honoured references."""
    images = sum(each.kind == "image" for each in references)
    if model.most_images is not None and images > model.most_images:
        raise Refusal(400, f"Too many reference images: {images}. Maximum allowed is {model.most_images}.")
    longest = model.longest_with_references
    if images and longest is not None and duration > longest:
        raise Refusal(400, f"Duration {duration}s is not supported with reference images. Maximum is {longest}s")
    if references and all(each.kind == "audio" for each in references):
        raise Refusal(400, "Audio references need at least one image or video reference beside them")


def _material(entry: Any, name: str, where: str) -> Material:
    if not isinstance(entry, dict):
        raise Refusal(400, f"Invalid request parameters: {where}[] must be an object")
    kind = required(entry, "type", str, where=f"{where}[].")
    if kind not in _TYPES:
        raise Refusal(
            400, f"Invalid request parameters: {where}[].type {kind} is unknown. Allowed: {', '.join(_TYPES)}"
        )
    holder = required(entry, kind, dict, where=f"{where}[].")
    url = required(holder, "url", str, where=f"{where}[].{kind}.")
    return Material(name=name, kind=cast("Kind", kind.removesuffix("_url")), url=url)
