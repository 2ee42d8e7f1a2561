"""Many threads read their first job at once: the engine's, the kernel's, and those that draw."""

import subprocess
import sys

import pytest

# As often as possible to another thread: what is made only once is made by several, if it can be.
FIRST_READS = """
import sys, threading
sys.setswitchinterval(1e-6)
import msgspec
from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.ledger.documents import read

record = JobRecord(
    id="rv-1", state=State.RUNNING, request=VideoRequest(prompt="x"), sent_prompt="", created=1.0, updated=1.0
)
document = msgspec.json.encode(record)
together = threading.Barrier(8)

def first_read():
    together.wait()
    assert read(document) == record

threads = [threading.Thread(target=first_read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize("attempt", range(6))
def test_first_reads_at_once_leave_the_process_alive(attempt):
    done = subprocess.run([sys.executable, "-c", FIRST_READS], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, (attempt, done.stderr)
