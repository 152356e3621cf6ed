"""Song -> house sub-genre from timbre and rhythm statistics: the core's genre classifier, no torch; knows when it is none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ...audio.statistics import describe
from ...errors import InvalidValue
from ...interfaces import Card, Classifier
from ...registry import register
from ...types import GENRES, Audio

WEIGHTS = Path(__file__).resolve().parents[2] / "data" / "timbre_genre.safetensors"


@register("timbre_genre")
class TimbreGenre(Classifier):
    """Multinomial logistic regression on the statistics of `spectrogrand.audio.statistics`, standardised and bent to +-4.

    Trained on `house_synth` songs alone (`train/timbre_genre.py`): it names which of our four idioms a song is closest
    to. For real tracks read `novel` and `confidence` first, or take one of the picture classifiers trained on HouseX.

    >>> noise = Audio(np.random.default_rng(0).normal(0, 0.1, (1, 88200)).astype(np.float32), 22050)
    >>> TimbreGenre().classify([noise])[0].shape, TimbreGenre().novel([noise]).item()
    ((1, 4), True)
    """

    artefact = Audio
    card = Card(
        summary="house sub-genre by logistic regression on timbre, rhythm and tonal statistics; says 'none of these'",
        paper="Lee et al., NeurIPS 2018 (Mahalanobis distance to the nearest class for what is none of them)",
        terms="trained on house_synth songs only",
    )

    def classify(self, batch: Sequence[Audio]) -> tuple[np.ndarray, tuple[str, ...]]:
        """Probabilities, float64, shape=(item, genre), and the genres: future, bass, progressive, melodic.

        Silence gets 1/4 each. What is none of the four gets probabilities all the same: see `novel`.

        Raises:
            InvalidValue: an item is not sound, or holds samples that are not finite numbers.
        """
        model, (values, silent) = _model()[0], self._values(batch)
        logits = np.einsum("is,sg->ig", values, model["coefficients"]) + model["intercepts"]
        logits[silent] = 0
        grown = np.exp(logits - logits.max(axis=1, keepdims=True))
        return grown / grown.sum(axis=1, keepdims=True), GENRES

    def distances(self, batch: Sequence[Audio]) -> np.ndarray:
        """Mahalanobis distance to the nearest genre's mean per root statistic, float64, shape=(item,); about 1 inside.

        The covariance within genres is pooled over the genres and shrunk by a fifth to a multiple of the identity. Silence
        is infinitely far.
        """
        model, (values, silent) = _model()[0], self._values(batch)
        apart = values[:, None] - model["means"]
        squared = np.einsum("igs,st,igt->ig", apart, model["precision"], apart) / values.shape[1]
        return np.where(silent, np.inf, np.sqrt(squared.min(axis=1, initial=np.inf)))

    def novel(self, batch: Sequence[Audio]) -> np.ndarray:
        """Whether a song is "none of these": farther out than the trained limit. bool, shape=(item,)."""
        return np.asarray(self.distances(batch) > _model()[0]["limit"])

    def confidence(self, batch: Sequence[Audio]) -> np.ndarray:
        """The top genre's probability, faded to 0 between half and the whole limit of `novel`. float64, shape=(item,)."""
        part = self.distances(batch) / _model()[0]["limit"]
        return np.asarray(self.classify(batch)[0].max(axis=1, initial=0) * np.clip(2 - 2 * part, 0, 1))

    def classes(self) -> tuple[str, ...]:
        """The four genres of house."""
        return GENRES

    def identity(self) -> Mapping[str, Any]:
        """The sha256 of the weights."""
        return {"weights": _model()[1]}

    def _values(self, batch: Sequence[Audio]) -> tuple[np.ndarray, np.ndarray]:
        """Standardised statistics, shape=(item, statistic), and which items are silent."""
        for item in batch:
            if not isinstance(item, Audio):
                raise InvalidValue(f"timbre_genre classifies Audio, got {type(item).__name__}: load it with load_audio")
        model = _model()[0]
        raw = np.array([describe(item) for item in batch], np.float64).reshape(len(batch), len(model["mean"]))
        return bend(raw, model["mean"], model["std"]), np.asarray(~raw.any(axis=1))


def bend(raw: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Standard scores, bent softly to +-4 so that sound unlike any song stays finite. Shape=(item, statistic)."""
    return 4 * np.tanh((raw - mean) / std / 4)


@lru_cache(maxsize=1)
def _model() -> tuple[dict[str, np.ndarray], str]:
    from safetensors.numpy import load

    data = WEIGHTS.read_bytes()
    return {k: v.astype(np.float64) for k, v in load(data).items()}, hashlib.sha256(data).hexdigest()
