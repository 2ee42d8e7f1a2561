"""Networks that turn pictures into vectors, behind one Protocol: :class:`.protocol.Embedder`."""

from __future__ import annotations

from refvideo_nb.measure.embedders.find import DEFAULT, EMBEDDERS, find_embedder
from refvideo_nb.measure.embedders.protocol import Embedder, FeatureMap

__all__ = ["DEFAULT", "EMBEDDERS", "Embedder", "FeatureMap", "find_embedder"]
