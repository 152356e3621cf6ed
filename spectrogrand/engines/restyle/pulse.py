"""The pulse of a stream of pictures: what sounds now, and the beat, read from the pictures with a short look ahead."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...audio.features import analyse
from ...audio.pictures import SongPictures
from ...audio.rhythm.accents import accents_of
from ...audio.rhythm.beats import track
from ...image.colour import luma, shrink
from ...types import Audio, Frames
from ..director.direction import direct
from ..director.sections import find_sections

ROWS = 128
"""Rows kept of a picture's present, low ones first: a spectrogram's mel bands."""
LATE = 0.025
"""Seconds between a rise in a centred 93 ms analysis window and the sound that caused it."""
_CHUNK = 3.0
_FAR = 1.5
"""Seconds between two beats above which neither belongs to the other."""
_RANGE = 80.0
"""Decibels between a spectrogram's darkest and its brightest colour."""
_SPLITS = (6, 73)
"""First rows of the middle and of the high sounds: 150 Hz and 2.5 kHz of 128 mel bands up to 11 kHz."""


@dataclass(frozen=True)
class Moment:
    """One frame's pulse.

    `now`: luma of the picture's present, float32 in [0, 1], shape=(row,), bottom row first; `usual` and `spread`: its mean
    and standard deviation over some seconds around. `beat` and `bar`: seconds since the last beat and the last downbeat,
    infinite before the first. `strength`: of that beat, in [0, 1]. `gap`: seconds from that beat to the next, 0 before the first.
    `energy` and `light`: how much the director lets move, and how bright it wants the picture, each 1 where sections are unknown.
    """

    now: np.ndarray
    usual: np.ndarray
    spread: np.ndarray
    beat: float
    bar: float
    strength: float
    gap: float = 0.0
    energy: float = 1.0
    light: float = 1.0

    def leap(self, reach: float) -> float:
        """Seconds by which a thing is ahead that leaps on a beat, slows down and is on time at the next; 0 between far beats.

        `reach`: share of the way between two beats in which most of it is gone, above 0.

        >>> calm = Moment(np.zeros(1), np.zeros(1), np.zeros(1), 0.1, 0.1, 1.0, 0.5)
        >>> round(calm.leap(0.3), 2), round(calm.leap(30.0), 2)
        (0.15, 0.0)
        """
        if not 0 <= self.beat < self.gap:
            return 0.0
        along = self.beat / self.gap
        gone = math.expm1(-along / reach) / math.expm1(-1 / reach)
        return self.strength * self.gap * (gone - along)


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
    than a minute. Pictures of a song bring its beats and sections along; in others beats are tracked anew every three seconds
    over what is known, and never moved once shown.
    """
    fps = float(driver.fps)
    reach, memory, chunk = max(1, round(ahead * fps)), round(10 * fps), max(1, round(_CHUNK * fps))
    pictures, known = iter(driver), _Known(fps)
    last, last_bar, strength, gap = -math.inf, -math.inf, 0.0, 0.0
    coming: list[tuple[float, bool]] = []
    song = driver.song if isinstance(driver, SongPictures) else None
    told = None if song is None else _Told(song, driver.count, fps)
    for k in range(driver.count):
        while known.end < min(driver.count, k + reach):
            known.add(present(next(pictures), now))
        if k % chunk == 0:
            known.forget(k - memory)
            usual, spread = known.statistics()
            window = k / fps, (k + chunk) / fps
            coming = told.beats(*window) if told is not None else known.beats(*window, after=last)
        while coming and coming[0][0] < (k + 1) / fps:
            before, (last, on_bar) = last, coming.pop(0)
            last_bar = last if on_bar else last_bar
            strength = known.strength(last)
            gap = coming[0][0] - last if coming else gap if gap else last - before
            gap = gap if gap <= _FAR else 0.0
        end = (k + 1) / fps
        wanted = (1.0, 1.0) if told is None else (float(told.energy[k]), float(told.light[k]))
        yield Moment(known.row(k), usual, spread, end - last, end - last_bar, strength, gap, *wanted)


class _Told:
    """What the song itself says of its beats and sections."""

    def __init__(self, song: Audio, count: int, fps: float) -> None:
        heard = analyse(song)
        self._beats, self._bars = np.asarray(heard.beats, np.float64), np.asarray(heard.downbeats, np.float64)
        direction = direct(find_sections(song, heard), count, fps)
        self.energy, self.light = direction.energy, direction.light

    def beats(self, start: float, end: float) -> list[tuple[float, bool]]:
        """Beats in [start, end) seconds, and whether each begins a bar."""
        inside = self._beats[(self._beats >= start) & (self._beats < end)]
        return [(float(b), bool((np.abs(self._bars - b) < 1e-3).any())) for b in inside]


class _Known:
    """The last seconds of a stream's presents, and what their rises say."""

    def __init__(self, fps: float) -> None:
        self.fps, self.first = fps, 0
        self._rows: list[np.ndarray] = []
        self._rise: list[float] = []
        self._low: list[float] = []

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

    def forget(self, before: int) -> None:
        drop = max(0, before - self.first)
        del self._rows[:drop], self._rise[:drop], self._low[:drop]
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
        # colours go with decibels, which a faint sound out of silence gains more of than a kick over a bass does
        magnitude = np.power(10.0, _RANGE / 20 * (np.asarray(self._rows, np.float64).T - 1))
        power, flat = np.mean(magnitude**2, axis=0), np.zeros((12, len(rise)), np.float32)
        accents = accents_of(magnitude, self.fps, _SPLITS)
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
