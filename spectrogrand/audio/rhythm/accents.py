"""Where kicks, snares and hats fall: onset strength of three bands, at twice the rate of `Features`."""

from __future__ import annotations

import numpy as np

from ...types import Audio
from ..stft import ANALYSIS_RATE, power_blocks

HOP, N_FFT = 256, 1024
RATE = ANALYSIS_RATE / HOP
"""86.13 values a second."""
_SPLITS = (150.0, 2500.0)
_FAINT = 1e-3
"""A band this much quieter than the loudest one (-60 dB) holds no accents but what leaks into it."""
_LEAST = 0.12
"""A rise below this is no accent: steady tones beat against the windows."""
_LOWEST, _HIGHEST, _BANDS = 30.0, 10_500.0, 24


def accents(audio: Audio) -> np.ndarray:
    """Onset strength below 150 Hz, from 150 Hz to 2.5 kHz and above, float64, shape=(3, frame), frame j at j / 86.13 s.

    Rises of compressed magnitude over 23 ms, above their surroundings of a second; 1 is a strong onset of its own band, so
    that a quiet hat and a loud kick count alike. Zero in silence. One pass in blocks.

    Raises:
        InvalidValue: a sample is not a finite number.

    >>> click = np.zeros((1, 22050), np.float32)
    >>> click[0, 11025] = 1
    >>> bool(abs(accents(Audio(click, 22050)).sum(axis=0).argmax() / RATE - 0.5) < 0.03)
    True
    """
    frequencies = np.arange(N_FFT // 2 + 1) * ANALYSIS_RATE / N_FFT
    edges = np.unique(np.searchsorted(frequencies, np.geomspace(_LOWEST, _HIGHEST, _BANDS + 1)))
    group = np.digitize(frequencies[(edges[:-1] + edges[1:]) // 2], _SPLITS)
    parts = [
        np.sqrt(np.add.reduceat(power, edges, axis=0)[:-1])
        for _, power in power_blocks(audio, hop_length=HOP, n_fft=N_FFT)
    ]
    magnitude = np.concatenate(parts, axis=1)
    first, second = np.searchsorted(group, (1, 2))
    return accents_of(magnitude, RATE, (int(first), int(second)))


def accents_of(magnitude: np.ndarray, rate: float, splits: tuple[int, int]) -> np.ndarray:
    """The same of magnitudes that somebody else measured, float64, shape=(3, frame).

    Args:
        magnitude: shape=(band, frame), low bands first, `rate` frames a second.
        splits: the first bands of the middle and of the high group.

    >>> click = np.zeros((4, 60))
    >>> click[:, 30] = 1
    >>> int(accents_of(click, 30.0, (1, 2)).sum(axis=0).argmax())
    30
    """
    groups = np.split(magnitude, splits)
    loud = [float(np.quantile(part.sum(axis=0), 0.98)) for part in groups]
    quiet = max(1e-6, _FAINT * max(loud))
    return np.stack([_rises(part, max(level, quiet), rate) for part, level in zip(groups, loud, strict=True)])


def above_surroundings(curve: np.ndarray, rate: float) -> np.ndarray:
    """A curve less its mean over half a second to each side, none below 0; nine tenths of its peaks lie below 1.

    >>> above_surroundings(np.zeros(9), 10.0).max()
    np.float64(0.0)
    """
    half = max(1, int(rate / 2))
    total = np.concatenate([[0.0], np.cumsum(curve, dtype=np.float64)])
    at = np.arange(len(curve))
    left, right = np.maximum(at - half, 0), np.minimum(at + half + 1, len(curve))
    above = np.maximum(curve - (total[right] - total[left]) / (right - left), 0)
    padded = np.concatenate([[0.0], above, [0.0]])
    peaks = above[(above > padded[:-2]) & (above >= padded[2:])]
    peaks = peaks[peaks > 0.02 * peaks.max(initial=0)]
    strong = float(np.quantile(peaks, 0.9)) if len(peaks) else 0.0
    return np.minimum(above / strong, 1.5) if strong > _LEAST else np.zeros(len(curve))


def _rises(magnitude: np.ndarray, loud: float, rate: float) -> np.ndarray:
    """Onset strength of a group of bands, shape=(band, frame) to (frame,); `loud` is their usual sum in loud passages."""
    level = np.log1p(magnitude * (20 * len(magnitude) ** 0.5 / loud))
    rise = level.copy()
    rise[:, 2:] = np.maximum(level[:, 2:] - level[:, :-2], 0)
    return above_surroundings(rise.mean(axis=0), rate)
