"""Gate "shuffled": fails sounds cut into pieces in random order."""

from __future__ import annotations

from collections.abc import Sequence

from ....audio.structure import measure_order, middle
from ....interfaces import Card, Gate
from ....registry import register
from ....types import Audio


@register("shuffled")
class Shuffled(Gate):
    """Fails a sound that is no more in order than its own shuffles (`audio.structure.measure_order`): a song cut into pieces.

    Pieces up to about a quarter of a second are found in ten seconds, longer ones in longer sounds. Sounds under 8 s pass, too
    few pieces to tell, and so do those that hardly change: a held chord has no order to lose, and `tone` has it.

    Args:
        least: deviations above the mean of the shuffles; 1 in 100 real excerpts of 10 s lies under 5.

    >>> import numpy as np
    >>> Shuffled().check([Audio(np.zeros((1, 44100), np.float32), 44100)])
    [None]

    """

    card = Card(
        "fails sounds cut into pieces in random order",
        paper="Fisher 1935, The design of experiments (permutation test)",
    )
    artefact = Audio

    def __init__(self, least: float = 3.5) -> None:
        self.least = least

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per sound None, or "is in no order (1.2 deviations above its own shuffles)"."""
        return [self._reason(audio) for audio in batch]

    def _reason(self, audio: Audio) -> str | None:
        order = measure_order(middle(audio))
        if order < self.least:
            return f"is in no order ({order:.1f} deviations above its own shuffles, at least {self.least:g} expected)"
        return None
