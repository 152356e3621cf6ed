"""Captions of music by Qwen2-Audio-7B-Instruct."""

from __future__ import annotations

from collections.abc import Sequence

from ....interfaces import Card, Weights
from ....registry import register
from ....weights.sources import HubRepo
from ._music_language import MusicLanguageModel


@register("qwen2_audio")
class Qwen2Audio(MusicLanguageModel):
    """Asks Qwen2-Audio what a stretch of music sounds like; the sound first, then the question, answered greedily.

    Args:
        weights: folder of the model in the hub's layout, or a folder with `qwen2_audio` in it; None: the hub's cache.
        question: what it is asked.
        tokens: at most so many are answered.
        dtype: "float32", "bfloat16", "float16"; None: float32 on a CPU, bfloat16 on a GPU.
        device: "cpu", "cuda", "cuda:0"; None: a GPU where there is one.
    """

    card = Card(
        "captions of music by Qwen2-Audio-7B-Instruct",
        paper="Chu et al., Qwen2-Audio technical report, arXiv:2407.10759",
        licence="Apache-2.0",
        extra="models",
        modules=("torch", "transformers"),
        weights=(
            Weights(
                HubRepo("Qwen/Qwen2-Audio-7B-Instruct", "0a095220c30b7b31434169c3086508ef3ea5bf0a"),
                16_800.0,
                "Apache-2.0",
            ),
        ),
    )

    def __init__(
        self, *, weights: str | None = None,
        question: str = "Describe this music in two sentences: its genre, mood, tempo and instruments.", tokens: int = 96,
        dtype: str | None = None, device: str | None = None,
    ) -> None:  # fmt: skip
        self._checked(question, tokens)
        self.weights, self.question, self.tokens, self.dtype, self.device = weights, question, tokens, dtype, device

    def _classes(self) -> Sequence[str]:
        return ("Qwen2AudioForConditionalGeneration",)
