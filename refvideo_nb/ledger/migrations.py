"""The tables, one numbered step after another; a step that was released is never edited."""

from __future__ import annotations

import unicodedata

__all__ = ["MIGRATIONS", "fold", "sought"]


def sought(prompt: str, job_id: str, api_id: str | None, model: str) -> str:
    """What a search looks at, in one; in SQL too, where a step fills the column."""
    return fold("\x1f".join((prompt, job_id, api_id or "", model)))


def fold(text: str) -> str:
    """Text in which only what it says counts, and no longer how it is written.

    Examples
    --------
    >>> fold("STRASSE") == fold("Straße")
    True
    """
    # SQLite's LIKE ends at a NUL, and knows only the case of ASCII.
    return unicodedata.normalize("NFKC", text.casefold()).replace("\0", " ")


MIGRATIONS: tuple[str, ...] = (
    # 1: a job is one JSON document; what is searched or decided on has a column of its own.
    """
    CREATE TABLE jobs (
        id          TEXT PRIMARY KEY,
        created     REAL NOT NULL,
        updated     REAL NOT NULL,
        state       TEXT NOT NULL,
        model       TEXT NOT NULL,
        prompt      TEXT NOT NULL,
        api_id      TEXT,
        fingerprint TEXT NOT NULL,
        document    BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX jobs_by_creation ON jobs (created DESC);
    CREATE INDEX jobs_by_state ON jobs (state, created DESC);
    CREATE INDEX jobs_by_fingerprint ON jobs (fingerprint, created DESC);
    """,
    # 2: one process looks after a job, for as long as it lives or its lease lasts.
    """
    ALTER TABLE jobs ADD COLUMN owner TEXT;
    ALTER TABLE jobs ADD COLUMN lease REAL;
    CREATE INDEX jobs_by_owner ON jobs (owner) WHERE owner IS NOT NULL;
    """,
    # 3: everything that a search looks at in one narrow index, so that it never reads the documents.
    """
    CREATE INDEX jobs_search ON jobs (created DESC, id, state, model, prompt, api_id);
    CREATE INDEX jobs_by_model ON jobs (model, state, created DESC);
    """,
    # 4: one text to look for, whatever its case; how long jobs took; which reference is whose; ids by index.
    # How late the end of an earlier job was noticed nobody knows any more: it has no seconds.
    """
    ALTER TABLE jobs ADD COLUMN sought TEXT;
    ALTER TABLE jobs ADD COLUMN resolution TEXT;
    ALTER TABLE jobs ADD COLUMN simulated INTEGER;
    ALTER TABLE jobs ADD COLUMN seconds REAL;
    UPDATE jobs SET sought = sought(prompt, id, api_id, model);
    DROP INDEX jobs_search;
    CREATE INDEX jobs_by_text ON jobs (created DESC, id, state, model, sought);
    CREATE INDEX jobs_by_api_id ON jobs (api_id) WHERE api_id IS NOT NULL;
    CREATE INDEX jobs_by_seconds ON jobs (model, resolution, simulated, created DESC, seconds)
        WHERE seconds IS NOT NULL;
    CREATE TABLE uses (sha256 TEXT NOT NULL, job TEXT NOT NULL, PRIMARY KEY (sha256, job)) STRICT, WITHOUT ROWID;
    INSERT OR IGNORE INTO uses SELECT json_extract(value, '$.sha256'), jobs.id FROM jobs, json_each(
        CASE WHEN json_valid(CAST(document AS TEXT)) THEN CAST(document AS TEXT) END, '$.request.references');
    INSERT OR IGNORE INTO uses SELECT json_extract(value, '$.image.sha256'), jobs.id FROM jobs, json_each(
        CASE WHEN json_valid(CAST(document AS TEXT)) THEN CAST(document AS TEXT) END, '$.request.frames');
    """,
    # 5: what was measured of a film, by what was asked; and what people say of it. Both belong to the
    # film's bytes: a job that brought the same is another way to them.
    """
    CREATE TABLE reports (
        key      TEXT PRIMARY KEY,
        video    TEXT NOT NULL,
        made     REAL NOT NULL,
        document BLOB NOT NULL
    ) STRICT;
    CREATE INDEX reports_by_video ON reports (video, made DESC);
    CREATE TABLE ratings (
        video     TEXT NOT NULL,
        reference TEXT NOT NULL,
        criterion TEXT NOT NULL,
        rater     TEXT NOT NULL,
        value     REAL NOT NULL,
        "when"    REAL NOT NULL,
        PRIMARY KEY (video, reference, criterion, rater)
    ) STRICT, WITHOUT ROWID;
    """,
    # 6: sweeps, each with its cells as they were planned; a cell names the job that was begun for it.
    """
    CREATE TABLE sweeps (
        id       TEXT PRIMARY KEY,
        created  REAL NOT NULL,
        state    TEXT NOT NULL,
        document BLOB NOT NULL,
        owner    TEXT,
        lease    REAL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE cells (
        sweep    TEXT NOT NULL,
        number   INTEGER NOT NULL,
        document BLOB NOT NULL,
        job      TEXT,
        reused   INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (sweep, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX cells_by_job ON cells (job) WHERE job IS NOT NULL;
    """,
    # 7: which reports came with a bundle: their bytes stay those that were exported.
    """
    ALTER TABLE reports ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
    """,
)
