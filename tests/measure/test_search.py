"""The search: it finds what was pasted, and by any network, however fine its map is."""

import numpy as np
import pytest
from PIL import Image

from refvideo_nb.measure.embedders.protocol import FeatureMap, normalised
from refvideo_nb.measure.search import TOP, search
from refvideo_nb.measure.targets import embedded
from refvideo_nb.media.scaling import resized


class Colours:
    """A network whose map is the mean colour of squares, and whose embedding is that of the picture."""

    side = 64

    def __init__(self, cell):
        self.cell, self.embedded = cell, 0

    def embed(self, images):
        self.embedded += len(images)
        return normalised(images.reshape(len(images), -1, 3).mean(axis=1) - 127)

    def features(self, images):
        _, height, width, _ = images.shape
        rows, columns = max(1, height // self.cell), max(1, width // self.cell)
        values = resized(images, width=columns, height=rows).astype(np.float32) - 127
        step_x, step_y = width / columns, height / rows
        return FeatureMap(
            values=values, left=step_x / 2, top=step_y / 2, step_x=step_x, step_y=step_y, width=width, height=height
        )


def found(frame, pictures, network):
    vectors = embedded(pictures, network)
    network.embedded = 0
    return search(frame, coarse=vectors.coarse, fine=vectors.fine, embedder=network)


def plain(*colour):
    return np.full((64, 64, 3), colour, np.uint8)


@pytest.mark.parametrize("cell", [8, 14, 16, 32, 112])
def test_a_coloured_square_is_found_with_maps_of_any_grid(cell):
    frame = np.full((512, 910, 3), 100, np.uint8)
    frame[128:320, 480:672] = (250, 20, 250)
    network = Colours(cell)
    result = found(frame, [plain(250, 20, 250), plain(20, 200, 20)], network)
    x0, y0, x1, y1 = result.boxes[0]
    assert (x0 + x1) / 2 == pytest.approx(576, abs=64)
    assert (y0 + y1) / 2 == pytest.approx(224, abs=64)
    assert result.similarity[0] > 0.95
    assert result.similarity[1] < 0.5
    assert network.embedded == result.crops <= 2 * TOP
    assert result.vectors.shape == (2, 3)


def test_what_is_searched_beside_changes_nothing():
    frame = np.random.default_rng(0).integers(0, 255, (8, 14, 3), np.uint8).repeat(64, axis=0).repeat(64, axis=1)
    pictures = [plain(*colour) for colour in ((200, 10, 10), (10, 200, 10), (90, 90, 200))]
    network = Colours(32)
    alone, together = found(frame, pictures[:1], network), found(frame, pictures, network)
    assert alone.similarity[0] == pytest.approx(together.similarity[0])
    assert np.array_equal(alone.boxes[0], together.boxes[0])


def test_places_that_are_shared_are_looked_at_once():
    frame = np.random.default_rng(1).integers(0, 255, (8, 14, 3), np.uint8).repeat(64, axis=0).repeat(64, axis=1)
    network = Colours(32)
    result = found(frame, [plain(200, 10, 10)] * 5, network)
    assert result.crops == network.embedded == TOP
    assert np.ptp(result.similarity) == 0


@pytest.mark.parametrize("size", [(512, 910), (910, 512), (512, 512), (96, 96), (40, 40)])
def test_frames_of_any_shape(size):
    frame = np.random.default_rng(2).integers(0, 255, (*size, 3), np.uint8)
    boxes = found(frame, [plain(200, 10, 10)], Colours(32)).boxes
    assert boxes.min() >= 0
    assert boxes[:, [0, 2]].max() <= size[1]
    assert boxes[:, [1, 3]].max() <= size[0]


def test_a_small_photograph_is_found_by_the_offline_network(cat, coffee, lite0):
    """At 4 % of the frame, mirrored, by windows that hold little else."""
    frame = np.full((512, 910, 3), (120, 150, 170), np.uint8)
    frame[:] = np.clip(frame + np.random.default_rng(0).normal(0, 8, frame.shape), 0, 255)
    small = np.asarray(Image.fromarray(cat[:, ::-1]).resize((160, 106)))
    frame[300:406, 600:760] = small
    vectors = embedded([cat, coffee], lite0)
    result = search(frame, coarse=vectors.coarse, fine=vectors.fine, embedder=lite0)
    x0, y0, x1, y1 = result.boxes[0]
    assert x0 < 680 < x1
    assert y0 < 353 < y1
    assert result.similarity[0] > 0.6
    assert result.similarity[0] > result.similarity[1] + 0.3
