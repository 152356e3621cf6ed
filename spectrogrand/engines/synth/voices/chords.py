"""Chords and pads: supersaws, stabs, organ and piano-like keys, and slow pads, voiced by `harmony`."""

from __future__ import annotations

import numpy as np

from ..mixing import Bus
from ..score import Score, human
from .filters import formant, highpass, lowpass, sweep
from .oscillators import decay, envelope, hertz, seconds, sine, wave
from .played import play_together

# a bar of chords: (sixteenth, length in sixteenths, accent)
Rhythm = tuple[tuple[int, float, float], ...]
_RHYTHMS: dict[str, tuple[Rhythm, ...]] = {
    "future": (
        ((0, 2.6, 1.0), (3, 2.6, 0.9), (6, 3.5, 1.0), (11, 1.6, 0.8), (13, 2.8, 0.9)),
        ((0, 1.5, 1.0), (3, 1.5, 0.8), (6, 1.5, 1.0), (8, 1.5, 0.7), (10, 2.8, 1.0), (14, 1.8, 0.9)),
        ((2, 3.6, 1.0), (7, 2.6, 0.9), (10, 2.6, 1.0), (14, 2.0, 0.8)),
    ),
    "bass": (
        ((3, 1.0, 0.9), (11, 1.0, 0.8)),
        ((2, 1.0, 0.8), (5, 1.0, 0.9), (10, 1.0, 0.8)),
        ((6, 1.5, 1.0), (14, 1.5, 0.8)),
    ),
    "progressive": (
        ((0, 5.8, 1.0), (6, 5.8, 0.95), (12, 3.9, 0.9)),
        ((0, 2.9, 1.0), (3, 2.9, 0.9), (6, 3.9, 1.0), (10, 2.9, 0.9), (13, 2.9, 0.9)),
        ((0, 3.6, 1.0), (4, 3.6, 0.8), (8, 3.6, 1.0), (12, 3.6, 0.85)),
    ),
    "melodic": (
        ((2, 2.0, 0.8), (7, 2.5, 0.9), (12, 1.5, 0.6)),
        ((3, 3.0, 0.9), (10, 3.0, 0.8)),
        ((0, 6.0, 0.8), (6, 4.0, 0.7), (11, 4.5, 0.8)),
    ),
    "piano": (
        ((0, 2.5, 1.0), (3, 2.5, 0.8), (6, 3.5, 0.9), (10, 1.8, 0.7), (12, 3.5, 0.9)),
        ((0, 3.5, 1.0), (4, 1.8, 0.7), (6, 3.5, 0.9), (11, 4.5, 0.8)),
        ((2, 1.8, 0.8), (4, 3.0, 0.9), (8, 1.8, 0.7), (10, 4.5, 1.0)),
    ),
    "held": (((0, 15.5, 0.9),), ((0, 9.5, 0.9), (10, 5.5, 0.7)), ((0, 11.5, 0.9), (12, 3.8, 0.8))),
}


_HELD: tuple[Rhythm, ...] = (
    ((0, 7.8, 0.9), (8, 7.6, 0.8)),
    ((0, 5.8, 0.9), (6, 5.8, 0.8), (12, 3.8, 0.7)),
    ((0, 3.8, 0.9), (4, 3.8, 0.7), (8, 7.6, 0.9)),
    ((0, 11.8, 0.9), (12, 3.8, 0.8)),
)
"""Chords of the breaks."""


def supersaw(midi: float, n: int, voices: int, cents: float, width: float) -> np.ndarray:
    """Detuned saws across the stereo field, shape=(2, n); `cents` from the middle voice to the outermost."""
    out = np.zeros((2, n), np.float32)
    for k in range(voices):
        place = 0.0 if voices == 1 else 2 * k / (voices - 1) - 1
        saw = wave("saw", hertz(midi + cents / 100 * place * (1 + 0.07 * k % 3)), n, (k * 0.618 + midi * 0.377) % 1)
        pan = width * place * (1 if k % 2 else -1)
        out[0] += saw * np.float32(np.cos((pan + 1) * np.pi / 4))
        out[1] += saw * np.float32(np.sin((pan + 1) * np.pi / 4))
    return out * np.float32(1.3 / np.sqrt(voices))


def _saws(notes: tuple[int, ...], n: int, voices: int, bright: float) -> np.ndarray:
    out = np.zeros((2, n), np.float32)
    for i, midi in enumerate(notes):
        out += supersaw(midi, n, voices, 16, 0.9)
        if i == len(notes) - 1:
            out += 0.45 * supersaw(midi + 12, n, voices, 20, 1.0)
    cutoff = 900 * 2 ** (0.8 * bright) + 7000 * 2 ** (0.7 * bright) * (0.4 + 0.6 * decay(n, 0.16))
    return highpass(sweep(out, cutoff), 170) * envelope(n, 0.004, 0.035, 0.72, 0.18) * np.float32(0.42)


def _stab(notes: tuple[int, ...], n: int, bright: float) -> np.ndarray:
    """A short minor-chord hit as sampled from old records: saws and a square, filter snapping shut."""
    raw = np.zeros((2, n), np.float32)
    for midi in notes:
        raw += supersaw(midi, n, 3, 9, 0.6) + 0.4 * wave("square", hertz(midi + 12), n)
    cutoff = 500 + (3600 * 2 ** (0.8 * bright)) * decay(n, 0.06)
    return highpass(sweep(raw, cutoff, q=1.6), 180) * envelope(n, 0.002, 0.04, 0.35, 0.12) * np.float32(0.4)


