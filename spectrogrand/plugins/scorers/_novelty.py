"""How unlike a set of reference songs a song is, by the published formula: what the novelty scorers share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue, UnknownName, nearest
from ...interfaces import CreativityScorer, Embedder, Reference
from ...references.songs import embeddings, reference_path
from ...registry import inner
from ...types import Audio


class SimilarityNovelty(CreativityScorer):
    """1 - mean cosine similarity between a song's embedding and the reference songs' embeddings, in [0, 2].

    One mean vector carries the whole reference set, because the mean of cosines with unit vectors is the cosine with their
    mean: cost does not grow with the number of references. A subclass says where the references lie when none are named.
    """

    aspect = "novelty"
    parts = {"embedder": "embedders"}
    artefact = Audio

    def __init__(
        self,
        embedder: str | Mapping[str, Any],
        reference: str = "all",
        references: str | None = None,
    ) -> None:
        self.embedder, self.which, self.references = embedder, reference, references

    def score(self, batch: Sequence[Audio]) -> np.ndarray:
        """Novelty per song, float64, shape=(item,); NaN for a song whose embedding is not finite or is zero."""
        return self.score_embeddings(self._embedder.embed(batch)) if len(batch) else np.zeros(0)

    def score_embeddings(self, vectors: np.ndarray) -> np.ndarray:
        """Novelty of songs that are embedded already, shape=(item, axis) to float64, shape=(item,).

        Raises:
            InvalidValue: the embeddings have another number of axes than the references.
        """
        return 1.0 - mean_similarity(vectors, self._mean)

    def reference(self) -> Reference:
        """The reference songs: file and genre, how many, and the sha256 of the file and the choice."""
        genres, digest = embeddings(self._path)
        chosen = _choose(genres, self.which)
        name = f"{'shipped' if self.references is None else self._path.name}:{self.which}"
        return Reference(name, sum(map(len, chosen)), hashlib.sha256(f"{digest}:{self.which}".encode()).hexdigest())

    def reference_scores(self) -> np.ndarray:
        """Novelty of each reference song against all the others, float64, shape=(reference,), for quantiles."""
        units = self._units
        count = len(units)
        if count < 2:
            return np.full(count, np.nan)
        others = (units @ units.sum(axis=0) - np.einsum("ia,ia->i", units, units)) / (count - 1)
        return 1.0 - others

    def identity(self) -> Mapping[str, Any]:
        """The embedder's identity; the reference file's hash is in `reference`."""
        return {"embedder": dict(self._embedder.identity())}

    @property
    def _path(self) -> Path:
        return reference_path(self.references)

    @cached_property
    def _embedder(self) -> Embedder:
        made = inner(self, "embedder")
        assert isinstance(made, Embedder)
        return made

    @cached_property
    def _units(self) -> np.ndarray:
        return unit(np.concatenate(_choose(embeddings(self._path)[0], self.which)))

    @cached_property
    def _mean(self) -> np.ndarray:
        units = self._units
        if not np.isfinite(units).all():
            raise InvalidValue(f"the reference {self._path.name} has zeros or NaN instead of embeddings: remake it")
        return units.mean(axis=0, keepdims=True)


def mean_similarity(vectors: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Mean cosine similarity of each vector to all references, float64, shape=(item,).

    `references` are unit vectors, shape=(reference, axis), or their mean as one row. `vectors`, shape=(item, axis), are
    brought to unit length here; a vector that is zero or not finite gives NaN.

    The published table of a genre (`published_mean_similarity.json`) is the mean of this over its songs.

    Raises:
        InvalidValue: the two differ in axes.

    >>> mean_similarity(np.array([[2.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    array([0.5])
    """
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or vectors.shape[1] != references.shape[1]:
        raise InvalidValue(
            f"song embeddings are (item, axis) = {vectors.shape}, the references have {references.shape[1]} axes: "
            "both must come from the same embedder"
        )
    return np.asarray(np.einsum("ia,a->i", unit(vectors), references.mean(axis=0, dtype=np.float64)))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows at unit length, float64, shape=(item, axis); NaN for rows that are zero or not finite.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [nan, nan]])
    """
    x = np.asarray(vectors, np.float64)
    length = np.sqrt(np.einsum("ia,ia->i", x, x))
    good = np.isfinite(length) & (length > 0)
    return np.where(good[:, None], x / np.where(good, length, 1)[:, None], np.nan)


def _choose(genres: Mapping[str, np.ndarray], which: str) -> list[np.ndarray]:
    """The arrays of one genre, or of all."""
    if which == "all":
        return list(genres.values())
    for name in (which, f"{which}_house"):
        if name in genres:
            return [genres[name]]
    raise UnknownName(f"no reference {which!r}; {nearest(which, ['all', *genres])}")
