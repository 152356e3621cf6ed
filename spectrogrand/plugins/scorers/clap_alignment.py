"""Scorer "clap_alignment": how well a song fits its topic, as the cosine of their CLAP embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import ConfigError, PluginError
from ...interfaces import Card, CreativityScorer
from ...registry import inner, register
from ...types import Audio, Topic


@register("clap_alignment")
class ClapAlignment(CreativityScorer):
    """cos(CLAP(song), CLAP(text)), in [-1, 1]: the "CLAP score" of text-to-music work (Huang et al. 2023, arXiv:2301.12661).

    Args:
        topic: what the song is to be about.
        prompt: the text that is embedded; `{topic}` stands for the topic.
        embedder: name, or mapping of `name` and settings, of an embedder of sounds that also has `embed_text`: "clap".
    """

    aspect = "value"
    artefact = Audio
    parts = {"embedder": "embedders"}
    card = Card(
        "cosine of the song's and the topic's CLAP embeddings",
        paper="Wu et al., CLAP, arXiv:2211.06687; Huang et al., Make-An-Audio, arXiv:2301.12661",
        extra="models",
        modules=("torch", "transformers"),
    )

    def __init__(
        self, *, topic: str, prompt: str = "{topic}", embedder: str | Mapping[str, Any] = "clap"
    ) -> None:  # fmt: skip
        if "{topic}" not in prompt:
            raise ConfigError(f"clap_alignment's prompt has no {{topic}} in it, got {prompt!r}")
        self.topic, self.prompt, self.embedder = Topic(topic).text, prompt, embedder

    def score(self, batch: Sequence[Audio]) -> np.ndarray:
        """Cosine per song, float64, shape=(item,); NaN for a song whose embedding is not finite."""
        if not len(batch):
            return np.zeros(0)
        vectors = np.asarray(self._embedder.embed(batch), np.float64)
        return np.asarray(np.einsum("ia,a->i", vectors, self._text))

    def identity(self) -> Mapping[str, Any]:
        """The embedder's identity."""
        return {"embedder": dict(self._embedder.identity())}

    @cached_property
    def _embedder(self) -> Any:
        made = inner(self, "embedder")
        if not hasattr(made, "embed_text"):
            raise PluginError(
                f"clap_alignment compares songs with text, embedder {made.name!r} embeds no text: use clap"
            )
        return made

    @cached_property
    def _text(self) -> np.ndarray:
        text = self.prompt.replace("{topic}", self.topic)
        return np.asarray(self._embedder.embed_text([text])[0], np.float64)
