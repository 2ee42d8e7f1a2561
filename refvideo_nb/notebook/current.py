"""The sessions of this process: one for each way in which the environment was set."""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING

from refvideo_nb.notebook.session import Session
from refvideo_nb.settings import Settings

if TYPE_CHECKING:
    from refvideo_nb.core.catalogue import Model

__all__ = ["current_session", "known_models", "unfinished", "went_live"]

_sessions: dict[Settings, Session] = {}
_lock = threading.Lock()
_inherited: list[object] = []
_told_live = False


def _after_fork() -> None:
    # The child has neither the parent's thread nor its locks, and must not close its database.
    global _lock  # noqa: PLW0603 - it may have been held when the process split
    _lock = threading.Lock()
    _inherited.append(dict(_sessions))
    for session in _sessions.values():
        atexit.unregister(session.close)
    _sessions.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def current_session() -> Session:
    """The session that fits the environment as it is now.

    A key that is set after a first, simulated try counts from the next cell on; the
    jobs of the session before go on in theirs.
    """
    settings = Settings.from_environment()
    with _lock:
        session = _sessions.get(settings)
        if session is None or session.closed:
            session = _sessions[settings] = Session(settings)
        return session


def went_live() -> bool:
    """Whether the API answers now where the simulator did before, asked for the first time since."""
    global _told_live  # noqa: PLW0603 - said once in a process
    sessions = list(_sessions.values())
    now = current_session()
    if _told_live or now.simulated or not any(s.settings.key is None for s in sessions):
        return False
    _told_live = True
    return True


def unfinished() -> tuple[int, int, list[str]]:
    """What a kernel left behind in the home folder.

    How many jobs wait to be taken up again, of how many a crash hid the outcome, and the ids of the
    sweeps that nobody runs any more.

    Makes no folder and starts nothing.
    """
    home = Settings.from_environment().home
    if not (home / "ledger.sqlite").exists():
        return 0, 0, []
    from refvideo_nb.core.job import RESUMABLE  # noqa: PLC0415 - as above
    from refvideo_nb.core.sweep import SweepState  # noqa: PLC0415 - as above
    from refvideo_nb.ledger.store import Ledger  # noqa: PLC0415 - as above

    ledger = Ledger(home)
    try:
        running = [r.id for r in ledger.sweeps.all() if r.state is SweepState.RUNNING]
        left = [sweep_id for sweep_id in running if not ledger.sweeps.running(sweep_id)]
        return len(ledger.abandoned(RESUMABLE)), len(ledger.settle_abandoned()), left
    finally:
        ledger.close()


def known_models() -> tuple[Model, ...] | None:
    """The newest model list that is already at hand, without asking anybody."""
    lists = [s.known_models for s in _sessions.values() if s.known_models]
    return lists[-1] if lists else None
