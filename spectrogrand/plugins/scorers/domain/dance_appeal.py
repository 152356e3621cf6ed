"""Scorer "dance_appeal": what a listener's tags would say of a song's dancing, learned from its own statistics; no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ....interfaces import Card, CreativityScorer, Reference
from ....references.songs import embeddings, reference_path
from ....registry import inner, register
from ....types import Audio

WEIGHTS = Path(__file__).resolve().parents[3] / "data" / "dance_appeal.safetensors"
"""One weight per statistic (`train/dance_appeal.py`)."""


@register("dance_appeal")
class DanceAppeal(CreativityScorer):
    """w . b(x): b the bent, standardised statistics of `timbre_rhythm` over windows of 10 s, w learned by ridge regression.

    The target was how sure musicnn (Pons & Serra 2019, MagnaTagATune) is of "techno", "dance", "beat" and "beats", within each
    of 16 calibration topics; its correlation on topics left out is 0.55. Other judges than that one prove it, on other
    topics: `docs/results/creativity.md`. Unbounded; 0 is a song like the mean of the shipped references.
    """

    aspect = "value"
    noise = 0.035
    artefact = Audio
    card = Card(
        "how danceable a tagger would call a song, learned from its statistics (no network)",
        paper="Pons & Serra 2019, musicnn, arXiv:1909.06654 (the judge learned from)",
    )

    parts = {"embedder": "embedders"}

    def __init__(self) -> None:
        self.embedder = {"name": "timbre_rhythm", "window": 10.0}

    def score(self, batch: Sequence[Audio]) -> np.ndarray:
        """One number per song, float64, shape=(item,); NaN for silence."""
        if not len(batch):
            return np.zeros(0)
        return appeal(inner(self, "embedder").embed(batch))

    def reference(self) -> Reference:
        """The shipped reference songs."""
        sets, digest = embeddings(reference_path(None))
        return Reference("shipped synthesised house songs", sum(map(len, sets.values())), digest)

    def reference_scores(self) -> np.ndarray:
        """The formula over the shipped reference songs, float64, shape=(reference,)."""
        return appeal(np.concatenate(list(embeddings(reference_path(None))[0].values())))

    def identity(self) -> Mapping[str, Any]:
        """The weights' sha256 and the embedder's identity."""
        return {
            "weights": sha256(WEIGHTS.read_bytes()).hexdigest(),
            "embedder": dict(inner(self, "embedder").identity()),
        }


def appeal(vectors: np.ndarray) -> np.ndarray:
    """The formula on embeddings, shape=(item, axis): the last axis, which is constant before scaling, undoes the unit length."""
    x = np.asarray(vectors, np.float64)
    heard = x[:, -1] > 0
    coordinates = x[:, :-1] / np.where(heard, x[:, -1], 1)[:, None]
    return np.where(heard, np.einsum("ia,a->i", coordinates, _weights()), np.nan)


@lru_cache(maxsize=1)
def _weights() -> np.ndarray:
    from safetensors.numpy import load_file

    return np.asarray(load_file(WEIGHTS)["weights"], np.float64)
