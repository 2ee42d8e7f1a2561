"""Weights of a PyTorch checkpoint, read without PyTorch.

A checkpoint is a pickle, and a pickle is a program. Here it may build ordered
dictionaries and tensors and nothing else; whatever else it names is refused before it
runs. The layout is that of ``torch.save`` before version 1.6: five pickles (a magic
number, a protocol number, facts of the system, the tensors, the names of their
storages), then each storage as a 64-bit length and its raw values.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
import numpy as np

from refvideo_nb.errors import RefVideoError, one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_checkpoint"]

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_TYPES: dict[object, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Storage(msgspec.Struct, frozen=True):
    key: str
    dtype: np.dtype[Any]
    length: int


class _Tensor(msgspec.Struct, frozen=True):
    """A tensor whose values stand further behind in the file."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]  # in values, not bytes; kernels that came from TensorFlow are turned round

    def filled(self, stored: dict[str, NDArray[Any]]) -> NDArray[Any]:
        values = stored[self.storage.key][self.offset :]
        steps = tuple(step * values.itemsize for step in self.stride)
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(values, self.shape, steps, writeable=False))


def _rebuild(storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object) -> _Tensor:
    """What ``torch._utils._rebuild_tensor_v2`` is called with."""
    last = offset + sum((side - 1) * step for side, step in zip(shape, stride, strict=True))
    # Strides are followed without a look at where they lead: outside is other memory.
    if not isinstance(storage, _Storage) or min(offset, *shape, *stride, 0) < 0 or last >= storage.length:
        raise pickle.UnpicklingError("a tensor that reaches beyond its storage")
    return _Tensor(storage, offset, tuple(shape), tuple(stride))


class _Reader(pickle.Unpickler):
    """Knows four names; a pickle that asks for another is refused."""

    _allowed = {  # noqa: RUF012 - never written to
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
        ("torch", "FloatStorage"): "FloatStorage",
        ("torch", "LongStorage"): "LongStorage",
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._allowed[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def persistent_load(self, pid: Any) -> _Storage:
        what, kind, key, _place, length, view = pid
        if what != "storage" or view is not None:
            raise pickle.UnpicklingError("a storage that is part of another")
        return _Storage(key, _TYPES[kind], int(length))


def read_checkpoint(data: bytes) -> dict[str, NDArray[Any]]:
    """The tensors of a checkpoint by name.

    Parameters
    ----------
    data : bytes
        The file.

    Returns
    -------
    dict of str to ndarray
        float32 or int64.

    Raises
    ------
    RefVideoError
        Where it is no checkpoint of that layout, is cut off, or wants to run anything.
    """
    file = io.BytesIO(data)
    try:
        magic, protocol, _system, tensors, keys = (_Reader(file).load() for _ in range(5))
        if magic != _MAGIC or protocol != _PROTOCOL:
            raise pickle.UnpicklingError("its magic number is another")
        kinds = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
        stored = {key: _values(file, kinds[key]) for key in keys}
        return {name: tensor.filled(stored) for name, tensor in tensors.items()}
    except Exception as error:  # noqa: BLE001 - a pickle that nobody wrote can fail in any way that Python knows
        raise RefVideoError(
            f"these are no weights of a network that can be read ({one_line(error, limit=120)}): install them again"
        ) from None


def _values(file: BinaryIO, storage: _Storage) -> NDArray[Any]:
    length = int.from_bytes(file.read(8), "little")
    if length != storage.length:
        raise pickle.UnpicklingError("a storage of another length than announced")
    data = file.read(length * storage.dtype.itemsize)
    return np.frombuffer(data, dtype=storage.dtype, count=length)
