"""Scorer "tag_danceability": how surely listeners would tag a song "dance" and "House"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...interfaces import Card, CreativityScorer
from ...models.music_tagger import PAPER, TAGS, WEIGHTS, MusicTagger
from ...registry import register
from ...types import Audio

DANCE = tuple(TAGS.index(tag) for tag in ("dance", "House"))


@register("tag_danceability")
class TagDanceability(CreativityScorer):
    """(P(dance) + P(House)) / 2 by the music tagger of Choi et al. 2016, in [0, 1]; ours, no published formula.

    The two tags are the tagger's own nearest words to "danceable house music"; each window of 29.12 s counts the same.

    Args:
        weights: folder with the published HDF5 file, or that file.
    """

    card = Card(
        'mean probability of the tags "dance" and "House"',
        paper=PAPER,
        extra="models",
        modules=("h5py",),
        weights=(WEIGHTS,),
    )
    aspect = "value"
    artefact = Audio

    def __init__(self, *, weights: str | None = None) -> None:
        self.weights = weights
        self._network = MusicTagger(weights, part="tag_danceability")

    def score(self, batch: Sequence[Audio]) -> np.ndarray:
        """One number per song, float64, shape=(item,).

        Raises:
            InvalidValue: an item is not sound, or holds samples that are not finite numbers.
            MissingExtra: h5py is not installed, or there are no weights.
        """
        return np.array([self._network.probabilities(item)[list(DANCE)].mean() for item in batch], np.float64)

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, and versions."""
        return self._network.identity()

    def close(self) -> None:
        """Free the network."""
        self._network.close()
