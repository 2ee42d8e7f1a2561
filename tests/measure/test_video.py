"""A report of real films: composites of photographs whose truth is known."""

import pickle

import numpy as np
import pytest
from msgspec.structs import asdict
from PIL import Image
from skimage import data

from refvideo_nb.errors import BadReferenceError, InvalidRequestError
from refvideo_nb.measure.targets import Given
from refvideo_nb.measure.video import measure_video

pytestmark = pytest.mark.timeout(600)
CAT, CUP, MOTORCYCLE = data.chelsea(), data.coffee(), data.stereo_motorcycle()[0]
cat, cup, motorcycle = (
    Given(name=name, pictures=(image,)) for name, image in (("cat", CAT), ("cup", CUP), ("motorcycle", MOTORCYCLE))
)


def scene(*things, width=640, height=360):
    """Pictures pasted before a sky and a field, each with its middle and width in shares of the frame."""
    down = np.linspace(0, 1, height)[:, None, None]
    grain = np.random.default_rng(0).normal(0, 6, (height, width, 1)) * (down > 0.55)
    ground = np.where(down > 0.55, np.array([90, 120, 60]), 140 + 90 * down * np.array([1, 1, 1.2])) + grain
    ground = Image.fromarray(ground.clip(0, 255).astype(np.uint8))
    for image, x, y, share in things:
        small = Image.fromarray(image)
        small = small.resize((round(width * share), round(width * share * small.height / small.width)))
        ground.paste(small, (round(width * x - small.width / 2), round(height * y - small.height / 2)))
    return np.asarray(ground)


@pytest.fixture(scope="module")
def partly(filmed):
    """A cat in the second half of 4 frames, a cup in all of them; no motorcycle."""
    late = (CAT, 0.7, 0.5, 0.3)
    frames = [scene((CUP, 0.2 + 0.01 * n, 0.6, 0.25), *[late] * (n > 1)) for n in range(4)]
    return filmed(frames, fps=2)


@pytest.fixture(scope="module")
def report(partly, lite0):
    return measure_video(partly, [cat, cup, motorcycle], embedder=lite0)


def test_the_report_tells_what_was_pasted(report):
    in_cat, in_cup, in_motorcycle = report.scores
    assert (report.seconds, report.width, report.height) == (2.0, 640, 360)
    assert report.covered().T.tolist() == [[False, False, True, True], [True] * 4, [False] * 4]
    assert (in_cat.coverage, in_cat.onset, in_cat.longest_gap, in_cat.verdict) == (0.5, 1.0, 1.0, "partly")
    assert (in_cup.coverage, in_cup.onset, in_cup.longest_gap, in_cup.copied) == (1, 0, 0, 0)
    assert (in_motorcycle.coverage, in_motorcycle.onset, in_motorcycle.verdict) == (0, None, "not found")
    assert in_cup.z > 5
    assert in_cup.p == pytest.approx(1 / (1 + len(report.negatives["cup"].names)))
    assert in_motorcycle.z < 2
    assert in_motorcycle.p > 0.05
    assert report.confusion.tolist() == [[2, 0, 0], [0, 4, 0], [0, 0, 0]]
    assert (in_cup.binding, in_motorcycle.binding) == (1, None)
    for score, column in zip(report.scores, report.similarity.T, strict=True):
        assert score.low <= score.adherence <= score.high
        assert score.adherence == pytest.approx(column.mean(), abs=1e-6)
        assert score.reference in score.sentence


def test_boxes_are_where_it_was_pasted(report):
    for n in range(4):
        x0, y0, x1, y1 = report.boxes[n, 1]
        middle = ((x0 + x1) / 2 / 640, (y0 + y1) / 2 / 360)
        assert middle == pytest.approx((0.2 + 0.01 * n, 0.6), abs=0.08)


def test_the_shapes_are_those_of_the_contract(report):
    assert report.similarity.shape == report.z.shape == report.copies.shape == (4, 3)
    assert report.boxes.shape == (4, 3, 4)
    assert report.similarity.dtype == report.boxes.dtype == report.z.dtype == np.float32
    assert report.copies.dtype == np.int32
    assert report.times.tolist() == [0, 0.5, 1, 1.5]
    assert set(report.negatives) == {"cat", "cup", "motorcycle"}
    assert all(negatives.mean.shape == (4,) for negatives in report.negatives.values())


def test_a_reference_is_no_negative_of_itself(report):
    names = " ".join(report.negatives["cup"].names)
    for own in ("chelsea", "coffee", "motorcycle"):
        assert own not in names
    assert "hopper" in names


def test_the_same_arguments_give_the_same_report(report, partly, lite0):
    again = measure_video(partly, [cat, cup, motorcycle], embedder=lite0)
    assert again.scores == report.scores
    assert again.notes == report.notes
    assert np.array_equal(again.similarity, report.similarity)
    assert again.settings == report.settings


def test_permuting_references_permutes_columns(report, partly, lite0):
    turned = measure_video(partly, [motorcycle, cat, cup], embedder=lite0)
    order = [2, 0, 1]
    # Linear algebra adds up in another order where matrices have another shape.
    for now, before in zip(turned.scores, (report.scores[n] for n in order), strict=True):
        assert asdict(now) == pytest.approx(asdict(before), abs=1e-4)
    assert np.allclose(turned.similarity, report.similarity[:, order], atol=1e-6)
    assert np.array_equal(turned.boxes, report.boxes[:, order])
    assert np.array_equal(turned.confusion, report.confusion[np.ix_(order, order)])


