"""Signed addresses stay out of the log.

httpx tells the log every address that it asks, httpcore every header that comes
back. An address that needs no key is as good as one, so nothing is told while a
file is fetched.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["hushed"]

_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")
_silent: ContextVar[bool] = ContextVar("refvideo_nb_silent", default=False)


def _pass(_record: logging.LogRecord) -> bool:
    return not _silent.get()


@contextmanager
def hushed() -> Iterator[None]:
    """Keep what this task asks for out of the log; other tasks and other users of httpx are not touched."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_pass)  # adding it twice changes nothing
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)
