"""What every row of the matrix looks at: jobs sent, jobs finished, what is shown, what is saved."""

import base64
import re
from pathlib import Path

import nbformat

from refvideo_nb.core.job import State
from refvideo_nb.notebook.session import Session
from refvideo_nb.settings import Settings

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"
JOBS = 2  # of the quickstart
STEPS = ("submitted", "finished", "shown", "saved")
CLIP = "--out clip"  # in the cell that makes the first one
_EMBEDDED = re.compile(r'<video[^>]* src="data:video/mp4;base64,([^"]+)"')
_CALLED = {"text/html": "HTML", "image/png": "PNG", "text/plain": "text"}


def sent_and_finished(place):
    """The first two steps, by the simulator's count and by the ledger."""
    assert place.paid_jobs == JOBS, f"{place.paid_jobs} jobs were paid"
    yield "submitted", f"{JOBS}, each once"
    states = [job.state for job in jobs(place)]
    assert states == [State.DOWNLOADED] * JOBS, states
    yield "finished", f"{JOBS} MP4s"


def jobs(place):
    """What the ledger knows of each job."""
    session = Session(Settings(home=place.home))
    try:
        return session.ledger.jobs()
    finally:
        session.close()


def films(place):
    """The bytes of every MP4 in the home."""
    return sorted(path.read_bytes() for path in place.home.glob("videos/*.mp4"))


def embedded(html):
    """The bytes of every MP4 that a page holds."""
    return sorted(base64.b64decode(found, validate=True) for found in _EMBEDDED.findall(html))


def cards(bundles):
    """Those MIME bundles that hold a clip."""
    return [data for data in bundles if embedded(data.get("text/html", ""))]


def formats(bundles):
    """In what a result is shown, where each is shown in the same; its HTML says SIMULATED."""
    assert all("SIMULATED" in data["text/html"] for data in bundles), "a result does not say SIMULATED"
    (kinds,) = {frozenset(data) for data in bundles}
    return ", ".join(name for kind, name in _CALLED.items() if kind in kinds)


def whole(html, place):
    """The last step: a page holds every film, byte for byte."""
    held = set(embedded(html))
    assert held == set(films(place)), f"{len(held)} of {JOBS} films are in what is saved"
    assert len(held) == JOBS
    return f"{JOBS} MP4s, byte for byte"


def bundles_of(path):
    """The MIME bundles in a saved notebook."""
    outputs = [o for cell in nbformat.read(path, 4).cells for o in cell.get("outputs", [])]
    return [dict(o.data) for o in outputs if "data" in o]


def quickstart(folder, kernel):
    """A copy of the quickstart for this kernel, without outputs."""
    notebook = nbformat.read(QUICKSTART, 4)
    notebook.metadata.kernelspec = {"name": kernel, "display_name": kernel, "language": "python"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    path = folder / QUICKSTART.name
    nbformat.write(notebook, path)
    return path


def cells():
    """The sources of its code cells."""
    return [cell.source for cell in nbformat.read(QUICKSTART, 4).cells if cell.cell_type == "code"]
