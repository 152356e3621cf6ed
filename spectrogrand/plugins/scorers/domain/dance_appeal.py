"""Scorer "dance_appeal": how much of dance music taggers and a beat tracker would hear in a song, learned; no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ....interfaces import Card
from ....references.songs import embeddings, reference_path
from ....registry import inner, register
from ....types import Audio
from ._neighbours import SongNeighbours

WEIGHTS = Path(__file__).resolve().parents[3] / "data" / "dance_appeal.safetensors"
"""One weight per statistic (`train/dance_appeal.py`)."""
EDGE, SLOPE = 4.0, 0.5
"""Place among the references (`Neighbours.place`) beyond which the formula is not trusted: 99 in 100 of the songs that it was
learned on lie within. And what each unit beyond costs; those songs' scores have a deviation of 0.36."""


@register("dance_appeal")
class DanceAppeal(SongNeighbours):
    """w . b(x) - 0.5 max(0, place(x) - 4): learned appeal, and doubt about what is unlike everything it was learned on.

    b are the bent, standardised statistics of `timbre_rhythm` over windows of 10 s, w was learned by ridge regression within 32
    calibration topics. The target has three equal parts: how sure four networks by others (Pons & Serra 2019, musicnn) are of
    dance tags, how sure they are of electronic ones, and how much of BeatNet's beat (Heydari et al. 2021) comes back after a
    beat. Correlation with it on topics left out: 0.76. Other judges prove it on other topics: `docs/results/creativity.md`.
    A linear formula says anything of sounds far from its songs, so the score falls with the distance to the nearest shipped
    references (`typicality` has the same place). Unbounded; 0 is a song like the mean of the references.
    """

    aspect = "value"
    noise = 0.02
    card = Card(
        "how danceable, electronic and clear in its beat judges would call a song, learned from its statistics (no network)",
        paper="Pons & Serra 2019, musicnn, arXiv:1909.06654; Heydari et al. 2021, BeatNet, arXiv:2108.03576 (the judges)",
    )

    def __init__(self) -> None:
        super().__init__()

    def score(self, batch: Sequence[Audio]) -> np.ndarray:
        """One number per song, float64, shape=(item,); NaN for silence."""
        if not len(batch):
            return np.zeros(0)
        return appeal(inner(self, "embedder").embed(batch)) - doubt(self.place(batch))

    def reference_scores(self) -> np.ndarray:
        """The formula over the shipped reference songs, each against the others, float64, shape=(reference,)."""
        known = np.concatenate(list(embeddings(reference_path(None))[0].values()))
        return appeal(known) - doubt(self.held_out())

    def identity(self) -> Mapping[str, Any]:
        """The weights' sha256 and the embedder's identity."""
        return {"weights": sha256(WEIGHTS.read_bytes()).hexdigest(), **super().identity()}


def appeal(vectors: np.ndarray) -> np.ndarray:
    """w . b on embeddings, shape=(item, axis): the last axis, which is constant before scaling, undoes the unit length."""
    x = np.asarray(vectors, np.float64)
    heard = x[:, -1] > 0
    coordinates = x[:, :-1] / np.where(heard, x[:, -1], 1)[:, None]
    return np.where(heard, np.einsum("ia,a->i", coordinates, _weights()), np.nan)


def doubt(place: np.ndarray) -> np.ndarray:
    """What lying beyond the edge costs.

    >>> doubt(np.array([0.0, 4.0, 6.0])).tolist()
    [0.0, 0.0, 1.0]
    """
    return np.asarray(SLOPE * np.maximum(0.0, np.asarray(place, np.float64) - EDGE))


@lru_cache(maxsize=1)
def _weights() -> np.ndarray:
    from safetensors.numpy import load_file

    return np.asarray(load_file(WEIGHTS)["weights"], np.float64)
