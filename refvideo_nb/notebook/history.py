"""IPython's own history, in which a refused cell has been written down before the magic sees it."""

from __future__ import annotations

import contextlib
from typing import Any

from refvideo_nb.errors import without_keys

__all__ = ["forget_keys"]


def forget_keys(shell: Any) -> None:
    """Take what looks like an API key out of the newest entry, in memory and in ``history.sqlite``."""
    history = shell.history_manager
    with contextlib.suppress(Exception):  # a history of another make: the cell is refused all the same
        for past in (history.input_hist_parsed, history.input_hist_raw):
            past[-1] = without_keys(past[-1])
        history.writeout_cache()  # IPython's thread may or may not have written it yet
        with history.db as db:
            db.execute("PRAGMA secure_delete = ON")  # else the old text would stay in the file
            (row, *sources) = db.execute(
                "SELECT rowid, source, source_raw FROM history WHERE session = ? ORDER BY line DESC LIMIT 1",
                (history.session_number,),
            ).fetchone()
            clean = map(without_keys, sources)
            db.execute("UPDATE history SET source = ?, source_raw = ? WHERE rowid = ?", (*clean, row))
