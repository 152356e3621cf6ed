"""What tells music from what only sounds: how steady its bands are, whether its order matters, how its pitches stand."""

from __future__ import annotations

import math
from weakref import WeakKeyDictionary

import numpy as np

from ..types import Audio

_RATE, _SIZE = 22050, 1024
LONGEST = 60.0
"""Seconds from the middle that are looked at."""
STILL = 1.0
"""dB: a sound whose bands deviate less than this has no order to lose."""
_middles: WeakKeyDictionary[Audio, dict[int, np.ndarray]] = WeakKeyDictionary()
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def middle(audio: Audio, rate: int = _RATE) -> np.ndarray:
    """The middle minute as one channel at `rate` Hz, float32, shape=(time,), read-only; kept for as long as the sound itself.

    >>> len(middle(Audio(np.zeros((2, 44100), np.float32), 44100)))
    22050
    """
    import soxr

    kept = _middles.setdefault(audio, {})
    if rate in kept:
        return kept[rate]
    first = max(0, (audio.samples.shape[1] - round(LONGEST * audio.rate)) // 2)
    part = audio.samples[:, first : first + round(LONGEST * audio.rate)]
    kept[rate] = np.asarray(soxr.resample(part.mean(axis=0, dtype=np.float32), audio.rate, rate))
    kept[rate].flags.writeable = False
    return kept[rate]


def measure_steadiness(x: np.ndarray) -> float:
    """Share of 24 bands that are heard and are steady noise, in [0, 1]; 0 for sounds under half a second.

    Heard: within 30 dB of the loudest band. Steady: over 46 ms frames, its level's deviation from its average over one second is
    under 1.35 times that of Gaussian noise (`plugins.gates.noise` has the formula), and no bin of its mean power stands out of
    the band's median by more than chance allows (14-fold).

    Args:
        x: sound at 22,050 Hz, shape=(time,).

    >>> hiss = np.random.default_rng(0).normal(0, 0.1, 44100).astype(np.float32)
    >>> measure_steadiness(hiss) > 0.9, measure_steadiness(np.sin(np.arange(44100.0)))
    (True, 0.0)
    """
    from scipy.ndimage import uniform_filter1d

    power = _power(x)
    if len(power) < 10 or not power.any():
        return 0.0
    edges = _edges()
    wide = np.diff(edges) >= 6
    starts, widths = edges[:-1][wide], np.diff(edges)[wide]
    energy = np.add.reduceat(power, edges[:-1], axis=1)[:, wide]
    decibels = 10 * np.log10(energy + 1e-12 * energy.max() + 1e-30)
    low, high = np.percentile(decibels - uniform_filter1d(decibels, 21, axis=0, mode="nearest"), [5, 95], axis=0)
    rhythm = (high - low) / 3.29 / (10 / math.log(10) * np.sqrt(35 / (18 * widths)))
    mean = power.mean(axis=0) + 1e-30
    peak = np.array([mean[s : s + w].max() / np.median(mean[s : s + w]) for s, w in zip(starts, widths, strict=True)])
    level = 10 * np.log10(energy.mean(axis=0) + 1e-30)
    return float(np.mean((level > level.max() - 30) & (rhythm < 1.35) & (peak < 14)))


def measure_sameness(x: np.ndarray) -> float:
    """Share of the movement of the bands' levels that is the same in all of them, in [0, 1]: 1 for one sound, louder and quieter.

    The first principal component's share of the variance of the levels in dB of those of 24 bands that come within 40 dB of the
    loudest, over 46 ms frames. Music moves in its bands separately: half of it has under 0.42, one in a hundred over 0.87.

    Args:
        x: sound at 22,050 Hz, shape=(time,).

    >>> t = np.arange(44100) / 22050
    >>> bursts = np.random.default_rng(0).normal(0, 0.1, 44100) * (t % 0.5 < 0.1)
    >>> measure_sameness(bursts) > 0.95
    True
    """
    power = _power(x)
    if len(power) < 10 or not power.any():
        return 0.0
    levels = _decibels(power, 60)
    levels = np.maximum(levels[:, levels.max(axis=0) > levels.max() - 40], levels.max() - 80)
    levels = np.maximum(levels, levels.max(axis=0) - 40)
    spread = np.square(np.linalg.svd(levels - levels.mean(axis=0), compute_uv=False))
    return float(spread[0] / max(float(spread.sum()), 1e-9))


def measure_order(x: np.ndarray, seconds: float = 0.28, draws: int = 39) -> float:
    """By how many deviations the sound is more in order than itself with its pieces of `seconds` shuffled.

    Order: how much the likeness of the bands' levels to themselves some time later depends on how much later (the spread of
    their autocorrelation beyond one piece). A song has bars and sections and changes slowly; of one in random order every
    moment is as like the next piece as any other. The levels are shuffled `draws` times, with a fixed seed (a permutation test,
    Fisher 1935). Not a number for sounds under 8 s, and for those that hardly move (by under 1 dB).

    Args:
        x: sound at 22,050 Hz, shape=(time,).
        seconds: a piece's length.
        draws: shuffles.

    >>> t = np.arange(9 * 22050) / 22050
    >>> measure_order(np.sin(2 * np.pi * 200 * (1 + t.astype(int)) * t)) > 3
    True
    """
    power = _power(x)
    piece = max(2, round(seconds * _RATE / _SIZE))
    if len(power) < max(round(8 * _RATE / _SIZE), 4 * piece) or not power.any():
        return float("nan")
    levels = _decibels(power, 50)
    levels = levels - levels.mean(axis=0)
    if np.sqrt(np.square(levels).mean()) < STILL:
        return float("nan")
    levels /= math.sqrt(float(np.square(levels).sum(axis=1).mean())) + 1e-9
    rng = np.random.default_rng(0)
    found = _spread_of_likeness(levels, piece)
    shuffled = []
    for _ in range(draws):
        first = int(rng.integers(1, piece + 1))
        pieces = np.split(np.arange(len(levels)), np.arange(first, len(levels), piece))
        rng.shuffle(pieces)
        shuffled.append(_spread_of_likeness(levels[np.concatenate(pieces)], piece))
    return float((found - np.mean(shuffled)) / (np.std(shuffled) + 1e-12))


def measure_pitches(x: np.ndarray) -> tuple[float, float]:
    """How well spectral peaks stand on one tuning's semitones, and what share of them stays from frame to frame; in [0, 1].

    Peaks from 200 to 2500 Hz in frames of 186 ms, half overlapping, weighted by magnitude. Tuning: the length of the mean of
    exp(2 pi i cents / 100). Stay: the share with a peak within 25 cents in the next frame. Speech glides: 0.1 and 0.4 at most.

    Args:
        x: sound at 11,025 Hz, shape=(time,).

    >>> t = np.arange(22050) / 11025
    >>> [round(v, 2) for v in measure_pitches(np.sin(2 * np.pi * 440 * t))]
    [1.0, 1.0]
    """
    size = 2048
    if len(x) < 3 * size or not np.any(x):
        return 0.0, 1.0
    frames = np.lib.stride_tricks.sliding_window_view(x, size)[:: size // 2] * np.hanning(size).astype(np.float32)
    frequency = np.arange(2 * size + 1) * 11025 / (4 * size)
    low, high = np.searchsorted(frequency, [200, 2500])
    around = np.abs(np.fft.rfft(frames, 4 * size, axis=1))[:, low - 1 : high + 1]
    inner = around[:, 1:-1]
    peaks = (inner > around[:, :-2]) & (inner >= around[:, 2:])
    peaks &= inner > np.maximum(0.1 * inner.max(axis=1, keepdims=True), 0.01 * inner.max())
    cents = 1200 * np.log2(frequency[low:high] / 440)
    weight = np.where(peaks, inner, 0)
    tuning = abs(complex((weight * np.exp(2j * np.pi * cents / 100)).sum())) / max(float(weight.sum()), 1e-9)
    at = [np.flatnonzero(row) for row in peaks]
    stay, total = 0.0, 0.0
    for row, here, there in zip(inner, at, at[1:], strict=False):
        total += float(row[here].sum())
        if len(here) and len(there):
            apart = np.abs(cents[here][:, None] - cents[there][None]).min(axis=1)
            stay += float(row[here][apart < 25].sum())
    return tuning, stay / total if total else 1.0


def measure_key(x: np.ndarray) -> tuple[float, float]:
    """Correlation of the pitch classes with the best key's profile (Krumhansl & Kessler 1982), and their entropy in bits.

    Pitch classes of the spectral peaks from 100 to 2000 Hz, frames of 372 ms, weighted by magnitude.

    Args:
        x: sound at 11,025 Hz, shape=(time,).

    >>> t = np.arange(22050) / 11025
    >>> round(measure_key(sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.18, 329.63)))[0], 1)
    0.8
    """
    size = 4096
    if len(x) < size or not np.any(x):
        return 0.0, 0.0
    frames = np.lib.stride_tricks.sliding_window_view(x, size)[:: size // 4] * np.hanning(size).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1))
    frequency = np.arange(power.shape[1]) * 11025 / size
    use = (frequency > 100) & (frequency < 2000)
    peaks = np.zeros(power.shape, bool)
    peaks[:, 1:-1] = (power[:, 1:-1] > power[:, :-2]) & (power[:, 1:-1] >= power[:, 2:])
    peaks &= use & (power > 0.1 * np.where(use, power, 0).max(axis=1, keepdims=True))
    place = np.round(12 * np.log2(np.maximum(frequency, 1) / 440)).astype(int) % 12
    heard = np.bincount(place, np.where(peaks, power, 0).sum(axis=0), 12)
    chroma = np.asarray(heard / max(float(heard.sum()), 1e-12))
    centred = chroma - chroma.mean()
    best = 0.0
    for profile in (_MAJOR, _MINOR):
        p = np.array(profile) - np.mean(profile)
        length = np.linalg.norm(p) * np.linalg.norm(centred) + 1e-12
        best = max(best, max(float(np.roll(p, k) @ centred / length) for k in range(12)))
    return best, float(-(chroma * np.log2(chroma + 1e-12)).sum())


def _spread_of_likeness(levels: np.ndarray, piece: int) -> float:
    count = len(levels)
    spectrum = np.square(np.abs(np.fft.rfft(levels, 2 * count, axis=0))).sum(axis=1)
    likeness = np.fft.irfft(spectrum)[:count] / (count - np.arange(count))
    return float(likeness[piece + 1 : int(0.6 * count)].std())


def _power(x: np.ndarray) -> np.ndarray:
    """Power of frames of 46 ms without overlap, shape=(frame, bin)."""
    whole = np.asarray(x, np.float32)[: len(x) // _SIZE * _SIZE].reshape(-1, _SIZE)
    return np.square(np.abs(np.fft.rfft(whole * np.hanning(_SIZE + 1)[:-1].astype(np.float32), axis=1)))


def _edges() -> np.ndarray:
    return np.unique(np.geomspace(4, _SIZE // 2, 25).astype(int))


def _decibels(power: np.ndarray, depth: float) -> np.ndarray:
    """Levels of the bands, none further than `depth` dB under the loudest, shape=(frame, band)."""
    energy = np.add.reduceat(power, _edges()[:-1], axis=1)
    return np.asarray(10 * np.log10(energy + 10 ** (-depth / 10) * energy.max() + 1e-30))
