"""The colours of references can be told apart, on a light page and on a dark one."""

import itertools
import math

import pytest

from refvideo_nb.display.palette import COLOURS, reference_colour


def channels(colour):
    found = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in found]


def contrast(one, other):
    low, high = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(channels, (one, other)))
    return (high + 0.05) / (low + 0.05)


def oklab(colour):
    r, g, b = channels(colour)
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    middle = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("ground", ["#ffffff", "#111111", "#18181b"])
def test_every_colour_shows_on_light_and_dark(colour, ground):
    assert contrast(colour, ground) >= 3


def test_no_two_colours_are_alike():
    assert len(COLOURS) >= 9
    closest = min(math.dist(oklab(a), oklab(b)) for a, b in itertools.combinations(COLOURS, 2))
    assert closest > 0.075


def test_colours_are_stable():
    assert [reference_colour(n) for n in range(3)] == ["#2f6fed", "#0f9488", "#d9480f"]
    assert reference_colour(len(COLOURS)) == reference_colour(0)
