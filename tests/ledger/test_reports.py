"""What was measured, and what people say of it, is kept with the film and goes when the film goes."""

import base64
import contextlib
import hashlib
import json

import msgspec
import numpy as np
import pytest

from refvideo_nb.core.job import State, VideoFacts
from refvideo_nb.core.rating import Rating
from refvideo_nb.errors import InvalidRequestError, LedgerError
from refvideo_nb.ledger.bundle import write_bundle
from refvideo_nb.ledger.media import MediaStore
from refvideo_nb.ledger.report_document import read_report, report_key, write_report
from refvideo_nb.ledger.store import Ledger
from refvideo_nb.ledger.unbundle import Bundle
from refvideo_nb.ledger.unpack import unpacked

CLIP = b"\x00\x00\x00\x18ftypmp42 a clip"
SHA = hashlib.sha256(CLIP).hexdigest()
ASKED = {"embedder_sha256": "e0" * 32, "frames": 32, "every": None, "references": [["pack", "subject", ["0a" * 32]]]}


def same(one, other):
    """Whether two reports hold the same in every field, types included."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, msgspec.Struct):
        return type(one) is type(other) and all(same(getattr(one, n), getattr(other, n)) for n in one.__struct_fields__)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    return one == other and type(one) is type(other)


@pytest.fixture
def done(record):
    """A job whose clip came."""

    def make(job_id, sha256=SHA):
        facts = VideoFacts(
            sha256=sha256, nbytes=len(CLIP), width=864, height=496, seconds=4.0, fps=24.0, frames=96, audio=False
        )
        return record(job_id, state=State.DOWNLOADED, video=facts, finished=1_800_000_100.0)

    return make


@pytest.mark.parametrize("references", [1, 3])
def test_a_report_comes_back_as_it_was(some_report, references):
    report = some_report(references=references, frames=7)
    data = write_report(report, ASKED)
    back = read_report(data)
    assert same(back.report, report)
    assert back.asked == ASKED
    assert back.key == report_key(report.video_sha256, ASKED)
    assert write_report(back.report, back.asked) == data
    back.report.similarity[0, 0] = 1  # it can be worked on


def test_people_can_read_it(some_report):
    told = json.loads(write_report(some_report(), ASKED))
    assert (told["format"], told["version"], told["asked"]["frames"]) == ("refvideo_nb report", 1, 32)
    assert told["report"]["scores"][0]["adherence"] == 0.5
    assert told["report"]["similarity"]["dtype"] == "<f4"


def test_it_is_small(some_report):
    assert len(write_report(some_report(references=3, frames=32), ASKED)) < 16_000


def test_the_same_question_finds_it_and_no_other(ledger, some_report):
    report = some_report(video_sha256=SHA)
    ledger.reports.keep(report, asked=ASKED)
    assert same(ledger.reports.find(SHA, asked=dict(reversed(ASKED.items()))), report)
    for other in ({"frames": 31}, {"every": 1}, {"embedder_sha256": "e1" * 32}, {"references": []}):
        assert ledger.reports.find(SHA, asked=ASKED | other) is None
    assert ledger.reports.find("f0" * 32, asked=ASKED) is None


def test_a_later_answer_replaces_an_earlier_one(ledger, some_report):
    for seed in (1, 2):
        ledger.reports.keep(some_report(video_sha256=SHA, seed=seed), asked=ASKED)
    ledger.reports.keep(some_report(video_sha256=SHA, seed=3), asked=ASKED | {"frames": 8})
    found = ledger.reports.of(SHA)
    assert [same(f, some_report(video_sha256=SHA, seed=s)) for f, s in zip(found, (3, 2), strict=True)] == [True] * 2
    assert ledger.reports.of("f0" * 32) == []


def test_of_many_the_numbers_are_read_without_the_arrays(ledger, some_report):
    report = some_report(video_sha256=SHA)
    ledger.reports.keep(report, asked=ASKED)
    ledger.reports.keep(some_report(video_sha256=SHA, seed=2), asked=ASKED | {"frames": 8})
    found = ledger.reports.scores([SHA, "f0" * 32])
    assert [asked["frames"] for asked, _ in found] == [8, 32], "the newest first"
    assert found[1][1].scores == report.scores
    assert json.loads(bytes(found[1][1].settings)) == report.settings
    ledger.reports.keep(some_report(video_sha256="f1" * 32), asked=ASKED)
    ours, theirs = [each for each in ledger.reports.scores([SHA, "f1" * 32]) if each[0]["frames"] == ASKED["frames"]]
    assert ours[0] is theirs[0], "what many say alike is held once"
    assert ours[1].settings is theirs[1].settings
    assert ledger.reports.scores([]) == []
    assert ledger.reports.kept([(SHA, ASKED), (SHA, ASKED | {"frames": 9}), ("f0" * 32, ASKED)]) == [True, False, False]
    with ledger._database.writing() as db:
        db.execute("UPDATE reports SET document = CAST('{}' AS BLOB)")
    assert ledger.reports.scores([SHA]) == []


def test_it_outlives_the_process(ledger, some_report, tmp_path):
    ledger.reports.keep(some_report(video_sha256=SHA), asked=ASKED)
    with contextlib.closing(Ledger(tmp_path / "home")) as again:
        assert again.reports.find(SHA, asked=ASKED) is not None


def test_one_that_cannot_be_read_is_measured_anew(ledger, some_report):
    report = some_report(video_sha256=SHA)
    ledger.reports.keep(report, asked=ASKED)
    later = write_report(report, ASKED).replace(b'"version":1', b'"version":2')
    with ledger._database.writing() as db:
        db.execute("UPDATE reports SET document = ?", (later,))
    assert ledger.reports.find(SHA, asked=ASKED) is None
    assert ledger.reports.of(SHA) == []
    ledger.reports.keep(report, asked=ASKED)
    assert ledger.reports.find(SHA, asked=ASKED) is not None


def broken(**changes):
    def edit(told):
        for path, value in changes.items():
            at = told
            *way, last = path.split("__")
            for step in way:
                at = at[int(step) if step.isdigit() else step]
            at[int(last) if last.isdigit() else last] = value

    return edit


NANS = base64.b64encode(np.full(5, np.nan).tobytes()).decode()
HOSTILE = {
    "format": (broken(format="docx"), "'docx' of version 1"),
    "version": (broken(version=7), "of version 7.*pip install"),
    "shape": (broken(report__similarity__shape=[2, 5]), r"similarity are of shape \(2, 5\)"),
    "much": (broken(report__similarity__shape=[10**9, 10**9]), "not those of its shape"),
    "negative": (broken(report__similarity__shape=[-1, 2]), "not those of its shape"),
    "type": (broken(report__similarity__dtype="|O"), "of type '|O'"),
    "bytes": (broken(report__times__data="????"), "not those of its shape"),
    "no number": (broken(report__times__data=NANS), "all numbers"),
    "hash": (broken(report__video_sha256="../../x"), "has no hash"),
    "picture": (broken(report__references__0__sha256=["x"]), "has no hash"),
    "role": (broken(report__references__0__role="king"), "no role"),
    "names": (broken(report__references__0__name="mood"), "one name"),
    "scores": (broken(report__scores=[]), "scores are not"),
    "negatives": (broken(report__negatives={}), "negatives are not"),
    "text": (broken(report__notes=["x" * 9999]), "too long"),
    "size": (broken(report__width=0), "no size"),
    "null": (broken(report__scores__0__z=None), "cannot be read"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_does_not_fit_together_is_refused(some_report, what):
    edit, said = HOSTILE[what]
    told = json.loads(write_report(some_report(), ASKED))
    edit(told)
    data = json.dumps(told).encode()
    with pytest.raises(LedgerError, match=said) as error:
        read_report(data)
    assert len(str(error.value)) < 300
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"a":' + b"[" * 100_000])
def test_what_is_no_report_is_refused(data):
    with pytest.raises(LedgerError, match="cannot be read"):
        read_report(data)


def rating(value=4.0, **more):
    return Rating(**({"video_sha256": SHA, "reference": "pack", "criterion": "looks like it", "value": value} | more))


def test_ratings_are_kept_and_changed(ledger):
    first = [rating(), rating(2, rater="B"), rating(1, reference=""), rating(5, video_sha256="f0" * 32)]
    ledger.ratings.keep(first)
    ledger.ratings.keep([rating(3)])  # a change of mind
    found = ledger.ratings.of([SHA])
    assert [(r.value, r.rater, r.reference) for r in found] == [(2, "B", "pack"), (1, "", ""), (3, "", "pack")]
    assert all(r.when > 1_800_000_000 for r in found)
    assert len(ledger.ratings.of()) == 4
    assert ledger.ratings.of([]) == []
    ledger.ratings.take_back(rating(99))
    assert [r.value for r in ledger.ratings.of([SHA, SHA])] == [2, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": float("nan")},
        {"criterion": ""},
        {"rater": "a\nb"},
        {"reference": "x" * 201},
        {"criterion": "\x1b[31m"},
    ],
)
def test_what_is_no_rating_is_refused(wrong):
    with pytest.raises(InvalidRequestError, match="cannot be") as error:
        rating(**wrong)
    assert error.value.field in wrong


def test_they_go_with_the_last_job_of_the_film(ledger, done, some_report):
    ledger.bring_in([(done("rv-20270115-aaaaaa"), "a"), (done("rv-20270115-bbbbbb"), "b")])
    ledger.bring_in([(done("rv-20270115-cccccc", "f0" * 32), "c")])
    for sha256 in (SHA, "f0" * 32):
        ledger.reports.keep(some_report(video_sha256=sha256), asked=ASKED)
        ledger.ratings.keep([rating(video_sha256=sha256)])
    ledger.forget("rv-20270115-aaaaaa")
    assert len(ledger.reports.of(SHA)) == 1
    ledger.forget("rv-20270115-bbbbbb")
    assert ledger.reports.of(SHA) == []
    assert [r.video_sha256 for r in ledger.ratings.of()] == ["f0" * 32]
    assert len(ledger.reports.of("f0" * 32)) == 1


@pytest.fixture
def bundle(ledger, done, some_report, tmp_path):
    """One job with its clip and two reports, exported; a third report is of another film."""
    job, media = done("rv-20270115-aaaaaa"), MediaStore(tmp_path / "home")
    ledger.bring_in([(job, "a")])
    media.video(job.id).write_bytes(CLIP)
    ledger.reports.keep(some_report(video_sha256=SHA), asked=ASKED)
    ledger.reports.keep(some_report(video_sha256=SHA, seed=1), asked=ASKED | {"frames": 8})
    ledger.reports.keep(some_report(video_sha256="f0" * 32), asked=ASKED)
    path = tmp_path / "a.zip"
    write_bundle([job], media, path, made_by="1", reports=ledger.reports.documents([SHA, SHA]))
    return path


def brought_in(path, home):
    with contextlib.closing(Ledger(home)) as there:
        opened = Bundle.open(path)
        with unpacked(opened, MediaStore(home), there):
            there.bring_in([(r, r.id) for r in opened.records])
            there.reports.bring_in(opened.reports)
        assert there.reports.documents([SHA]) == opened.reports, "whoever passes them on passes on the same"
        return there.reports.of(SHA), there.reports.find(SHA, asked=ASKED)


def test_a_bundle_takes_them_along(bundle, some_report, tmp_path):
    found, asked = brought_in(bundle, tmp_path / "there")
    assert len(found) == 2
    assert asked.notes[-1].startswith("measured elsewhere")
    assert same(msgspec.structs.replace(asked, notes=asked.notes[:-1]), some_report(video_sha256=SHA))


def test_what_was_measured_here_stays(bundle, ledger, some_report):
    opened = Bundle.open(bundle)
    ledger.reports.bring_in(opened.reports)
    assert same(ledger.reports.find(SHA, asked=ASKED), some_report(video_sha256=SHA))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (broken(report__video_sha256="f0" * 32), "of no clip of it, or answers something else"),
        (broken(asked__frames=31), "of no clip of it, or answers something else"),
        (broken(version=2), "of version 2"),
        (broken(report__scores=[]), "scores are not"),
    ],
)
def test_one_that_was_altered_is_not_brought_in(bundle, ledger, some_report, tmp_path, edit, said):
    key = report_key(SHA, ASKED)
    told = json.loads(write_report(some_report(video_sha256=SHA), ASKED))
    edit(told)
    [record] = ledger.jobs()
    path = tmp_path / "altered.zip"
    write_bundle([record], MediaStore(tmp_path / "home"), path, made_by="1", reports={key: json.dumps(told).encode()})
    with pytest.raises(LedgerError, match=said):
        Bundle.open(path)
