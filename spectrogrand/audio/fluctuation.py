"""Detrended fluctuation analysis of a sound's loudness: how steady it is at the pace of dancing."""

from __future__ import annotations

import numpy as np

from ..types import Audio


def danceability(audio: Audio) -> float:
    """1 / mean over segment lengths of the exponent of detrended fluctuation analysis.

    The settings are those of essentia's `Danceability` (its defaults), which departs from the paper's section 3 in the
    hop between segments (tau / 50 instead of 1) and in giving one mean exponent:

    - s(n): standard deviation of the channels' mean in blocks of int(0.01 * rate) samples; y = cumulative sum of s -
    mean(s).
    - tau: 31, 34, 37, ... 871 blocks, each 1.1 times the one before, as many as the sound is longer than.
    - F(tau)^2: mean over segments of tau blocks of the mean squared residual of y around its own straight line.
    - exponent between neighbouring tau: d log F / d log(tau + 3).

    Essentia answers 0 (with a warning) where this gives NaN, and where the sound is exactly one of the segment lengths.

    >>> danceability(Audio(np.zeros((1, 80000), np.float32), 8000))
    nan
    """
    path = _path(_deviations(audio))
    taus = [tau for tau in segment_lengths() if len(path) > tau]
    if len(taus) < 2:
        return float("nan")
    fluctuation = np.array([_fluctuation(path, tau) for tau in taus])
    if not (np.isfinite(fluctuation).all() and fluctuation.min() > 0):
        return float("nan")
    exponents = np.diff(np.log(fluctuation)) / np.diff(np.log(np.array(taus) + 3.0))
    mean = float(exponents.mean())
    return 1.0 / mean if mean > 0 else float("nan")


def segment_lengths(shortest: float = 310.0, longest: float = 8800.0, factor: float = 1.1) -> list[int]:
    """Segment lengths in blocks of 10 ms: 310 ms to 8800 ms, multiplied in single precision as essentia does.

    >>> segment_lengths()[:4], segment_lengths()[-1]
    ([31, 34, 37, 41], 871)
    """
    lengths = []
    tau = np.float32(shortest)
    while tau <= longest:
        lengths.append(int(tau / np.float32(10)))
        tau = np.float32(tau * np.float32(factor))
    return lengths


def _deviations(audio: Audio) -> np.ndarray:
    """Sample standard deviation of each whole block of 10 ms, float64, shape=(block,)."""
    size = max(2, int(0.01 * audio.rate))
    parts = []
    for samples in audio.blocks(size * 4096):
        mono = samples.mean(axis=0, dtype=np.float64)
        whole = mono[: len(mono) // size * size].reshape(-1, size)
        parts.append(whole.std(axis=1, ddof=1))
    return np.concatenate(parts)


def _path(deviations: np.ndarray) -> np.ndarray:
    """The cumulative sum of the deviations around their mean; all zeros where they differ by no more than rounding."""
    centred = deviations - deviations.mean() if len(deviations) else deviations
    if len(centred) and np.abs(centred).max() <= 1e-9 * deviations.max():
        centred = np.zeros_like(centred)
    return np.cumsum(centred)


def _fluctuation(path: np.ndarray, tau: int) -> float:
    """Root mean square residual around straight lines over segments of `tau` blocks.

    Sums over segments come from prefix sums, recentred every few thousand blocks: cost is linear in the song's length,
    and the cumulative path of an hour does not swamp what is left around the lines.
    """
    jump = max(tau // 50, 1)
    count = len(path) - tau
    x = np.arange(tau) - (tau - 1) / 2
    spread = float(x @ x)
    total = 0.0
    step = 8192 // jump * jump
    for start in range(0, count, step):
        piece = path[start : min(start + step, count) + tau]
        piece = piece - piece.mean()
        at = np.arange(0, min(step, count - start), jump)
        index = np.arange(len(piece))
        series = (piece, piece * piece, piece * index)
        sums, squares, moments = (np.concatenate([[0.0], np.cumsum(v)]) for v in series)
        height = sums[at + tau] - sums[at]
        slope = (moments[at + tau] - moments[at]) - (at + (tau - 1) / 2) * height
        rest = squares[at + tau] - squares[at] - height * height / tau - slope * slope / spread
        total += float(np.maximum(rest, 0).sum()) / tau
    return float(np.sqrt(total / (count / jump)))
