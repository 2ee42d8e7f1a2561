"""The tables, one numbered step after another; a step that was released is never edited."""

from __future__ import annotations

__all__ = ["MIGRATIONS"]

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
)
