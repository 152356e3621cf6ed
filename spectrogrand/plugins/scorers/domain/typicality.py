"""Scorer "typicality": how much a song is one of its kind, by its distance to the nearest references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....interfaces import Card
from ....registry import register
from ._neighbours import SongNeighbours, logistic


@register("typicality")
class Typicality(SongNeighbours):
    """1 / (1 + exp(place)), in (0, 1): one half where half of the references' own held-out members lie further from the rest.

    Ritchie's typicality: value within a domain begins with belonging to it. Noise, a tone and garbage come near 0.

    Args:
        embedder: name, or mapping of `name` and settings. The default describes windows of 10 s: length has no influence.
        references: a safetensors file of float32 (item, axis) made by the same embedder; None is the shipped one.
        k: neighbours that count.
    """

    aspect = "value"
    noise = 0.055
    card = Card(
        "how near a song lies to the references, held-out members at one half",
        paper="Ritchie 2007, Some empirical criteria for attributing creativity; Naeem et al. 2020, arXiv:2002.09797",
    )

    def score(self, batch: Sequence[Any]) -> np.ndarray:
        """In (0, 1), float64, shape=(item,)."""
        return logistic(-self.place(batch))

    def reference_scores(self) -> np.ndarray:
        """The same of each reference against all the others."""
        return logistic(-self.held_out())
