"""Does the picture keep time with the sound? Four measures, each beside what chance gives and with its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..audio.features import analyse
from ..audio.onsets import FINE_RATE, dated, onset_curve, onsets, strong_beats
from ..audio.stft import ANALYSIS_RATE, analysis_blocks
from ..errors import InvalidValue
from ..types import Audio, Frames
from .lag import lag_of
from .nulls import BLOCK, Measure, against_chance, interval, shifted, shuffled
from .visual_events import peaks_of_motion, visual_events, watch

WINDOW = 0.07
"""Seconds by which a visual event may miss a beat (MIREX beat tracking)."""
_CELLS = 64_000_000
"""Most cells of a warping path that is kept for its interval, one byte each."""


def warped(a: np.ndarray, b: np.ndarray, *, path: bool = False) -> tuple[float, int, np.ndarray | None]:
    """Dynamic time warping of two series of numbers: distance, length of the path and, with `path`, each step's cost.

    Steps (1, 0), (0, 1) and (1, 1) of equal weight, cost |a - b|; of equal ways the first in that order, as `fastdtw` takes.
    No steps are kept above 64 million cells.
    """
    if not len(a) or not len(b):
        return float("inf"), 1, None
    choice = np.zeros((len(a), len(b)), np.int8) if path and len(a) * len(b) <= _CELLS else None
    distance, length = _warp(np.asarray(a, np.float64)[None], np.asarray(b, np.float64), choice)
    return float(distance[0]), int(length[0]), None if choice is None else _steps(a, b, choice)


def _warp(a: np.ndarray, b: np.ndarray, choice: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Distance and length of path of each of several series, shape=(series, number), against one, by antidiagonals."""
    (count, n), m = a.shape, len(b)
    # arrays over i; cell (i, d - i) of diagonal d, behind one place of infinity; three diagonals that take turns
    totals = [np.full((count, n + 1), np.inf) for _ in range(3)]
    lengths = [np.zeros((count, n + 1), np.int64) for _ in range(3)]
    back = b[::-1]
    for d in range(n + m - 1):
        low, high = max(0, d - m + 1), min(n, d + 1)
        here, before = slice(low + 1, high + 1), slice(low, high)
        new, old, older = (totals[(d - k) % 3] for k in range(3))
        new_steps, old_steps, older_steps = (lengths[(d - k) % 3] for k in range(3))
        best, steps = old[:, before].copy(), old_steps[:, before].copy()
        way = np.zeros(best.shape, np.int8) if choice is not None else None
        others = (old[:, here], old_steps[:, here]), (older[:, before], older_steps[:, before])
        for number, (total, length) in enumerate(others):
            if d == 0 and number == 1:
                total = np.zeros_like(total)
            better = total < best
            np.copyto(best, total, where=better)
            np.copyto(steps, length, where=better)
            if way is not None:
                way[better] = number + 1
        new.fill(np.inf)
        new[:, here] = best + np.abs(a[:, before] - back[m - 1 - d + low : m - 1 - d + high])
        new_steps[:, here] = steps + 1
        if choice is not None and way is not None:
            rows = np.arange(low, high)
            choice[rows, d - rows] = way[0]
    last = (n + m - 2) % 3
    return totals[last][:, n], lengths[last][:, n]


def _steps(a: np.ndarray, b: np.ndarray, choice: np.ndarray) -> np.ndarray:
    i, j = len(a) - 1, len(b) - 1
    costs = []
    while i >= 0 and j >= 0:
        costs.append(abs(a[i] - b[j]))
        way = choice[i, j]
        i, j = i - (way != 1), j - (way != 0)
    return np.array(costs[::-1])


def consistency(beats: np.ndarray, events: np.ndarray) -> float:
    """The published rhythm consistency: 1 / (1 + DTW distance / path length) of two series of seconds, 0 to 1.

    L. Pina, "The use of music for the generation of AI visuals", evaluation of the visualiser: strong beats against abrupt pixel
    differences, by `fastdtw` with the Euclidean distance. Here the warping is exact; theirs is approximate with radius 1,
    never shorter. No event or no beat gives 0. It tells little alone: two unrelated steady rhythms score above 0.8.

    >>> round(consistency(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.25])), 4)
    0.9231
    """
    distance, length, _ = warped(beats, events)
    return 1 / (1 + distance / length)


def hits(beats: np.ndarray, events: np.ndarray, window: float) -> list[tuple[int, int]]:
    """Pairs (beat, event) at most `window` apart, each used once, as many as there can be; both rise.

    Of equal windows the earliest partner is never worse, so one walk finds the largest matching.
    """
    pairs, i, j = [], 0, 0
    while i < len(beats) and j < len(events):
        if abs(beats[i] - events[j]) <= window:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif beats[i] < events[j]:
            i += 1
        else:
            j += 1
    return pairs


