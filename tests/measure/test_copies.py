"""Copies are told from other photographs, whatever was done to them; the threshold stands between the two."""

import io

import numpy as np
import pytest
from PIL import Image

from refvideo_nb.measure.copies import (
    POINTS,
    Match,
    Original,
    Points,
    copied_share,
    copy_points,
    first_frame_copy,
    matching,
)

FEATURELESS = {"horse"}  # a silhouette of two colours


def copy_of(image, random):
    """A picture as it may come back: cut, scaled, of another light, compressed hard, half of them mirrored."""
    height, width = image.shape[:2]
    share = random.uniform(0.8, 1)
    top, left = (int(random.uniform(0, side * (1 - share))) for side in (height, width))
    image = image[top : top + int(height * share), left : left + int(width * share)]
    scale = random.uniform(90, 400) / max(image.shape[:2])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    lit = np.clip(small * random.uniform(0.7, 1.2) + random.uniform(-20, 20), 0, 255).astype(np.uint8)
    lit = lit[:, ::-1] if random.random() < 0.5 else lit
    packed = io.BytesIO()
    Image.fromarray(lit).save(packed, "JPEG", quality=int(random.integers(15, 60)))
    return np.asarray(Image.open(packed))


@pytest.fixture(scope="module")
def originals(photographs):
    return {name: Original.of([image]) for name, image in photographs.items()}


@pytest.fixture(scope="module")
def counts(photographs, originals):
    """Matching points of 60 copies with their own original, and with every other photograph."""
    random = np.random.default_rng(5)
    names = [name for name in photographs if name not in FEATURELESS]
    own, others = [], []
    for number in range(60):
        name = names[number % len(names)]
        seen = Points.of(copy_of(photographs[name], random))
        own.append(matching(seen, originals[name]).points)
        others += [
            matching(seen, original).points
            for other, original in originals.items()
            if other != name and {other, name} != {"left", "right"}
        ]
    return np.array(own), np.array(others)


def test_copies_are_told_from_other_photographs(counts):
    own, others = counts
    assert len(own) == 60
    area = np.mean(own[:, None] > others) + np.mean(own[:, None] == others) / 2
    assert area >= 0.99
    assert np.mean(own >= POINTS) >= 0.98
    assert others.max() < POINTS / 2


def test_a_picture_matches_itself_and_its_mirror_image(photographs, originals):
    for name in ("chelsea", "coffee", "astronaut"):
        for seen in (photographs[name], photographs[name][:, ::-1]):
            match = matching(Points.of(seen), originals[name])
            assert match.points > 8 * POINTS
            assert match.reach == pytest.approx(1, abs=0.02)


def test_of_several_pictures_the_nearest_counts(cat, coffee):
    both = Original.of([coffee, cat])
    assert matching(Points.of(cat), both) == matching(Points.of(cat), Original.of([cat]))


def test_it_counts_alike_every_time(cat, photographs):
    match = [matching(Points.of(photographs["left"]), Original.of([photographs["right"]])) for _ in range(3)]
    assert match[0].points > POINTS  # two photographs from a hand's breadth apart: a copy for all that corners tell
    assert match[1:] == match[:1] * 2


@pytest.mark.parametrize("shape", [(300, 400), (1, 1), (2, 900), (20, 20)])
def test_a_picture_without_corners_matches_nothing(originals, shape):
    blank = Points.of(np.full((*shape, 3), 128, np.uint8))
    assert matching(blank, originals["chelsea"]) == Match()
    assert matching(Points.of(np.zeros((90, 90, 3), np.uint8)), Original.of([np.zeros((9, 9, 3), np.uint8)])) == Match()


def test_a_repeated_pattern_does_not_add_up():
    tile = np.kron(np.indices((12, 12)).sum(axis=0) % 2, np.ones((16, 16))).astype(np.uint8) * 255
    board = np.stack([tile] * 3, axis=-1)
    assert matching(Points.of(board), Original.of([board[16:, 16:]])).points < POINTS


def pasted(image, *, area):
    """A picture upright in the middle of a grey frame, over a share of its area."""
    frame = np.full((512, 910, 3), 120, np.uint8)
    scale = (area * 512 * 910 / (image.shape[0] * image.shape[1])) ** 0.5
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    small = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
    whole = Image.fromarray(frame)
    whole.paste(small, ((910 - size[0]) // 2, (512 - size[1]) // 2))
    return np.asarray(whole)


def test_only_a_picture_that_fills_the_frame_is_a_copy(cat, coffee):
    originals = [Original.of([coffee]), Original.of([cat])]
    small = pasted(cat, area=0.25)
    assert matching(Points.of(small), originals[1]).points > 2 * POINTS  # it stands there, but the frame is more
    assert copy_points(small, originals) == [0, 0]
    bars_beside_it = pasted(cat, area=451 / 300 * 512 / 910)
    for whole in (bars_beside_it, cat, cat[:, ::-1], cat[40:260, 30:420]):
        none, points = copy_points(whole, originals)
        assert none == 0
        assert points > 5 * POINTS
    upright = np.asarray(Image.fromarray(cat[:, 100:300]).resize((512 * 2 // 3, 512)))
    assert copy_points(np.pad(upright, ((0, 0), (284, 285), (0, 0))), originals)[1] >= POINTS


def test_nothing_is_lost_where_no_fit_is_looked_for(photographs, originals):
    frames = [Points.of(photograph[20:, 30:]) for photograph in list(photographs.values())[::4]]
    for seen in frames:
        for original in originals.values():
            every, few = matching(seen, original), matching(seen, original, fewest=POINTS)
            assert (few.fills, few.points if few.fills else 0) == (every.fills, every.points if every.fills else 0)
    assert any(matching(seen, original, fewest=POINTS).fills for seen in frames for original in originals.values())


def test_the_first_frame():
    times = np.array([0, 0.2, 0.5])
    copies = np.array([[0, 0, 0, POINTS], [0, POINTS, 0, 0], [POINTS, 90, POINTS - 1, 0]], np.int32)
    assert first_frame_copy(copies, times).tolist() == [False, True, False, True]
    assert not first_frame_copy(copies[:, 2], times)


def test_the_share_of_frames():
    copies = np.array([[0, POINTS], [POINTS - 1, 400], [POINTS, 0], [3, 1]], np.int32)
    assert copied_share(copies).tolist() == [0.25, 0.5]
    assert copied_share(copies[:, 1]) == 0.5
