"""Reference-to-video in Jupyter: references guide a clip, and the clip stands beside them.

``%load_ext refvideo_nb`` gives ``%%refvideo``; :func:`generate` does the same from Python.
"""

from __future__ import annotations

from typing import Any

from refvideo_nb.core.version import __version__
from refvideo_nb.errors import RefVideoError
from refvideo_nb.notebook.adherence import AdherenceReport, adherence
from refvideo_nb.notebook.api import allow_nested, form, generate, jobs, models, resume
from refvideo_nb.notebook.comparing import compare
from refvideo_nb.notebook.contact import contact_sheet
from refvideo_nb.notebook.exporting import export
from refvideo_nb.notebook.importing import import_bundle
from refvideo_nb.notebook.job import Job
from refvideo_nb.notebook.methods import methods
from refvideo_nb.notebook.rating import agreement, rate
from refvideo_nb.notebook.sweep import Sweep
from refvideo_nb.notebook.sweeping import sweep, sweeps

__all__ = [
    "AdherenceReport",
    "Job",
    "RefVideoError",
    "Sweep",
    "__version__",
    "adherence",
    "agreement",
    "allow_nested",
    "compare",
    "contact_sheet",
    "export",
    "form",
    "generate",
    "import_bundle",
    "jobs",
    "methods",
    "models",
    "rate",
    "resume",
    "sweep",
    "sweeps",
]


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext refvideo_nb``."""
    from refvideo_nb.notebook.magic import load  # noqa: PLC0415 - a plain script does not pay for IPython

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext refvideo_nb``."""
    from refvideo_nb.notebook.magic import unload  # noqa: PLC0415 - as above

    unload(shell)
