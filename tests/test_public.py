"""The public names, pinned: adding one is a decision."""

from __future__ import annotations

import tomllib
from pathlib import Path

import refvideo_nb


def test_exported_names() -> None:
    assert refvideo_nb.__all__ == [
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
    assert all(hasattr(refvideo_nb, name) for name in refvideo_nb.__all__)


def test_public_functions_say_what_they_take() -> None:
    for name in refvideo_nb.__all__:
        if name != "__version__":
            assert getattr(refvideo_nb, name).__doc__, name


def test_what_is_handed_on_names_the_version_of_the_package() -> None:
    about = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert refvideo_nb.__version__ == about["project"]["version"]
