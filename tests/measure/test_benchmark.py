"""A part of the benchmark that fits into the tests: what it says at length holds in short."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.timeout(600)
SUBJECTS = ("cat", "pack", "woman", "motorcycle", "clock", "rocket")


@pytest.fixture(scope="module", autouse=True)
def benchmark():
    """The folder that the benchmark is run from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks" / "adherence"))
        yield
        for name in ("areas", "films", "judged", "photographs", "presence", "row"):
            sys.modules.pop(name, None)


def by_name(rows):
    return {row.what: row for row in rows}


def test_a_subject_at_a_tenth_of_the_frame_is_told_from_what_is_not_there(lite0, tmp_path):
    from areas import areas
    from films import HEIGHT, WIDTH
    from photographs import ground

    found = by_name(areas(tmp_path, lite0, {"wall": ground("brick", WIDTH, HEIGHT)}, shares=(0.1,), names=SUBJECTS))
    row = found["present or absent at 10% of the frame, AUC"]
    assert row.value >= 0.98
    assert row.clip_i < row.value - 0.05
    assert found["box at 10%, IoU, median"].value > 0.4


def test_when_and_where_a_subject_is_there(lite0, tmp_path):
    from photographs import ground
    from presence import composite, measured, told

    scene = [np.roll(ground("gravel", 1280, 720), 2 * n, axis=1) for n in range(40)]
    random = np.random.default_rng(0)
    clip = composite(tmp_path / "a.mp4", scene, ("cat", "rocket"), area=0.15, spans=[(1.5, 4.0)], random=random)
    rows = {row.what.partition(": ")[2]: row for row in told("it", [(clip, measured(clip, lite0))])}
    assert rows["coverage, mean error"].value <= 0.1
    assert rows["onset, largest error in samples"].value <= 2
    assert rows["box, IoU, median"].value > 0.4


def test_the_judges_know_what_they_say():
    from judged import Whole, auc, overlap

    assert auc(np.array([3, 4]), np.array([1, 2])) == 1
    assert auc(np.array([1, 1]), np.array([1, 1])) == 0.5
    assert auc(np.array([1]), np.array([0, 1, 2, 3])) == 0.375
    boxes = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2]])
    assert overlap(boxes, np.array([[0, 0, 2, 2], [1, 0, 3, 2], [2, 2, 4, 4]])).tolist() == [1, 1 / 3, 0]
    frozen = Whole(np.array([[1.0, 0], [1, 0]]), np.array([[1.0, 0], [0, 1]]))
    assert frozen.clip_i().tolist() == [1, 0]
    assert frozen.vbench() == pytest.approx([1.0, 0.6])  # a frozen film is more than half-way there with nothing in it
