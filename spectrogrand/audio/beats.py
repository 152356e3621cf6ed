"""Tempo, beats and downbeats: a constant grid where the music keeps one, else dynamic programming."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import Plan

SLOWEST, FASTEST = 60.0, 200.0
PREFERRED = 125.0
"""Beats per minute that wins between a tempo, its half and its double: house and its neighbours lie around it."""
_OCTAVES = 0.6
_TIGHT = 100.0


@dataclass(frozen=True, eq=False)
class Beats:
    """Tempo in beats per minute (0.0: none found), beats and downbeats in seconds, whether they are an exact grid."""

    tempo: float
    beats: np.ndarray
    downbeats: np.ndarray
    steady: bool


NONE = Beats(0.0, np.zeros(0), np.zeros(0), False)


def planned(plan: Plan) -> Beats:
    """The grid that a synthesised song declares."""
    return Beats(plan.tempo, np.array(plan.beats, np.float64), np.array(plan.downbeats, np.float64), True)


def track(
    onset: np.ndarray,
    low: np.ndarray,
    chroma: np.ndarray,
    rate: float,
    energy: np.ndarray,
    fine_rate: float,
    duration: float,
) -> Beats:
    """Find the beats of a song.

    Tempo is the peak of the onset strength's autocorrelation summed over one to four periods, under a log-normal prior.
    Dynamic programming (Ellis, "Beat Tracking by Dynamic Programming", J. New Music Research 36, 2007, eq. 5-7) places
    beats; where most of them lie on one constant grid, the whole song is fitted with it instead, phase and period
    placed by the 6 ms energies, so that a synthesiser's tempo does not jitter.

    Args:
        onset: onset strength, shape=(frame,), in [0, 1]; `low` the same below 200 Hz; `chroma` shape=(12, frame).
        rate: frames per second of these.
        energy: mean square of the sound, `fine_rate` times a second, shape=(time,).
        duration: seconds of the song.
    """
    if duration < 2.0 or np.count_nonzero(onset > 0.1) < 4:
        return NONE
    curve = _sharpen(onset, rate) + _sharpen(low, rate)
    if not curve.any():
        return NONE
    frequency = _tempo(curve, rate)
    if frequency is None:
        return NONE
    fine = _rises(energy, fine_rate)
    beats = _program(curve, rate, frequency) / rate
    grid = _grid(curve, rate, frequency, fine, fine_rate, duration)
    steady = grid is not None and _agree(beats, grid)
    if steady and grid is not None:
        beats = grid
    if len(beats) < 3:
        return NONE
    gaps = np.diff(beats)
    tempo = 60.0 / float(np.mean(gaps) if steady else np.median(gaps))
    return Beats(tempo, beats, beats[_first_beat(beats, low, chroma, rate) :: 4], steady)


def _sharpen(onset: np.ndarray, rate: float) -> np.ndarray:
    """Onset strength above its own surroundings (half a second to each side), float64, standard deviation 1."""
    half = max(1, int(rate / 2))
    total = np.concatenate([[0.0], np.cumsum(onset, dtype=np.float64)])
    at = np.arange(len(onset))
    left, right = np.maximum(at - half, 0), np.minimum(at + half + 1, len(onset))
    above = np.maximum(onset - (total[right] - total[left]) / (right - left), 0)
    spread = above.std()
    return above / spread if spread > 1e-9 else np.zeros(len(onset))


def _tempo(curve: np.ndarray, rate: float) -> float | None:
    """Beats per second, or None where nothing repeats."""
    n = len(curve)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(curve - curve.mean(), size)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, size)[:n]
    if correlation[0] <= 0:
        return None
    correlation /= correlation[0]
    tempos = np.exp(np.arange(np.log(SLOWEST), np.log(FASTEST), 0.002))
    prior = np.exp(-0.5 * (np.log2(tempos / PREFERRED) / _OCTAVES) ** 2)
    lags = 60.0 / tempos * rate
    score = np.zeros(len(tempos))
    for k, weight in ((1, 1.0), (2, 1.0), (4, 1.0), (8, 0.5)):
        at = lags * k
        score += weight * np.where(at < n - 2, np.interp(at, np.arange(n), correlation), 0)
    best = int(np.argmax(score * prior))
    # chance correlations of noise shrink with the root of its length and stay below 5 / sqrt(n); real music is above 10
    return float(tempos[best] / 60) if score[best] > max(0.12, 6 / np.sqrt(n)) else None


def _program(curve: np.ndarray, rate: float, frequency: float) -> np.ndarray:
    """Frames of the beats: the path that best joins strong onsets one period apart."""
    period = rate / frequency
    width = period / 32
    kernel = np.exp(-0.5 * (np.arange(-int(period), int(period) + 1) / width) ** 2)
    local = np.convolve(curve, kernel, "same")
    steps = np.arange(-round(2 * period), -round(period / 2) + 1)
    cost = -_TIGHT * np.log(-steps / period) ** 2
    n = len(local)
    total, back = local.copy(), np.full(n, -1)
    for j in range(round(period / 2), n):
        before = j + steps
        first = max(0, int(np.searchsorted(before, 0)))
        options = cost[first:] + total[before[first:]]
        k = int(np.argmax(options))
        if options[k] > 0:
            total[j], back[j] = local[j] + options[k], before[first + k]
    last = int(n - 1 - np.argmax(total[::-1][: int(period) + 1]))
    path = [last]
    while back[path[-1]] >= 0:
        path.append(int(back[path[-1]]))
    return np.array(path[::-1], np.float64)


def _rises(energy: np.ndarray, rate: float) -> np.ndarray:
    """Where loudness jumps, shape=(time,): the rise of log energy over 12 ms, above -50 dB of the loudest."""
    floor = max(float(energy.max()) * 1e-5, 1e-12)
    level = np.log10(energy.astype(np.float64) + floor)
    lag = max(1, round(0.012 * rate))
    rise = np.zeros(len(level))
    rise[lag:] = np.maximum(level[lag:] - level[:-lag], 0)
    rise[:lag] = np.maximum(level[:lag] - np.log10(floor), 0)
    # the difference first shows when the attack enters the newer block, so the earliest that rises names it
    return rise


def _grid(
    curve: np.ndarray, rate: float, frequency: float, fine: np.ndarray, fine_rate: float, duration: float
) -> np.ndarray | None:
    """The best constant grid near a tempo, in seconds."""
    n = len(curve)
    size = 1 << (8 * n - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(curve - curve.mean(), size))
    bins = np.arange(int(frequency * 0.96 / rate * size), int(frequency * 1.04 / rate * size) + 2)
    bins = bins[(bins > 0) & (bins * 4 < len(spectrum))]
    if not len(bins):
        return None
    frequency = float(bins[np.argmax(spectrum[bins] + spectrum[bins * 2] + spectrum[bins * 4])] * rate / size)
    period = 1 / frequency
    phases = np.arange(48) / 48 * period
    phase = phases[int(np.argmax([_comb(curve, rate, p, period, duration) for p in phases]))]
    for reach in (0.04, 0.025, 0.015):
        phase, period = _fit(fine, fine_rate, phase, period, duration, reach)
    first = phase - period * np.floor((phase + 0.03) / period)
    beats = first + period * np.arange(int((duration - first) / period) + 1)
    return np.maximum(beats[beats < duration - 0.02], 0.0)


def _comb(curve: np.ndarray, rate: float, phase: float, period: float, duration: float) -> float:
    times = np.arange(phase, duration, period) * rate
    return float(np.interp(times, np.arange(len(curve)), curve).mean()) if len(times) else 0.0


def _fit(
    fine: np.ndarray, rate: float, phase: float, period: float, duration: float, reach: float
) -> tuple[float, float]:
    """Move a grid onto the sharpest rises within `reach` seconds of its beats, by a weighted straight line."""
    count = int((duration - phase) / period) + 1
    around = np.arange(-round(reach * rate), round(reach * rate) + 1)
    near = np.round((phase + period * np.arange(count))[:, None] * rate + around)
    near = np.clip(near.astype(np.int64), 0, len(fine) - 1)
    peak = near[np.arange(count), np.argmax(fine[near], axis=1)]
    weight = fine[peak]
    if np.count_nonzero(weight > 0) < 3:
        return phase, period
    number, seconds = np.arange(count), peak / rate
    middle = np.average(number, weights=weight)
    spread = np.average((number - middle) ** 2, weights=weight)
    centre = np.average(seconds, weights=weight)
    slope = np.average((number - middle) * (seconds - centre), weights=weight) / spread
    if not abs(slope / period - 1) < 0.01:
        return phase, period
    return float(centre - slope * middle), float(slope)


def _agree(beats: np.ndarray, grid: np.ndarray) -> bool:
    """Whether at least 80 % of the tracked beats lie within 15 % of a period of a grid line."""
    if len(beats) < 3 or len(grid) < 3:
        return False
    period = (grid[-1] - grid[0]) / (len(grid) - 1)
    off = np.abs((beats - grid[0] + period / 2) % period - period / 2)
    # beats on the off-beat of the grid agree with its tempo just as well: the grid's phase saw the whole song
    off = np.minimum(off, np.abs(off - period / 2))
    return bool(np.mean(off < 0.15 * period) >= 0.8)


def _first_beat(beats: np.ndarray, low: np.ndarray, chroma: np.ndarray, rate: float) -> int:
    """Which of the first four beats begins a bar: where bass enters and harmony changes most, over the song.

    Loudness has no vote: claps on two and four would win it.
    """
    at = np.clip(np.round(beats * rate).astype(int), 0, len(low) - 1)
    edges = np.append(at, len(low))
    means = np.array([chroma[:, a : max(b, a + 1)].mean(axis=1) for a, b in zip(edges[:-1], edges[1:], strict=True)])
    change = np.concatenate([[0.0], np.abs(np.diff(means, axis=0)).sum(axis=1)])
    near = np.clip(at[:, None] + np.arange(-2, 2), 0, len(low) - 1)
    votes = np.zeros(len(beats))
    for vote in (low[near].max(axis=1), change):
        spread = vote.std()
        votes += (vote - vote.mean()) / spread if spread > 1e-9 else 0.0
    return int(np.argmax([votes[k::4].mean() if len(votes[k::4]) else -np.inf for k in range(4)]))
