"""The live table: what reaches the front end, and what loading the package does not load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from refvideo_nb.notebook.table import Picture, Table, column, row

SCRIPT = Path(sys.modules[Table.__module__].__file__ or "").with_name("table.js")


def test_what_comes_from_outside_reaches_the_page_as_plain_text() -> None:
    evil = "<img src=x onerror=alert(1)>\x1b[31m\u202etxt\nnext"
    made = row("a/b", {"model": evil, "long": "x" * 2000, "pictures": [Picture("k", evil)]})
    assert made["cells"]["model"] == "<img src=x onerror=alert(1)> [31m txt next"
    assert len(made["cells"]["long"]) < 500
    assert made["cells"]["pictures"][0]["alt"].startswith("<img")
    # The page puts it in as text: there is no way from a string to an element in the script.
    script = SCRIPT.read_text()
    assert "textContent" in script
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "http"):
        assert way not in script, way


def test_what_the_front_end_gets() -> None:
    table = Table(
        label="Jobs",
        columns=[column("a", "A", sortable=True), column("b", "B", numeric=True, wide=80)],
        rows=[row("1", {"a": "x", "b": "2"}, sort={"b": 2.0}, second=True)],
    )
    state = table.get_state()
    assert json.loads(json.dumps({k: state[k] for k in ("columns", "rows")})) == {
        "columns": [
            {"key": "a", "label": "A", "numeric": False, "sortable": True, "kind": "text", "wide": 0},
            {"key": "b", "label": "B", "numeric": True, "sortable": False, "kind": "text", "wide": 80},
        ],
        "rows": [{"id": "1", "cells": {"a": "x", "b": "2"}, "sort": {"b": 2.0}, "second": True}],
    }
    assert state["_esm"] == SCRIPT.read_text()
    assert state["_css"] == SCRIPT.with_suffix(".css").read_text()


def test_it_knows_whether_somebody_looks() -> None:
    table = Table()
    looks: list[str] = []
    table.on_look(lambda: looks.append("look"))

    def page(view: object, *, seen: bool) -> None:
        table._handle_custom_msg({"view": view, "seen": seen}, [])

    assert not table.seen
    page("one", seen=True)
    page("two", seen=True)
    page("one", seen=False)
    assert (table.seen, len(looks)) == (True, 2)
    page("two", seen=False)
    assert not table.seen
    page({"not": "a name"}, seen=True)
    assert not table.seen
    # Pages that were closed say nothing; they do not pile up.
    for n in range(50):
        page(f"closed {n}", seen=True)
    assert len(table._views) < 5


@pytest.mark.parametrize("load", ["import refvideo_nb", "get_ipython().run_line_magic('load_ext', 'refvideo_nb')"])
def test_loading_loads_no_widgets(load: str, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom IPython.core.interactiveshell import InteractiveShell\n"
        f"get_ipython = InteractiveShell.instance\nget_ipython()\n{load}\n"
        "print([name for name in ('anywidget', 'ipywidgets', 'psygnal') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "/usr/bin", "HOME": str(tmp_path), "REFVIDEO_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr[-2000:]
