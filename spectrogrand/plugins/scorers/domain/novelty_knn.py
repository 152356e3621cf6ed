"""Scorer "novelty_knn": how far a song lies from the nearest references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....interfaces import Card
from ....registry import register
from ._neighbours import SongNeighbours


@register("novelty_knn")
class NoveltyKnn(SongNeighbours):
    """The place of the distance to the k nearest references: 0 for a median held-out member, growing without end.

    Nearest neighbours instead of the mean of all: a song between two clusters is new, one amid a cluster is not.

    Args:
        embedder: name, or mapping of `name` and settings. The default describes windows of 10 s: length has no influence.
        references: a safetensors file of float32 (item, axis) made by the same embedder; None is the shipped one.
        k: neighbours that count.
    """

    aspect = "novelty"
    noise = 0.26
    card = Card(
        "distance of a song to its nearest references, as a logit among held-out members",
        paper="Lehman & Stanley 2011, Abandoning objectives: evolution through the search for novelty alone",
    )

    def score(self, batch: Sequence[Any]) -> np.ndarray:
        """The logit, float64, shape=(item,)."""
        return self.place(batch)

    def reference_scores(self) -> np.ndarray:
        """The same of each reference against all the others."""
        return self.held_out()
