"""How long a job will take, as far as one's own finished jobs can tell.

No API says how far a job has come, and nothing here pretends to know. A range is
given only where enough jobs of the same kind have ended before.
"""

from __future__ import annotations

from math import ceil, floor, isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ENOUGH", "expected"]

ENOUGH = 5
"""So many finished jobs must be there."""

_TAIL = 0.1  # of the jobs at either end


def expected(durations: Iterable[float]) -> tuple[float, float] | None:
    """Between how many seconds jobs usually took; None from fewer than `ENOUGH` of them.

    The shortest and the longest tenth are left out, so that one job that was stuck does not
    spoil the range; of ten jobs or fewer, none is.

    Parameters
    ----------
    durations : iterable of float
        Seconds that jobs of the same kind took, in any order; what is no length of time does not count.

    Examples
    --------
    >>> expected([41, 70, 44, 52, 40])
    (40, 70)
    >>> expected([41, 70, 44, 52]) is None
    True
    """
    known = sorted(s for s in durations if isfinite(s) and s >= 0)
    if len(known) < ENOUGH:
        return None
    last = len(known) - 1
    return known[floor(_TAIL * last)], known[ceil((1 - _TAIL) * last)]
