"""Song -> the 256 numbers from which a tagger names what listeners would call it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...interfaces import Card, Embedder
from ...models.music_tagger import PAPER, WEIGHTS
from ...models.music_tagger import MusicTagger as Network
from ...registry import register
from ...types import Audio


@register("music_tagger")
class MusicTagger(Embedder):
    """Unit vectors of the tagger's last hidden layer, averaged over windows of 29.12 s: for `novelty` over learnt features.

    Args:
        weights: folder with the published HDF5 file, or that file.
    """

    artefact = Audio
    card = Card(
        "256 features of a convolutional music tagger (50 last.fm tags)",
        paper=PAPER,
        extra="models",
        modules=("h5py",),
        weights=(WEIGHTS,),
    )

    def __init__(self, *, weights: str | None = None) -> None:
        self.weights = weights
        self._network = Network(weights, part="music_tagger")

    def embed(self, batch: Sequence[Audio]) -> np.ndarray:
        """Unit vectors, float32, shape=(item, 256).

        Raises:
            InvalidValue: an item is not sound, or holds samples that are not finite numbers.
            MissingExtra: h5py is not installed, or there are no weights.
        """
        rows = np.array([self._network.features(item).mean(axis=0) for item in batch], np.float32).reshape(-1, 256)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, and versions."""
        return self._network.identity()

    def close(self) -> None:
        """Free the network."""
        self._network.close()
