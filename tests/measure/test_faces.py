"""Faces of people, by dlib: who it is, wherever in the frame, and that it is asked for only where it is wanted."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image
from skimage import data

from refvideo_nb.core import optional
from refvideo_nb.errors import BadReferenceError, MissingDependencyError
from refvideo_nb.measure import faces as module
from refvideo_nb.measure.faces import SAME_PERSON, find_faces
from refvideo_nb.measure.targets import Given
from refvideo_nb.measure.video import measure_video

ASTRONAUT = data.astronaut()
HOPPER = np.asarray(Image.open(f"{mpl.get_data_path()}/sample_data/grace_hopper.jpg").convert("RGB"))


def portrait(image, width, *, mirrored=True):
    small = Image.fromarray(image[:, ::-1] if mirrored else image)
    return small.resize((width, round(width * small.height / small.width)))


@pytest.fixture(scope="module")
def faces():
    return find_faces()


def test_a_face_is_that_of_one_person(faces):
    (box,), (astronaut,) = (found[:1] for found in faces.find(ASTRONAUT))
    x0, y0, x1, y1 = box
    assert 150 < x0 < 224 < x1 < 290
    assert 60 < y0 < 120 < y1 < 190
    hopper, small = (faces.find(np.asarray(portrait(HOPPER, width)))[1][:1] for width in (512, 180))
    assert faces.alike(hopper, small)[0, 0] > 0.7
    assert faces.alike(hopper, astronaut[None])[0, 0] < SAME_PERSON


def test_nothing_is_like_no_face(faces):
    boxes, vectors = faces.find(data.coffee())
    assert boxes.shape == (0, 4)
    assert vectors.shape == (0, 128)
    nobody = np.zeros((1, 128), np.float32)
    assert faces.alike(nobody, nobody).tolist() == [[0]]
    somebody = faces.find(HOPPER)[1][:1]
    assert faces.alike(somebody, nobody).tolist() == [[0]]
    assert faces.alike(somebody, somebody).tolist() == [[1]]


def test_a_person_in_half_of_a_film(filmed, lite0):
    frames = []
    for number in range(4):
        frame = Image.new("RGB", (640, 360), (120, 140, 160))
        frame.paste(portrait(ASTRONAUT, 200), (20, 60))
        if number >= 2:
            frame.paste(portrait(HOPPER, 180), (400, 100))
        frames.append(np.asarray(frame))
    people = [
        Given(name=name, pictures=(image,), role="face") for name, image in (("Hopper", HOPPER), ("Collins", ASTRONAUT))
    ]
    report = measure_video(filmed(frames, fps=2), people, embedder=lite0)
    hopper, collins = report.scores
    assert report.covered().T.tolist() == [[False, False, True, True], [True] * 4]
    assert (hopper.coverage, hopper.onset, hopper.verdict) == (0.5, 1.0, "partly")
    assert (collins.coverage, collins.verdict) == (1, "followed")
    assert (hopper.binding, collins.binding) == (1, 1)
    assert report.confusion.tolist() == [[2, 0], [0, 4]]
    assert "the face is seen in 50 % of frames" in hopper.sentence
    x0, y0, x1, y1 = report.boxes[3, 0]
    assert 400 < x0 < x1 < 580
    assert 100 < y0 < y1 < 312
    assert report.negatives["Hopper"].threshold == SAME_PERSON
    assert report.settings["faces_sha256"] == find_faces().sha256
    assert any("limit of their network" in note for note in report.notes)


def test_a_frame_without_faces_counts_as_not_covered(filmed, lite0):
    person = Given(name="Hopper", pictures=(HOPPER,), role="face")
    report = measure_video(filmed([np.zeros((360, 640, 3), np.uint8)] * 2), [person], embedder=lite0)
    (score,) = report.scores
    assert (score.adherence, score.coverage, score.verdict) == (0, 0, "not found")


def test_a_picture_without_a_face_is_refused(tmp_path, lite0):
    cup = Given(name="cup", pictures=(data.coffee(),), role="face")
    with pytest.raises(BadReferenceError, match="'cup' has the role face, but a frontal face is not found"):
        measure_video(tmp_path / "none.mp4", [cup], embedder=lite0)


@pytest.mark.parametrize("missing", ["dlib", "face_recognition_models"])
def test_what_is_missing_comes_with_its_command(missing, monkeypatch):
    def without(name, *rest):
        if name == missing:
            raise ImportError(name)
        return __import__(name, *rest)

    monkeypatch.setattr(optional.importlib, "import_module", without)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=rf"comparing faces needs {missing}.*refvideo-nb\[faces\]"):
        module.Faces()


def test_nobody_loads_dlib_who_measures_no_faces():
    code = "import sys, refvideo_nb.measure.video; sys.exit('dlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_many_threads_may_ask_at_once():
    """In a process of its own: where dlib is asked twice at once, that ends."""
    code = """
from concurrent.futures import ThreadPoolExecutor
from skimage import data
from refvideo_nb.measure.faces import find_faces
faces, image = find_faces(), data.astronaut()[:256, 128:384]
with ThreadPoolExecutor(4) as pool:
    assert {len(boxes) for boxes, _ in pool.map(faces.find, [image] * 16)} == {1}
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=150)
