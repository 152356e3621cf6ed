"""Gate "drowned": fails music drowned in steady noise."""

from __future__ import annotations

from collections.abc import Sequence

from ....audio.structure import measure_steadiness, middle
from ....interfaces import Card, Gate
from ....registry import register
from ....types import Audio


@register("drowned")
class Drowned(Gate):
    """Fails a sound in most of whose bands nothing is heard but steady noise (`audio.structure.measure_steadiness`).

    Unlike `noise`, which asks for noise alone, some bands may hold music: of a song with as much white noise as itself two thirds
    of the bands are noise. Of real tracks one in a hundred has that in 0.6 of its bands (hissing and ambient ones).

    Args:
        most: the largest share of bands that may be noise.

    >>> import numpy as np
    >>> hiss = np.random.default_rng(0).normal(0, 0.1, (1, 44100)).astype(np.float32)
    >>> Drowned().check([Audio(hiss, 22050)])[0][:37]
    'is drowned in noise (alone in 1.00 of'

    """

    card = Card("fails music drowned in steady noise")
    artefact = Audio

    def __init__(self, most: float = 0.65) -> None:
        self.most = most

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per sound None, or "is drowned in noise (alone in 0.92 of the bands)"."""
        return [self._reason(audio) for audio in batch]

    def _reason(self, audio: Audio) -> str | None:
        share = measure_steadiness(middle(audio))
        return f"is drowned in noise (alone in {share:.2f} of the bands)" if share > self.most else None
