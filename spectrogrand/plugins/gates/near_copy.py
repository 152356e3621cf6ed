"""Gate "near_copy": fails songs that are one of the reference songs again, re-encoded or at another level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InvalidValue
from ...interfaces import Card, Embedder, Gate
from ...references.songs import embeddings, reference_path
from ...registry import inner, register
from ...types import Audio


@register("near_copy")
class NearCopy(Gate):
    """Fails a song whose embedding has a cosine above `threshold` to that of a reference song.

    Args:
        embedder: name, or mapping of `name` and settings, of an embedder of sounds.
        references: a safetensors file of float32 (item, axis) per genre, made by the same embedder; None is the file
            that ships with the package, made by "timbre_rhythm".
        threshold: cosine, -1 to 1. The default suits "timbre_rhythm": the 160 shipped songs reach 0.94 among themselves,
            songs again as MP3, at another level or rate 0.97 to 1.0.

    >>> NearCopy().threshold > 0.9
    True
    """

    parts = {"embedder": "embedders"}
    card = Card("fails near copies of a reference song (cosine of the embeddings)")
    artefact = Audio

    def __init__(
        self,
        embedder: str | Mapping[str, Any] = "timbre_rhythm",
        references: str | None = None,
        threshold: float = 0.96,
    ) -> None:
        self.embedder, self.references, self.threshold = embedder, references, threshold

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per song None, or "is a near copy of reference song 12 of bass (cosine 0.998)"."""
        if not len(batch):
            return []
        return [self._reason(vector) for vector in _units(self._embedder.embed(batch))]

    def identity(self) -> Mapping[str, Any]:
        """The embedder's identity and the sha256 of the references."""
        return {"embedder": dict(self._embedder.identity()), "references": embeddings(self._path)[1]}

    def _reason(self, vector: np.ndarray) -> str | None:
        names, references = self._references
        if references.shape[1] != len(vector):
            raise InvalidValue(
                f"song embeddings have {len(vector)} axes, the references have {references.shape[1]}: both must come "
                "from the same embedder"
            )
        cosines = references @ vector
        nearest = int(np.argmax(cosines))
        if cosines[nearest] > self.threshold:
            return f"is a near copy of {names[nearest]} (cosine {cosines[nearest]:.3f})"
        return None

    @property
    def _path(self) -> Path:
        return reference_path(self.references)

    @cached_property
    def _embedder(self) -> Embedder:
        made = inner(self, "embedder")
        assert isinstance(made, Embedder)
        return made

    @cached_property
    def _references(self) -> tuple[list[str], np.ndarray]:
        genres, _ = embeddings(self._path)
        names = [f"reference song {k} of {genre}" for genre, rows in genres.items() for k in range(len(rows))]
        return names, _units(np.concatenate(list(genres.values())))


def _units(vectors: np.ndarray) -> np.ndarray:
    """Rows at unit length, float64; a row without length stays zero and is near nothing."""
    x = np.nan_to_num(np.asarray(vectors, np.float64))
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
