"""A line of the table."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Row"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table.

    Attributes
    ----------
    what : str
    value : float
    goal : str
        ``">= 0.98"`` or ``"<= 0.05"``; empty where there is none.
    of : str
        What it stands on.
    clip_i, vbench : float or None
        The same by whole frames, and by VBench-I2V's formula, on the same network.
    """

    what: str
    value: float
    goal: str = ""
    of: str = ""
    clip_i: float | None = None
    vbench: float | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the goal is reached."""
        if not self.goal:
            return None
        sign, bound = self.goal.split()
        return self.value >= float(bound) if sign == ">=" else self.value <= float(bound)
