"""What a person asked for, before anything of it is checked, and its values in their right types."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from refvideo_nb.core.checks import holds_key, spell_resolution
from refvideo_nb.core.request import VideoRequest, parse_size
from refvideo_nb.core.roles import Role
from refvideo_nb.errors import InvalidRequestError, one_line

if TYPE_CHECKING:
    from refvideo_nb.core.catalogue import Model

__all__ = ["Wish", "frame_position", "provider_options", "roles_of", "settings_of", "whole_number"]


_DICTS = {"provider": "{slug: {parameter: value}}", "frames": '{"first": source}', "roles": '{name: "style"}'}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked for, as it was given: nothing is checked yet."""

    prompt: str
    references: Mapping[str, Any] | Iterable[Any] | None = None
    frames: Mapping[str, Any] | None = None
    model: str
    duration: Any = None
    resolution: str | None = None
    aspect_ratio: str | None = None
    size: Any = None
    seed: Any = None
    generate_audio: bool | None = None
    provider: Mapping[str, Mapping[str, Any]] | None = None
    previous_job_id: str | None = None
    roles: Mapping[str, str] | None = None
    max_cost: Any = None


def frame_position(position: Any) -> Literal["first", "last"]:
    """Which frame an image fixes.

    Raises
    ------
    InvalidRequestError
    """
    if position == "first":
        return "first"
    if position == "last":
        return "last"
    raise InvalidRequestError(
        f"frame {one_line(position, limit=40)!r} is no position; allowed: first, last",
        field="frames",
        value=position,
        allowed=("first", "last"),
    )


def roles_of(roles: Mapping[str, Any] | None, names: Sequence[str]) -> dict[str, str]:
    """What each reference is there for, by its name.

    Raises
    ------
    InvalidRequestError
        For a reference that is not there, or a role that does not exist.
    """
    found = {}
    for name, role in (roles or {}).items():
        if name not in names:
            raise InvalidRequestError(
                f"role of {one_line(name, limit=40)!r}: no reference is called so; references: "
                f"{', '.join(names) or 'none'}",
                field="roles",
                value=name,
                allowed=names,
            )
        if role not in list(Role):
            raise InvalidRequestError(
                f"role {one_line(role, limit=40)!r} of {name} is none; allowed: {', '.join(Role)}",
                field="roles",
                value=role,
                allowed=tuple(Role),
            )
        found[name] = str(role)
    return found


def settings_of(wish: Wish, model: Model) -> VideoRequest:
    """The request of a wish without its references and frames, each value of its right type.

    Raises
    ------
    InvalidRequestError
        The first value that is of no use, whatever the model.
    """
    size = wish.size
    if isinstance(size, str):
        size = parse_size(size)
    if size is not None:
        size = tuple(size) if isinstance(size, (list, tuple)) else None
    if wish.size is not None and (size is None or len(size) != 2 or not all(isinstance(n, int) for n in size)):  # noqa: PLR2004 - width and height
        raise InvalidRequestError(
            f"size {one_line(wish.size, limit=40)!r} is no size: give WIDTHxHEIGHT in pixels, such as 1280x720",
            field="size",
            value=wish.size,
        )
    if not isinstance(wish.prompt, str):
        raise InvalidRequestError(
            f"the prompt is no text, but of type {type(wish.prompt).__name__}: give a str", field="prompt"
        )
    if not (wish.generate_audio is None or isinstance(wish.generate_audio, bool)):
        raise InvalidRequestError(
            f"generate_audio {one_line(wish.generate_audio, limit=40)!r} cannot be used: give True or False",
            field="generate_audio",
            value=wish.generate_audio,
            allowed=(True, False),
        )
    _refuse_other_types(wish)
    for field, text in (
        ("prompt", wish.prompt),
        ("provider", str(wish.provider)),
        ("previous_job_id", str(wish.previous_job_id)),
    ):
        if holds_key(text):
            raise InvalidRequestError(f"{field} holds an API key, which would be sent and kept: remove it", field=field)
    return VideoRequest(
        prompt=wish.prompt.strip(),
        model=model.id,
        duration=whole_number("duration", wish.duration, unit=" of seconds", least=1),
        resolution=None if wish.resolution is None else spell_resolution(str(wish.resolution), model),
        aspect_ratio=None if wish.aspect_ratio is None else str(wish.aspect_ratio),
        size=size,
        seed=whole_number("seed", wish.seed),
        generate_audio=wish.generate_audio,
        provider={str(s): dict(o) for s, o in (wish.provider or {}).items()},
        previous_job_id=wish.previous_job_id,
    )


def _refuse_other_types(wish: Wish) -> None:
    for field, form in _DICTS.items():
        given = getattr(wish, field)
        if not (given is None or isinstance(given, Mapping)):
            raise InvalidRequestError(f"{field} is of type {type(given).__name__}: give a dict, {form}", field=field)
    if not all(isinstance(options, Mapping) for options in (wish.provider or {}).values()):
        raise InvalidRequestError(
            "provider cannot be used: give {slug: {parameter: value}}", field="provider", value=wish.provider
        )


def whole_number(field: str, value: Any, *, unit: str = "", least: int | None = None) -> int | None:
    """An int from what a person typed.

    Raises
    ------
    InvalidRequestError
        Where it is none.
    """
    if value is None:
        return None
    try:
        number = int(str(value)) if not isinstance(value, float) else int(value)
        fits = not isinstance(value, bool) and number == float(value) and (least is None or number >= least)
    except (ValueError, OverflowError):
        fits = False
    if not fits:
        more = f" of at least {least}" if least is not None else ""
        shown = one_line(value, limit=40)
        raise InvalidRequestError(
            f"{field} {shown!r} cannot be used: give a whole number{unit}{more}", field=field, value=value
        )
    return number


def provider_options(lines: Iterable[str]) -> dict[str, dict[str, Any]] | None:
    """Provider options as people write them; None for none.

    Parameters
    ----------
    lines : iterable of str
        ``SLUG.KEY=VALUE`` each, the value as JSON or else as a bare word; empty lines count for nothing.

    Raises
    ------
    InvalidRequestError

    Examples
    --------
    >>> provider_options(["seed.watermark=false", "seed.mood=calm"])
    {'seed': {'watermark': False, 'mood': 'calm'}}
    """
    found: dict[str, dict[str, Any]] = {}
    for text in filter(str.strip, lines):
        path, equals, value = text.partition("=")
        slug, dot, key = path.strip().partition(".")
        if not (equals and dot and slug and key):
            raise InvalidRequestError(
                f"provider option {one_line(text, limit=60)!r} cannot be used: give SLUG.KEY=VALUE",
                field="provider",
                value=text,
            )
        try:
            found.setdefault(slug, {})[key] = json.loads(value)
        except ValueError:
            found.setdefault(slug, {})[key] = value  # a bare word is a string
    return found or None
