"""Scorer "clap_novelty": the published novelty of a song, its CLAP embedding against those of the 160 HouseX songs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...interfaces import Card, Weights
from ...registry import register
from ...weights import files
from ...weights.sources import Url
from ._novelty import SimilarityNovelty

FILE = "clap_fused_housex_saved_embeds_dict.safetensors"
SOURCE = (
    "https://raw.githubusercontent.com/vijay-jaisankar/spectrogrand/57fa774324b2e71875a855faf05330d031574f6f/public/"
    "housex-processing/audio-embeds/ground-truth/clap_fused_housex_saved_embeds_dict.pkl"
)


@register("clap_novelty")
class ClapNovelty(SimilarityNovelty):
    """1 - mean cosine similarity of the song's CLAP embedding to those of the HouseX songs (Jaisankar & Jayagopi, ICVGIP 2024).

    Args:
        embedder: name, or mapping of `name` and settings, of the embedder: "clap".
        reference: "all" (160 songs, as the pipeline chooses), or one genre (its 40, as in the published table): future, bass,
            progressive, melodic.
        references: a safetensors file of float32 (item, 512) per genre; None is the published one, from `weights`.
        weights: folder with the published embeddings (converted to safetensors), or one that holds it as `clap_novelty`.
    """

    card = Card(
        "published novelty: 1 - mean cosine similarity of CLAP embeddings to the HouseX songs'",
        paper="Jaisankar & Jayagopi, ICVGIP 2024; Wu et al., CLAP, arXiv:2211.06687",
        terms="the HouseX songs behind the embeddings are for research use",
        extra="models",
        modules=("torch", "transformers"),
        weights=(Weights(Url(SOURCE), 0.4, "MIT", FILE),),
    )

    def __init__(
        self,
        *,
        embedder: str | Mapping[str, Any] = "clap",
        reference: str = "all",
        references: str | None = None,
        weights: str | None = None,
    ) -> None:
        super().__init__(embedder, reference, references)
        self.weights = weights
        if references is not None:
            self.card = replace(type(self).card, weights=())  # type: ignore[misc]

    @property
    def _path(self) -> Path:
        if self.references is not None:
            return Path(self.references).expanduser()
        return files.find(self.weights, type(self).card.weights[0], part=self.name)
