"""Packages that are not always there, and the command that brings them."""

from __future__ import annotations

import importlib
from typing import Any

from refvideo_nb.errors import MissingDependencyError

__all__ = ["INSTALL", "needed"]

_COMMAND = 'pip install "refvideo-nb[{}]"'
INSTALL = _COMMAND.format("adherence")


def needed(module: str, *, what: str = "measuring adherence", extra: str = "adherence") -> Any:
    """Import an optional package.

    Parameters
    ----------
    module : str
    what : str
        What it is needed for, as the message says it.
    extra : str
        The extra of this package that brings it.

    Raises
    ------
    MissingDependencyError
        With the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingDependencyError(
            f"{what} needs {module.partition('.')[0]}, which is not installed: run {_COMMAND.format(extra)}",
            name=module,
        ) from None
