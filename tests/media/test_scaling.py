"""Pictures in another size, and squares cut out of one."""

import numpy as np
import pytest
from PIL import Image

from refvideo_nb.media.scaling import crops, resized


@pytest.mark.parametrize("threads", [1, 2, None])
def test_each_is_what_pillow_makes_of_it(cat, threads):
    images = np.stack([np.roll(cat, 30 * n, axis=0) for n in range(5)])
    found = resized(images, width=100, height=70, threads=threads)
    assert (found.shape, found.dtype) == ((5, 70, 100, 3), np.uint8)
    for image, small in zip(images, found, strict=True):
        assert np.array_equal(small, np.asarray(Image.fromarray(image).resize((100, 70), Image.Resampling.BILINEAR)))
    sharper = resized(images, width=100, height=70, interpolation="bicubic", threads=threads)
    assert not np.array_equal(sharper, found)


def test_what_has_the_size_stays_as_it_is(cat):
    assert resized(cat[None], width=cat.shape[1], height=cat.shape[0]).base is cat


def test_squares_of_a_picture(cat):
    boxes = np.array([[10, 20, 110, 120], [0, 0, 451, 300], [10.5, 20.25, 60.5, 70.25], [400, 250, 500, 350]])
    found = crops(cat, boxes, side=50)
    assert (found.shape, found.dtype) == ((4, 50, 50, 3), np.uint8)
    for square, part in ((found[0], cat[20:120, 10:110]), (found[1], cat), (found[3], cat[250:, 400:])):
        expected = np.asarray(Image.fromarray(part).resize((50, 50), Image.Resampling.BILINEAR)).astype(int)
        assert np.array_equal(square[1:-1, 1:-1], expected[1:-1, 1:-1])
        assert np.abs(square - expected).max() < 30  # the border of a part knows its neighbours
    assert 0 < np.abs(found[2].astype(int) - cat[20:70, 10:60]).mean() < 6  # half a pixel further
    assert crops(cat, np.empty((0, 4)), side=50).shape == (0, 50, 50, 3)
