"""The bass: future's hollow donk, bass house's growl, progressive's off-beat saw with its sub, melodic's rolling line."""

from __future__ import annotations

import numpy as np

from ..mixing import Bus
from ..score import Score, human
from ..timing import RATE
from .filters import bandpass, equalise, highpass, lowpass, sweep
from .oscillators import decay, envelope, glide, hertz, seconds, sine, wave

# a bar of bass: (sixteenth, length in sixteenths, scale steps above the root, accent)
Line = tuple[tuple[int, float, int, float], ...]
_LINES: dict[str, tuple[Line, ...]] = {
    "future": (
        ((2, 1.5, 0, 0.9), (5, 1.0, 0, 0.8), (7, 1.0, 7, 0.7), (10, 1.5, 0, 1.0), (13, 1.0, 0, 0.8), (14, 2.0, 2, 0.9)),
        ((0, 1.0, 0, 0.8), (3, 1.5, 0, 1.0), (6, 1.5, 7, 0.8), (9, 1.0, 0, 0.8), (11, 1.5, 4, 0.9), (14, 1.5, 0, 0.9)),
        ((2, 2.0, 0, 1.0), (6, 1.0, 0, 0.8), (7, 1.0, 7, 0.8), (10, 1.0, 4, 0.9), (12, 1.5, 0, 0.8), (15, 1.0, 6, 0.8)),
    ),
    "bass": (
        ((0, 3.0, 0, 1.0), (3, 1.0, 7, 0.7), (6, 2.0, 0, 1.0), (10, 1.5, 1, 0.9), (12, 2.0, 0, 1.0), (14, 2.0, 6, 0.9)),
        ((0, 1.5, 0, 1.0), (2, 1.0, 0, 0.8), (3, 2.5, 2, 1.0), (8, 1.5, 0, 1.0), (10, 1.0, 0, 0.8), (11, 4.0, 4, 1.0)),
        ((0, 6.0, 0, 1.0), (6, 1.5, 0, 0.8), (8, 3.0, 0, 1.0), (11, 1.0, 7, 0.8), (13, 1.0, 6, 0.8), (14, 2.0, 4, 0.9)),
    ),
    "progressive": (
        ((2, 1.8, 0, 0.9), (6, 1.8, 0, 0.9), (10, 1.8, 0, 0.9), (14, 1.8, 0, 1.0)),
        ((1, 0.9, 0, 0.6), (2, 1.6, 0, 1.0), (5, 0.9, 0, 0.6), (6, 1.6, 0, 1.0), (9, 0.9, 0, 0.6), (10, 1.6, 0, 1.0),
         (13, 0.9, 0, 0.6), (14, 1.6, 7, 0.9)),
        ((2, 1.8, 0, 0.9), (5, 0.9, 7, 0.6), (6, 1.8, 0, 0.9), (10, 1.8, 0, 0.9), (13, 0.9, 4, 0.6), (14, 1.8, 0, 0.9)),
    ),
    "melodic": (
        ((2, 1.2, 0, 0.9), (3, 1.0, 0, 0.6), (6, 1.2, 0, 0.9), (7, 1.0, 7, 0.6), (10, 1.2, 0, 0.9), (11, 1.0, 0, 0.6),
         (14, 1.2, 4, 0.8), (15, 1.0, 0, 0.6)),
        ((0, 2.5, 0, 0.9), (3, 2.5, 0, 0.8), (6, 1.5, 7, 0.7), (8, 2.5, 0, 0.9), (11, 2.5, 0, 0.8), (14, 1.8, 4, 0.7)),
        ((2, 3.0, 0, 0.9), (6, 1.2, 0, 0.7), (7, 2.5, 2, 0.8), (11, 1.2, 0, 0.7), (12, 3.5, 0, 0.9)),
    ),
    "break": (
        ((0, 6.0, 0, 1.0), (6, 3.0, 0, 0.9), (10, 5.5, 0, 1.0)),
        ((0, 3.0, 0, 1.0), (3, 3.0, 0, 0.8), (8, 4.0, 0, 0.9), (12, 2.0, 4, 0.8), (14, 2.0, 0, 0.9)),
    ),
    "half": (
        ((0, 9.0, 0, 1.0), (10, 5.5, 0, 0.9)),
        ((0, 7.0, 0, 1.0), (8, 4.0, 0, 0.8), (12, 4.0, 4, 0.8)),
    ),
    "skip": (
        ((0, 1.5, 0, 1.0), (3, 1.5, 0, 0.8), (7, 2.5, 7, 0.8), (10, 2.0, 0, 1.0), (13, 1.5, 4, 0.8)),
        ((2, 2.0, 0, 0.9), (5, 1.0, 0, 0.7), (7, 3.0, 0, 1.0), (11, 1.0, 4, 0.7), (14, 1.5, 0, 0.9)),
    ),
    "walk": (
        ((0, 3.6, 0, 1.0), (4, 3.6, 2, 0.8), (8, 3.6, 4, 0.9), (12, 3.6, 7, 0.8)),
        ((0, 5.6, 0, 1.0), (6, 1.8, 0, 0.7), (8, 3.6, 4, 0.9), (12, 3.6, 0, 0.8)),
    ),
    "acid": (
        ((0, 0.9, 0, 1.0), (1, 0.9, 0, 0.6), (2, 0.9, 7, 0.8), (3, 0.9, 0, 0.6), (5, 0.9, 0, 0.9), (6, 1.8, 7, 1.0),
         (8, 0.9, 0, 0.8), (10, 0.9, 0, 0.6), (11, 0.9, 4, 0.9), (12, 1.8, 0, 1.0), (14, 0.9, 7, 0.7), (15, 0.9, 2, 0.8)),
        ((0, 1.8, 0, 1.0), (2, 0.9, 0, 0.6), (3, 0.9, 0, 0.9), (4, 0.9, 7, 0.7), (6, 0.9, 0, 0.8), (7, 1.8, 0, 1.0),
         (9, 0.9, 4, 0.7), (10, 0.9, 0, 0.8), (12, 0.9, 0, 0.9), (13, 0.9, 7, 0.8), (14, 1.8, 0, 1.0)),
    ),
    "tumbao": (
        ((0, 2.5, 0, 0.9), (6, 2.0, 4, 0.9), (12, 3.5, 0, 1.0)),
        ((3, 2.5, 0, 0.8), (6, 3.5, 4, 1.0), (12, 3.5, 7, 0.9)),
    ),
}  # fmt: skip


