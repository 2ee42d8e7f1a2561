"""Looking through a ledger of any size: pages, models, how long jobs took, what others still use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.ledger.documents import readable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

__all__ = ["Page", "durations", "find", "models", "still_used"]

_ENOUGH = 50  # jobs, for what is usual
_ARRIVED = (State.COMPLETED.value, State.DOWNLOADED.value)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the jobs that were found, newest first, and how many there are in all."""

    records: tuple[JobRecord, ...]
    total: int


def find(
    db: sqlite3.Connection,
    *,
    states: Iterable[State] | None,
    model: str | None,
    text: str | None,
    offset: int,
    limit: int,
) -> Page:
    """See `Ledger.find`."""
    where, values = _where(states, model, text)
    order = " ORDER BY created DESC, id"
    if text and text.strip():
        # A text is looked for row by row: once, and not a second time for the count.
        ids = [row[0] for row in db.execute(f"SELECT id FROM jobs{where}{order}", values)]  # noqa: S608 - see _where
        total, ids = len(ids), ids[offset : offset + limit]
    else:
        (total,) = db.execute(f"SELECT count(*) FROM jobs{where}", values).fetchone()  # noqa: S608 - see _where
        page = db.execute(f"SELECT id FROM jobs{where}{order} LIMIT ? OFFSET ?", (*values, limit, offset))  # noqa: S608 - see _where
        ids = [row[0] for row in page]
    # The documents last, and of this page alone: they are large.
    rows = [db.execute("SELECT document FROM jobs WHERE id = ?", (i,)).fetchone() for i in ids]
    return Page(tuple(r for row in rows if row and (r := readable(row[0])) is not None), total)


def _where(states: Iterable[State] | None, model: str | None, text: str | None) -> tuple[str, list[Any]]:
    """Conditions of our own words; everything from outside is a value."""
    clauses: list[str] = []
    values: list[Any] = []
    if states is not None:
        wanted = [s.value for s in states]
        clauses.append(f"state IN ({','.join('?' * len(wanted))})")
        values += wanted
    if model:
        clauses.append("model = ?")
        values.append(model)
    if text and text.strip():
        escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        columns = ("prompt", "id", "model", "coalesce(api_id, '')")
        clauses.append("(" + " OR ".join(f"{c} LIKE ? ESCAPE '\\'" for c in columns) + ")")
        values += [f"%{escaped}%"] * len(columns)
    return (f" WHERE {' AND '.join(clauses)}" if clauses else ""), values


def models(db: sqlite3.Connection) -> list[str]:
    """Every model that a job names, by name."""
    return [row[0] for row in db.execute("SELECT DISTINCT model FROM jobs ORDER BY model")]


def durations(db: sqlite3.Connection, model: str, resolution: str | None, *, simulated: bool) -> list[float]:
    """See `Ledger.durations`."""
    rows = db.execute(
        "SELECT document FROM jobs WHERE model = ? AND state IN (?, ?) ORDER BY created DESC LIMIT ?",
        (model, *_ARRIVED, 4 * _ENOUGH),
    )
    found = [r for row in rows if (r := readable(row[0])) is not None]
    fitting = [r for r in found if r.simulated == simulated and r.request.resolution == resolution]
    return [s for r in fitting if (s := r.seconds_taken) is not None][:_ENOUGH]


def still_used(db: sqlite3.Connection, hashes: Iterable[str]) -> set[str]:
    """Which of these hashes some job names."""
    return {
        h
        for h in set(hashes)
        if db.execute("SELECT 1 FROM jobs WHERE instr(document, CAST(? AS BLOB)) > 0 LIMIT 1", (f'"{h}"',)).fetchone()
    }
