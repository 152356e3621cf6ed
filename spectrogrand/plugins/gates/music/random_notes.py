"""Gate "random_notes": fails clear notes in no key and no pattern."""

from __future__ import annotations

from collections.abc import Sequence

from ....audio.structure import measure_key, measure_order, measure_pitches, middle
from ....interfaces import Card, Gate
from ....registry import register
from ....types import Audio


@register("random_notes")
class RandomNotes(Gate):
    """Fails clear, tuned notes (tuning over 0.75) of nearly all pitch classes (over 3.2 bits) in no key and no pattern.

    No key: the best correlation with a key's profile is under `key`. No pattern: its order in pieces of half a second is
    under 3.5 deviations (`audio.structure`). Atonal music with a rhythm passes; drums and noise have no tuning and pass here.

    Args:
        key: the smallest correlation that counts as a key.

    >>> import numpy as np
    >>> RandomNotes().check([Audio(np.zeros((1, 44100), np.float32), 44100)])
    [None]

    """

    card = Card(
        "fails clear notes in no key and no pattern",
        paper="Krumhansl & Kessler 1982, Tracing the dynamic changes in perceived tonal organization",
    )
    artefact = Audio

    def __init__(self, key: float = 0.62) -> None:
        self.key = key

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per sound None, or "is notes at random (key 0.41, order 1.2)"."""
        return [self._reason(audio) for audio in batch]

    def _reason(self, audio: Audio) -> str | None:
        low = middle(audio, 11025)
        key, bits = measure_key(low)
        if key >= self.key or bits <= 3.2 or measure_pitches(low)[0] <= 0.75:
            return None
        order = measure_order(middle(audio), 0.56)
        return f"is notes at random (key {key:.2f}, order {order:.1f})" if order < 3.5 else None