def beat_hits(beats: np.ndarray, events: np.ndarray, window: float = WINDOW) -> tuple[float, float, float]:
    """(F1, precision, recall) of events as estimates of beats: `mir_eval.onset.f_measure`; 0 where either is empty.

    >>> beat_hits(np.array([0.5, 1.0, 1.5, 2.0]), np.array([0.52, 1.2, 1.5]))
    (0.5714285714285714, 0.6666666666666666, 0.5)
    """
    matched = len(hits(beats, events, window))
    if not matched:
        return 0.0, 0.0, 0.0
    return 2 * matched / (len(beats) + len(events)), matched / len(events), matched / len(beats)


def av_align(sounds: np.ndarray, motions: np.ndarray, fps: float) -> float:
    """AV-Align: intersection over union of onsets and peaks of motion that lie within one video frame, 0 to 1.

    Yariv et al., "Diverse and aligned audio-to-video generation via text-to-video model adaptation" (AAAI 2024), 4.1.
    Bounded: a peak answers one onset only. (In the published code it may answer several, so that it exceeds 1.)
    """
    matched = len(hits(sounds, motions, 1 / fps))
    union = len(sounds) + len(motions) - matched
    return matched / union if union else 0.0


def measure(
    frames: Frames,
    audio: Audio,
    *,
    seed: int = 0,
    draws: int = 200,
    window: float = WINDOW,
    beat_threshold: float = 0.5,
    event_threshold: float = 0.25,
    max_lag: float = 0.3,
    heard: np.ndarray | None = None,
    aligned: bool = False,
    tick: Callable[[int, int], None] | None = None,
) -> dict[str, Measure]:
    """How well a video keeps time with its sound, in one pass over each.

    Args:
        frames, audio: both begin at 0 seconds.
        seed: of the draws of chance and of the resampling.
        draws: of shifted and of shuffled sound.
        window: seconds by which an event may miss a beat.
        beat_threshold: strength of a strong beat, as a share of the strongest; `event_threshold`: `visual_events`.
        max_lag: seconds to either side in which the lag is sought, at most half a beat or 0.22 s, whichever is more.
        heard: seconds of the beats by another judge (an annotation, `listened`), rising; None takes the song's own analysis,
            which a generator may have drawn by.
        aligned: give `beat_f1_aligned`, too: the F1 once the lag is taken off the picture.

    Returns:
        consistency, beat_f1, beat_precision, beat_recall, av_align (all 0 to 1, higher is better) and lag: seconds by which
        the picture is late, by cross-correlation at 5.8 ms with a parabola through the peak; its p values are those of the
        correlation, and it is nan where sound or picture never change.

    Raises:
        InvalidValue: a setting is out of range, or the sound holds samples that are not finite.
        MediaError: from reading the frames.
    """
    if not (draws >= 1 and window > 0 and 0 <= beat_threshold <= 1 and 0 <= event_threshold < 1 and max_lag > 0):
        raise InvalidValue(
            "synchrony takes draws >= 1, window > 0, thresholds from 0 to 1 and max_lag > 0, got "
            f"{draws=}, {window=}, {beat_threshold=}, {event_threshold=}, {max_lag=}"
        )
    changes = watch(frames, tick)
    song = analyse(audio)
    if heard is not None:
        at = np.clip(np.round(heard * song.frame_rate).astype(int)[:, None] + np.arange(-2, 2), 0, len(song.rms) - 1)
        strength = song.onset_strength[at].max(axis=1) if len(heard) else np.zeros(0, np.float32)
        song = replace(song, beats=np.asarray(heard, np.float64), beat_strength=strength)
    events = visual_events(changes, threshold=event_threshold)
    duration = min(float(audio.duration), float(frames.duration))
    fine = onset_curve(audio)
    attacks = dated(onsets(song), fine)
    beats, strong, attacks = (x[x < duration] for x in (song.beats, strong_beats(song, beat_threshold), attacks))
    chance = _Chance(duration, draws, seed)
    found = {"consistency": _consistency(strong, events, chance)}
    for k, name in enumerate(("beat_f1", "beat_precision", "beat_recall")):
        found[name] = chance.matched(beats, events, window, _SCORES[k])
    fps = float(frames.fps)
    found["av_align"] = chance.matched(attacks, peaks_of_motion(changes), 1 / fps, _SCORES[3])
    # half a beat late and half a beat early look alike
    max_lag = min(max_lag, max(30 / song.tempo, 0.22)) if song.tempo else max_lag
    found["lag"] = lag_of(changes, fine, FINE_RATE, max_lag=max_lag, draws=draws, seed=seed)
    if aligned:
        late = found["lag"].value
        found["beat_f1_aligned"] = chance.matched(
            beats, events - (late if np.isfinite(late) else 0.0), window, _SCORES[0]
        )
    return found


