"""The pulse of a stream of pictures: what sounds now, how hard, and the beat, read from the pictures with a short look ahead."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..types import Frames
from .colour import luma

BANDS = 16
"""Bands read from a picture's rows, low ones at the bottom, as in a spectrogram."""


@dataclass(frozen=True)
class Moment:
    """One frame's pulse: band levels in [0, 1], shape=(band,), low first; seconds since the last beat; its strength in [0, 1]."""

    bands: np.ndarray
    since: float
    strength: float
    count: int
    """Beats so far."""


def rows_now(picture: np.ndarray, now: float) -> np.ndarray:
    """Luma of the rows in a thin column at `now` (0 left, 1 right), float32 in [0, 1], shape=(row,), bottom row first."""
    columns = picture.shape[1]
    middle, half = now * (columns - 1), max(1, round(columns / 128))
    low = int(min(max(0, round(middle) - half), columns - 1))
    part = np.ascontiguousarray(picture[::-1, low : max(low + 1, round(middle) + half)])
    return np.asarray(luma(part).mean(axis=1, dtype=np.float32) / 255, np.float32)


def bands_of(rows: np.ndarray) -> np.ndarray:
    """Rows averaged into `BANDS` bands, shape=(band,)."""
    edges = np.linspace(0, len(rows), BANDS + 1)
    return np.array(
        [rows[int(a) : max(int(a) + 1, math.ceil(b))].mean() for a, b in zip(edges[:-1], edges[1:], strict=True)],
        np.float32,
    )


def beat_frames(onset: np.ndarray, fps: float) -> tuple[np.ndarray, float]:
    """Frames of the beats and the beat period in frames, by dynamic programming (Ellis 2007, equations 3 to 6).

    `onset` is an onset strength per frame. The period is the strongest lag of its autocorrelation, weighted by a
    log-normal preference for 120 beats per minute one octave wide.
    """
    if len(onset) < 4 or onset.std() < 1e-6:
        return np.zeros(0, int), fps / 2
    fine = 4
    dense = np.interp(np.arange(len(onset) * fine) / fine, np.arange(len(onset)), onset - onset.mean())
    spectrum = np.fft.rfft(dense, 2 * len(dense))
    lags = np.arange(1, len(dense))
    seconds = lags / (fine * fps)
    echo = np.fft.irfft(np.abs(spectrum) ** 2)[1 : len(dense)] / (len(dense) - lags + fps * fine)
    weight = np.where((seconds > 0.25) & (seconds < 1.5), np.exp(-0.5 * np.log2(seconds * 2) ** 2), 0)
    period = max(2.0, float(lags[np.argmax(echo * weight)]) / fine)
    span = np.arange(-round(period), round(period) + 1)
    score = np.convolve(onset / onset.std(), np.exp(-0.5 * (span * 32 / period) ** 2), "same")
    gaps = np.arange(-round(2 * period), -max(1, round(period / 2)) + 1)
    cost = -100 * np.log(-gaps / period) ** 2
    total, link = score.copy(), np.full(len(score), -1)
    for k in range(len(score)):
        back = gaps + k
        reach = back >= 0
        if reach.any():
            options = cost[reach] + total[back[reach]]
            best = int(options.argmax())
            if options[best] > 0:
                total[k], link[k] = score[k] + options[best], back[reach][best]
    tail = max(0, len(score) - round(1.5 * period))
    k = tail + int(total[tail:].argmax())
    beats = [k]
    while link[k] >= 0:
        k = int(link[k])
        beats.append(k)
    return np.array(beats[::-1]), period


def moments(driver: Frames, now: float, ahead: float = 6.0) -> Iterator[Moment]:
    """Walk a stream and say, frame by frame, what its pulse is; it is read at most `ahead` seconds before it is needed.

    Only one thin column of each picture is looked at and a few seconds of numbers are kept: an hour costs no more than a minute.
    """
    fps = float(driver.fps)
    reach, memory, chunk = max(1, round(ahead * fps)), round(10 * fps), max(1, round(fps))
    pictures = iter(driver)
    bands: list[np.ndarray] = []
    onset: list[float] = []
    first, last_beat, strength, beats = 0, -math.inf, 0.0, 0
    before: np.ndarray | None = None
    pending: list[int] = []
    for k in range(driver.count):
        while first + len(onset) < min(driver.count, k + reach):
            rows = rows_now(next(pictures), now)
            rise = 0.0 if before is None else float(np.maximum(rows - before, 0).mean())
            before = rows
            bands.append(bands_of(rows))
            onset.append(rise)
        if k % chunk == 0:
            trail = max(0, k - memory - first)
            del bands[:trail], onset[:trail]
            first += trail
            found, period = beat_frames(np.asarray(onset), fps)
            pending = [b + first for b in found if last_beat + 0.6 * period < b + first and k <= b + first < k + chunk]
        if pending and pending[0] <= k:
            last_beat = pending.pop(0)
            near = onset[max(0, k - first - 2) : k - first + 3]
            loud = float(np.quantile(onset, 0.95)) + 1e-6
            strength, beats = min(1.0, max(near) / loud), beats + 1
        yield Moment(bands[k - first], (k - last_beat) / fps, strength, beats)
