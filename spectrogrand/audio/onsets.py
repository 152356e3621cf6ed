"""When sound changes: strong beats, onsets, and an onset curve fine enough to date a kick to a few milliseconds."""

from __future__ import annotations

import numpy as np

from ..types import Audio
from .features import Features
from .stft import ANALYSIS_RATE, power_blocks

FINE_HOP, FINE_FFT = 128, 512
FINE_RATE = ANALYSIS_RATE / FINE_HOP
"""172.27 values a second: 5.8 ms, a sixth of a video frame at 30 frames per second."""
_BANDS = 24
_FLOOR = 1e-3


def onset_curve(audio: Audio) -> np.ndarray:
    """Rise of sound, float32, shape=(time,), value j at j / 172.27 seconds; zero in silence and in a steady tone.

    The mean over 24 bands of the rise of log power, in windows of 23 ms: a click is dated within 6 ms (the windows of
    `Features.onset_strength` are four times as long and see it up to 46 ms early). One pass in blocks.

    Raises:
        InvalidValue: a sample is not a finite number.

    >>> click = np.zeros((1, 22050), np.float32)
    >>> click[0, 11025] = 1
    >>> bool(abs(onset_curve(Audio(click, 22050)).argmax() / FINE_RATE - 0.5) < 0.006)
    True
    """
    edges = np.unique(np.round(np.geomspace(2, FINE_FFT // 2 + 1, _BANDS + 1)).astype(np.int64))
    edges[0] = 0
    parts, last = [], None
    for _, power in power_blocks(audio, hop_length=FINE_HOP, n_fft=FINE_FFT):
        bands = np.log10(np.add.reduceat(power, edges[:-1], axis=0) + np.float32(_FLOOR))
        # two hops: a window that holds the attack whole against one that does not hold it
        last = np.full((len(bands), 2), np.log10(np.float32(_FLOOR))) if last is None else last
        held = np.concatenate([last, bands], axis=1)
        parts.append(np.maximum(held[:, 2:] - held[:, :-2], 0).mean(axis=0))
        last = held[:, -2:]
    return np.concatenate(parts).astype(np.float32)


def strong_beats(features: Features, threshold: float = 0.5) -> np.ndarray:
    """Seconds of the beats whose onset is at least `threshold` of the strongest beat's, float64, shape=(beat,)."""
    strength = features.beat_strength
    return features.beats[strength >= threshold * strength.max()] if len(strength) else np.zeros(0)


def onsets(features: Features) -> np.ndarray:
    """Seconds of the sound's onsets, float64, shape=(onset,): the audio half of AV-Align.

    Peaks of onset strength as `librosa.onset.onset_detect` picks them with its defaults (Böck et al., "Evaluating the
    online capabilities of onset detection methods", ISMIR 2012): the maximum of 30 ms before it, 0.07 above the mean of
    100 ms around it, more than 30 ms after the last.
    """
    x, rate = np.asarray(features.onset_strength, np.float64), features.frame_rate
    if not x.any():
        return np.zeros(0)
    x = (x - x.min()) / (x.max() - x.min() + np.finfo(np.float32).tiny)
    before, around, wait = int(0.03 * rate), int(0.10 * rate), int(0.03 * rate)
    highest = x.copy()
    for back in range(1, before + 1):
        highest[back:] = np.maximum(highest[back:], x[:-back])
    total = np.concatenate([[0.0], np.cumsum(x)])
    at = np.arange(len(x))
    left, right = np.maximum(at - around, 0), np.minimum(at + around + 1, len(x))
    mean = (total[right] - total[left]) / (right - left)
    picked: list[int] = []
    for j in np.flatnonzero((x == highest) & (x >= mean + 0.07)):
        if not picked or j > picked[-1] + wait:
            picked.append(int(j))
    return np.array(picked) / rate


def dated(times: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """Onsets moved to where `onset_curve` is highest from 12 ms before to 58 ms after them, seconds, rising, each once.

    Frames of 93 ms see an onset 0 to 46 ms early, which is more than the video frame within which AV-Align wants it.

    >>> fine = np.zeros(200)
    >>> fine[86] = 1
    >>> dated(np.array([0.47]), fine).round(3).tolist()
    [0.499]
    """
    found = []
    for time in times:
        first = max(0, round((time - 0.012) * FINE_RATE))
        near = fine[first : round((time + 0.058) * FINE_RATE) + 1]
        found.append((first + int(np.argmax(near))) / FINE_RATE if len(near) else time)
    return np.unique(found)