def test_another_reference_changes_only_whose_place_it_is(report, partly, lite0):
    """The same negatives are left out here and there, since all of these are among them."""
    alone = measure_video(partly, [cup, motorcycle], embedder=lite0, negatives=[])
    assert np.allclose(alone.similarity, report.similarity[:, 1:], atol=1e-6)
    assert np.array_equal(alone.boxes, report.boxes[:, 1:])
    drawn = Given(name="noise", pictures=(np.random.default_rng(0).integers(0, 255, (99, 99, 3), np.uint8),))
    more = measure_video(partly, [cat, cup, motorcycle, drawn], embedder=lite0)
    for before, after in zip(report.scores, more.scores, strict=False):
        assert asdict(before) == pytest.approx(asdict(after) | {"margin": before.margin}, abs=1e-4)


def test_repeating_frames_changes_no_mean(partly, report, filmed, lite0):
    """As near as an encoder is faithful."""
    frames = [scene((CUP, 0.2 + 0.01 * (n // 2), 0.6, 0.25)) for n in range(8)]
    once, twice = (
        measure_video(filmed(frames[::step], fps=4 // step), [cup, motorcycle], embedder=lite0) for step in (2, 1)
    )
    for a, b in zip(once.scores, twice.scores, strict=True):
        assert a.adherence == pytest.approx(b.adherence, abs=0.01)
        assert a.coverage == b.coverage
        assert a.p == pytest.approx(b.p, abs=0.06)


def test_a_black_film_scores_at_chance(filmed, lite0):
    report = measure_video(filmed([np.zeros((360, 640, 3), np.uint8)] * 3), [cat, cup, motorcycle], embedder=lite0)
    for score in report.scores:
        assert abs(score.z) < 2
        assert score.p > 0.05
        assert score.verdict == "not found"
        assert score.copied == 0


def test_several_pictures_of_one_subject(partly, lite0, report):
    both = Given(name="both", pictures=(MOTORCYCLE, CUP))
    found = measure_video(partly, [both, cat], embedder=lite0)
    assert np.allclose(found.similarity[:, 0], report.similarity[:, 1:].max(axis=1))
    assert len(found.references[0].sha256) == 2
    assert any("several pictures" in note for note in found.notes)
    assert found.negatives["both"].threshold > found.negatives["cat"].threshold


def test_style_and_scene_are_whole_frames(partly, lite0):
    roles = [Given(name=role, pictures=(scene(),), role=role) for role in ("style", "scene", "subject")]
    report = measure_video(partly, roles, embedder=lite0, frames=2)
    whole = np.tile(np.array([0, 0, 640, 360], np.float32), (2, 1))
    assert np.array_equal(report.boxes[:, 0], whole)
    assert np.array_equal(report.boxes[:, 1], whole)
    assert np.array_equal(report.similarity[:, 0], report.similarity[:, 1])
    assert report.negatives["style"].threshold < report.negatives["subject"].threshold
    assert report.scores[0].binding is None
    assert "proxy" in report.scores[0].sentence


def test_other_references_can_be_negatives(partly, lite0, report):
    other = Given(name="other job", pictures=(data.retina(), CUP))
    found = measure_video(partly, [cat, cup, motorcycle], embedder=lite0, negatives=[other], frames=1)
    # The cup is a reference: with it the whole group is left out.
    assert found.negatives["cat"].names == report.negatives["cat"].names
    other = Given(name="other job", pictures=(data.logo()[:250, :250, :3],))
    found = measure_video(partly, [cat, cup, motorcycle], embedder=lite0, negatives=[other], frames=1)
    assert [name.startswith("other job") for name in found.negatives["cat"].names].count(True) == 1


def test_from_files_with_progress_and_in_another_process(partly, lite0, report, tmp_path):
    Image.fromarray(CAT).save(tmp_path / "cat.png")
    given = pickle.loads(pickle.dumps([Given(name="cat", pictures=(tmp_path / "cat.png",)), cup, motorcycle]))
    done = []
    found = measure_video(partly, given, embedder=lite0, progress=done.append, video="job-1")
    assert done == [1, 2, 3, 4]
    assert found.video == "job-1"
    assert np.allclose(found.similarity, report.similarity, atol=1e-6)
    assert pickle.loads(pickle.dumps(found)).scores == found.scores


@pytest.mark.parametrize(
    ("references", "error", "words"),
    [
        ([], InvalidRequestError, "no reference"),
        ([cat, cat], InvalidRequestError, "two references are called 'cat'"),
        ([Given(name="cat", pictures=())], InvalidRequestError, "no picture"),
        ([Given(name="cat", pictures=(CAT,), role="hero")], InvalidRequestError, "subject, style, scene, face"),
        ([Given(name="cat", pictures=(CAT[:9],))], BadReferenceError, "451x9 pixels"),
        ([Given(name="cat", pictures=(b"no picture",))], BadReferenceError, "no picture that can be read"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_decoded(references, error, words, tmp_path, lite0):
    with pytest.raises(error, match=words):
        measure_video(tmp_path / "none.mp4", references, embedder=lite0)


def test_a_picture_that_is_not_there_is_named(tmp_path, lite0):
    with pytest.raises(BadReferenceError, match=r"'cat': .*gone\.png cannot be read"):
        measure_video(tmp_path / "none.mp4", [Given(name="cat", pictures=(tmp_path / "gone.png",))], embedder=lite0)
