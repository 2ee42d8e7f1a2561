"""The truth is what the pixels show: a pure colour is looked for in the frames, and compared."""

import numpy as np
import pytest

GREEN, MAGENTA = (0, 240, 30), (240, 0, 240)


def _pixels(frame, colour, within=70):
    """Where a frame has a colour, (height, width) bool."""
    wide = frame.astype(np.int16)
    return (np.abs(wide - np.array(colour, np.int16)).max(axis=2) < within) & (np.ptp(wide, axis=2) > 140)


def _directed(api, small, references, **parameters):
    provider = {"options": {"simulator": {"parameters": {"strength": 1} | parameters}}}
    return api.film(**small, input_references=references, provider=provider)


def test_boxes_and_areas_are_where_the_colour_is(api, small, image):
    film = _directed(api, small, [image(GREEN), image(MAGENTA)])
    frames = film.frames()
    for reference, colour in zip(film.truth["references"], (GREEN, MAGENTA), strict=True):
        assert len(reference["box"]) == len(reference["area"]) == len(reference["visible"]) == 24
        for number in (0, 11, 23):
            found = _pixels(frames[number], colour)
            down, across = (np.flatnonzero(found.any(axis=axis)) for axis in (1, 0))
            measured = (across[0], down[0], across[-1] + 1, down[-1] + 1)
            assert np.abs(np.subtract(measured, reference["box"][number])).max() <= 5
            assert found.mean() == pytest.approx(reference["area"][number], rel=0.12)


@pytest.mark.parametrize(("area", "size"), [(0.005, (300, 300)), (0.2, (300, 500)), (0.6, (500, 300))])
def test_area(api, small, image, area, size):
    areas = _directed(api, small, [image(GREEN, size)], area=area).truth["references"][0]["area"]
    assert np.mean(areas) == pytest.approx(area, rel=0.08)


def test_an_area_for_each(api, small, image):
    film = _directed(api, small, [image(GREEN), image(MAGENTA)], area=[0.03, 0.12])
    means = [np.mean(reference["area"]) for reference in film.truth["references"]]
    assert means == pytest.approx([0.03, 0.12], rel=0.1)


def test_presence(api, small, image):
    film = _directed(api, small, [image(GREEN), image(MAGENTA)], presence=[[[0, 0.25], [0.5, 1]], []])
    green, magenta = film.truth["references"]
    expected = [number < 6 or number >= 12 for number in range(24)]
    assert green["visible"] == expected
    assert [box is not None for box in green["box"]] == expected
    assert [area > 0 for area in green["area"]] == expected
    assert not any(magenta["visible"])
    frames = film.frames()
    seen = [_pixels(frame, GREEN).mean() > 0.02 for frame in frames]
    assert seen == expected
    assert not any(_pixels(frame, MAGENTA).any() for frame in frames)


def test_everything_is_visible_throughout_unless_told(api, small, image):
    colours = [(0, 240, 30), (240, 0, 240), (240, 220, 0), (0, 220, 240), (250, 60, 0)]
    film = api.film(**small, input_references=[image(colour) for colour in colours])
    for reference in film.truth["references"]:
        assert all(reference["visible"])
        assert min(reference["area"]) > 0.015


def test_a_hidden_part_does_not_count(api, small, image):
    film = _directed(api, small, [image(GREEN), image(MAGENTA)], area=[0.5, 0.5])
    back = min(film.truth["references"], key=lambda reference: np.mean(reference["area"]))
    colour = (GREEN, MAGENTA)[back["index"]]
    assert np.mean(back["area"]) < 0.45
    assert _pixels(film.frames()[12], colour).mean() == pytest.approx(back["area"][12], abs=0.02)


def test_copying_the_first_frame(api, small, image):
    film = _directed(api, small, [image(GREEN), image(MAGENTA)], copy_first_frame=1)
    assert film.truth["copy_first_frame"] == 1
    frames = film.frames()
    shares = [_pixels(frame, MAGENTA).mean() for frame in frames]
    assert min(shares[:6]) > 0.95
    assert max(shares[6:]) < 0.5
    green, magenta = film.truth["references"]
    assert magenta["box"][0] == [0, 0, 480, 480]
    assert magenta["area"][:6] == [1.0] * 6
    assert green["visible"][:7] == [False] * 6 + [True]
    assert _directed(api, small, [image(GREEN)], copy_first_frame=True).truth["copy_first_frame"] == 0


def test_strength_keeps_the_colours_or_lets_them_go(api, small, image):
    def inside(strength):
        film = _directed(api, small | {"prompt": "a beach at sunset"}, [image((60, 120, 200))], strength=strength)
        left, top, right, bottom = film.truth["references"][0]["box"][12]
        third = (right - left) // 3, (bottom - top) // 3
        part = film.frames()[12][top + third[1] : bottom - third[1], left + third[0] : right - third[0]]
        return np.abs(part.mean(axis=(0, 1)) - (60, 120, 200)).max()

    kept, usual, gone = (inside(strength) for strength in (1, 0.8, 0))
    assert kept < 6
    assert kept < usual < gone
    assert gone > 25
