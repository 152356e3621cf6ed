"""How many beats make a bar, and which of them begins it: from what repeats, and from bass, harmony and backbeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...errors import InvalidValue
from .pulse import near

METRES = {"2/4": 2, "3/4": 3, "4/4": 4, "5/4": 5, "6/8": 6, "7/8": 7}
"""Beats to the bar; the beat of 6/8 and 7/8 is the eighth note."""
_NAMES = {beats: name for name, beats in METRES.items()}
_SURPLUS = 0.12
"""By how much more a bar of another length must repeat itself than one of four beats: most music is in four."""
_USUAL, _SPREAD, _WEIGHT = np.array([
    [0, 0.3008, 1.1809], [0, 0.3008, -0.3225], [0, 0.3008, -0.2485],  # low: on the beat, after it, before it
    [0, 0.3157, 0.6902], [0, 0.3157, -0.3173], [0, 0.3157, 0.5197],  # middle
    [0, 0.3157, -0.3438], [0, 0.3291, -1.3176],  # middle half a bar later; high
    [0, 0.2164, 0.9749], [0, 0.2164, -0.1071], [0, 0.2164, -0.1307],  # harmony
]).T  # fmt: skip


@dataclass(frozen=True)
class Bars:
    """The metre ("4/4"), the number of the first beat that begins a bar, and how sure that is (probability, 0 to 1)."""

    metre: str
    first: int
    confidence: float

    @property
    def beats(self) -> int:
        """Beats to the bar."""
        return METRES[self.metre]


def find_bars(
    accents: np.ndarray,
    chroma: np.ndarray,
    beats: np.ndarray,
    rate: float,
    chroma_rate: float,
    metre: str | None = None,
) -> Bars:
    """Metre and downbeats of a pulse.

     A bar is the number of beats after which accents and harmony repeat themselves best; its first beat is chosen by a
     conditional logit over eleven descriptors (bass, snare and change of harmony on it and beside it), fitted to random rhythms
    .

     Args:
         accents: shape=(3, frame) at `rate` frames a second; `chroma` shape=(12, frame) at `chroma_rate`.
         beats: frames at `rate`, rising.
         metre: "3/4", "4/4", ... where it is known; None finds it.

     Raises:
         InvalidValue: a metre that is none of METRES.
    """
    if metre is not None and metre not in METRES:
        raise InvalidValue(f"the metre is one of {', '.join(METRES)} or null (found by listening), got {metre!r}")
    count = METRES[metre] if metre else _beats_to_the_bar(accents, chroma, beats, rate, chroma_rate)
    if len(beats) < 2 * count:
        return Bars(_NAMES[count], 0, 1.0 / count)
    rows = np.array([describe_bar(accents, chroma, beats, rate, count, k, chroma_rate) for k in range(count)])
    score = (rows - _USUAL) / _SPREAD @ _WEIGHT
    chance = np.exp(score - score.max())
    chance /= chance.sum()
    first = int(np.argmax(chance))
    return Bars(_NAMES[count], first, float(chance[first]))


def describe_bar(
    accents: np.ndarray, chroma: np.ndarray, beats: np.ndarray, rate: float, count: int, first: int, chroma_rate: float
) -> np.ndarray:
    """What speaks for bars of `count` beats that begin at beat `first`, float64, shape=(11,), relative to all beats' mean."""
    low, middle, high = (near(curve, beats) for curve in accents)
    change = _harmony(chroma, beats, rate, chroma_rate)
    number = (np.arange(len(beats)) - first) % count

    def on(values: np.ndarray, place: int) -> float:
        there = values[number == place % count]
        return float(there.mean() - values.mean()) if len(there) else 0.0

    return np.array([
        on(low, 0), on(low, 1), on(low, -1), on(middle, 0), on(middle, 1), on(middle, -1), on(middle, count // 2),
        on(high, 0), on(change, 0), on(change, 1), on(change, -1),
    ])  # fmt: skip


def _harmony(chroma: np.ndarray, beats: np.ndarray, rate: float, chroma_rate: float) -> np.ndarray:
    """How far the mean chroma of each beat differs from the one before, shape=(beat,), in [0, 2]."""
    means = _means(chroma, beats * chroma_rate / rate)
    return np.concatenate([[0.0], np.abs(np.diff(means, axis=0)).sum(axis=1)])


def _means(chroma: np.ndarray, frames: np.ndarray) -> np.ndarray:
    edges = np.clip(np.round(np.append(frames, 2 * frames[-1] - frames[-2])).astype(np.int64), 0, chroma.shape[1])
    total = np.concatenate([np.zeros((len(chroma), 1)), np.cumsum(chroma, axis=1, dtype=np.float64)], axis=1)
    return np.asarray(((total[:, edges[1:]] - total[:, edges[:-1]]) / np.maximum(np.diff(edges), 1)).T)


def counts_in_eighths(
    accents: np.ndarray, chroma: np.ndarray, beats: np.ndarray, rate: float, chroma_rate: float
) -> bool:
    """Whether a pulse of quarter notes hides bars of six eighths (in two threes) or seven: then the beat is the eighth."""
    eighths = np.sort(np.append(beats, beats[:-1] + np.diff(beats) / 2))
    alike = _likeness(accents, chroma, eighths, rate, chroma_rate)
    if alike is None:
        return False
    four = (alike(8) + alike(16)) / 2
    seven = (alike(7) + alike(14)) / 2
    six = (alike(6) + alike(12)) / 2
    return seven > max(four, six) + _SURPLUS or (six > four + _SURPLUS and alike(3) > alike(2) and alike(3) > alike(4))


def _beats_to_the_bar(
    accents: np.ndarray, chroma: np.ndarray, beats: np.ndarray, rate: float, chroma_rate: float
) -> int:
    """The length after which beats (their accents, the half beats' and the harmony) resemble themselves most."""
    alike = _likeness(accents, chroma, beats, rate, chroma_rate)
    if alike is None:
        return 4
    score = {n: (alike(n) + alike(2 * n)) / 2 for n in (3, 4, 5, 6, 7)}
    if score[3] > score[6] - 0.1:
        score[6] = -1.0  # six repeats whatever three does
    best = max(score, key=lambda n: score[n])
    return best if best == 4 or score[best] > score[4] + _SURPLUS else 4


def _likeness(
    accents: np.ndarray, chroma: np.ndarray, beats: np.ndarray, rate: float, chroma_rate: float
) -> Callable[[int], float] | None:
    """Correlation of each beat with the one a number of beats later; None where there are too few or all are the same."""
    if len(beats) < 16:
        return None
    halves = beats[:-1] + np.diff(beats) / 2
    rows = [near(c, beats)[:-1] for c in accents] + [near(c, halves) for c in accents]
    rows.append(_harmony(chroma, beats, rate, chroma_rate)[:-1] * 2)
    x = np.array(rows)
    x = x - x.mean(axis=1, keepdims=True)
    power = float(np.mean(x**2))
    if power < 1e-9:
        return None

    def alike(lag: int) -> float:
        return float(np.mean(x[:, lag:] * x[:, :-lag])) / power if x.shape[1] > lag + 4 else -1.0

    return alike