_VOICES = {"future": "donk", "bass": "growl", "progressive": "offbeat", "melodic": "round"}


def _donk(hz: float, n: int, bright: float) -> np.ndarray:
    """Two-operator FM whose index collapses at once: a hollow, wooden knock over a round sub."""
    index = 2.6 * (1 + 0.5 * bright) * decay(n, 0.07) + 0.35
    bend = hz * (1 + 0.5 * decay(n, 0.012))
    carrier = np.cumsum(bend, dtype=np.float64) / RATE
    body = np.sin(2 * np.pi * carrier + index * np.sin(4 * np.pi * carrier)).astype(np.float32)
    hollow = lowpass(wave("square", 2 * hz, n), 900 + 500 * bright) * (0.3 + 0.5 * decay(n, 0.09))
    return np.tanh(1.5 * (0.8 * body + 0.45 * hollow)) * envelope(n, 0.003, 0.025, 0.65, 0.2)


def _growl(hz: float, n: int, bright: float, rate: float, depth: float) -> np.ndarray:
    """A reese (detuned saws beating) through a moving vowel-like band, driven; `rate` in Hz is the wobble."""
    saws = np.zeros(n, np.float32)
    for cents, phase in ((-14, 0.1), (0, 0.55), (13, 0.8)):
        saws += wave("saw", 2 * hz * 2 ** (cents / 1200), n, phase)
    t = seconds(n)
    wobble = 0.5 - 0.5 * np.cos(2 * np.pi * rate * t) if rate > 0 else decay(n, 0.16)
    cutoff = 220 * 2 ** (1.2 + 0.5 * bright + depth * 3.0 * wobble)
    moved = sweep(np.tanh(1.4 * saws), cutoff, q=2.6)
    throat = bandpass(moved, 500, 1500) * 0.8
    turn = 2 * np.pi * hz * t
    fm = np.sin(2 * turn + 2.2 * wobble * np.sin(3 * turn)).astype(np.float32)
    top = highpass(np.tanh(2.6 * (0.6 * moved + throat + 0.25 * fm)), 110)
    return (0.62 * top + 0.8 * sine(hz, n)) * envelope(n, 0.003, 0.02)


def _offbeat(hz: float, n: int, bright: float) -> np.ndarray:
    """Saw and square an octave up, filter closing on each note, over a sine."""
    raw = 0.5 * wave("saw", 2 * hz, n) + 0.35 * wave("saw", 2 * hz * 1.006, n, 0.4) + 0.3 * wave("square", hz, n)
    cutoff = 260 + (1500 + 900 * bright) * decay(n, 0.085)
    return (0.65 * sweep(raw, cutoff, q=1.3) + 0.75 * sine(hz, n)) * envelope(n, 0.004, 0.03, 0.75, 0.25)


def _round(hz: float, n: int, bright: float) -> np.ndarray:
    """A warm low-passed saw and triangle: felt more than heard."""
    raw = 0.6 * wave("saw", hz, n) + 0.5 * wave("triangle", 2 * hz, n)
    cutoff = 180 + (600 + 350 * bright) * decay(n, 0.12)
    return (0.75 * sweep(raw, cutoff, q=1.6) + 0.7 * sine(hz, n)) * envelope(n, 0.005, 0.04, 0.7, 0.3)


