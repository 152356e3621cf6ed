"""Song -> how probably listeners would give it each of fifty tags: genres, voices, instruments, moods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ...interfaces import Card, Embedder
from ...models.music_tagger import PAPER, TAGS, WEIGHTS
from ...models.music_tagger import MusicTagger as Network
from ...registry import register
from ...types import Audio


@register("music_tags")
class MusicTags(Embedder):
    """Probabilities of the tags in `axes` by the music tagger of Choi et al. 2016, the mean over windows of 29.12 s.

    Args:
        weights: folder with the published HDF5 file, or that file.
    """

    artefact = Audio
    axes: ClassVar[tuple[str, ...]] = TAGS
    card = Card(
        "probabilities of 50 last.fm tags by a convolutional music tagger",
        paper=PAPER,
        extra="models",
        modules=("h5py",),
        weights=(WEIGHTS,),
    )

    def __init__(self, *, weights: str | None = None) -> None:
        self.weights = weights
        self._network = Network(weights, part="music_tags")

    def embed(self, batch: Sequence[Audio]) -> np.ndarray:
        """Probabilities in the order of `axes`, float32, shape=(item, 50).

        Raises:
            InvalidValue: an item is not sound, or holds samples that are not finite numbers.
            MissingExtra: h5py is not installed, or there are no weights.
        """
        return np.array([self._network.probabilities(item) for item in batch], np.float32).reshape(-1, len(TAGS))

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, and versions."""
        return self._network.identity()

    def close(self) -> None:
        """Free the network."""
        self._network.close()
