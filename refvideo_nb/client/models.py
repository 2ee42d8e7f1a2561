"""The model list: live, else cached, else the captured one that is installed with us."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import msgspec

from refvideo_nb.client.retry import retrying
from refvideo_nb.client.wire import read_models, read_support
from refvideo_nb.core.catalogue import Model
from refvideo_nb.errors import RefVideoError
from refvideo_nb.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from refvideo_nb.client.client import VideoClient
    from refvideo_nb.core.catalogue import ReferenceSupport

__all__ = ["Catalogue", "captured", "load_catalogue"]

_FRESH = 3600.0  # seconds


class Catalogue(msgspec.Struct, frozen=True):
    """The models, and where the list came from."""

    models: tuple[Model, ...]
    origin: Literal["live", "cached", "captured"]
    note: str = ""


@cache
def _support() -> dict[str, ReferenceSupport]:
    return read_support(_data("reference_support.json"))


def _data(name: str) -> bytes:
    return (files("refvideo_nb") / "data" / name).read_bytes()


@cache
def captured() -> Catalogue:
    """The list as the live API gave it on 2026-10-10: 15 of its models."""
    return Catalogue(read_models(_data("captured_models.json"), _support()), "captured")


async def load_catalogue(client: VideoClient, folder: Path, *, now: Callable[[], float] = time.time) -> Catalogue:
    """The model list, from the API at most once an hour.

    Parameters
    ----------
    client : VideoClient
    folder : pathlib.Path
        Where the raw list is cached, one file an address.
    now : callable
        The clock, seconds since the epoch.
    """
    name = hashlib.sha256(client.base_url.encode()).hexdigest()[:16]
    path = folder / f"models-{name}.json"
    # An API on this machine is asked each time: it is near, and its port may be another one tomorrow.
    near = is_loopback(urlsplit(client.base_url).hostname or "")
    age = None if near else _age(path, now())
    if age is not None and age < _FRESH and (models := _read(path)):
        return Catalogue(models, "cached")
    try:
        async for attempt in retrying(attempts=2):
            with attempt:
                data = await client.model_list()
        models = read_models(data, _support())
    except RefVideoError as error:
        note = f"the model list could not be fetched ({error})"
        if models := _read(path):
            return Catalogue(models, "cached", f"{note}; an older copy is used")
        return Catalogue(captured().models, "captured", f"{note}; the list of 2026-10-10 is used")
    if not near:
        _store(path, data)
    return Catalogue(models, "live")


def _age(path: Path, now: float) -> float | None:
    try:
        age = now - path.stat().st_mtime
    except OSError:
        return None
    return age if age >= 0 else None


def _read(path: Path) -> tuple[Model, ...]:
    try:
        return read_models(path.read_bytes(), _support())
    except (OSError, RefVideoError):
        return ()


def _store(path: Path, data: bytes) -> None:
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError:  # a cache that cannot be written is only slower
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