def _sub(hz: float, n: int, bright: float) -> np.ndarray:
    """A long low sine, driven so that small speakers tell its pitch."""
    bent = hz * (1 + 0.25 * decay(n, 0.03))
    body = np.tanh(1.8 * sine(bent, n)) + 0.14 * (1 + bright) * lowpass(wave("saw", 2 * hz, n), 900)
    return body.astype(np.float32) * envelope(n, 0.004, 0.06, 0.75, 0.6) * np.float32(0.9)


def _upright(hz: float, n: int, bright: float) -> np.ndarray:
    """A plucked string with a body: partials that die faster the higher they are, and the finger."""
    out = np.zeros(n, np.float32)
    for k in range(1, 9):
        out += np.float32(k ** (-1.2 + 0.3 * bright)) * sine(hz * k, n) * decay(n, 0.55 / k**0.6)
    finger = bandpass(wave("saw", 3.1 * hz, n), 500, 1400) * decay(n, 0.012)
    return (0.8 * out + 0.5 * finger) * envelope(n, 0.003, 0.05)


def _acid(hz: float, n: int, bright: float, opened: float) -> np.ndarray:
    """A saw through a sharp resonance that opens and shuts on each note; `opened` in [0, 1] is the knob turned by hand."""
    cutoff = 200 + (500 + 3200 * opened) * 2 ** (0.6 * bright) * decay(n, 0.09)
    made = np.tanh(2.2 * sweep(0.8 * wave("saw", 2 * hz, n), cutoff, q=7.0))
    return (0.55 * made + 0.55 * sine(hz, n)) * envelope(n, 0.002, 0.015, 0.8, 0.2)


def play_bass(score: Score, bus: Bus) -> None:
    """One line per phrase of four bars, answered by a second; the last bar of each eight slides up."""
    style, mood, grid = score.style, score.mood, score.grid
    lines = _LINES[style.form.line or style.genre]
    voice = style.form.bass or _VOICES[style.genre]
    take = style.rng("bass")
    order = take.permutation(len(lines))
    beat = float(grid.beat_samples) / RATE
    rates = [0.0, 1 / beat, 2 / beat, 1.5 / beat, 4 / beat]
    bright = mood.brightness

    def note(midi: int, n: int, variant: int) -> np.ndarray:
        hz = hertz(midi)
        if voice == "growl":
            return _growl(hz, n, bright, rates[variant % len(rates)], 0.55 + 0.3 * mood.energy)
        if voice == "reese":
            return _growl(hz, n, bright, 0.5 / beat, 0.35 + 0.2 * mood.energy)
        if voice == "acid":
            return _acid(hz, n, bright, variant / 7)
        return {"donk": _donk, "offbeat": _offbeat, "round": _round, "sub": _sub, "upright": _upright}[voice](
            hz, n, bright
        )

    for bar, level in score.playing("bass"):
        if bar.last:
            n = grid.length(8)
            held = score.sound(("bass", bar.chord.root, n, 0), note, bar.chord.root, n, 0)
            bus.place(held, grid.step(bar.index, 0), 0.9)
            score.note("bass", grid.step(bar.index, 0), n, bar.chord.root, 0.9)
            continue
        rng = style.rng("bass", bar.index)
        turn = bar.place % 2 if style.genre in ("future", "bass") else 0
        line = lines[order[(bar.cycle + bar.place // 4 + turn) % len(lines)]]
        left_out = int(rng.integers(len(line))) if bar.place % 4 and rng.random() < 0.35 else -1
        for i, (step, length, above, accent) in enumerate(line):
            if i == left_out and i:
                continue
            if i and rng.random() < 0.06:
                above += 7
            if bar.place % 8 == 7 and step >= 12:
                above += 2
            midi = _above(score, bar.chord.degree, bar.chord.root, above)
            variant = (i + bar.place) % len(rates) if voice == "growl" and length >= 2 else 0
            if voice == "acid":  # the filter opens through each phrase of eight bars, and every third accent jumps out
                variant = min(7, bar.place % 8 + (2 if (step * 5 + bar.index) % 3 == 0 else 0))
            n = grid.length(length * 0.94)
            sound = score.sound(("bass", midi, n, variant), note, midi, n, variant)
            force = level * human(rng, accent, 0.06)
            bus.place(sound, grid.step(bar.index, step), force)
            score.note("bass", grid.step(bar.index, step), n, midi, force)
        if bar.section == "drop" and bar.left == 0 and style.genre in ("bass", "future") and not style.form.bass:
            n = grid.length(2)
            fall = score.sound(("bass fall", bar.chord.root), _fall, hertz(bar.chord.root + 24), n)
            bus.place(fall, grid.step(bar.index, 14), 0.35 * level)


def _above(score: Score, degree: int, root: int, steps: int) -> int:
    """The scale note `steps` above a chord's root, in the bass register (7 is the octave)."""
    key = score.style.key
    return root + key.midi(degree + steps, 0) - key.midi(degree, 0)


def _fall(hz: float, n: int) -> np.ndarray:
    sound = glide("saw", np.geomspace(hz, hz / 8, n))
    return equalise(lowpass(sound, 1800), "peak", 500, 3.0) * envelope(n, 0.005, 0.05)
