"""The pulse of a stream of pictures: what sounds now, and the beat, read from the pictures with a short look ahead."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...audio.rhythm.accents import above_surroundings
from ...audio.rhythm.beats import track
from ...image.colour import luma, shrink
from ...types import Frames

ROWS = 128
"""Rows kept of a picture's present, low ones first: a spectrogram's mel bands."""
LATE = 0.025
"""Seconds between a rise in a centred 93 ms analysis window and the sound that caused it."""
_CHUNK = 3.0


@dataclass(frozen=True)
class Moment:
    """One frame's pulse.

    `now`: luma of the picture's present, float32 in [0, 1], shape=(row,), bottom row first; `usual` and `spread`: its mean
    and standard deviation over some seconds around. `beat` and `bar`: seconds since the last beat and the last downbeat,
    infinite before the first. `strength`: of that beat, in [0, 1].
    """

    now: np.ndarray
    usual: np.ndarray
    spread: np.ndarray
    beat: float
    bar: float
    strength: float


def present(picture: np.ndarray, now: float) -> np.ndarray:
    """Luma in a thin column at `now` (0 left, 1 right edge), float32 in [0, 1], shape=(ROWS,), bottom row first."""
    columns = picture.shape[1]
    middle, half = round(now * (columns - 1)), max(1, round(columns / 128))
    low = min(max(0, middle - half), columns - 1)
    part = np.ascontiguousarray(picture[::-1, low : max(low + 1, middle + half)])
    column = luma(part).mean(axis=1, keepdims=True, dtype=np.float32)
    return np.asarray(shrink(column, ROWS, 1)[:, 0] / np.float32(255), np.float32)


def moments(driver: Frames, now: float, ahead: float = 6.0) -> Iterator[Moment]:
    """Walk a stream and say, frame by frame, what its pulse is; it is read at most `ahead` seconds before it is needed.

    One thin column of each picture is looked at and some seconds of numbers are kept: an hour costs no more memory
    than a minute. Beats are tracked anew every three seconds over what is known, and never moved once shown.
    """
    fps = float(driver.fps)
    reach, memory, chunk = max(1, round(ahead * fps)), round(10 * fps), max(1, round(_CHUNK * fps))
    pictures, known = iter(driver), _Known(fps)
    last, last_bar, strength = -math.inf, -math.inf, 0.0
    coming: list[tuple[float, bool]] = []
    for k in range(driver.count):
        while known.end < min(driver.count, k + reach):
            known.add(present(next(pictures), now))
        if k % chunk == 0:
            known.forget(k - memory)
            usual, spread = known.statistics()
            coming = known.beats(k / fps, (k + chunk) / fps, after=last)
        while coming and coming[0][0] < (k + 1) / fps:
            last, on_bar = coming.pop(0)
            last_bar = last if on_bar else last_bar
            strength = known.strength(last)
        end = (k + 1) / fps
        yield Moment(known.row(k), usual, spread, end - last, end - last_bar, strength)


class _Known:
    """The last seconds of a stream's presents, and what their rises say."""

    def __init__(self, fps: float) -> None:
        self.fps, self.first = fps, 0
        self._rows: list[np.ndarray] = []
        self._rise: list[float] = []
        self._low: list[float] = []
        self._accents: list[tuple[float, float, float]] = []

    @property
    def end(self) -> int:
        return self.first + len(self._rows)

    def row(self, k: int) -> np.ndarray:
        return self._rows[k - self.first]

    def add(self, row: np.ndarray) -> None:
        rise = np.maximum(row - (self._rows[-1] if self._rows else row), 0)
        self._rows.append(row)
        self._rise.append(float(rise.mean()))
        self._low.append(float(rise[: ROWS // 10].mean()))
        self._accents.append(
            (self._low[-1], float(rise[ROWS // 10 : ROWS // 2].mean()), float(rise[ROWS // 2 :].mean()))
        )

    def forget(self, before: int) -> None:
        drop = max(0, before - self.first)
        del self._rows[:drop], self._rise[:drop], self._low[:drop], self._accents[:drop]
        self.first += drop

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of every row over what is known, each shape=(row,)."""
        rows = np.asarray(self._rows)
        return rows.mean(axis=0), rows.std(axis=0)

    def beats(self, start: float, end: float, after: float) -> list[tuple[float, bool]]:
        """Beats in [start, end) seconds, and whether each begins a bar; none closer to `after` than half a beat."""
        rise = np.asarray(self._rise)
        if rise.max() < 1e-3:
            return []
        power = np.mean(np.power(np.float32(10), 8 * np.asarray(self._rows) - 8), axis=1)
        flat = np.zeros((12, len(rise)), np.float32)
        accents = np.stack([above_surroundings(curve, self.fps) for curve in np.asarray(self._accents).T])
        found = track(accents, self.fps, flat, self.fps, power, self.fps, len(rise) / self.fps, "4/4")
        if not len(found.beats):
            return []
        gap = 0.6 * float(np.median(np.diff(found.beats)))
        bars = {round(float(b), 6) for b in found.downbeats}
        shifted = [(float(b) + self.first / self.fps + LATE, round(float(b), 6) in bars) for b in found.beats]
        return [(t, bar) for t, bar in shifted if max(start, after + gap) <= t < end]

    def strength(self, seconds: float) -> float:
        """How hard a beat hits: the largest rise near it, low sounds counted twice, relative to the hardest known."""
        at = round((seconds - LATE) * self.fps) - self.first
        both = np.asarray(self._rise) + np.asarray(self._low)
        near = both[max(0, at - 2) : at + 3]
        loud = max(float(np.quantile(both, 0.97)), 0.02)
        return float(np.clip(0.35 + 0.65 * near.max(initial=0) / loud, 0, 1))
