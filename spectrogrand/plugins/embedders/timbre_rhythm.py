"""Song -> vector of timbre, rhythm and tonal statistics: the core's sound embedding, no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np

from ...audio.statistics import NAMES, describe
from ...audio.windows import windows
from ...errors import InvalidValue
from ...interfaces import Card, Embedder
from ...references.songs import SHIPPED
from ...registry import register
from ...types import Audio

SCALE = SHIPPED.with_name("song_reference_scale.safetensors")
"""Mean and standard deviation of each statistic over the 160 shipped reference songs (`train/reference_songs.py`)."""
_GROUPS = (("mfcc1_mean", 0.4), ("onsets_low", 0.4), ("chroma_entropy", 0.2))
"""First statistic of each group, and the group's share of the squared distance: timbre, rhythm, tonal."""
_FURTHEST = 4.0
_windowed: WeakKeyDictionary[Audio, dict[float, np.ndarray]] = WeakKeyDictionary()


@register("timbre_rhythm")
class TimbreRhythm(Embedder):
    """The statistics of `spectrogrand.audio.statistics`, standardised by the reference songs and lifted to a sphere.

    Each statistic becomes z = (x - mean) / std of the reference songs, bent softly to +-4 (4 tanh(z / 4)) and weighted
    so that timbre, rhythm and tonal statistics hold 40, 40 and 20 per cent of the squared length. One more axis is the
    constant 1, and the whole is brought to unit length: without it every cosine with a reference set centred on zero
    would be about 0; with it the mean cosine falls from 0.5 towards 0 as a song moves away from the reference songs.

    Gain has no influence, MP3 coding and resampling little (see `describe`). Silence has no direction: its vector is 0.

    Args:
        window: None describes the sound as one; seconds describes windows of that length and averages their statistics, so
            that the vector does not depend on how long the sound is. The shipped references are 10 s: both agree there.

    >>> TimbreRhythm().embed([Audio(np.zeros((1, 22050), np.float32), 22050)]).shape
    (1, 124)
    """

    artefact = Audio
    axes: ClassVar[tuple[str, ...]] = (*NAMES, "constant")
    card = Card(
        summary="timbre, rhythm and tonal statistics of a song, standardised by the reference songs; no weights"
    )

    def __init__(self, window: float | None = None) -> None:
        if window is not None and not window > 0:
            raise InvalidValue(f"window is a length in seconds above 0, or null, got {window!r}")
        self.window = window

    def embed(self, batch: Sequence[Audio]) -> np.ndarray:
        """Unit vectors in the order of `axes`, float32, shape=(item, axis); zeros for silence.

        Raises:
            InvalidValue: an item is not sound, or holds samples that are not finite numbers.
        """
        for item in batch:
            if not isinstance(item, Audio):
                raise InvalidValue(f"timbre_rhythm embeds Audio, got {type(item).__name__}: load it with load_audio")
        raw = np.array([self._describe(item) for item in batch], np.float32).reshape(len(batch), len(NAMES))
        return project(raw, *_scale()[:2])

    def _describe(self, item: Audio) -> np.ndarray:
        if self.window is None:
            return describe(item)
        known = _windowed.setdefault(item, {})
        if self.window not in known:  # several scorers ask for the same
            rows = np.array([describe(part) for part in windows(item, self.window)])
            heard = rows.any(axis=1)  # a silent window says nothing
            known[self.window] = np.asarray(rows[heard].mean(axis=0) if heard.any() else rows[0])
        return known[self.window]

    def identity(self) -> Mapping[str, Any]:
        """The sha256 of the scale."""
        return {"scale": _scale()[2]}


def project(raw: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Statistics, shape=(item, statistic), to embeddings, float32, shape=(item, axis), by a scale, shape=(statistic,).

    >>> project(np.full((1, 123), 2.0), np.full(123, 2.0), np.ones(123))[0, -1].item()
    1.0
    """
    bent = _FURTHEST * np.tanh((raw.astype(np.float64) - mean) / std / _FURTHEST)
    lifted = np.concatenate([bent * _weights(), np.ones((len(raw), 1))], axis=1)
    unit = lifted / np.linalg.norm(lifted, axis=1, keepdims=True)
    return np.asarray(np.where(raw.any(axis=1, keepdims=True), unit, 0), np.float32)


def statistics(embedded: np.ndarray) -> np.ndarray:
    """The statistics that `project` embedded (its inverse with the shipped scale), float64, shape=(item, statistic).

    >>> mean, std, _ = _scale()
    >>> np.allclose(statistics(project(mean[None] + std, mean, std)), mean + std, rtol=1e-3, atol=1e-3)
    True
    """
    mean, std, _ = _scale()
    embedded = np.asarray(embedded, np.float64)
    bent = embedded[:, :-1] / embedded[:, -1:] / _weights()
    return np.asarray(_FURTHEST * np.arctanh(np.clip(bent / _FURTHEST, -0.999999, 0.999999)) * std + mean)


def _weights() -> np.ndarray:
    starts = [NAMES.index(name) for name, _ in _GROUPS] + [len(NAMES)]
    sizes = np.diff(starts)
    return np.repeat(np.sqrt([share for _, share in _GROUPS] / sizes), sizes)


@lru_cache(maxsize=1)
def _scale() -> tuple[np.ndarray, np.ndarray, str]:
    from safetensors.numpy import load

    data = SCALE.read_bytes()
    arrays = load(data)
    return arrays["mean"].astype(np.float64), arrays["std"].astype(np.float64), hashlib.sha256(data).hexdigest()
