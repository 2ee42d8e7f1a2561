"""One fault as a value, and the small language in which it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from refvideo_nb.simulator.faults.catalogue import ANY, BY_NAME, JOB, ROUTES, STATUS, STATUS_AFTER

_SPEC = re.compile(r"(?P<where>[a-z]+):(?P<what>[a-z0-9-]+)(?:=(?P<value>.*?))?(?:\*(?P<times>\d*))?", re.DOTALL)
_STATUS = re.compile(r"([45]\d\d)(-after)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that will go wrong.

    Parameters
    ----------
    where
        A route, ``"any"`` or ``"job"``.
    what
        A name of the catalogue, or a status such as ``"503"`` or ``"503-after"``.
    value
        What it needs to know.
    times
        How often; None for ever.
    """

    where: str
    what: str
    value: str | None = None
    times: int | None = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``WHERE:FAULT[=VALUE][*TIMES]``.

        Raises
        ------
        ValueError
            Naming what is wrong and what would do.

        Examples
        --------
        >>> Fault.parse("poll:503=2*3")
        Fault(where='poll', what='503', value='2', times=3)
        >>> str(Fault.parse("content:truncate*"))
        'content:truncate*'
        """
        found = _SPEC.fullmatch(text)
        if found is None:
            raise ValueError(f"fault {text!r} is not of the form WHERE:FAULT[=VALUE][*TIMES], such as 'poll:500*3'")
        times = found["times"]
        return cls(
            where=found["where"],
            what=found["what"],
            value=found["value"],
            times=1 if times is None else int(times) if times else None,
        )

    def __post_init__(self) -> None:
        if self.where not in {*ROUTES, ANY, JOB}:
            raise ValueError(f"fault {self}: {self.where!r} is no place; allowed: {', '.join((*ROUTES, ANY, JOB))}")
        kind = BY_NAME.get(self.name)
        if kind is None or self.what in {STATUS, STATUS_AFTER} or self.where not in kind.where:
            allowed = ", ".join(kind.name for kind in BY_NAME.values() if self.where in kind.where)
            raise ValueError(f"fault {self}: {self.what!r} cannot happen to {self.where!r}; allowed: {allowed}")
        if not kind.fits(self.value):
            raise ValueError(f"fault {self}: write it as {self.where}:{self.what}{kind.value}")
        if self.times is not None and self.times < 1:
            raise ValueError(f"fault {self}: it must happen once or more")

    @property
    def name(self) -> str:
        """Its name in the catalogue, where all statuses are one."""
        found = _STATUS.fullmatch(self.what)
        if found is None:
            return self.what
        return STATUS_AFTER if found[2] else STATUS

    @property
    def status(self) -> int:
        """The HTTP status of a fault that is one."""
        return int(self.what[:3])

    @property
    def seconds(self) -> float:
        """The value of a fault that needs a time."""
        return float((self.value or "0").removeprefix("date:"))

    def __str__(self) -> str:
        value = "" if self.value is None else f"={self.value}"
        times = "*" if self.times is None else "" if self.times == 1 else f"*{self.times}"
        return f"{self.where}:{self.what}{value}{times}"
