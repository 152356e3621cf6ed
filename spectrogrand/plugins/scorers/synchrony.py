"""Does a film keep time with its music? Beat hits, the published consistency or AV-Align, above what chance gives or raw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import InvalidValue, UnknownName, nearest
from ...interfaces import Card, CreativityScorer
from ...metrics.synchrony import measure
from ...registry import register
from ...walks.storyboard import Film

MEASURES = ("beat_f1", "beat_precision", "beat_recall", "consistency", "av_align")


@register("synchrony")
class Synchrony(CreativityScorer):
    """One measure of synchrony of a `Film`, pictures and their sound, each 0 to 1 (`metrics.synchrony`).

    beat_f1: F1 of visual events within 70 ms of beats (`mir_eval.onset.f_measure`); consistency: 1 / (1 + DTW distance / path
    length) of strong beats against visual events, as published (Pina and Li, arXiv:2412.05694, eq. for audio-visual
    synchrony); av_align: Yariv et al., AAAI 2024. A picture that never changes, or a sound without beats, scores 0.

    Args:
        measure: which one.
        above_chance: True takes away what the same sound cut up and shuffled scores, and divides by what is
            then left to reach: 0 is chance, 1 perfect, below 0 worse than chance.
        draws: shuffles that chance is the mean of.
        seed: of the shuffles.

    >>> from fractions import Fraction
    >>> from spectrogrand import Audio, Frames, Image
    >>> grey = Frames.still(Image(np.full((8, 8, 3), 90, np.uint8)), 30, Fraction(30))
    >>> Synchrony().score([Film(grey, Audio(np.zeros((1, 8000), np.float32), 8000))]).tolist()
    [0.0]
    """

    card = Card(
        "how well a film's pictures keep time with its sound: beat F1, published consistency or AV-Align",
        paper="Pina and Li, arXiv:2412.05694; Yariv et al., AAAI 2024; Raffel et al., mir_eval, ISMIR 2014",
    )
    aspect = "value"
    artefact = Film

    def __init__(self, *, measure: str = "beat_f1", above_chance: bool = False, draws: int = 50, seed: int = 0) -> None:
        if measure not in MEASURES:
            raise UnknownName(f"synchrony has no measure {measure!r}; {nearest(str(measure), MEASURES)}")
        if not isinstance(above_chance, bool):
            raise InvalidValue(f"above_chance is true or false, got {above_chance!r}")
        for name, value, least in (("draws", draws, 1), ("seed", seed, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InvalidValue(f"synchrony takes {name} as a whole number from {least}, got {value!r}")
        self.measure, self.above_chance, self.draws, self.seed = measure, above_chance, draws, seed

    def score(self, batch: Sequence[Film]) -> np.ndarray:
        """One number per film, float64, shape=(item,).

        Raises:
            InvalidValue: an item that is no film, or whose sound holds samples that are not finite.
        """
        out = np.zeros(len(batch))
        for k, film in enumerate(batch):
            if not isinstance(film, Film):
                raise InvalidValue(f"synchrony rates a Film, got {type(film).__name__}: Film(frames, sound)")
            draws = self.draws if self.above_chance else 1
            found = measure(film.frames, film.sound, seed=self.seed, draws=draws)[self.measure]
            rest = 1 - found.shuffled
            out[k] = found.value if not self.above_chance else (found.value - found.shuffled) / max(rest, 1e-9)
        return out
