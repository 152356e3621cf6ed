"""Arpeggios and leads: notes from the chords and the scale, phrased in questions and answers."""

from __future__ import annotations

import numpy as np

from ..arrangement import Bar
from ..mixing import Bus
from ..score import Score, human
from .chords import supersaw
from .filters import formant, highpass, lowpass, sweep
from .oscillators import decay, envelope, glide, hertz, seconds, sine, wave

_CELLS: dict[str, tuple[tuple[tuple[int, float], ...], ...]] = {
    # rhythms of a lead bar: (sixteenth, length in sixteenths)
    "future": (
        ((0, 1.5), (3, 1.0), (4, 1.0), (7, 1.5), (10, 2.0), (13, 1.0)),
        ((2, 1.0), (3, 1.5), (6, 1.0), (8, 2.5), (12, 1.0), (14, 1.5)),
    ),
    "bass": (((0, 1.0), (3, 1.0), (6, 1.0)), ((4, 1.0), (7, 1.0), (10, 1.0), (13, 2.0))),
    "progressive": (
        ((0, 3.0), (3, 3.0), (6, 4.0), (10, 2.0), (12, 4.0)),
        ((0, 6.0), (6, 2.0), (8, 3.0), (11, 3.0), (14, 2.0)),
    ),
    "melodic": (((0, 5.0), (6, 2.0), (10, 5.0)), ((2, 4.0), (7, 3.0), (12, 4.0))),
}


def _pluck(hz: float, n: int, bright: float, glassy: float) -> np.ndarray:
    """A saw and a pulse with a snapping filter; `glassy` in [0, 1] turns it into an FM bell."""
    raw = 0.6 * wave("saw", hz, n) + 0.5 * wave("square", hz * 1.003, n, 0.3)
    body = sweep(raw, 350 + 3800 * 2 ** (0.9 * bright) * decay(n, 0.075), q=1.5) * decay(n, 0.22)
    if glassy > 0:
        t = 2 * np.pi * hz * seconds(n)
        bell = np.sin(t + 1.6 * decay(n, 0.12) * np.sin(3.5 * t)).astype(np.float32) * decay(n, 0.28)
        body = (1 - glassy) * body + glassy * bell
    return body * envelope(n, 0.0015, 0.03) * np.float32(0.8)


def _lead(genre: str, hz: float, before: float, n: int, bright: float) -> np.ndarray:
    """The lead's sound: chopped voice (future), acid square (bass), saw anthem (progressive), soft sine (melodic)."""
    t = seconds(n)
    slide = hz * (before / hz) ** np.exp(-t / 0.028)
    vibrato = 1 + 0.005 * np.sin(2 * np.pi * 5.4 * t) * np.minimum(1, t / 0.25)
    if genre == "future":
        vowel = "aoe"[int(hz) % 3]
        made = formant(glide("vocal", slide * vibrato), vowel) * 2.2 + 0.15 * glide("saw", slide)
        return lowpass(made, 7000) * envelope(n, 0.006, 0.04, 0.7, 0.2) * np.float32(0.9)
    if genre == "bass":
        raw = glide("square", slide)
        made = sweep(raw, 300 + 3200 * 2**bright * decay(n, 0.09), q=4.0)
        return highpass(np.tanh(2.0 * made), 200) * envelope(n, 0.002, 0.03) * np.float32(0.55)
    if genre == "progressive":
        midi = 69 + 12 * np.log2(hz / 440)
        made = supersaw(midi, n, 7, 18, 0.8) + 0.5 * supersaw(midi + 12, n, 5, 16, 1.0)
        return (
            highpass(lowpass(made, 6500 * 2 ** (0.7 * bright)), 250)
            * envelope(n, 0.008, 0.06, 0.8, 0.3)
            * np.float32(0.5)
        )
    soft = sine(slide * vibrato, n) + 0.35 * glide("triangle", slide * vibrato, 0.25) + 0.12 * glide("saw", slide)
    return lowpass(soft, 3800 * 2 ** (0.8 * bright)) * envelope(n, 0.03, 0.09, 0.75, 0.5) * np.float32(0.75)


