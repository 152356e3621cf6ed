"""Exact musical time: bars, beats and sixteenths to sample positions, computed as rationals so that nothing drifts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

RATE = 44100
"""Samples per second of everything in this package."""
STEPS = 16
"""Sixteenths in a bar of 4/4."""


def nearest_sample(position: Fraction) -> int:
    """The sample nearest to an exact position, halves upwards.

    >>> nearest_sample(Fraction(5, 2))
    3
    """
    return (2 * position.numerator + position.denominator) // (2 * position.denominator)


@dataclass(frozen=True)
class Grid:
    """Sample positions of a song at `tempo` beats per minute, exact to half a sample at any length.

    `swing` is the share of an eighth note that its first sixteenth takes: 1/2 is straight, 2/3 a triplet feel.

    >>> Grid(Fraction(120), Fraction(1, 2)).step(3, 5)
    292163
    """

    tempo: Fraction
    swing: Fraction

    @property
    def beat_samples(self) -> Fraction:
        """Samples in a beat."""
        return 60 * RATE / self.tempo

    @property
    def bar_samples(self) -> Fraction:
        """Samples in a bar of four beats."""
        return 4 * self.beat_samples

    def beat(self, beat: int | Fraction) -> int:
        """Sample at which a beat begins; beat 0 is sample 0."""
        return nearest_sample(beat * self.beat_samples)

    def step(self, bar: int, step: int) -> int:
        """Sample of a sixteenth within a bar; odd sixteenths come late by the swing."""
        part, whole = self.swing.numerator, self.swing.denominator
        top = (8 * bar + step // 2) * whole + (part if step % 2 else 0)  # eighths, over `whole`
        top, under = 30 * RATE * self.tempo.denominator * top, self.tempo.numerator * whole
        return (2 * top + under) // (2 * under)

    def length(self, steps: float) -> int:
        """Samples in a number of sixteenths, at least one."""
        return max(1, round(float(self.beat_samples) * steps / 4))
