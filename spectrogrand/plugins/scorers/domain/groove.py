"""Scorer "groove": danceability whose quantile does not depend on how long a song is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....audio.fluctuation import danceability
from ....audio.windows import windows
from ....interfaces import Card, CreativityScorer, Reference
from ....references.songs import shipped_scores
from ....registry import register
from ....types import Audio


@register("groove")
class Groove(CreativityScorer):
    """The median danceability (Streich & Herrera 2005) over at most six windows of 10 s, as long as the references are.

    Detrended fluctuation analysis up to 8.8 s gives other numbers for 5, 10 and 30 s of the same music; over windows of one
    length a song's quantile stays where it is. The published formula over the whole song is `danceability`.
    """

    aspect = "value"
    noise = 0.013
    artefact = Audio
    card = Card(
        "median danceability over windows of 10 s: the same at any length",
        paper="Streich & Herrera, Detrended Fluctuation Analysis of Music Signals, AES 118th Convention, 2005",
    )

    def score(self, batch: Sequence[Audio]) -> np.ndarray:
        """Danceability per song, float64, shape=(item,); NaN where it is undefined in every window."""
        found = []
        for item in batch:
            values = np.array([danceability(part) for part in windows(item)])
            found.append(np.median(values[np.isfinite(values)]) if np.isfinite(values).any() else np.nan)
        return np.array(found, np.float64)

    def reference(self) -> Reference | None:
        """The shipped reference songs; None where they are absent."""
        known = shipped_scores("danceability")
        return known and known[0]

    def reference_scores(self) -> np.ndarray | None:
        """Danceability of the shipped reference songs, float64, shape=(reference,)."""
        known = shipped_scores("danceability")
        return known and known[1]