def _keys(notes: tuple[int, ...], n: int, bright: float, organ: bool) -> np.ndarray:
    """An organ, or an electric piano (FM at 1:1 and 1:14), for older eras and soft moods."""
    out = np.zeros((2, n), np.float32)
    for i, midi in enumerate(notes):
        hz = hertz(midi)
        if organ:
            tone = wave("organ", hz, n, 0.2 * i) * envelope(n, 0.003, 0.03, 0.6, 0.15)
            tone = tone + 0.3 * sine(3 * hz, n) * decay(n, 0.05)
        else:
            t = 2 * np.pi * hz * seconds(n)
            tine = (0.35 + 0.2 * bright) * decay(n, 0.1) * np.sin(14 * t)
            tone = np.sin(t + (0.9 + 0.5 * bright) * decay(n, 0.5) * np.sin(t) + tine).astype(np.float32)
            tone *= envelope(n, 0.002, 0.06, 0.25, 0.5)
        pan = (i / max(1, len(notes) - 1) - 0.5) * 0.8
        out += np.stack([tone * np.float32(np.sqrt(0.5 - pan / 2)), tone * np.float32(np.sqrt(0.5 + pan / 2))])
    return highpass(lowpass(out, 5200 * 2 ** (0.8 * bright)), 150) * np.float32(0.5)


def _pad(notes: tuple[int, ...], n: int, bright: float, space: float, vocal: float, tremolo: float) -> np.ndarray:
    """A slow chord: detuned saws under a drifting low-pass, a choir where the topic has faces, a swell in and out."""
    out = np.zeros((2, n), np.float32)
    for midi in notes:
        out += supersaw(midi, n, 5, 11, 1.0)
        if midi == notes[-1]:
            out += 0.25 * supersaw(midi + 12, n, 3, 14, 1.0)
    t = seconds(n)
    cutoff = 750 * 2 ** (0.9 * bright) * 2 ** (0.5 * np.sin(2 * np.pi * 0.13 * t))
    made = 1.4 * sweep(out, cutoff)
    if vocal > 0.12:
        made = (1 - vocal) * made + 2.4 * vocal * formant(out, "a")
    if tremolo > 0.12:
        made = made * (1 - min(0.8, tremolo) * (0.5 + 0.5 * np.sin(2 * np.pi * 4.2 * t)))
    return highpass(made, 190) * envelope(n, 0.12 + 0.1 * space, 0.12) * np.float32(0.36)


def play_chords(score: Score, bus: Bus) -> None:
    """Rhythmic chords: the instrument follows the sub-genre and the era, the figure the take."""
    style, mood, grid = score.style, score.mood, score.grid
    rhythms = _RHYTHMS[style.form.rhythm or style.genre]
    voice = style.form.chords
    if style.wishes.instruments and style.take.number in (0, 2, 3):
        asked = [
            i for i in style.wishes.instruments if i in ("piano", "harp", "pluck", "strings", "choir", "organ", "brass")
        ]
        voice = asked[0] if asked else voice
    order = style.rng("chords").permutation(len(rhythms))
    retro = mood.era < -0.25

    def sound(notes: tuple[int, ...], n: int, section: str) -> np.ndarray:
        if voice == "stab":
            return _stab(notes, n, mood.brightness)
        if voice:
            return play_together(voice, notes, n, mood.brightness)
        if style.genre == "melodic" or (retro and style.genre != "bass"):
            return _keys(notes, n, mood.brightness, organ=style.genre == "future" or mood.era < -0.6)
        if style.genre == "bass":
            return _stab(notes, n, mood.brightness)
        return _saws(notes, n, 7 if section == "drop" else 5, mood.brightness)

    for bar, level in score.playing("chords"):
        rng = style.rng("chords", bar.index)
        rhythm = rhythms[order[(bar.place // 8 + bar.cycle) % len(rhythms)]]
        if bar.place % 4 == 3:
            rhythm = rhythms[order[(bar.place // 8 + bar.cycle + 1) % len(rhythms)]]
        if bar.section == "break":
            stabs = style.genre == "bass" and not voice
            rhythm = tuple((s, 2.0, 0.9) for s in (0, 4, 8, 12)) if stabs else _HELD[int(rng.integers(len(_HELD)))]
        if bar.last:
            rhythm = ((0, 10.0, 1.0),)
        for step, length, accent in rhythm:
            n = grid.length(min(length, 16 - step if not bar.last else length) * 0.97)
            key = ("chord", bar.chord.notes, n, bar.section == "drop")
            made = score.sound(key, sound, bar.chord.notes, n, bar.section)
            force = level * human(rng, accent, 0.06)
            bus.place(made, grid.step(bar.index, step), force)
            for midi in bar.chord.notes:
                score.note("chords", grid.step(bar.index, step), n, midi, force)


def play_pad(score: Score, bus: Bus) -> None:
    """One pad chord to a bar, each overlapping the next a little."""
    mood = score.mood
    choir = 0.8 if "choir" in score.style.wishes.instruments else min(0.8, 3 * mood.motif("faces"))
    tremolo = min(0.8, 3 * mood.motif("waves"))
    for bar, level in score.playing("pad"):
        if bar.last:
            continue
        n = score.grid.length(16.6)
        sound = score.sound(
            ("pad", bar.chord.notes), _pad, bar.chord.notes, n, mood.brightness, mood.space, choir, tremolo
        )
        rise = (0.8 + 0.2 * (bar.place + 1) / bar.count) if bar.section == "build" else 1.0
        bus.place(sound, score.grid.step(bar.index, 0), level * rise)
        for midi in bar.chord.notes:
            score.note("pad", score.grid.step(bar.index, 0), score.grid.length(16), midi, min(1.0, level * rise))
