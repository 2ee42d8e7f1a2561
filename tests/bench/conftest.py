"""The benchmark is a program of its own (`make bench`); only the tests beside it are collected."""

from pathlib import Path

collect_ignore = [path.name for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("test_")]
