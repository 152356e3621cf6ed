"""Gate "single_sound": fails one sound alone, louder and quieter: bursts of noise, a pulsing hum, a beeping tone."""

from __future__ import annotations

from collections.abc import Sequence

from ....audio.structure import measure_key, measure_sameness, middle
from ....interfaces import Card, Gate
from ....registry import register
from ....types import Audio


@register("single_sound")
class SingleSound(Gate):
    """Fails a sound all of whose bands move together (`audio.structure.measure_sameness`), or mostly so on one pitch.

    On one pitch: sameness over 0.7 and under 2 bits of pitch classes (four equally strong ones). Music has 2.2 bits or more in
    99 of 100 excerpts, and a sameness under 0.9.

    Args:
        most: the largest sameness of music.

    >>> import numpy as np
    >>> t = np.arange(44100) / 22050
    >>> bursts = np.random.default_rng(0).normal(0, 0.1, 44100) * (t % 0.5 < 0.1)
    >>> SingleSound().check([Audio(bursts[None].astype(np.float32), 22050)])[0][:17]
    'is one sound alon'

    """

    card = Card("fails one sound alone, louder and quieter: bursts of noise, a pulsing hum, a beeping tone")
    artefact = Audio

    def __init__(self, most: float = 0.95) -> None:
        self.most = most

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per sound None, or "is one sound alone, louder and quieter (0.99 of its movement)"."""
        return [self._reason(audio) for audio in batch]

    def _reason(self, audio: Audio) -> str | None:
        same = measure_sameness(middle(audio))
        if same > self.most:
            return f"is one sound alone, louder and quieter ({same:.2f} of its movement)"
        if same > 0.7:
            bits = measure_key(middle(audio, 11025))[1]
            if bits < 2:
                return f"is one pitch alone, louder and quieter ({same:.2f} of its movement, {bits:.1f} bits of pitch)"
        return None
