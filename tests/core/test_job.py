"""The life of a job: each step that is drawn is legal, and no other."""

import re

import pytest

from refvideo_nb.core import job
from refvideo_nb.core.job import FAILED, LEGAL, RESUMABLE, SETTLED, JobRecord, State, may_follow
from refvideo_nb.core.request import VideoRequest

STEPS = {
    "drafted": "submitting rejected",
    "submitting": "accepted rejected outcome_unknown",
    "accepted": "accepted running completed failed cancelled expired",
    "running": "running completed failed cancelled expired",
    "completed": "completed downloaded expired",
    "downloaded": "completed",
    "failed": "",
    "cancelled": "",
    "expired": "",
    "rejected": "",
    "outcome_unknown": "accepted rejected",
}


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_every_step(before, after):
    assert may_follow(before, after) is (after.value in STEPS[before.value].split())


def test_every_state_has_its_steps_and_is_drawn():
    assert set(LEGAL) == set(State)
    assert {s.value for s in State} <= set(re.findall(r"\w+", job.__doc__))


def test_no_way_leads_from_a_sent_job_back_to_sending():
    # What was sent once is never sent again: that is what would be paid twice.
    reached, new = set(), {State.SUBMITTING}
    while new:
        reached |= new
        new = {after for state in new for after in LEGAL[state]} - reached
    assert State.DRAFTED not in reached
    assert all(State.SUBMITTING not in LEGAL[state] for state in reached)


def test_what_is_settled_resumable_and_under_way():
    assert FAILED < SETTLED
    assert not RESUMABLE & SETTLED
    assert set(State) - RESUMABLE - SETTLED == {State.DRAFTED, State.SUBMITTING}
    assert all(not LEGAL[state] for state in FAILED)


def test_seconds_taken_is_never_negative():
    record = JobRecord(
        id="x", state=State.DRAFTED, request=VideoRequest(prompt="x"), sent_prompt="x", created=0, updated=0
    )
    assert record.seconds_taken is None
    from msgspec.structs import replace

    assert replace(record, submitted=10.0, finished=12.5).seconds_taken == 2.5
    assert replace(record, submitted=10.0, finished=9.0).seconds_taken == 0, "a clock that was set back"
