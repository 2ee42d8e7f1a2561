"""The only place that touches onnxruntime: sessions that stay silent and keep to their threads."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

import numpy as np

from refvideo_nb.core.optional import INSTALL, needed
from refvideo_nb.errors import RefVideoError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["INSTALL", "Network", "needed"]

_MOST_PIXELS = 4 * 224 * 224  # of one batch: larger ones leave the processor's caches and are slower
_LARGE_AT_ONCE = max(1, (os.cpu_count() or 1) // 2)  # frames among them: what one takes is what a run peaks at
_SILENT = "ORT_DISABLE_TELEMETRY"


def _onnxruntime() -> Any:
    """The runtime, told before it wakes that nothing about this machine is to be sent anywhere.

    Since 1.29 its wheels for Linux and macOS write an identifier into the user's cache and
    report to Microsoft from the moment of their import; only this variable prevents it. It
    is taken back, so that what a notebook starts later keeps its own choice.
    """
    if sys.modules.get("onnxruntime"):
        return sys.modules["onnxruntime"]
    before = os.environ.get(_SILENT)
    os.environ[_SILENT] = before or "1"
    try:
        runtime = needed("onnxruntime")
    finally:
        if before is None:
            del os.environ[_SILENT]
    runtime.disable_telemetry_events()  # Windows asks its own switch
    return runtime


class Network:
    """An ONNX model ready to run on the processor.

    Parameters
    ----------
    model : bytes or pathlib.Path
    name : str
        What messages call it.
    threads : int, optional
        Threads inside an operator; all cores by default. A worker of many should have
        cores / workers.

    Attributes
    ----------
    inputs, outputs : dict of str to list
        Shapes by name; a side that may have any length is a str or None.
    """

    def __init__(self, model: bytes | Path, *, name: str, threads: int | None = None) -> None:
        runtime = _onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # warnings about graphs help nobody in a notebook
        # A thread that spins while it waits takes the processor from whoever has work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = runtime.InferenceSession(
                model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - the runtime's errors have no common root
            raise RefVideoError(f"{name} is no model that onnxruntime can run ({one_line(error, limit=160)})") from None
        self._large = BoundedSemaphore(_LARGE_AT_ONCE)
        self.inputs: dict[str, list[Any]] = {value.name: value.shape for value in self._session.get_inputs()}
        self.outputs: dict[str, list[Any]] = {value.name: value.shape for value in self._session.get_outputs()}

    def run(self, images: NDArray[Any], outputs: Sequence[str]) -> list[NDArray[np.float32]]:
        """What the network says of a batch, by the names of outputs."""
        (name,) = self.inputs
        return [np.asarray(values) for values in self._session.run(list(outputs), {name: images})]

    def run_in_batches(
        self,
        images: NDArray[np.uint8],
        outputs: Sequence[str],
        prepare: Callable[[NDArray[np.uint8]], NDArray[Any]],
        *,
        pixels: int,
    ) -> list[NDArray[np.float32]]:
        """The same of any number of pictures, few enough at once that memory does not grow with it.

        Parameters
        ----------
        images : ndarray
            ``(n, height, width, 3)`` uint8.
        outputs : sequence of str
        prepare : callable
            Makes some of the images what the network takes.
        pixels : int
            Of one prepared image.
        """
        few = max(1, _MOST_PIXELS // pixels)
        # Whole frames are a fifth of the work, so nobody waits long; two at once would take 40 MB more.
        with self._large if pixels > _MOST_PIXELS else nullcontext():
            found = [self.run(prepare(images[at : at + few]), outputs) for at in range(0, len(images), few)]
        return [np.concatenate(parts) if len(parts) > 1 else parts[0] for parts in zip(*found, strict=True)]
