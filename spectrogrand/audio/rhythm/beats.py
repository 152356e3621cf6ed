"""Tempo, beats and downbeats: tracked, and laid on a constant grid only where the tracked beats keep one phase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...types import Plan
from .metre import counts_in_eighths, find_bars
from .pulse import find_pulse

SLOWEST, FASTEST = 56.0, 305.0
_WINDOW = 8
"""Beats that must keep the grid's phase, wherever they are taken from the song."""
_PHASE = 0.08
"""Share of a period by which the middle one of them may miss it; `_NEAR` seconds are always allowed (half of what counts as a
hit)."""
_NEAR = 0.035
_QUIET = 1e-5
"""Power relative to the loudest block below which nothing sounds, -50 dB; a second and a half of it is silence."""
_SILENCE = 1.5
_EIGHTHS = 130.0
"""Beats per minute below which a beat may turn out to be two eighths of a 6/8 or a 7/8."""


@dataclass(frozen=True, eq=False)
class Beats:
    """Tempo in beats per minute (0.0: none found), beats and downbeats in seconds, whether they are an exact grid.

    `metre` is "4/4" and so on; `confidence` is the probability that the downbeats are the right ones of their metre.
    """

    tempo: float
    beats: np.ndarray
    downbeats: np.ndarray
    steady: bool
    metre: str = "4/4"
    confidence: float = 0.0


NONE = Beats(0.0, np.zeros(0), np.zeros(0), False)


def planned(plan: Plan) -> Beats:
    """The grid that a synthesised song declares."""
    bars = np.searchsorted(plan.beats, np.array(plan.downbeats[:2]) - 1e-6)
    count = int(np.diff(bars)[0]) if len(bars) == 2 else 4
    metre = f"{count}/8" if count > 5 else f"{count}/4"
    return Beats(plan.tempo, np.array(plan.beats, np.float64), np.array(plan.downbeats, np.float64), True, metre, 1.0)


def track(
    accents: np.ndarray, rate: float, chroma: np.ndarray, chroma_rate: float, energy: np.ndarray, fine_rate: float,
    duration: float, metre: str | None = None,
) -> Beats:  # fmt: skip
    """Find the beats of a song.

    `find_pulse` tracks them, free to change tempo. Where every eight neighbours keep the phase of one constant grid, the whole
    song gets it, placed by the 6 ms energies, so that a synthesiser's tempo does not jitter; where only stretches do, each
    gets its own; elsewhere the tracked beats stay, each moved to the sharpest rise near it. Silence has no beats.

    Args:
        accents: onset strength of low, middle and high bands, shape=(3, frame), `rate` frames a second (`accents`).
        chroma: shape=(12, frame), `chroma_rate` frames a second.
        energy: mean square of the sound, `fine_rate` times a second, shape=(time,).
        duration: seconds of the song.
        metre: "3/4", "6/8", ... where it is known; None finds it.

    Raises:
        InvalidValue: a metre that is not known.
    """
    strength = accents.sum(axis=0)
    hits = np.count_nonzero(np.diff((strength > 0.5).astype(np.int8)) == 1)
    # a steady tone beats against the windows and its energy does not: 1 dB within 12 ms is asked for once
    moves = _rises(energy, fine_rate)[round(0.1 * fine_rate) :].max(initial=0) > 0.1
    if duration < 2.0 or hits < 4 or not moves or not _repeats(strength, rate):
        return NONE
    frames = find_pulse(accents, rate)
    if frames is None:
        return NONE
    sounding = _sounding(energy, fine_rate)
    fine = _rises(energy, fine_rate)
    beats, sharp = _placed(frames / rate, fine, fine_rate)
    grid = _grid(beats[sharp], fine, fine_rate, duration)
    steady = grid is not None
    beats = grid if grid is not None else _piecewise(beats, fine, fine_rate)
    beats = beats[(beats < duration - 0.02) & _heard(beats, sounding, fine_rate)]
    if len(beats) < 3:
        return NONE
    slow = 60 / np.median(np.diff(beats)) < _EIGHTHS
    if slow and (
        metre in ("6/8", "7/8") or not metre and counts_in_eighths(accents, chroma, beats * rate, rate, chroma_rate)
    ):
        beats = np.sort(np.append(beats, beats[:-1] + np.diff(beats) / 2))
    gaps = np.diff(beats)
    bars = find_bars(accents, chroma, beats * rate, rate, chroma_rate, metre)
    middle = float(np.median(gaps))
    tempo = 60.0 / (float(np.mean(gaps[gaps < 1.5 * middle])) if steady else middle)
    return Beats(tempo, beats, beats[bars.first :: bars.beats], steady, bars.metre, bars.confidence)


def _repeats(curve: np.ndarray, rate: float) -> bool:
    """Whether something repeats: the peak of the autocorrelation summed over one to eight periods, against chance."""
    n = len(curve)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(curve - curve.mean(), size)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, size)[:n]
    if correlation[0] <= 0:
        return False
    correlation /= correlation[0]
    lags = 60.0 / np.exp(np.arange(np.log(SLOWEST), np.log(FASTEST), 0.002)) * rate
    score = np.zeros(len(lags))
    for k, weight in ((1, 1.0), (2, 1.0), (4, 1.0), (8, 0.5)):
        at = lags * k
        score += weight * np.where(at < n - 2, np.interp(at, np.arange(n), correlation), 0)
    # chance correlations of noise shrink with the root of its length and stay below 5 / sqrt(n); real music is above 10
    return bool(score.max() > max(0.12, 6 / np.sqrt(n)))


