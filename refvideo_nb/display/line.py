"""The one line that a running job shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refvideo_nb.core.job import SETTLED, State
from refvideo_nb.core.pace import expected
from refvideo_nb.display import words
from refvideo_nb.display.page import harmless, render
from refvideo_nb.errors import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refvideo_nb.core.job import JobRecord

__all__ = ["progress_html", "progress_line"]

_MINUTES = 100  # seconds from which on a range is said in minutes


def progress_line(
    record: JobRecord,
    *,
    now: float,
    next_poll: float | None = None,
    stopped: bool = False,
    past: Sequence[float] = (),
) -> str:
    """Such as ``in progress · 0:41 · 5 polls · next in 8 s · about USD 0.36``.

    Parameters
    ----------
    record : JobRecord
    now : float
        Seconds since the epoch.
    next_poll : float, optional
        The same, when it will be asked after next.
    stopped : bool
        Whether nobody is watching any more; the job goes on all the same.
    past : sequence of float
        Seconds that own finished jobs of this model and resolution took; from enough of them
        it is said how long it usually takes.
    """
    said = [words.state_words(record), words.clock(_elapsed(record, now))]
    if record.polls:
        said.append(words.polls(record).removesuffix(" · "))
    if record.state not in SETTLED:
        if stopped:
            said.append("not watched any more, the job goes on")
        elif next_poll is not None and record.state is not State.COMPLETED:
            wait = round(next_poll - now)
            said.append(f"next in {wait} s" if wait > 0 else "asking")
        if usual := expected(past):
            said.append(f"usually {_between(*usual)}, from {len(past)} jobs")
    said.append(words.money(record))
    return harmless(" · ".join(said))


def _between(low: float, high: float) -> str:
    """A range of times.

    Examples
    --------
    >>> _between(40.2, 69.8), _between(4.1, 4.3), _between(75, 260)
    ('40–70 s', '4 s', '1–4 min')
    """
    unit, a, b = (" s", low, high) if high < _MINUTES else (" min", low / 60, high / 60)
    return f"{round(a)}–{round(b)}{unit}" if round(a) < round(b) else f"{max(round(b), 1)}{unit}"


def progress_html(
    record: JobRecord,
    *,
    now: float,
    next_poll: float | None = None,
    stopped: bool = False,
    past: Sequence[float] = (),
    hint: str = "",
) -> str:
    """The same line as one quiet element, with a badge where the simulator answers and the job's notes below.

    Its root has ``role="status"`` and ``aria-live="off"``: it can be asked for by a
    screen reader, but does not interrupt one every second. `hint` is said at its end:
    the command that shows the result.
    """
    line = progress_line(record, now=now, next_poll=next_poll, stopped=stopped, past=past)
    if hint:
        line = f"{line} · {harmless(hint)}"
    return render("line.html", line=line, simulated=record.simulated, notes=[one_line(n) for n in record.notes])


def _elapsed(record: JobRecord, now: float) -> float:
    if record.seconds_taken is not None:
        return record.seconds_taken
    end = record.finished if record.finished is not None else now
    return end - (record.submitted if record.submitted is not None else record.created)
