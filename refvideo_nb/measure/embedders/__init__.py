"""Networks that turn pictures into vectors, behind one Protocol: :class:`.protocol.Embedder`."""
