"""A ledger in a folder of its own, and jobs to write into it."""

import contextlib

import pytest

from refvideo_nb.core.job import JobRecord, State
from refvideo_nb.core.request import VideoRequest
from refvideo_nb.ledger.bundle import write_bundle
from refvideo_nb.ledger.store import Ledger
from tests.ledger.bundles import failed, job, opened_home


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        self.now += 1
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    with contextlib.closing(Ledger(tmp_path / "home", clock=clock)) as opened:
        yield opened


@pytest.fixture
def record():
    def make(job_id="rv-20270115-abcdef", **more):
        values = {
            "state": State.DRAFTED,
            "request": VideoRequest(prompt="a cat"),
            "sent_prompt": "a cat",
            "created": 1_800_000_000.0,
            "updated": 1_800_000_000.0,
        }
        return JobRecord(id=job_id, **(values | more))

    return make


@pytest.fixture
def here(tmp_path):
    with opened_home(tmp_path / "here") as home:
        yield home


@pytest.fixture
def there(tmp_path):
    with opened_home(tmp_path / "there") as home:
        yield home


@pytest.fixture
def archive(here, tmp_path):
    path = tmp_path / "two.zip"
    write_bundle([here.keep(job()), here.keep(failed())], here.media, path, made_by="1")
    return path
