"""Distance to the nearest references, in units of how far the references' own members lie apart: what this room shares."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ....errors import InvalidValue
from ....interfaces import CreativityScorer, Embedder, Reference
from ....references.covers import CoverReference, standardised
from ....references.songs import ROBUST, embeddings, load_reference, reference_path
from ....registry import inner
from ....types import Audio, Image


class Neighbours(CreativityScorer):
    """The mean distance d(x) to the k nearest references (Euclidean), and where it lies among theirs.

    A reference's own distance is to the k nearest *others*. Those held-out distances get a log-logistic curve through their
    quartiles; `place` gives x's logit on it: 0 where half of the held-out members lie nearer, +-ln 3 at the quartiles. It goes
    on growing beyond the furthest member, so that no score saturates (the densities of Naeem et al. 2020 do).
    """

    def __init__(self, k: int) -> None:
        if not isinstance(k, int) or k < 1:
            raise InvalidValue(f"k is how many neighbours count, a whole number of at least 1, got {k!r}")
        self.k = k

    def place(self, batch: Sequence[Any]) -> np.ndarray:
        """The logit of each item's distance, float64, shape=(item,); NaN for an item whose vector is zero or not finite."""
        return self._logit(self.distance(batch))

    def distance(self, batch: Sequence[Any]) -> np.ndarray:
        """Mean distance to the k nearest references, float64, shape=(item,)."""
        if not len(batch):
            return np.zeros(0)
        rows = self._vectors(batch)
        if rows.shape[1] != self._known.shape[1]:
            raise InvalidValue(
                f"items have {rows.shape[1]} axes, the references {self._known.shape[1]}: both must come from one embedder"
            )
        return np.array([_nearest(np.linalg.norm(self._known - row, axis=1), self.k) for row in rows])

    def held_out(self) -> np.ndarray:
        """The references' own places, each against all the others, float64, shape=(reference,)."""
        return self._logit(self._apart)

    def _logit(self, distance: np.ndarray) -> np.ndarray:
        low, middle, high = np.percentile(self._apart, [25, 50, 75])
        width = max(np.log(max(high, 1e-9) / max(low, 1e-9)) / (2 * np.log(3)), 1e-3)
        return np.asarray(np.log(np.maximum(distance, 1e-9) / max(middle, 1e-9)) / width)

    @cached_property
    def _apart(self) -> np.ndarray:
        known = self._known
        return np.array([
            _nearest(np.linalg.norm(np.delete(known, i, axis=0) - row, axis=1), self.k) for i, row in enumerate(known)
        ])  # fmt: skip

    @cached_property
    def _known(self) -> np.ndarray:
        known = self._references()
        if len(known) <= self.k + 1:
            raise InvalidValue(f"{len(known)} references are too few for {self.k} neighbours: add more, or set k lower")
        return known

    def _references(self) -> np.ndarray:
        raise NotImplementedError

    def _vectors(self, batch: Sequence[Any]) -> np.ndarray:
        raise NotImplementedError


class SongNeighbours(Neighbours):
    """Songs, by any embedder of sounds.

    With `timbre_rhythm`, statistics that coding and speed move as far as songs differ hardly count (`train/robust_axes.py`).

    Args:
        embedder: name, or mapping of `name` and settings. The default describes windows of 10 s: length has no influence.
        references: a safetensors file of float32 (item, axis) made by the same embedder; None is the shipped one.
        k: neighbours that count.
    """

    parts = {"embedder": "embedders"}

    artefact = Audio

    def __init__(
        self, embedder: str | Mapping[str, Any] | None = None, references: str | None = None, k: int = 5
    ) -> None:
        super().__init__(k)
        self.embedder = {"name": "timbre_rhythm", "window": 10.0} if embedder is None else embedder
        self.references = references

    def reference(self) -> Reference:
        """The reference songs: file, how many, sha256."""
        sets, digest = embeddings(reference_path(self.references))
        name = "shipped synthesised house songs" if self.references is None else reference_path(self.references).name
        return Reference(name, sum(map(len, sets.values())), digest)

    def identity(self) -> Mapping[str, Any]:
        """The embedder's identity."""
        trusted = None if self._trust is None else hashlib.sha256(self._trust.tobytes()).hexdigest()
        return {"embedder": dict(self._embedder.identity()), "trust": trusted}

    @cached_property
    def _trust(self) -> np.ndarray | None:
        """What each coordinate is multiplied by, shape=(axis,); None with other embedders."""
        name = self.embedder if isinstance(self.embedder, str) else self.embedder.get("name")
        if name != "timbre_rhythm":
            return None
        return np.append(np.sqrt(load_reference(ROBUST)[0]["weights"].astype(np.float64)), 1.0)

    def _units(self, vectors: np.ndarray) -> np.ndarray:
        return _units(vectors if self._trust is None else np.asarray(vectors, np.float64) * self._trust)

    @cached_property
    def _embedder(self) -> Embedder:
        made = inner(self, "embedder")
        assert isinstance(made, Embedder)
        return made

    def _references(self) -> np.ndarray:
        return self._units(np.concatenate(list(embeddings(reference_path(self.references))[0].values())))

    def _vectors(self, batch: Sequence[Any]) -> np.ndarray:
        return self._units(self._embedder.embed(batch))


class CoverNeighbours(Neighbours):
    """Covers, by the sixteen picture statistics, standardised by the references.

    Args:
        reference: "shipped", a folder of pictures, or a .safetensors file of `spectrogrand reference`.
        k: neighbours that count.
    """

    artefact = Image

    def __init__(self, reference: str = "shipped", k: int = 5) -> None:
        super().__init__(k)
        self._set = CoverReference(reference)

    def reference(self) -> Reference:
        """The reference covers."""
        return self._set.card()

    def identity(self) -> Mapping[str, Any]:
        """The reference's hash."""
        return {"reference_sha256": self._set.card().sha256}

    def _references(self) -> np.ndarray:
        table = self._set.table()
        return standardised(table, table)

    def _vectors(self, batch: Sequence[Any]) -> np.ndarray:
        from ....image.statistics import statistics

        return standardised(np.stack([statistics(image) for image in batch]), self._set.table())


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(np.asarray(x) / 2)))


def hedonic(place: np.ndarray, rise: float, fall: float, steep: float) -> np.ndarray:
    """The Wundt curve as the difference of two logistics (Saunders & Gero 2001): reward from `rise`, punishment from `fall`.

    >>> at = hedonic(np.array([-9.0, 1.0, 9.0]), 0.0, 2.0, 2.0)
    >>> bool(at[1] > 0.7 and at[0] < 0.01 and at[2] < 0.01)
    True
    """
    return logistic(steep * (place - rise)) - logistic(steep * (place - fall))


def _nearest(distances: np.ndarray, k: int) -> float:
    return float(np.mean(np.partition(distances, k - 1)[:k])) if np.isfinite(distances).any() else float("nan")


def _units(vectors: np.ndarray) -> np.ndarray:
    x = np.asarray(vectors, np.float64)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(np.where(np.isfinite(length) & (length > 0), x / np.where(length > 0, length, 1), np.nan))
