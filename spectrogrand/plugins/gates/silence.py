"""Gate "silence": fails sounds in which nothing can be heard, a constant offset included."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...audio.loudness import level
from ...interfaces import Card, Gate
from ...registry import register
from ...types import Audio


@register("silence")
class Silence(Gate):
    """Fails a sound whose root mean square, without its constant offset, is below `floor` in dBFS.

    Args:
        floor: dBFS.

    >>> import numpy as np
    >>> Silence().check([Audio(np.zeros((1, 8000), np.float32), 8000)])
    ['is silent (-inf dBFS)']
    """

    card = Card("fails silent sounds (RMS below -60 dBFS) and sounds that are not finite")
    artefact = Audio
    fatal = True

    def __init__(self, floor: float = -60.0) -> None:
        self.floor = floor

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per sound None, or "is silent (-91 dBFS)"."""
        return [self._reason(level(audio)) for audio in batch]

    def _reason(self, decibels: float) -> str | None:
        if math.isnan(decibels):
            return "has samples that are not finite"
        return f"is silent ({decibels:.0f} dBFS)" if decibels < self.floor else None
