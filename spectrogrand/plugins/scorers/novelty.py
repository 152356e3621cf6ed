"""Scorer "novelty": how unlike the reference songs a song is, by the published formula, over any embedding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...interfaces import Card
from ...registry import register
from ._novelty import SimilarityNovelty, mean_similarity, unit

__all__ = ["Novelty", "mean_similarity", "unit"]


@register("novelty")
class Novelty(SimilarityNovelty):
    """1 - mean cosine similarity between a song's embedding and the reference songs' embeddings, in [0, 2].

    Any embedder fits whose references were embedded by it.

    Args:
        embedder: name, or mapping of `name` and settings, of an embedder of sounds.
        reference: "all", or one genre of the reference file ("bass" also finds "bass_house").
        references: a safetensors file of float32 (item, axis) per genre, made by the same embedder; None is the file that
            ships with the package, made by "timbre_rhythm".
    """

    noise = 0.012
    """With the default embedder; 0, unknown, with any other."""
    card = Card(
        "1 - mean cosine similarity of the song's embedding to the reference songs'",
        paper="Jaisankar & Jayagopi, ICVGIP 2024",
    )

    def __init__(
        self,
        embedder: str | Mapping[str, Any] = "timbre_rhythm",
        reference: str = "all",
        references: str | None = None,
    ) -> None:
        super().__init__(embedder, reference, references)
        name = embedder if isinstance(embedder, str) else embedder.get("name")
        if name != "timbre_rhythm":
            self.noise = 0.0  # type: ignore[misc]
