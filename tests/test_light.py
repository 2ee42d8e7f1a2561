"""What is loaded when: a plain import and the extension bring in nothing that only a job needs."""

import subprocess
import sys

import pytest

HEAVY = ("httpx", "numpy", "PIL", "av", "sqlite3", "tenacity", "jinja2", "matplotlib", "pandas", "asyncio")
OF_IPYTHON = {"sqlite3", "asyncio", "jinja2"}  # what it loads itself

LOAD = """
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.instance().run_line_magic("load_ext", "refvideo_nb")
"""


@pytest.mark.parametrize(
    ("code", "none_of"),
    [
        ("import refvideo_nb", HEAVY),
        (LOAD, [m for m in HEAVY if m not in OF_IPYTHON]),
    ],
    ids=["import", "load_ext"],
)
def test_nothing_heavy_is_loaded(tmp_path, code, none_of):
    code += f"\nimport sys; print(*(m for m in {none_of!r} if m in sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=100
    )
    assert ran.stdout.split() == []
