"""By how many seconds the picture is late: cross-correlation of what changes on the screen and what starts to sound."""

from __future__ import annotations

import numpy as np

from .nulls import BLOCK, Measure, resampled, shuffled_curve
from .visual_events import QUIET, Changes

_NAN = float("nan")
_NOTHING = Measure(_NAN, _NAN, _NAN, _NAN, _NAN, 1.0, 1.0)


def lag_of(changes: Changes, sound: np.ndarray, rate: float, *, max_lag: float, draws: int, seed: int) -> Measure:
    """Lag in seconds, positive where the picture is late, with its bootstrap interval.

    Both curves lie on the sound's grid, above their own surroundings of half a second to each side, and are smoothed by one
    video frame; the peak of their circular correlation within `max_lag` is refined by a parabola, so that the resolution is
    finer than a video frame. Lags a period of the rhythm apart look alike: keep `max_lag` below the beat's period. The
    p values are of the correlation at the peak against that of shifted and shuffled sound at its own best lag, and
    `shifted`, `shuffled` the means of these correlations relative to it.

    Args:
        sound: an onset curve with `rate` values a second, shape=(time,).

    >>> sound = np.zeros(1000)
    >>> sound[100::100] = 1
    >>> change = np.zeros(300)
    >>> change[33::30] = 1
    >>> from fractions import Fraction
    >>> round(lag_of(Changes(change, change, Fraction(30)), sound, 100.0, max_lag=0.3, draws=9, seed=0).value, 2)
    0.1
    """
    count, fps = len(sound), float(changes.fps)
    at = np.arange(len(changes.change)) / fps * rate
    active = np.where(changes.change > QUIET, changes.change, 0.0)
    if np.count_nonzero(active) < 3:
        return _NOTHING
    low = at.astype(np.int64)
    part = at - low
    screen = np.zeros(count)
    for place, weight in ((low, 1 - part), (low + 1, part)):
        inside = place < count
        np.add.at(screen, place[inside], (active * weight)[inside])
    width = max(1, round(rate / fps))
    screen, heard = (_above(_smooth(x, width), rate) for x in (screen, np.asarray(sound, np.float64)))
    scale = np.linalg.norm(screen) * np.linalg.norm(heard)
    reach = min(int(max_lag * rate), count // 4)
    if not scale or not reach:
        return _NOTHING
    lags = np.arange(-reach - 1, reach + 2)
    spectrum = np.fft.rfft(screen)

    def correlation(curve: np.ndarray) -> np.ndarray:
        return np.asarray(np.fft.irfft(spectrum * np.conj(np.fft.rfft(curve)), count)) / scale

    own = correlation(heard)
    # one row per stretch of time, one column per lag: their sums are the correlation
    size = max(1, round(BLOCK * rate))
    starts = np.arange(0, max(1, count - size // 2), size)
    table = np.stack([np.add.reduceat(screen * np.roll(heard, k), starts) for k in lags], axis=1) / scale
    ends = resampled(table, lambda sums: _peak(sums, lags) / rate, seed)
    best = float(own[lags[1:-1]].max())
    rng = np.random.default_rng([seed, 2])
    turns = rng.integers(0, count, draws)
    moved = [float(own[(lags[1:-1] + t) % count].max()) for t in turns]
    mixed = [float(correlation(shuffled_curve(heard, rate, rng))[lags[1:-1]].max()) for _ in range(draws)]
    shares = [(1 + int(np.count_nonzero(np.array(null) >= best - 1e-12))) / (1 + draws) for null in (moved, mixed)]
    value = float(_peak(own[lags][None], lags)[0] / rate)
    return Measure(value, *ends, float(np.mean(moved)) / best, float(np.mean(mixed)) / best, *shares)


def _smooth(x: np.ndarray, width: int) -> np.ndarray:
    """Mean over an odd number of values, no shift."""
    width += 1 - width % 2
    return np.convolve(x, np.full(width, 1 / width), "same")


def _above(x: np.ndarray, rate: float) -> np.ndarray:
    """What exceeds the mean of half a second to each side."""
    half = max(1, int(rate / 2))
    total = np.concatenate([[0.0], np.cumsum(x)])
    at = np.arange(len(x))
    left, right = np.maximum(at - half, 0), np.minimum(at + half + 1, len(x))
    return np.maximum(x - (total[right] - total[left]) / (right - left), 0)


def _peak(curves: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """The lag of each row's largest value but the outermost two, refined by a parabola; a tie goes to the smaller lag."""
    k = 1 + np.argmax(curves[:, 1:-1] - 1e-9 * np.abs(lags[1:-1]), axis=1)
    row = np.arange(len(curves))
    a, b, c = curves[row, k - 1], curves[row, k], curves[row, k + 1]
    bend = a - 2 * b + c
    return lags[k] + np.where(bend < 0, 0.5 * (a - c) / np.where(bend < 0, bend, 1), 0)
