"""Which pulse do people tap? Candidate pulses by dynamic programming, and the one that drums and bass speak for."""

from __future__ import annotations

import numpy as np

RANGES = tuple((slow, 1.62 * slow) for slow in 56 * 2 ** (np.arange(8) / 4))
"""Tempos (slowest, fastest) in beats per minute within which one candidate is sought each; wide enough for 128 to 96."""
_STIFF = 60.0
_LEAST = 0.25
# mean and standard deviation over the candidates of 310 random rhythms, and weight: the order is that of `describe`
_USUAL, _SPREAD, _WEIGHT = np.array([
    [0.4036, 0.2860, -0.1187], [0.3594, 0.2976, 0.6765], [0.1126, 0.1441, -0.3090], [0.1007, 0.1365, -0.1932],  # low
    [0.4056, 0.2907, 0.8425], [0.3530, 0.3056, -0.7805], [0.0715, 0.0966, -0.4172], [0.0747, 0.1267, -0.3738],  # middle
    [0.4151, 0.3086, 0.3422], [0.3890, 0.3276, 0.4083], [0.1574, 0.2339, 0.0095], [0.1267, 0.2008, -1.0063],  # high
    [0.2461, 0.2689, 0.5538], [0.2299, 0.2832, -0.5006], [0.0318, 0.0897, 0.3265],  # backbeat
    [0.5155, 0.3415, 0.1228], [0.6581, 0.3508, 0.1600], [0.3214, 0.2418, -0.0525], [0.3960, 0.2998, 1.0420],  # cover
    [-0.0341, 0.6504, 0.2715], [0.4241, 0.4066, -0.9263], [0.3685, 0.4592, -0.7942], [0.0161, 0.0106, -0.0829],  # tempo
]).T  # fmt: skip


def find_pulse(accents: np.ndarray, rate: float) -> np.ndarray | None:
    """Frames of the beats, float64, shape=(beat,), or None where nothing repeats.

    Each range of tempo gives its best path (joined strong accents, each a period after the last, the period free to move:
    Krebs, Böck, Widmer, "An efficient state-space model for joint tempo and meter tracking", ISMIR 2015, here with one state
    a beat), its off-beats, its half and its double. A conditional logit over 23 descriptors of what lies on the beats and
    between them chooses: its weights come from random rhythms, none of which is a test's.

    Args:
        accents: onset strength of low, middle and high bands, shape=(3, frame), as `accents` gives it.
        rate: frames a second.

    >>> clicks = np.zeros((3, 2000))
    >>> clicks[:, ::50] = 1
    >>> np.unique(np.diff(find_pulse(clicks, 100.0))).tolist()
    [50.0]
    """
    found = candidates(accents, rate)
    if not found:
        return None
    described = np.array([describe(accents, beats, rate) for beats in found])
    return found[int(np.argmax((described - _USUAL) / _SPREAD @ _WEIGHT))]


def candidates(accents: np.ndarray, rate: float) -> list[np.ndarray]:
    """Frames of every pulse worth weighing, each float64, shape=(beat,)."""
    low, middle, high = accents
    strength = np.minimum((0.9 * low + 0.9 * middle + 0.35 * high) / 1.3, 1.2)
    made: list[np.ndarray] = []
    for slow, fast in RANGES:
        beats = join(strength, rate, slow, fast)
        if len(beats) < 6:
            continue
        between = beats[:-1] + np.diff(beats) / 2
        made += [beats, between]
        tempo = 60 * rate / float(np.median(np.diff(beats)))
        if tempo < 108:
            made.append(np.sort(np.append(beats, between)))
        if tempo > 110:
            made += [beats[::2], beats[1::2]]
    kept: list[np.ndarray] = []
    for beats in made:
        if len(beats) > 4 and not any(len(beats) == len(k) and np.abs(beats - k).max() < 2 for k in kept):
            kept.append(beats)
    return kept


def join(strength: np.ndarray, rate: float, slow: float, fast: float) -> np.ndarray:
    """The path of beats with the most strength between two tempos, frames as float64; it may begin and end anywhere.

    A beat that falls on nothing costs a quarter of a strong onset; a period that changes by x costs 60 |log x| beyond the one
    frame that rounding asks for.
    """
    count = max(8, int(40 * np.log2(fast / slow)))
    periods = np.unique(np.round(rate * 60 / np.geomspace(fast, slow, count)).astype(np.int64))
    periods = periods[periods >= 2]
    change = np.abs(np.log(periods[:, None] / periods[None]))
    cost = -_STIFF * np.maximum(change - 1.01 / periods[:, None], 0)  # (new, old)
    beside = np.maximum(np.append(strength[1:], 0), np.append(0, strength[:-1]))
    gain = np.maximum(strength, 0.8 * beside) - _LEAST
    weight = np.sqrt(periods / periods.mean())
    total = np.empty((len(strength), len(periods)))
    best = np.empty((len(strength), len(periods)), np.float32)
    came = np.empty((len(strength), len(periods)), np.int16)
    each = np.arange(len(periods))
    for t in range(len(strength)):
        before = t - periods
        held = np.where(before >= 0, best[np.maximum(before, 0), each], 0.0)
        total[t] = gain[t] * weight + np.maximum(held, 0)
        options = total[t] + cost
        came[t] = options.argmax(axis=1)
        best[t] = options[each, came[t]]
    if not len(strength):
        return np.zeros(0)
    first = max(0, len(strength) - int(periods[-1]))
    t, i = divmod(int(np.argmax(total[first:])), len(periods))
    t += first
    path = [t]
    while (before_t := t - int(periods[i])) >= 0 and best[before_t, i] > 0:
        i = int(came[before_t, i])
        t = before_t
        path.append(t)
    return np.array(path[::-1], np.float64)


def near(curve: np.ndarray, frames: np.ndarray, reach: int = 2) -> np.ndarray:
    """The largest value within `reach` frames of each place, shape=(place,)."""
    at = np.round(frames).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    return np.asarray(curve[np.clip(at, 0, len(curve) - 1)].max(axis=1))


def describe(accents: np.ndarray, beats: np.ndarray, rate: float) -> np.ndarray:
    """What speaks for a pulse, float64, shape=(23,): accents on beats, halves, quarters and thirds; backbeat; tempo."""
    gaps = np.diff(beats)
    places = [
        beats,
        *(np.concatenate([beats[:-1] + gaps * p for p in part]) for part in ((0.5,), (0.25, 0.75), (1 / 3, 2 / 3))),
    ]
    values = [near(curve, place).mean() for curve in accents for place in places]
    low, middle, high = (near(curve, beats) for curve in accents)
    back = middle[1::2].mean() - middle[::2].mean()
    front = low[::2].mean() - low[1::2].mean()
    values += [abs(back), abs(front), max(back * front, 0.0) ** 0.5]
    values += [np.mean(np.maximum(low, middle) > 0.3), np.mean(np.maximum.reduce([low, middle, high]) > 0.3)]
    covered = np.zeros(accents.shape[1])
    covered[np.clip(np.round(beats).astype(np.int64)[:, None] + np.arange(-2, 3), 0, len(covered) - 1)] = 1
    values += [float(curve @ covered) / max(float(curve.sum()), 1e-9) for curve in accents[:2]]
    octave = np.log2(60 * rate / float(np.median(gaps)) / 120)
    values += [octave, octave**2, abs(octave) ** 3, np.std(np.diff(np.log(gaps))) if len(gaps) > 2 else 0.0]
    return np.array(values, np.float64)
