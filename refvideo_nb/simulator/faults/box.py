"""What is set to go wrong, and how often it already has."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from refvideo_nb.simulator.faults.catalogue import ANY, JOB
from refvideo_nb.simulator.faults.spec import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(eq=False)
class Met:
    """A fault and how often it was met."""

    fault: Fault
    count: int = 0

    @property
    def left(self) -> bool:
        """Whether it can still happen."""
        return self.fault.times is None or self.count < self.fault.times


class FaultBox:
    """The faults of one simulator; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Met] = []

    def inject(self, faults: Iterable[str | Fault]) -> None:
        """Add faults behind those that are there; all or, where one cannot be read, none.

        Raises
        ------
        ValueError
            As `Fault.parse`.
        """
        read = [Met(each if isinstance(each, Fault) else Fault.parse(each)) for each in faults]
        with self._lock:
            self._all += read

    def clear(self) -> None:
        """Let nothing more go wrong."""
        with self._lock:
            self._all.clear()

    def take(self, where: str) -> Met | None:
        """The first fault for a route, or for ``"job"``, that is left; it counts as met from now on."""
        with self._lock:
            for met in self._all:
                fits = met.fault.where == where or (met.fault.where == ANY and where != JOB)
                if fits and met.left:
                    met.count += 1
                    return met
        return None

    def put_back(self, met: Met) -> None:
        """Undo one `take`: there was nothing to spoil."""
        with self._lock:
            met.count -= 1

    def tell(self) -> list[dict[str, Any]]:
        """Every fault and how often it was met."""
        with self._lock:
            return [{"fault": str(met.fault), "met": met.count, "left": met.left} for met in self._all]
