"""Scorer "cover_novelty_knn": how far a cover lies from the nearest references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....interfaces import Card
from ....registry import register
from ._neighbours import CoverNeighbours


@register("cover_novelty_knn")
class CoverNoveltyKnn(CoverNeighbours):
    """The place of the distance to the k nearest references: 0 for a median held-out member, growing without end.

    Nearest neighbours instead of the mean of all: a cover between two clusters is new, one amid a cluster is not.

    Args:
        reference: "shipped", a folder of pictures, or a .safetensors file of `spectrogrand reference`.
        k: neighbours that count.
    """

    aspect = "novelty"
    noise = 0.28
    card = Card(
        "distance of a cover to its nearest references, as a logit among held-out members",
        paper="Lehman & Stanley 2011, Abandoning objectives: evolution through the search for novelty alone",
        modules=("PIL",),
    )

    def score(self, batch: Sequence[Any]) -> np.ndarray:
        """The logit, float64, shape=(item,)."""
        return self.place(batch)

    def reference_scores(self) -> np.ndarray:
        """The same of each reference against all the others."""
        return self.held_out()
