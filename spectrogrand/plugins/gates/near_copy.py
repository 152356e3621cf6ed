"""Gate "near_copy": fails songs that are one of the reference songs again: re-encoded, louder, faster or transposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ...audio.fingerprint import FRAMES, match_prints
from ...errors import InvalidValue
from ...interfaces import Card, Embedder, Gate
from ...references.songs import embeddings, prints, reference_path
from ...registry import inner, register
from ...types import Audio


@register("near_copy")
class NearCopy(Gate):
    """Fails a song that is a reference song again, by either of two signs.

    The embedding's cosine to a reference song's is above `threshold`: the same song as MP3, at another level or rate. Or the
    fingerprint (`audio.fingerprint.match_prints`) agrees with a reference song's by more than `agreement`: also at another
    speed (to 6 per cent) and another pitch (to 3 semitones). Sounds under ten seconds must agree by more, as chance does: by
    sqrt(10 s / length) times as much. A file of references made elsewhere may hold no fingerprints; then the cosine decides.

    Args:
        embedder: name, or mapping of `name` and settings, of an embedder of sounds.
        references: a safetensors file of float32 (item, axis) per genre, made by the same embedder; None is the file
            that ships with the package, made by "timbre_rhythm".
        threshold: cosine, -1 to 1. The default suits "timbre_rhythm": the 160 shipped songs reach 0.94 among themselves,
            songs again as MP3, at another level or rate 0.97 to 1.0.
        agreement: of fingerprints, 0 (chance) to 1 (the same bits); 1 turns them off.

    >>> NearCopy().threshold > 0.9
    True
    """

    parts = {"embedder": "embedders"}
    card = Card(
        "fails near copies of a reference song (cosine of the embeddings, or fingerprints)",
        paper="Haitsma & Kalker, A highly robust audio fingerprinting system (ISMIR 2002)",
    )
    artefact = Audio

    def __init__(
        self,
        embedder: str | Mapping[str, Any] = "timbre_rhythm",
        references: str | None = None,
        threshold: float = 0.96,
        agreement: float = 0.36,
    ) -> None:
        self.embedder, self.references = embedder, references
        self.threshold, self.agreement = threshold, agreement

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per song None, or "is a near copy of reference song 12 of bass (cosine 0.998)", or "(fingerprints agree by 0.52)"."""
        if not len(batch):
            return []
        vectors = _units(self._embedder.embed(batch))
        return [self._reason(vector) or self._agrees(song) for vector, song in zip(vectors, batch, strict=True)]

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

    def _agrees(self, song: Audio) -> str | None:
        known = prints(self._path)
        if not known or self.agreement >= 1:
            return None
        agreed = match_prints(song, np.concatenate(list(known.values())))
        nearest = int(agreed.argmax())
        if agreed[nearest] <= self.agreement * np.sqrt(max(1.0, FRAMES / 5 / max(float(song.duration), 0.2))):
            return None
        return f"is a near copy of {_called(known)[nearest]} (fingerprints agree by {agreed[nearest]:.2f})"

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
        return _called(genres), _units(np.concatenate(list(genres.values())))


def _called(genres: Mapping[str, np.ndarray]) -> list[str]:
    return [f"reference song {k} of {genre}" for genre, rows in genres.items() for k in range(len(rows))]


def _units(vectors: np.ndarray) -> np.ndarray:
    """Rows at unit length, float64; a row without length stays zero and is near nothing."""
    x = np.nan_to_num(np.asarray(vectors, np.float64))
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
