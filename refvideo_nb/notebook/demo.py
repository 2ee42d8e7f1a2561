"""``python -m refvideo_nb demo``: the quickstart, run through a real kernel against the simulator.

It never pays: the key is taken out of the kernel's environment, whatever it holds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from refvideo_nb.client.embedded import stop_simulator
from refvideo_nb.core.job import State
from refvideo_nb.errors import MissingDependencyError, RefVideoError
from refvideo_nb.notebook.session import Session
from refvideo_nb.settings import Settings

__all__ = ["main", "run_demo"]

_LIMIT = 600  # seconds a cell
_SCRIPTS = ("mathjax_url", "require_js_url", "jquery_url", "mermaid_js_url", "mermaid_layout_elk_js_url")


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m refvideo_nb demo")
    parser.add_argument("--notebook", type=Path, default=Path("notebooks/01_quickstart.ipynb"))
    parser.add_argument("--to", type=Path, default=Path("demo"))
    given = parser.parse_args(arguments)
    try:
        run_demo(given.notebook, given.to)
    except RefVideoError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command prints
        return 1
    return 0


def run_demo(notebook: Path, to: Path) -> None:
    """Run `notebook`; leave ``quickstart.ipynb``, ``quickstart.html`` and the MP4s in `to`."""
    nbclient, nbconvert, nbformat = _tools()
    if not notebook.exists():
        raise RefVideoError(f"{notebook} is not there: run it in a checkout of the project, or name a notebook")
    to.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="home-", dir=to)).absolute()
    try:
        loaded = nbformat.read(notebook, as_version=4)
        client = nbclient.NotebookClient(
            loaded,
            timeout=_LIMIT,
            kernel_name="python3",
            resources={"metadata": {"path": str(to.absolute())}},
            # Only errors: this kernel of a minute warns at length that others on this machine might listen to it.
            extra_arguments=["--log-level=ERROR"],
        )
        client.execute(env=_environment(home))
        nbformat.write(loaded, to / "quickstart.ipynb")
        # The page that is left needs no network, to which nbconvert's template would send every reader.
        exporter = nbconvert.HTMLExporter(**dict.fromkeys(_SCRIPTS, "data:text/javascript,"))
        html, _ = exporter.from_notebook_node(loaded)
        (to / "quickstart.html").write_text(html, encoding="utf-8")
        _collect(home, to)
    finally:
        stop_simulator(home)
        shutil.rmtree(home, ignore_errors=True)


def _environment(home: Path) -> dict[str, str]:
    """The kernel's environment: no key, no other address, a home of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENROUTER_", "REFVIDEO_"))}
    python = str(Path(sys.executable).parent)
    return kept | {
        "PATH": f"{python}{os.pathsep}{kept.get('PATH', '')}",
        "REFVIDEO_OFFLINE": "1",
        "REFVIDEO_HOME": str(home),
        "REFVIDEO_SIMULATOR_SECONDS": "3",
    }


def _collect(home: Path, to: Path) -> None:
    """Copy the clips out, and say what came of each job, oldest first."""
    session = Session(Settings(home=home))
    try:
        for record in reversed(session.ledger.jobs()):
            if record.state is not State.DOWNLOADED:
                raise RefVideoError(f"job {record.id} is {record.state.value}: {record.error}")
            path = Path(shutil.copy2(session.media.video(record.id), to))
            summary = {
                "id": record.api_id,
                "status": record.api_status,
                "polls": record.polls,
                "output_path": path,
                "bytes": path.stat().st_size,
            }
            print("\n".join(f"{name}: {value}" for name, value in summary.items()), end="\n\n")  # noqa: T201 - a command prints
    finally:
        session.close()
    print(f"simulated, nothing was paid; open {to / 'quickstart.html'}")  # noqa: T201 - as above


def _tools() -> tuple[Any, Any, Any]:
    try:
        import nbclient  # noqa: PLC0415 - an optional dependency
        import nbconvert  # noqa: PLC0415 - as above
        import nbformat  # noqa: PLC0415 - as above
    except ImportError as error:
        raise MissingDependencyError(f"the demo needs {error.name}: pip install 'refvideo-nb[demo]'") from None
    return nbclient, nbconvert, nbformat
