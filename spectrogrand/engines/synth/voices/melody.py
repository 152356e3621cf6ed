"""Arpeggios and leads: notes from the chords and the scale, phrased in questions and answers."""

from __future__ import annotations

import numpy as np

from ..arrangement import Bar
from ..mixing import Bus
from ..score import Score, human
from .chords import supersaw
from .filters import formant, highpass, lowpass, sweep
from .oscillators import decay, envelope, glide, hertz, seconds, sine, wave
from .played import PLAYED, SUSTAINED, play_note

# rhythms of a lead's bar, calm to busy: (sixteenth, length in sixteenths)
_CELLS: tuple[tuple[tuple[tuple[int, float], ...], ...], ...] = (
    (((0, 6.0), (6, 2.0), (8, 7.5)), ((0, 8.0), (8, 4.0), (12, 4.0)), ((2, 6.0), (8, 8.0)), ((0, 12.0), (12, 4.0))),
    (
        ((0, 3.0), (3, 3.0), (6, 4.0), (10, 2.0), (12, 4.0)),
        ((0, 4.0), (4, 2.0), (6, 2.0), (8, 6.0), (14, 2.0)),
        ((2, 2.0), (4, 4.0), (8, 2.0), (10, 2.0), (12, 4.0)),
        ((0, 2.0), (2, 4.0), (6, 2.0), (8, 3.0), (11, 5.0)),
    ),
    (
        ((0, 1.5), (3, 1.0), (4, 1.0), (7, 1.5), (10, 2.0), (13, 1.0)),
        ((2, 1.0), (3, 1.5), (6, 1.0), (8, 2.5), (12, 1.0), (14, 1.5)),
        ((0, 1.0), (2, 1.0), (3, 1.0), (6, 2.0), (8, 1.0), (10, 1.0), (11, 1.0), (14, 2.0)),
        ((0, 2.0), (3, 1.0), (6, 2.0), (8, 2.0), (11, 1.0), (12, 1.0), (14, 1.0)),
    ),
)
_CALLS = (((0, 1.0), (3, 1.0), (6, 1.0)), ((4, 1.0), (7, 1.0), (10, 1.0), (13, 2.0)))
"""Bass house's short calls between the growls."""


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
            force = 0.5 * level * swell * human(rng, accent)
            bus.place(sound, grid.step(bar.index, step), force, 0.35 * (-1) ** step)
            score.note("arp", grid.step(bar.index, step), n, midi, force)


def _motif(score: Score) -> tuple[tuple[tuple[int, float], ...], list[int]]:
    """The song's motif: a rhythm and a contour in scale steps. Energy makes it busy, valence lets it rise, tension leap."""
    style, mood = score.style, score.mood
    rng = style.rng("motif")
    if style.genre == "bass" and style.form.name in ("club", "acid"):
        cells: tuple[tuple[tuple[int, float], ...], ...] = _CALLS
    else:
        calm = style.take.quiet + style.form.soft_opening
        cells = _CELLS[int(np.clip(round(1 + 1.2 * mood.energy + rng.uniform(-0.5, 0.5)) - calm, 0, 2))]
    cell = cells[int(rng.integers(len(cells)))]
    climb = 0.9 * mood.valence + rng.uniform(-0.3, 0.3)
    leap = 1.0 + 1.2 * max(0.0, mood.tension) + 0.4 * mood.energy
    contour = [0]
    for _ in cell[1:]:
        step = rng.normal(0.8 * climb, leap)
        contour.append(int(np.clip(contour[-1] + (np.sign(step) if abs(step) < 1 else round(step)), -5, 6)))
    return cell, contour


def _phrase(score: Score, bar: Bar) -> list[tuple[int, float, int]]:
    """Lead notes of a bar as (sixteenth, length, MIDI): motif, answer, motif varied, cadence; strong beats take chord notes."""
    style, mood = score.style, score.mood
    if score.melody:
        first = bar.place * 16 % score.melody_steps
        return [(at - first, length, midi) for at, length, midi in score.melody if first <= at < first + 16]
    cell, contour = _motif(score)
    rng = style.rng("lead", bar.place // 4, bar.cycle, bar.place % 4)
    centre = {"future": 72, "bass": 62, "progressive": 74, "melodic": 71}[style.genre] + style.register
    scale = sorted({style.key.midi(d, o) for d in range(7) for o in (2, 3, 4, 5, 6)})
    tones = {m % 12 for m in bar.chord.notes}
    chordal = [i for i, m in enumerate(scale) if m % 12 in tones]
    role = bar.place % 4
    around = centre + (0, 2 if mood.valence > 0 else -2, 0, -1)[role]
    at = min(chordal, key=lambda i: abs(scale[i] - around))
    mirror = -1 if role == 1 and (bar.place // 8 + bar.cycle) % 2 else 1
    notes = []
    for k, (step, length) in enumerate(cell):
        place = int(np.clip(at + mirror * contour[k], 0, len(scale) - 1))
        if role == 2 and k and rng.random() < 0.3:  # the variation: one or two notes move
            place = int(np.clip(place + rng.choice((-1, 1)), 0, len(scale) - 1))
        if step % 4 == 0 or length >= 3:
            place = min(chordal, key=lambda i: (abs(i - place), i))
        notes.append((step, length, scale[place]))
    if role == 3:  # the cadence: home on the tonic or its fifth, held
        step, _, midi = notes[-1]
        home = {style.key.midi(0, 0) % 12, style.key.midi(4, 0) % 12} & tones or tones
        notes[-1] = (
            step,
            max(2.0, 15.5 - step),
            min((m for m in scale if m % 12 in home), key=lambda m: abs(m - midi)),
        )
    return notes


def play_lead(score: Score, bus: Bus) -> None:
    """The tune, in the drops (bass house: short calls between the growls), leaving room in every fourth bar."""
    style, mood, grid = score.style, score.mood, score.grid
    for bar, level in score.playing("lead"):
        calls = style.genre in ("bass", "melodic") and style.form.name == "club"
        if bar.last or (calls and bar.place % 4 == 2 and not score.melody):
            continue
        rng = style.rng("lead", "velocity", bar.index)
        before = 0
        for step, length, midi in _phrase(score, bar):
            n = grid.length(length * 0.95)
            start = before if before and style.genre != "progressive" else midi
            force = level * human(rng, 0.95, 0.07)
            if style.lead in PLAYED:
                n = max(n, grid.length(2)) if style.lead in SUSTAINED else max(n, grid.length(6))
                sound = score.sound(("lead", midi, n), play_note, style.lead, midi, n, mood.brightness)
            else:
                voice = {"vocal": "future", "acid": "bass", "saw": "progressive"}.get(style.lead or "", style.genre)
                sound = score.sound(
                    ("lead", midi, start, n), _lead, voice, hertz(midi), hertz(start), n, mood.brightness
                )
            before = midi
            bus.place(sound, grid.step(bar.index, step), 0.5 * force)
            score.note("lead", grid.step(bar.index, step), grid.length(length * 0.95), midi, force)
