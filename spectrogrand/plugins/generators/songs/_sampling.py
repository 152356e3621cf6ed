"""Sampling from a language model with one generator per candidate, so that a batch's neighbours do not matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class First(list[Any]):
    """A list of logits processors whose own stay last: what `generate` appends (guidance) is put in front of them."""

    def append(self, item: Any) -> None:
        """Put a processor in front."""
        self.insert(0, item)


class Sampler:
    """Draws the next tokens: argmax(log p / temperature + Gumbel noise) is a sample of the softmax (Gumbel 1954).

    Used as the last logits processor under greedy decoding. Each candidate's noise comes from its own generator, on the CPU,
    in one order: a candidate's tokens are the same alone, in a batch, and on every device up to rounding.

    Args:
        noise: one torch.Generator per candidate; rows of the scores are candidates times codebooks.
        temperature: above 1 is wilder.
        top_k: how many tokens may be drawn; 0 is all.
        tick: called after each token, for a progress bar.
    """

    def __init__(
        self, noise: Sequence[Any], temperature: float, top_k: int, tick: Callable[[], None] = lambda: None
    ) -> None:
        self.noise, self.temperature, self.top_k, self.tick = noise, temperature, top_k, tick

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores plus noise, shape=(candidate * codebook, token)."""
        import torch

        self.tick()
        logits = scores.float() / self.temperature
        if 0 < self.top_k < logits.shape[-1]:
            least = logits.topk(self.top_k, dim=-1).values[..., -1:]
            logits = logits.masked_fill(logits < least, -torch.inf)
        rows = logits.shape[0] // len(self.noise)
        drawn = [torch.empty(rows, logits.shape[-1]).exponential_(generator=g) for g in self.noise]
        return logits - torch.cat(drawn).log().to(logits.device)
