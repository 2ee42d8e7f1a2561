"""What was drawn once is not drawn again: a small bounded store of encoded pictures.

A card is rendered when its job ends, on every ``show()`` and in every table of
jobs. Pictures are keyed by the content that they show, so nothing can go stale.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["Shelf"]


class Shelf:
    """The last used values, up to a number of bytes; safe from several threads.

    Parameters
    ----------
    most_bytes : int
        The sum of the lengths that are kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._values: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], bytes | None]) -> bytes | None:
        """The value of this key, made where it is not there; a None is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        # Made outside the lock: two threads may make it twice, none waits for the other.
        made = make()
        if made is None or len(made) > self._most:
            return made
        with self._lock:
            if key not in self._values:
                self._values[key] = made
                self._held += len(made)
            while self._held > self._most:
                _, dropped = self._values.popitem(last=False)
                self._held -= len(dropped)
        return made
