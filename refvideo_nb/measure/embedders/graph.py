"""Writing an ONNX file: the few messages of its protobuf that a convolutional network needs.

By hand, since the package ``onnx`` would be one more compiled dependency for what is done
once on a machine. The numbers are those of ``onnx.proto`` (ONNX 1.12, operator set 17,
which every onnxruntime since 1.12 runs); the runtime checks what it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["Graph"]

_IR, _OPSET = 8, 17
_KINDS = {"float32": 1, "uint8": 2, "int64": 7}
Attribute = int | str | float | tuple[int, ...]


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _int(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _bytes(field: int, data: bytes | str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _float(field: int, number: float) -> bytes:
    return _varint(field << 3 | 5) + np.float32(number).tobytes()


def _attribute(name: str, value: Attribute) -> bytes:
    """``AttributeProto``: name 1, f 2, i 3, s 4, ints 8, type 20."""
    if isinstance(value, int):
        body = _int(3, value) + _int(20, 2)
    elif isinstance(value, float):
        body = _float(2, value) + _int(20, 1)
    elif isinstance(value, str):
        body = _bytes(4, value) + _int(20, 3)
    else:
        body = b"".join(_int(8, number) for number in value) + _int(20, 7)
    return _bytes(1, name) + body


def _value(name: str, kind: str, shape: Sequence[int | str]) -> bytes:
    """``ValueInfoProto``; a dimension with a name may have any length."""
    sides = b"".join(_bytes(1, _int(1, side) if isinstance(side, int) else _bytes(2, side)) for side in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _int(1, _KINDS[kind]) + _bytes(2, sides)))


class Graph:
    """A network that grows node by node.

    Examples
    --------
    >>> graph = Graph("twice")
    >>> x = graph.takes("x", "float32", ("n",))
    >>> graph.gives(graph.node("Add", [x, x]), "y", "float32", ("n",))
    >>> b"Add" in graph.model()
    True
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []

    def takes(self, name: str, kind: str, shape: Sequence[int | str]) -> str:
        """An input, and its name."""
        self._inputs.append(_value(name, kind, shape))
        return name

    def gives(self, source: str, name: str, kind: str, shape: Sequence[int | str]) -> None:
        """An output that is what `source` is."""
        self._nodes.append(_bytes(1, source) + _bytes(2, name) + _bytes(4, "Identity"))
        self._outputs.append(_value(name, kind, shape))

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """A tensor that is part of the file (``TensorProto``: dims 1, type 2, name 8, raw data 9)."""
        name = f"c{len(self._constants)}"
        little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        self._constants.append(
            b"".join(_int(1, side) for side in values.shape)
            + _int(2, _KINDS[values.dtype.name])
            + _bytes(8, name)
            + _bytes(9, little.tobytes())
        )
        return name

    def node(self, operator: str, inputs: Iterable[str], **attributes: Attribute) -> str:
        """One operator with one output, whose name comes back (``NodeProto``)."""
        name = f"n{len(self._nodes)}"
        self._nodes.append(
            b"".join(_bytes(1, source) for source in inputs)
            + _bytes(2, name)
            + _bytes(4, operator)
            + b"".join(_bytes(5, _attribute(key, value)) for key, value in sorted(attributes.items()))
        )
        return name

    def model(self) -> bytes:
        """The file (``ModelProto``); the same graph gives the same bytes everywhere."""
        graph = (
            b"".join(_bytes(1, node) for node in self._nodes)
            + _bytes(2, self._name)
            + b"".join(_bytes(5, constant) for constant in self._constants)
            + b"".join(_bytes(11, value) for value in self._inputs)
            + b"".join(_bytes(12, value) for value in self._outputs)
        )
        return _int(1, _IR) + _bytes(2, "refvideo_nb") + _bytes(8, _bytes(1, "") + _int(2, _OPSET)) + _bytes(7, graph)
