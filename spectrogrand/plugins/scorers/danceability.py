"""Scorer "danceability": how regular a song's loudness is at the pace of dancing, by detrended fluctuation analysis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...audio.fluctuation import danceability, segment_lengths
from ...interfaces import Card, CreativityScorer, Reference
from ...references.songs import shipped_scores
from ...registry import register
from ...types import Audio

__all__ = ["Danceability", "danceability", "segment_lengths"]


@register("danceability")
class Danceability(CreativityScorer):
    """Danceability of Streich & Herrera (2005): the inverse of the mean fluctuation exponent from 0.31 s to 8.8 s.

    Usually 0 to 3; a strong, steady beat makes the exponent low and danceability high. White noise has an exponent near
    one half and would win, which is why gates run first. Sounds too short for two segment lengths (0.36 s), sounds with
    one loudness throughout and silence have no exponent: they score NaN, which means "failed".

    >>> rate = 8000
    >>> beat = np.tile(np.where(np.arange(rate // 2) < 800, 0.5, 0.01), 20)
    >>> song = Audio((beat * np.random.default_rng(0).normal(size=len(beat))).astype(np.float32)[None], rate)
    >>> Danceability().score([song]).round(1).tolist()
    [5.1]
    """

    card = Card(
        "how danceable a song is: detrended fluctuation analysis of its loudness",
        paper="Streich & Herrera, Detrended Fluctuation Analysis of Music Signals, AES 118th Convention, 2005",
    )
    aspect = "value"
    noise = 0.013
    artefact = Audio

    def score(self, batch: Sequence[Audio]) -> np.ndarray:
        """Danceability per song, float64, shape=(item,); NaN where it is undefined."""
        return np.array([danceability(audio) for audio in batch], np.float64)

    def reference(self) -> Reference | None:
        """The shipped reference songs, whose scores are known for quantiles; None where they are absent."""
        known = shipped_scores("danceability")
        return known and known[0]

    def reference_scores(self) -> np.ndarray | None:
        """Danceability of the shipped reference songs, float64, shape=(reference,)."""
        known = shipped_scores("danceability")
        return known and known[1]