def _sounding(energy: np.ndarray, rate: float) -> np.ndarray:
    """Where the song is not silent, bool, shape=(time,): rests shorter than a second and a half count as sounding."""
    loud = energy > max(float(energy.max()) * _QUIET, 1e-10)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], ~loud, [0]]).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if last - first < _SILENCE * rate:
            loud[first:last] = True
    return loud


def _heard(beats: np.ndarray, sounding: np.ndarray, rate: float) -> np.ndarray:
    """Which beats have sound within 30 ms before or 60 ms after them."""
    count = np.concatenate([[0], np.cumsum(sounding)])
    first, last = (np.clip(np.round((beats + d) * rate).astype(np.int64), 0, len(sounding)) for d in (-0.03, 0.06))
    return np.asarray(count[last] > count[first])


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


def _placed(beats: np.ndarray, fine: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Each beat at the sharpest rise within 20 ms of where beats usually have theirs, and whether it has one, bool."""
    usual = 0.0
    for early, late in ((0.025, 0.045), (0.02, 0.02)):
        around = np.arange(-round(early * rate), round(late * rate) + 1)
        near = np.clip(np.round((beats + usual) * rate).astype(np.int64)[:, None] + around, 0, len(fine) - 1)
        peak = near[np.arange(len(beats)), np.argmax(fine[near], axis=1)]
        sharp = fine[peak] > 0.25 * np.quantile(fine[peak], 0.9)
        usual = float(np.median((peak / rate - beats)[sharp])) if sharp.any() else 0.0
    return np.maximum.accumulate(np.maximum(np.where(sharp, peak / rate, beats + usual), 0.0)), sharp


def _line(beats: np.ndarray, fine: np.ndarray, rate: float) -> tuple[float, float] | None:
    """(phase, period) of the grid through beats that keep one phase in every window of eight, or None."""
    if len(beats) < 4 or np.median(np.diff(beats)) <= 0:
        return None
    period = float(np.median(np.diff(beats)))
    for _ in range(3):
        number = np.concatenate([[0], np.cumsum(np.maximum(np.round(np.diff(beats) / period), 1))])
        slope, phase = np.polyfit(number, beats, 1)
        if not 0.5 < slope / period < 2:
            return None
        period = float(slope)
    phase = float(phase)
    if not _keeps(beats, phase, period):
        return None
    last = phase + period * number[-1]
    for reach in (0.04, 0.025, 0.015):
        phase, period = _fit(fine, rate, phase, period, last, reach)
    return (phase, period) if _keeps(beats, phase, period) else None


def _keeps(beats: np.ndarray, phase: float, period: float) -> bool:
    off = (beats - phase + period / 2) % period - period / 2
    width = min(_WINDOW, len(off))
    windows = np.lib.stride_tricks.sliding_window_view(off, width)
    most = max(_PHASE * period, _NEAR)
    return bool(np.abs(np.median(windows, axis=1)).max() < most and np.quantile(np.abs(off), 0.8) < 1.5 * most)


def _grid(beats: np.ndarray, fine: np.ndarray, rate: float, duration: float) -> np.ndarray | None:
    """The constant grid of the whole song, in seconds, where it keeps one."""
    found = _line(beats, fine, rate)
    if found is None:
        return None
    phase, period = found
    first = phase - period * np.floor((phase + 0.03) / period)
    return np.maximum(first + period * np.arange(int((duration - first) / period) + 1), 0.0)


def _piecewise(beats: np.ndarray, fine: np.ndarray, rate: float) -> np.ndarray:
    """Stretches of eight beats and more that keep a phase laid on a grid of their own; the other beats as they are."""
    kept, k = [], 0
    while k < len(beats):
        size = 0
        step = len(beats) - k
        while step >= _WINDOW and size == 0:  # the longest of a halving series: cheap, and long enough
            if _line(beats[k : k + step], fine, rate) is not None:
                size = step
            step = step * 3 // 4
        if not size:
            kept.append(beats[k : k + 1])
            k += 1
            continue
        while k + size < len(beats) and _line(beats[k : k + size + 1], fine, rate) is not None:
            size += 1
        part = beats[k : k + size]
        phase, period = _line(part, fine, rate) or (part[0], float(np.diff(part).mean()))
        number = np.round((part - phase) / period)
        kept.append(phase + period * np.unique(number))
        k += size
    joined = np.sort(np.concatenate(kept))
    gaps = np.diff(joined)
    return joined[np.concatenate([[True], gaps > 0.3 * np.median(gaps)])]


def _fit(fine: np.ndarray, rate: float, phase: float, period: float, end: float, reach: float) -> tuple[float, float]:
    """Move a grid onto the sharpest rises within `reach` seconds of its beats, by a weighted straight line."""
    count = int((end - phase) / period + 0.5) + 1
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