def play_arp(score: Score, bus: Bus) -> None:
    """Sixteenths through the chord in a shape that changes every four bars, opening towards each phrase's end."""
    style, mood, grid = score.style, score.mood, score.grid
    take = style.rng("arp")
    geometric = mood.motif("geometry")
    glassy = float(np.clip(0.25 * mood.space + 2.5 * geometric + (0.2 if style.genre == "melodic" else 0.0), 0, 1))
    shapes = [take.permutation(8) for _ in range(7)]
    period = 3 if geometric > 0.25 or style.genre == "melodic" else 4
    for bar, level in score.playing("arp"):
        if bar.last:
            continue
        rng = style.rng("arp", bar.index)
        ladder = [*bar.chord.notes, *(m + 12 for m in bar.chord.notes)]
        shape = shapes[(bar.place // 4 + bar.cycle) % len(shapes)]
        dense = style.genre == "progressive" or bar.section in ("break", "build")
        for step in range(16):
            place = bar.place * 16 + step
            accent = 1.0 if place % period == 0 else 0.55
            if not dense and (step * 5 + bar.place) % 3 == 0 or rng.random() < 0.08:
                continue
            midi = ladder[int(shape[place % 8]) % len(ladder)] + (12 if style.genre == "progressive" else 0)
            n = grid.length(3)
            sound = score.sound(("arp", midi), _pluck, hertz(midi), n, mood.brightness, glassy)
            swell = 0.75 + 0.25 * np.sin(2 * np.pi * (bar.place + step / 16) / 8 - 1.2)
            bus.place(sound, grid.step(bar.index, step), 0.5 * level * swell * human(rng, accent), 0.35 * (-1) ** step)


def _phrase(score: Score, bar: Bar) -> list[tuple[int, float, int]]:
    """Lead notes of a bar as (sixteenth, length, MIDI): cells repeat A A' A B over four bars; strong beats take chord notes."""
    style = score.style
    part = bar.place // 8
    rng = style.rng("lead", part, bar.cycle, (0, 0, 0, 1)[bar.place % 4])
    cell = _CELLS[style.genre][int(rng.integers(2))]
    centre = {"future": 72, "bass": 60, "progressive": 74, "melodic": 72}[style.genre]
    scale = sorted({style.key.midi(d, o) for d in range(7) for o in (3, 4, 5, 6)})
    tones = {m % 12 for m in bar.chord.notes}
    at = min(range(len(scale)), key=lambda i: abs(scale[i] - centre)) + int(rng.integers(-2, 3))
    notes = []
    for step, length in cell:
        at = int(np.clip(at + rng.choice((-2, -1, -1, 0, 1, 1, 2)), 0, len(scale) - 1))
        while abs(scale[at] - centre) > 9:
            at += 1 if scale[at] < centre else -1
        place = at
        if step % 4 == 0 or length >= 3:
            place = min((i for i in range(len(scale)) if scale[i] % 12 in tones), key=lambda i: (abs(i - at), i))
        notes.append((step, length, scale[place]))
    if bar.place % 4 == 1:  # the answer ends elsewhere
        step, length, midi = notes[-1]
        notes[-1] = (step, length, min((m for m in scale if m % 12 in tones), key=lambda m: (abs(m - midi - 4), m)))
    return notes


def play_lead(score: Score, bus: Bus) -> None:
    """The tune, in the drops (bass house: short calls between the growls), leaving room in every fourth bar."""
    style, mood, grid = score.style, score.mood, score.grid
    for bar, level in score.playing("lead"):
        if bar.last or (style.genre in ("bass", "melodic") and bar.place % 4 == 2):
            continue
        rng = style.rng("lead", "velocity", bar.index)
        before = 0
        for step, length, midi in _phrase(score, bar):
            n = grid.length(length * 0.95)
            start = before if before and style.genre != "progressive" else midi
            key = ("lead", midi, start, n)
            sound = score.sound(key, _lead, style.genre, hertz(midi), hertz(start), n, mood.brightness)
            before = midi
            bus.place(sound, grid.step(bar.index, step), 0.5 * level * human(rng, 0.95, 0.07))
