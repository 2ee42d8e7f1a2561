"""A checkpoint is a pickle: it may hold tensors, and may run nothing."""

import io
import pickle
import sys
import types
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from refvideo_nb.errors import RefVideoError
from refvideo_nb.measure.embedders.checkpoint import read_checkpoint

MAGIC = 0x1950A86A20F9469CFC6C


class Storage:
    def __init__(self, values):
        self.values = values


class Tensor:
    def __init__(self, storage, offset, shape, stride):
        self.parts = (storage, offset, shape, stride, False, OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.parts


class Writer(pickle.Pickler):
    def persistent_id(self, thing):
        if isinstance(thing, Storage):
            kind = sys.modules["torch"].FloatStorage
            return ("storage", kind, "7", "cpu", len(thing.values), None)
        return None


@pytest.fixture
def written(monkeypatch):
    """Files as torch.save wrote them before version 1.6, by a torch that has nothing but names."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2():
        raise AssertionError("only its name is asked for")

    _rebuild_tensor_v2.__module__ = _rebuild_tensor_v2.__qualname__ = ""
    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def write(tensors, storage=None, *, magic=MAGIC):
        out = io.BytesIO()
        for part in (magic, 1001, {"little_endian": True}):
            pickle.dump(part, out, protocol=2)
        Writer(out, protocol=2).dump(tensors)
        pickle.dump(["7"] if storage else [], out, protocol=2)
        if storage:
            out.write(len(storage.values).to_bytes(8, "little") + np.asarray(storage.values, "<f4").tobytes())
        return out.getvalue()

    return write


def test_tensors_come_back_turned_or_not(written):
    storage = Storage(range(10))
    found = read_checkpoint(
        written(
            OrderedDict(
                a=Tensor(storage, 0, (2, 3), (3, 1)), b=Tensor(storage, 4, (3, 2), (1, 3)), c=Tensor(storage, 9, (), ())
            ),
            storage,
        )
    )
    assert found["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["b"].tolist() == [[4, 7], [5, 8], [6, 9]]
    assert found["c"].item() == 9
    assert all(array.flags.c_contiguous and array.dtype == np.float32 for array in found.values())


@pytest.mark.parametrize(
    ("offset", "shape", "stride"),
    [(0, (11,), (1,)), (8, (3,), (1,)), (0, (2, 2), (9, 1)), (-1, (2,), (1,)), (5, (2,), (-6,)), (0, (2,), (10**9,))],
)
def test_a_tensor_that_reaches_into_other_memory_is_refused(written, offset, shape, stride):
    storage = Storage(range(10))
    with pytest.raises(RefVideoError, match="beyond its storage"):
        read_checkpoint(written({"a": Tensor(storage, offset, shape, stride)}, storage))


class Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_that_wants_to_run_something_is_refused(written, tmp_path):
    with pytest.raises(RefVideoError, match="asks for"):
        read_checkpoint(written({"a": Touch(tmp_path / "ran")}))
    with pytest.raises(RefVideoError, match="asks for"):
        read_checkpoint(pickle.dumps(eval))
    with pytest.raises(RefVideoError, match="asks for"):
        read_checkpoint(b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_checkpoint(written):
    storage = Storage(range(10))
    whole = written({"a": Tensor(storage, 0, (10,), (1,))}, storage)
    assert read_checkpoint(whole)["a"].tolist() == list(range(10))
    for broken in (
        b"",
        b"<!DOCTYPE html>",
        whole[:20],
        whole[:-1],
        written({}, magic=1),
        whole.replace((10).to_bytes(8, "little"), (9).to_bytes(8, "little")),
    ):
        with pytest.raises(RefVideoError, match="no weights of a network") as caught:
            read_checkpoint(broken)
        assert str(caught.value).isprintable()
