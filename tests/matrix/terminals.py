"""Where nothing but text can be shown: IPython in a terminal, and a script."""

import re
import subprocess
import sys
from pathlib import Path

import pexpect

from tests.matrix.trial import CLIP, JOBS, cells, films, jobs, sent_and_finished

PROMPT = r"In \[{}\]:"
PASTED = "\x1b[200~{}\x1b[201~\x1b\r"  # as a terminal pastes, then Esc and Enter, which run it
SCRIPT = """
import sys
from skimage import data
import refvideo_nb

clip = refvideo_nb.generate("@cat walks", references={"cat": data.chelsea()}, duration=4, resolution="480p")
launch = refvideo_nb.generate("@rocket flies", references={"rocket": data.rocket()}, duration=4, resolution="480p")
for job in (clip, launch):
    job.wait(timeout=120)
    job.show()
assert "IPython" not in sys.modules
"""


def ipython(place, _kernel):
    """The quickstart's cells, pasted into IPython in a terminal."""
    command = str(Path(sys.executable).with_name("ipython"))
    options = ["--no-banner", "--no-confirm-exit", "--colors=nocolor"]
    terminal = pexpect.spawn(
        command, options, env=place.env, cwd=str(place.folder), dimensions=(60, 200), encoding="utf-8", timeout=120
    )
    try:
        said = []
        terminal.expect(PROMPT.format(1))
        for number, cell in enumerate(cells(), 1):
            terminal.send(PASTED.format(cell))
            terminal.expect(PROMPT.format(number + 1))
            said.append(terminal.before)
            if CLIP in cell and "--dry-run" not in cell:
                assert "clip.wait()" in terminal.before, "the cell does not say how to wait"
        terminal.sendeof()
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close(force=True)
    return _told(place, "".join(said))


def script(place, _kernel):
    """Two jobs from Python, without IPython."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env=place.env,
        cwd=place.folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr.strip().splitlines()[-1:]
    return _told(place, done.stdout)


def _told(place, text):
    yield from sent_and_finished(place)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    assert "SIMULATED" in plain
    told = [job.id for job in jobs(place) if job.id in plain]
    assert len(told) == JOBS, f"{len(told)} of {JOBS} jobs are told of"
    yield "shown", "text, with the path of the MP4"
    assert len(films(place)) == JOBS
    assert len(list(place.home.glob("videos/*.json"))) == JOBS
    yield "saved", f"{JOBS} MP4s in the home folder, each with its JSON"
