"""Where the code runs: a notebook that somebody watches, one that runs by itself, or a terminal."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Any

__all__ = ["Place", "current_shell", "front_end", "place"]


class Place(StrEnum):
    """How results can be shown."""

    NOTEBOOK = "notebook"  # a front end that takes updates after the cell has ended
    HEADLESS = "headless"  # nbclient, papermill, nbconvert: the kernel ends with the last cell
    TERMINAL = "terminal"  # IPython in a terminal
    SCRIPT = "script"  # no IPython at all


def current_shell() -> Any:
    """The running IPython, or None. Looking must not import it: a plain script does not pay for it."""
    loaded = sys.modules.get("IPython")
    return loaded.get_ipython() if loaded is not None else None


def place(shell: Any = None) -> Place:
    """Where we are.

    A front end lets the kernel ask for input; programs that run a notebook by
    themselves do not. They drop whatever comes after a cell has ended, so there a
    cell has to wait for its result.
    """
    shell = shell or current_shell()
    if shell is None:
        return Place.SCRIPT
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return Place.TERMINAL
    return Place.NOTEBOOK if getattr(kernel, "_allow_stdin", True) else Place.HEADLESS


def front_end() -> str:
    """Which front end, where that can be known: ``Colab``, ``VS Code``, ``Binder``, or empty."""
    if "google.colab" in sys.modules:
        return "Colab"
    if any(name.startswith("VSCODE_") for name in os.environ):
        return "VS Code"
    return "Binder" if "BINDER_SERVICE_HOST" in os.environ or "BINDER_REPO_URL" in os.environ else ""
