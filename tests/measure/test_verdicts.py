"""Words for numbers: each promises what they bear, and no more."""

import pytest

from refvideo_nb.measure.verdicts import sentence, verdict

SEEN = {
    "role": "subject",
    "p": 0.03,
    "coverage": 0.9,
    "strength": 6.0,
    "copied": 0.0,
    "area": 0.2,
    "binding": 1.0,
}


@pytest.mark.parametrize(
    ("numbers", "word"),
    [
        ({}, "followed"),
        ({"coverage": 0.8}, "followed"),
        ({"coverage": 0.79}, "partly"),
        # There for a short while: lost in the mean over all, and yet not by chance.
        ({"coverage": 0.2, "p": 0.4}, "partly"),
        ({"coverage": 0.05, "p": 0.4}, "not found"),
        ({"coverage": 0.2, "p": 0.4, "strength": 1.9}, "not found"),
        ({"coverage": 0.0, "strength": None, "area": None, "binding": None}, "not found"),
        ({"binding": 0.3}, "not found"),
        ({"binding": None}, "followed"),
        ({"area": 0.04, "strength": 2.0}, "too small to judge"),
        ({"area": 0.04, "strength": 5.0}, "followed"),
        ({"area": 0.04, "strength": 2.0, "role": "face"}, "followed"),
        ({"p": 0.33, "coverage": 0.5, "strength": 2.6, "role": "face"}, "partly"),
        ({"copied": 0.5}, "copied"),
        ({"copied": 0.49}, "followed"),
    ],
)
def test_a_word(numbers, word):
    assert verdict(**SEEN | numbers) == word


VISIBLE = "pack: visible in 81 % of frames, far above chance (z 6.2)"
LIKE = "pack: the look is like it in 81 % of frames, far above chance (z 6.2)"
SAID = {
    "name": "pack",
    "role": "subject",
    "verdict": "partly",
    "z": 3.9,
    "strength": 6.2,
    "coverage": 0.81,
    "copied": 0.0,
    "first": False,
    "taken": None,
}


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({}, "pack: visible in 81 % of frames, far above chance (z 6.2), not copied; look-alikes not excluded"),
        (
            {"strength": 2.0},
            "pack: visible in 81 % of frames, above chance (z 2.0), not copied; look-alikes not excluded",
        ),
        ({"copied": 0.5}, "pack: visible in 81 % of frames, far above chance (z 6.2), copied in 50 % of all"),
        (
            {"copied": 0.06, "first": True},
            f"{VISIBLE}, copied in 6 % of all, and the first frame is the picture itself",
        ),
        (
            {"verdict": "not found", "z": 0.4, "strength": None},
            "pack: not found, no more than chance (z 0.4); below 5 % of the frame it would be missed",
        ),
        ({"verdict": "not found", "taken": "box"}, "pack: not found; what is like it is nearer to box"),
        (
            {"verdict": "too small to judge", "strength": 2.1},
            "pack: what may be it has less than 5 % of the frame, too small to judge (above chance (z 2.1))",
        ),
        (
            {"role": "style"},
            f"{LIKE}, not copied; told by whole frames, a proxy",
        ),
        (
            {"role": "face", "verdict": "not found", "z": 0, "strength": None},
            "pack: not found, no more than chance (z 0.0)",
        ),
    ],
)
def test_a_sentence(numbers, words):
    assert sentence(**SAID | numbers) == words