def listened(audio: Audio) -> np.ndarray:
    """Beats by a second listener: librosa's dynamic programming over its own onset strength, in seconds, shape=(beat,).

    It is told how fast the beats go (the tempo around each moment, from `analyse`) and finds by itself where they are: what a
    generator that drew by `analyse` has misplaced it does not repeat. None are found where `analyse` finds none.
    """
    import librosa

    song = analyse(audio)
    if len(song.beats) < 3:
        return np.zeros(0)
    sound = np.concatenate([*analysis_blocks(audio)])
    gaps = np.diff(song.beats)
    usual = np.array([np.median(gaps[max(0, k - 4) : k + 5]) for k in range(len(gaps))])
    times = np.arange(1 + len(sound) // 512) * 512 / ANALYSIS_RATE
    tempo = 60 / np.interp(times, song.beats[:-1], usual)
    return np.asarray(librosa.beat.beat_track(y=sound, sr=ANALYSIS_RATE, bpm=tempo, units="time")[1], np.float64)


def _consistency(strong: np.ndarray, events: np.ndarray, chance: _Chance) -> Measure:
    steps = warped(strong, events, path=True)[2]
    low = high = float("nan")
    if steps is not None:
        stretches = np.array_split(steps, max(1, len(steps) // 4))
        counts = np.array([(s.sum(), len(s)) for s in stretches])
        low, high = interval(counts, lambda c: 1 / (1 + c[:, 0] / c[:, 1]))
    # an hour's rhythm needs fewer draws: they hardly differ
    draws = min(chance.draws, max(10, int(2e8 / max(1, len(strong) * len(events)))))

    def several(drawn: list[np.ndarray]) -> np.ndarray:
        if not len(strong) or not len(events):
            return np.zeros(len(drawn))
        size = max(1, int(50_000 / len(strong)))  # what fits into a core's cache
        parts = [_warp(np.stack(drawn[k : k + size]), events) for k in range(0, len(drawn), size)]
        return np.concatenate([1 / (1 + distance / length) for distance, length in parts])

    return chance.beside(consistency(strong, events), low, high, strong, several, draws)


_SCORES: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    lambda c: 2 * c[:, 0] / (c[:, 1] + c[:, 2]),
    lambda c: c[:, 0] / c[:, 2],
    lambda c: c[:, 0] / c[:, 1],
    lambda c: c[:, 0] / (c[:, 1] + c[:, 2] - c[:, 0]),
)
"""F1, precision, recall and intersection over union of (matched, sounds, events)."""


class _Chance:
    """Draws of the same sound shifted and shuffled."""

    def __init__(self, duration: float, draws: int, seed: int) -> None:
        self.duration, self.draws, self.seed = duration, draws, seed

    def matched(
        self, sounds: np.ndarray, events: np.ndarray, window: float, score: Callable[[np.ndarray], np.ndarray]
    ) -> Measure:
        """A score of matched events, from counts in stretches of two seconds."""

        def value(times: np.ndarray) -> float:
            counts = np.array([[len(hits(times, events, window)), len(times), len(events)]], np.float64)
            return float(score(counts)[0]) if counts[0, 0] else 0.0

        edges = np.arange(max(1, round(self.duration / BLOCK)) + 1) * BLOCK
        edges[-1] = max(edges[-1], self.duration + 1)
        pairs = np.array(hits(sounds, events, window), np.int64).reshape(-1, 2)
        met, dated = sounds[pairs[:, 0]], events.copy()
        dated[pairs[:, 1]] = met  # a pair lies in one stretch, or a stretch could score above 1
        counts = np.stack([np.histogram(t, edges)[0] for t in (met, sounds, dated)], axis=1)
        low, high = interval(counts, score)
        return self.beside(value(sounds), low, high, sounds, lambda drawn: np.array([*map(value, drawn)]), self.draws)

    def beside(
        self, value: float, low: float, high: float, times: np.ndarray,
        several: Callable[[list[np.ndarray]], np.ndarray], draws: int,
    ) -> Measure:  # fmt: skip
        """The value beside those of the same times shifted and shuffled; `several` scores a list of drawn times."""

        def null(kind: str, rng: np.random.Generator) -> np.ndarray:
            draw = shifted if kind == "shifted" else shuffled
            return several([draw(times, self.duration, rng) for _ in range(draws)])

        return against_chance(value, low, high, null, seed=self.seed)
