"""Captions of music by Music Flamingo."""

from __future__ import annotations

from collections.abc import Sequence

from ....interfaces import Card, Weights
from ....registry import register
from ....weights.sources import HubRepo
from ._music_language import MusicLanguageModel


@register("music_flamingo")
class MusicFlamingo(MusicLanguageModel):
    """Asks Music Flamingo what a stretch of music sounds like; the question first, then the sound, answered greedily.

    Both published layouts load: that with rotary time embeddings (`MusicFlamingoForConditionalGeneration`) and the earlier one
    (`AudioFlamingo3ForConditionalGeneration`), which is pinned.

    Args:
        weights: folder of the model in the hub's layout, or a folder with `music_flamingo` in it; None: the hub's cache.
        question: what it is asked.
        tokens: at most so many are answered.
        dtype: "float32", "bfloat16", "float16"; None: float32 on a CPU, bfloat16 on a GPU.
        device: "cpu", "cuda", "cuda:0"; None: a GPU where there is one.
    """

    card = Card(
        "captions of music by Music Flamingo",
        paper="Ghosh et al., Music Flamingo, arXiv:2511.10289",
        licence="Apache-2.0",
        terms="weights: NVIDIA OneWay Noncommercial License, for research only",
        extra="models",
        modules=("torch", "transformers"),
        weights=(
            Weights(
                HubRepo("nvidia/music-flamingo-hf", "e29cfe92e682616f8f8014c60b2c5d17a37d4e33"),
                16_500.0,
                "NVIDIA OneWay Noncommercial",
            ),
        ),
    )
    text_first = True

    def __init__(
        self, *, weights: str | None = None,
        question: str = "Describe this music in two sentences: its genre, mood, tempo and instruments.", tokens: int = 96,
        dtype: str | None = None, device: str | None = None,
    ) -> None:  # fmt: skip
        self._checked(question, tokens)
        self.weights, self.question, self.tokens, self.dtype, self.device = weights, question, tokens, dtype, device

    def _classes(self) -> Sequence[str]:
        return ("MusicFlamingoForConditionalGeneration", "AudioFlamingo3ForConditionalGeneration")
