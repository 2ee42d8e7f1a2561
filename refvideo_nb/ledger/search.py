"""Looking through a ledger of any size: pages, models, how long jobs took, what others still use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.core.job import JobRecord
from refvideo_nb.ledger.documents import readable
from refvideo_nb.ledger.migrations import fold

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence, Sized

    from refvideo_nb.core.job import State

__all__ = ["Page", "durations", "find", "models", "named", "newest", "still_used"]

_ENOUGH = 50  # jobs, for what is usual
_LONGEST = 1000  # characters that are looked for; SQLite refuses patterns of 50,000 bytes


class Page(msgspec.Struct, frozen=True):
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
    clauses: list[str] = []  # our own words; everything from outside is a value
    values: list[Any] = []
    if states is not None:
        wanted = [s.value for s in states]
        clauses.append(f"state IN ({_places(wanted)})")
        values += wanted
    if model:
        clauses.append("model = ?")
        values.append(model)
    source = "jobs"
    if looked_for := fold((text or "").strip()[:_LONGEST]):
        # A text is looked for row by row, so the rows must be narrow: the plain planner would read the documents.
        source = "jobs INDEXED BY jobs_by_text"
        clauses.append("sought LIKE ? ESCAPE '\\'")
        values.append("%" + re.sub(r"([\\%_])", r"\\\1", looked_for) + "%")
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    page = db.execute(
        f"SELECT id, created FROM {source}{where} ORDER BY created DESC, id LIMIT ? OFFSET ?",  # noqa: S608 - see clauses
        (*values, limit, offset),
    ).fetchall()
    if looked_for and len(page) < limit and (page or not offset):
        total = offset + len(page)  # the search came to the end
    elif looked_for and page:
        # Only what comes after the page is still to be counted: one look at each row in all.
        last, when = page[-1]
        after = " AND created <= ? AND NOT (created = ? AND id <= ?)"
        total = offset + len(page) + _count(db, f"{source}{where}{after}", (*values, when, when, last))
    else:
        total = _count(db, f"{source}{where}", values)
    # The documents last, and of this page alone: they are large.
    rows = [db.execute("SELECT document FROM jobs WHERE id = ?", (i,)).fetchone() for i, _ in page]
    return Page(tuple(r for row in rows if row and (r := readable(row[0])) is not None), total)


def _count(db: sqlite3.Connection, what: str, values: Sequence[Any]) -> int:
    return int(db.execute(f"SELECT count(*) FROM {what}", values).fetchone()[0])  # noqa: S608 - clauses of `find`


def newest(db: sqlite3.Connection, *, states: Iterable[State] | None, limit: int | None) -> list[JobRecord]:
    """See `Ledger.jobs`."""
    wanted = None if states is None else [s.value for s in states]
    where = "" if wanted is None else f" WHERE state IN ({_places(wanted)})"
    rows = db.execute(
        f"SELECT document FROM jobs{where} ORDER BY created DESC, id LIMIT ?",  # noqa: S608 - only question marks
        (*(wanted or ()), -1 if limit is None else limit),
    )
    return [record for row in rows if (record := readable(row[0])) is not None]


def named(db: sqlite3.Connection, job_id: str) -> list[bytes]:
    """The documents of the jobs of this name, at most two: by our id, the API's, or the beginning of ours."""
    # In this order: an id of the API's must never hide one of ours.
    for where in ("id = :id", "api_id = :id", "length(:id) > 2 AND id >= :id AND id < :id || char(1114111)"):
        rows = db.execute(f"SELECT document FROM jobs WHERE {where} LIMIT 2", {"id": job_id}).fetchall()  # noqa: S608 - one of the three above
        if rows:
            return [row[0] for row in rows]
    return []


def models(db: sqlite3.Connection) -> list[str]:
    """Every model that a job names, by name."""
    return [row[0] for row in db.execute("SELECT DISTINCT model FROM jobs ORDER BY model")]


def durations(db: sqlite3.Connection, model: str, resolution: str | None, *, simulated: bool) -> list[float]:
    """See `Ledger.durations`."""
    rows = db.execute(
        "SELECT seconds FROM jobs WHERE model = ? AND resolution IS ? AND simulated = ? AND seconds IS NOT NULL"
        " ORDER BY created DESC LIMIT ?",
        (model, resolution, int(simulated), _ENOUGH),
    )
    return [row[0] for row in rows]


def still_used(db: sqlite3.Connection, hashes: Iterable[str], *, beside: str = "") -> set[str]:
    """Which of these hashes of references some job names, beside one."""
    asked = list(set(hashes))
    rows = db.execute(
        f"SELECT DISTINCT sha256 FROM uses WHERE sha256 IN ({_places(asked)}) AND job <> ?",  # noqa: S608 - only question marks
        (*asked, beside),
    )
    return {row[0] for row in rows}


def _places(values: Sized) -> str:
    return ",".join("?" * len(values))
