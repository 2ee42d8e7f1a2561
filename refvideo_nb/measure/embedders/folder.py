"""Any image network as an ONNX file with its preprocessing beside it.

The layout is that of Hugging Face's exports: ``model.onnx`` (or ``onnx/model.onnx``, or
``vision_model.onnx``) and ``preprocessor_config.json``. What its outputs mean is known by
their shapes: two sides are an embedding, three are tokens, four are a map.
"""

from __future__ import annotations

import math
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from refvideo_nb.errors import RefVideoError
from refvideo_nb.measure.embedders.pixels import read_pixels
from refvideo_nb.measure.embedders.protocol import FeatureMap, checked, normalised
from refvideo_nb.measure.embedders.runtime import Network
from refvideo_nb.media.scaling import resized

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["FolderEmbedder", "digest_of"]

_FILES = tuple(f"{place}{file}" for file in ("model.onnx", "vision_model.onnx") for place in ("", "onnx/"))
_POOLED = ("image_embeds", "pooler_output")  # asked for before others, in this order
_TOKENS, _MAP, _VECTOR = 3, 4, 2  # sides of an output
_SPECIAL = (1, 0, 5, 2)  # tokens before the patches: a class token, none, registers too, two


class FolderEmbedder:
    """A network of a local folder.

    The embedding is ``image_embeds`` or ``pooler_output`` where there is one, or another
    output of shape (n, d), or the first token, or the mean of a map. The map is that of the
    patches' tokens; a network that gives vectors alone is asked tile by tile.

    Parameters
    ----------
    folder : pathlib.Path
    name : str, optional
        As it is reported; the folder's by default.
    file : str, optional
        The ONNX file in it, where there are several.
    threads : int, optional
        Threads of the network; all cores by default.

    Raises
    ------
    RefVideoError
        Where a file is missing, or the network takes or gives something else than pictures and vectors.
    """

    def __init__(
        self, folder: Path, *, name: str | None = None, file: str | None = None, threads: int | None = None
    ) -> None:
        files = (file,) if file else _FILES
        model = next((folder / file for file in files if (folder / file).is_file()), None)
        if model is None:
            raise RefVideoError(f"the folder {folder} has no network: one of {', '.join(files)} is looked for")
        config = folder / "preprocessor_config.json"
        self.name = name or folder.resolve().name
        self._pixels = read_pixels(config)
        self.side = self._pixels.side
        self.preprocessing = str(self._pixels)
        self.sha256 = sha256(f"{digest_of(model)} {self.preprocessing}".encode()).hexdigest()
        self._threads = threads
        self._network = Network(model, name=str(model), threads=threads)
        self._any_size = _any_size(self._network.inputs, model)
        self._vector, self._map = _outputs(self._network.outputs, model)
        self._special, self._cells = self._grid(model)

    def __repr__(self) -> str:
        return f"<{self.name} {self.sha256[:8]}>"

    def _grid(self, model: Path) -> tuple[int, int]:
        """Tokens before the patches, and cells along a side; found by looking at a grey square."""
        if self._map is None:
            return 0, 1
        grey = np.full((1, self.side, self.side, 3), 127, dtype=np.uint8)
        (values,) = self._network.run(self._pixels.values(grey), [self._map])
        if values.ndim == _MAP:
            return 0, values.shape[2]
        for special in _SPECIAL:
            patches = values.shape[1] - special
            if patches > 0 and math.isqrt(patches) ** 2 == patches:
                return special, math.isqrt(patches)
        raise RefVideoError(f"{model} gives {values.shape[1]} tokens for a square, which make no grid")

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As :meth:`.protocol.Embedder.embed`."""
        (values,) = self._network.run_in_batches(
            checked(images),
            [self._vector],
            lambda some: self._pixels.values(self._pixels.squared(some, threads=self._threads)),
            pixels=self.side**2,
        )
        if values.ndim == _TOKENS:
            values = values[:, 0] if self._special else values.mean(axis=1)
        elif values.ndim == _MAP:
            values = values.mean(axis=(2, 3))
        return normalised(values)

    def features(self, images: NDArray[np.uint8]) -> FeatureMap:
        """As :meth:`.protocol.Embedder.features`.

        A network for any size sees whole images, made a little wider or narrower so that its
        patches fit; one for a single size sees them in as many squares of that size as come
        closest. One without a map sees squares of half its side, each of which becomes a cell.
        """
        height, width = checked(images).shape[1:3]
        tile = self.side / 2 if self._map is None else self.side / (self._cells if self._any_size else 1)
        rows, columns = max(1, round(height / tile)), max(1, round(width / tile))
        values = np.concatenate([self._seen(images[at : at + 1], rows, columns) for at in range(len(images))])
        step_x, step_y = width / values.shape[2], height / values.shape[1]
        return FeatureMap(
            values=values, left=step_x / 2, top=step_y / 2, step_x=step_x, step_y=step_y, width=width, height=height
        )

    def _seen(self, image: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.float32]:
        """The map ``(1, rows, columns, channels)`` of one image."""
        if self._map is not None and self._any_size:
            patch = self.side // self._cells
            return self._mapped(self._scaled(image, rows * patch, columns * patch), rows, columns)
        squares = self._scaled(image, rows * self.side, columns * self.side)
        squares = (
            squares.reshape(rows, self.side, columns, self.side, 3).swapaxes(1, 2).reshape(-1, *[self.side] * 2, 3)
        )
        if self._map is None:
            return self.embed(squares).reshape(1, rows, columns, -1)
        n = self._cells
        tiles = self._mapped(squares, n, n).reshape(rows, columns, n, n, -1)
        return np.ascontiguousarray(tiles.swapaxes(1, 2).reshape(1, rows * n, columns * n, -1))

    def _scaled(self, image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
        return resized(image, width=width, height=height, interpolation=self._pixels.filter, threads=self._threads)

    def _mapped(self, images: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.float32]:
        assert self._map is not None
        (values,) = self._network.run_in_batches(
            images, [self._map], self._pixels.values, pixels=images.shape[1] * images.shape[2]
        )
        if values.ndim == _MAP:
            return values.transpose(0, 2, 3, 1)
        return values[:, self._special :].reshape(len(images), rows, columns, -1)


def _any_size(inputs: dict[str, list[Any]], model: Path) -> bool:
    """Whether pictures of any size are taken.

    Raises
    ------
    RefVideoError
        Where anything but pictures is asked for.
    """
    shapes = list(inputs.values())
    if len(shapes) != 1 or len(shapes[0]) != _MAP or shapes[0][1] not in {3, "num_channels", "channels", None}:
        raise RefVideoError(f"{model} takes {inputs}; only networks that take pictures (n, 3, height, width) are known")
    return not any(isinstance(side, int) for side in shapes[0][2:])


def _outputs(outputs: dict[str, list[Any]], model: Path) -> tuple[str, str | None]:
    """The outputs that hold the embedding and the map."""
    sides = {name: len(shape) for name, shape in outputs.items()}
    vectors = [name for name, count in sides.items() if count == _VECTOR]
    maps = [name for name, count in sides.items() if count in {_TOKENS, _MAP}]
    map_ = "last_hidden_state" if "last_hidden_state" in maps else next(iter(maps), None)
    vector = next((name for name in (*_POOLED, *vectors) if name in vectors), map_)
    if vector is None:
        raise RefVideoError(f"{model} gives {outputs}; only vectors (n, d), tokens (n, t, d) and maps are known")
    return vector, map_


def digest_of(model: Path) -> str:
    """SHA-256 of an ONNX file and of the weights that stand beside it, hexadecimal."""
    digest = sha256()
    for part in (model, *(model.with_name(model.name + end) for end in ("_data", ".data"))):
        if part.is_file():
            with part.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
