"""``python tests/package/lowest.py``: the lowest versions that pyproject.toml allows, as constraints for pip.

Only of our own dependencies and of the extras that people install; what the tests need is the newest.
"""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
TESTED_WITH_THE_NEWEST = {"dev"}


def lowest(text):
    """Each dependency at the version that it must have at least.

    Examples
    --------
    >>> lowest('[project]\\nname = "a"\\ndependencies = ["av>=14", "numpy>=1.26,<3"]')
    ['av>=14,<14.1', 'numpy>=1.26,<1.27']
    """
    project = tomllib.loads(text)["project"]
    extras = project.get("optional-dependencies", {})
    chosen = [each for name, each in extras.items() if name not in TESTED_WITH_THE_NEWEST]
    given = [*project["dependencies"], *(r for each in chosen for r in each)]
    found = {}
    for requirement in map(Requirement, given):
        least = [s.version for s in requirement.specifier if s.operator in {">=", "=="}]
        if least and requirement.name != project["name"]:
            found[requirement.name] = f"{requirement.name}>={least[0]},<{_next(least[0])}"
    return sorted(found.values())


def _next(version):
    """Behind every patch of a version: what is below is that version, however its releases are numbered."""
    major, minor, *_ = [*map(int, version.split(".")), 0]
    return f"{major}.{minor + 1}"


if __name__ == "__main__":
    print("\n".join(lowest((ROOT / "pyproject.toml").read_text(encoding="utf-8"))))
