"""``%refvideo doctor``: what is there, what is missing, and what to do about it. It pays and sends nothing."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from refvideo_nb.errors import RefVideoError, one_line
from refvideo_nb.notebook.current import unfinished
from refvideo_nb.notebook.environment import Place, front_end, place
from refvideo_nb.settings import DEFAULT_BASE_URL, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Finding", "examine"]

_PACKAGES = ("ipykernel", "ipywidgets", "anywidget", "jupyterlab", "notebook", "httpx", "av", "pillow")
_MEASURING = ("onnxruntime", "pandas", "pyarrow", "matplotlib")
_LITTLE = 500_000_000  # bytes; some clips
_HOUR = 3600.0


class Finding(msgspec.Struct, frozen=True):
    """One line of the report.

    Attributes
    ----------
    what : str
    found : str
    todo : str
        What to do; empty where all is well.
    """

    what: str
    found: str
    todo: str = ""


def examine(shell: Any = None) -> list[Finding]:
    """Look at everything that a job needs.

    Parameters
    ----------
    shell : InteractiveShell, optional

    Returns
    -------
    list of Finding
        Whatever else is wrong, there is one for each part.
    """
    found = [
        Finding("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        _packages(),
        _kernel(shell),
    ]
    try:
        settings = Settings.from_environment()
    except RefVideoError as error:
        return [*found, Finding("settings", "cannot be used", one_line(error))]
    return [
        *found,
        *_api(settings),
        _home(settings.home),
        _model_list(settings.home),
        *_jobs(),
        _codecs(),
        _measuring(),
    ]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _packages() -> Finding:
    versions = {name: _version(name) for name in ("refvideo-nb", *_PACKAGES)}
    said = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    missing = [n for n in ("ipywidgets", "anywidget") if versions[n] is None]
    return Finding("packages", said, f"pip install {' '.join(missing)}" if missing else "")


def _kernel(shell: Any) -> Finding:
    where = place(shell)
    said = {
        Place.NOTEBOOK: "a notebook that somebody watches: results come while other cells run",
        Place.HEADLESS: "a notebook that runs by itself: each cell waits for its result",
        Place.TERMINAL: "IPython in a terminal: results are told in text",
        Place.SCRIPT: "no IPython: results are told in text",
    }[where]
    front = front_end()
    note = {
        "VS Code": "VS Code plays H.264, but no AAC sound",
        "Colab": "Colab drops what comes while no cell runs: use --wait",
    }.get(front, "")
    return Finding("kernel", f"{said}{f' ({front})' if front else ''}", note)


def _api(settings: Settings) -> Iterator[Finding]:
    if settings.key is None:
        offline = os.environ.get("REFVIDEO_OFFLINE", "").strip()
        why = f"REFVIDEO_OFFLINE={one_line(offline, limit=20)}" if offline else "no OPENROUTER_API_KEY"
        yield Finding("key", f"{why}: the simulator answers, nothing is paid")
        return
    own = "" if settings.base_url == DEFAULT_BASE_URL else ", not the API's own"
    yield Finding("key", "set, and not shown: jobs are paid")
    yield Finding("API", f"{settings.base_url}{own}")
    budget = settings.session_budget
    yield Finding(
        "budget",
        "none for the session" if budget is None else f"USD {budget} for the session",
        "" if budget is not None else "%config RefVideoMagics.session_budget = 5 sets a limit, in USD",
    )


def _home(home: Path) -> Finding:
    try:
        folder = home if home.exists() else home.parent
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            free = os.fstatvfs(file.fileno()) if hasattr(os, "fstatvfs") else None
    except OSError as error:
        return Finding(
            "home folder",
            f"{_short(home)} cannot be written ({error.strerror})",
            "set REFVIDEO_HOME to a folder of yours",
        )
    if free is None:
        return Finding("home folder", _short(home))
    left = free.f_bavail * free.f_frsize
    todo = "free some space: a clip takes 1 to 10 MB" if left < _LITTLE else ""
    return Finding("home folder", f"{_short(home)}, {left / 1e9:.1f} GB free", todo)


def _short(folder: Path) -> str:
    """A folder as it is written in a shell: a notebook that is passed on need not tell who has made it."""
    with contextlib.suppress(RuntimeError):  # nobody knows where this user's home is
        if folder.is_relative_to(Path.home()):
            return f"~/{folder.relative_to(Path.home()).as_posix()}"
    return str(folder)


def _model_list(home: Path) -> Finding:
    newest = 0.0
    with contextlib.suppress(OSError):
        newest = max((p.stat().st_mtime for p in (home / "cache").glob("*")), default=0.0)
    if not newest:
        return Finding("model list", "not asked for yet: the one that came with the package serves until then")
    age = time.time() - newest
    return Finding("model list", f"{age / 60:.0f} minutes old" if age < _HOUR else f"{age / _HOUR:.0f} hours old")


def _jobs() -> Iterator[Finding]:
    try:
        waiting, unknown, left = unfinished()
    except RefVideoError as error:
        yield Finding("jobs", "the ledger cannot be read", one_line(error))
        return
    yield Finding("jobs", f"{waiting} unfinished", "%refvideo resume goes on, without paying again" if waiting else "")
    if left:
        yield Finding("sweeps", f"{len(left)} interrupted", f"%refvideo resume {left[0]} goes on with it")
    if unknown:
        yield Finding("jobs", f"{unknown} of unknown outcome", "%refvideo jobs tells what to do")


def _codecs() -> Finding:
    from refvideo_nb.media.video import decoders  # noqa: PLC0415 - PyAV is slow to import

    missing = [name for name, there in decoders().items() if not there]
    if missing:
        return Finding("video", f"no {', '.join(missing)}", "pip install --force-reinstall av")
    return Finding("video", "MP4 with H.264, HEVC, VP9 and AV1 can be read")


def _measuring() -> Finding:
    missing = [name for name in _MEASURING if _version(name) is None]
    if missing:
        return Finding("measuring", f"without {', '.join(missing)}", "pip install 'refvideo-nb[adherence]'")
    return Finding("measuring", "adherence can be measured")
