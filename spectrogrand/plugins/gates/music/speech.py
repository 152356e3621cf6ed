"""Gate "speech": fails speech and sirens: pitch that glides and holds no note."""

from __future__ import annotations

from collections.abc import Sequence

from ....audio.structure import measure_order, measure_pitches, middle
from ....interfaces import Card, Gate
from ....registry import register
from ....types import Audio


@register("speech")
class Speech(Gate):
    """Fails a sound whose spectral peaks neither stand on semitones nor stay, and that has no pulse; or whose peaks hardly stay.

    Speech: tuning under 0.1, stay under `stay` (`audio.structure.measure_pitches`) and order under 5
    (`audio.structure.measure_order`): drums have no tuning either, but a pulse; under 8 s that
    cannot be told, and speech passes. Siren: stay under 0.3, whatever else.
    A song with a voice over instruments passes: the instruments hold their notes.

    Args:
        stay: share of peaks that are still there 93 ms later; real music has at least 0.45 in 99 of 100 excerpts.

    >>> import numpy as np
    >>> t = np.arange(44100) / 11025
    >>> siren = np.sin(2 * np.pi * np.cumsum(600 + 300 * np.sin(2 * np.pi * t)) / 11025).astype(np.float32)
    >>> Speech().check([Audio(siren[None], 11025)])[0][:23]
    'glides like a siren (0.'

    """

    card = Card("fails speech and sirens: pitch that glides and holds no note")
    artefact = Audio

    def __init__(self, stay: float = 0.45) -> None:
        self.stay = stay

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per sound None, or "glides like speech (0.38 of its pitches stay)"."""
        return [self._reason(audio) for audio in batch]

    def _reason(self, audio: Audio) -> str | None:
        tuning, stay = measure_pitches(middle(audio, 11025))
        if stay < 0.3:
            return f"glides like a siren ({stay:.2f} of its pitches stay)"
        if stay < self.stay and tuning < 0.1 and measure_order(middle(audio)) < 5:
            return f"glides like speech ({stay:.2f} of its pitches stay, tuning {tuning:.2f})"
        return None
