"""Scorer "wundt": novelty that is rewarded within the domain and punished beyond it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ....errors import InvalidValue
from ....interfaces import Card
from ....registry import register
from ._neighbours import SongNeighbours, hedonic


@register("wundt")
class Wundt(SongNeighbours):
    """logistic(steep (place - rise)) - logistic(steep (place - fall)), after Berlyne 1971 and Saunders & Gero 2001, in [0, 1).

    `place` is 0 for a median held-out reference, 1.1 at their third quartile, 2.2 at nine tenths: by default a song is
    liked best somewhat off the middle of its kind, and garbage far beyond it gets nothing.

    Args:
        embedder: name, or mapping of `name` and settings. The default describes windows of 10 s: length has no influence.
        references: a safetensors file of float32 (item, axis) made by the same embedder; None is the shipped one.
        k: neighbours that count.
        rise: place where the reward reaches one half.
        fall: place where the punishment reaches one half.
        steep: slope of both.
    """

    aspect = "novelty"
    noise = 0.098
    card = Card(
        "the Wundt curve over a song's distance to its nearest references",
        paper="Berlyne 1971, Aesthetics and psychobiology; Saunders & Gero 2001, A curious design agent",
    )

    def __init__(
        self, embedder: str | Mapping[str, Any] | None = None, references: str | None = None, k: int = 5,
        rise: float = 0.0, fall: float = 2.2, steep: float = 2.0,
    ) -> None:  # fmt: skip
        super().__init__(embedder, references, k)
        if not (fall > rise and steep > 0):
            raise InvalidValue(f"the curve falls after it rises, and is steep above 0: got {rise}, {fall}, {steep}")
        self.curve = (rise, fall, steep)

    def score(self, batch: Sequence[Any]) -> np.ndarray:
        """The hedonic value, float64, shape=(item,)."""
        return hedonic(self.place(batch), *self.curve)

    def reference_scores(self) -> np.ndarray:
        """The same of each reference against all the others."""
        return hedonic(self.held_out(), *self.curve)
