"""Networks of huggingface.co that are known by name, each pinned to one commit and one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from refvideo_nb.errors import DownloadError, one_line
from refvideo_nb.measure.embedders.folder import FolderEmbedder, digest_of
from refvideo_nb.measure.embedders.runtime import needed

__all__ = ["PINNED", "Pinned", "fetch"]


class Pinned(msgspec.Struct, frozen=True):
    """One network.

    Attributes
    ----------
    repository : str
        Its place on huggingface.co.
    revision : str
        The commit, so that what was measured last year is measured by the same network today.
    file : str
        The ONNX file in it.
    sha256 : str
        Its hash, hexadecimal.
    megabytes : int
        Of the download.
    licence : str
        Of the weights; that of those that were converted, where the converter names none.
    """

    repository: str
    revision: str
    file: str
    sha256: str
    megabytes: int
    licence: str


PINNED = {
    "dinov2-small": Pinned(  # Oquab et al. 2023, 384 numbers
        "onnx-community/dinov2-small",
        "8b1f705a3a7f6f062f6bdd21986c1583d3ef105d",
        "onnx/model.onnx",
        "f22797eabf810a75e41de68d378541ebea372122b25c4ce3ef25ff618250c20a",
        89,
        "Apache-2.0",
    ),
    "dinov2-base": Pinned(  # 768 numbers
        "onnx-community/dinov2-base",
        "31ef06cac16d5d301c5930d147002a058c85a5e4",
        "onnx/model.onnx",
        "320d1012a6fc65b101fc85ca30ee7a47b2e4f6a2e8bd78fb9d7036def0e30cb0",
        347,
        "Apache-2.0",
    ),
    "siglip2-base": Pinned(  # Tschannen et al. 2025, 768 numbers
        "onnx-community/siglip2-base-patch16-224-ONNX",
        "ba1f3b0843f24bc5417d38e19c37b287d719b2f4",
        "onnx/vision_model.onnx",
        "c0573e3f4140c3a7c4e9cc5912bd6b26a033b46a6a8e8af26cbea262b163bcad",
        372,
        "Apache-2.0",
    ),
    "clip-vit-b-32": Pinned(  # Radford et al. 2021, 512 numbers: what CLIP-I is computed with
        "Qdrant/clip-ViT-B-32-vision",
        "a636590e595dbbd798647c9dd4550d5652fba969",
        "model.onnx",
        "c68d3d9a200ddd2a8c8a5510b576d4c94d1ae383bf8b36dd8c084f94e1fb4d63",
        352,
        "MIT",
    ),
}
"""By the names that ``embedder=`` takes."""


def fetch(name: str, *, threads: int | None = None, endpoint: str | None = None) -> FolderEmbedder:
    """A network by its name in :data:`PINNED`, downloaded once into huggingface_hub's own cache.

    Parameters
    ----------
    name : str
    threads : int, optional
    endpoint : str, optional
        Another address of the hub, such as a mirror; ``HF_ENDPOINT`` says it for all.

    Raises
    ------
    MissingDependencyError
        Where huggingface_hub is not installed.
    DownloadError
        Where it is not in the cache and cannot be fetched, or is another file than it must be.
    """
    pinned = PINNED[name]
    hub = needed("huggingface_hub")
    try:
        config, model = (_file(hub, pinned, file, endpoint) for file in ("preprocessor_config.json", pinned.file))
    except Exception as error:  # noqa: BLE001 - it raises what its HTTP library of the day raises
        raise DownloadError(
            f"{name} ({pinned.megabytes} MB) is not on this machine and could not be fetched from huggingface.co "
            f"({one_line(error, limit=100)}): connect to the internet once, or give a folder with its model.onnx and "
            "preprocessor_config.json as embedder=, or use embedder='efficientnet-lite0', which works offline"
        ) from None
    if (digest := digest_of(Path(model))) != pinned.sha256:
        raise DownloadError(
            f"{name}: {model} has the hash {digest[:8]}…, not {pinned.sha256[:8]}…, so it is damaged or another "
            "network: delete it and try again"
        )
    return FolderEmbedder(Path(config).parent, name=name, file=pinned.file, threads=threads)


def _file(hub: Any, pinned: Pinned, file: str, endpoint: str | None) -> str:
    """Where a file of a network is, fetched if need be."""
    # Nobody needs an account for these: a token that lies around is not sent.
    where = {"repo_id": pinned.repository, "filename": file, "revision": pinned.revision}
    there = hub.try_to_load_from_cache(**where)
    if isinstance(there, str):
        return there
    # Asked once: the download itself would try for half a minute to reach what is not there.
    hub.get_hf_file_metadata(hub.hf_hub_url(**where, endpoint=endpoint), timeout=10, token=False)
    return str(hub.hf_hub_download(**where, token=False, endpoint=endpoint))
