"""Gate "noise": fails sounds with neither rhythm nor tone: white, pink, brown and any other steady noise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...interfaces import Card, Gate
from ...registry import register
from ...types import Audio

_BANDS = 24
_LONG = 256
"""Frames that are transformed at once."""


@register("noise")
class Noise(Gate):
    """Fails a sound that fluctuates no more than steady Gaussian noise and whose spectrum has no peaks.

    Rhythm: in short Hann-windowed frames (about 46 ms, no overlap), the level in dB of a band of b bins of steady
    Gaussian noise has the standard deviation (10 / ln 10) sqrt(35 / (18 b)), as neighbouring bins of a Hann-windowed
    periodogram correlate by 4/9 and 1/36 (Welch 1967). The sound's own deviation (a 3.29th of the span from its 5th to
    its 95th percentile) from its moving average over one second, divided by that, is its rhythm: the median over 24
    logarithmic bands, 1 for noise of any colour, more for music.
    Tone: the power of a bin of the long-term spectrum over the stronger of its two surroundings (4 to 8 bins to either
    side), the largest of all bins, in dB above what chance gives in n frames, 1 + 6 / sqrt(n).
    A sound is noise when rhythm < `rhythm` and tone < `tone`.

    Args:
        rhythm: below it, in times the fluctuation of steady Gaussian noise, a sound has no rhythm.
        tone: below it, in dB above what chance gives, a spectrum has no peaks.

    >>> hiss = np.random.default_rng(0).normal(0, 0.1, (1, 44100)).astype(np.float32)
    >>> pulse = hiss * (np.arange(44100) % 11025 < 4000)
    >>> Noise().check([Audio(hiss, 22050), Audio(pulse.astype(np.float32), 22050)])
    ['is noise without rhythm or tone (rhythm 0.9, tone -1.0 dB)', None]
    """

    card = Card(
        "fails white, pink, brown and other steady noise",
        paper="Welch, The use of fast Fourier transform for the estimation of power spectra (IEEE Trans. AU 15, 1967)",
    )
    artefact = Audio

    def __init__(self, rhythm: float = 2.0, tone: float = 1.0) -> None:
        self.rhythm, self.tone = rhythm, tone

    def check(self, batch: Sequence[Audio]) -> list[str | None]:
        """Per sound None, or "is noise without rhythm or tone (rhythm 1.1, tone 0.6 dB)"; very short ones pass."""
        return [self._reason(audio) for audio in batch]

    def _reason(self, audio: Audio) -> str | None:
        measured = _structure(audio)
        if measured is None:
            return None
        rhythm, tone = measured
        if rhythm < self.rhythm and tone < self.tone:
            return f"is noise without rhythm or tone (rhythm {rhythm:.1f}, tone {tone:.1f} dB)"
        return None


def _structure(audio: Audio) -> tuple[float, float] | None:
    """(rhythm, tone) as the class describes them; None for sounds too short or too quiet to tell."""
    from scipy.ndimage import uniform_filter1d

    size = 2 ** round(math.log2(0.046 * audio.rate))
    bins = np.arange(4, size // 2)
    edges = np.unique(np.geomspace(bins[0], bins[-1], _BANDS + 1).astype(int))
    wide = np.diff(edges) >= 6
    starts, widths = (edges[:-1] - bins[0])[wide], np.diff(edges)[wide]
    window = np.hanning(size + 1)[:-1]
    spectrum, levels = np.zeros(len(bins)), []
    for block in audio.blocks(size * _LONG):
        mono = block.mean(axis=0, dtype=np.float64)
        frames = mono[: len(mono) // size * size].reshape(-1, size)
        if not len(frames):
            continue
        power = np.abs(np.fft.rfft(frames * window, axis=1)[:, bins]) ** 2
        spectrum += power.sum(axis=0)
        sums = np.concatenate([np.zeros((len(power), 1)), np.cumsum(power, axis=1)], axis=1)
        levels.append(sums[:, starts + widths] - sums[:, starts])
    if sum(map(len, levels)) < 10:
        return None
    energy = np.concatenate(levels)
    heard = energy.mean(axis=0) > 1e-7 * energy.mean(axis=0).max() + 1e-20
    if heard.sum() < 4:
        return None
    decibels = 10 * np.log10(energy[:, heard] + 1e-12 * energy.max())
    slow = uniform_filter1d(decibels, max(3, round(audio.rate / size) | 1), axis=0, mode="nearest")
    low, high = np.percentile(decibels - slow, [5, 95], axis=0)
    expected = 10 / math.log(10) * np.sqrt(35 / (18 * widths[heard]))
    rhythm = float(np.median((high - low) / 3.29 / expected))
    around = uniform_filter1d(spectrum, 5, mode="nearest")
    left, right = np.roll(around, 6), np.roll(around, -6)
    prominence = (spectrum / np.maximum(np.maximum(left, right), 1e-7 * spectrum.max()))[8:-8]
    return rhythm, 10 * math.log10(float(prominence.max()) / (1 + 6 / math.sqrt(len(energy))))
