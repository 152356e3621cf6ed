"""The drummer: kick, clap and snare, hats, percussion and fills, by sub-genre, era and energy."""

from __future__ import annotations

import numpy as np

from ..mixing import Bus
from ..score import Score, human, steps
from ..timing import RATE
from . import kit
from .filters import highpass
from .oscillators import hertz

_KICK = {
    "future": (0.75, 0.36, 1.6), "bass": (1.0, 0.33, 2.6), "progressive": (0.55, 0.40, 1.5), "melodic": (0.3, 0.42, 1.2),
}  # fmt: skip
"""punch, length in seconds, drive"""
_CLOSED = {
    "future": ("o.-.o.-.o.-.o.--", "o-.-o-.-o-.-o-o-", "x-o-x-o-x-o-x-oo"),
    "bass": ("o.-.o..-o.-.o-.-", "o-o--.o.o-o--.o-", "o-x-o-xoo-x-o-xo"),
    "progressive": ("-.-.-.-.-.-.-.-.", "o.o.o.o.o.o.o.o-", "o-o-o-o-o-o-o-o-"),
    "melodic": ("-...-...-...-...", "o.-.o.-.o.-.o.-.", "o-o-o-o-o-o-o-o-"),
}
"""Closed hats at low, middle and high energy."""
_PERC = {
    "future": ("...o..-....o..-.", "..-...o..-..o...", ".....o..-....o-."),
    "bass": ("...x.-....x..-..", ".-o..-o...o.-..o", "..o..o....o..oo."),
    "progressive": ("....-..o....-.-.", "..-..-....-..-..", "...-..o....-..-."),
    "melodic": ("...-..-..-..-...", ".-..-..-..-..-..", "...o......-..o.."),
}


def tune_kick(tonic: int) -> float:
    """Hz of the kick: the tonic, in the octave from 38.5 to 77 Hz.

    >>> round(tune_kick(9), 1), round(tune_kick(0), 1)
    (55.0, 65.4)
    """
    hz = hertz(tonic + 24)
    return hz if hz > 38.5 else 2 * hz


def play_kick(score: Score, bus: Bus) -> None:
    """Four on the floor; a gap before each drop and a stumble at the end of some phrases. Fills `score.kicks`."""
    style, mood = score.style, score.mood
    punch, length, drive = _KICK[style.genre]
    tune = tune_kick(style.key.tonic)
    rng = style.taste("kick")
    punch = float(np.clip(punch + 0.15 * mood.energy + 0.15 * mood.era, 0, 1))
    length, drive = length * (1 - 0.12 * mood.era), drive * (1 + 0.3 * mood.energy)
    sound = score.sound(("kick",), kit.kick, tune, punch, length, drive, rng)
    thin = {edge: score.sound(("kick", edge), highpass, sound, edge) for edge in (60, 190)}
    for bar, level in score.playing("kick"):
        hits = steps(style.form.kick[bar.index % len(style.form.kick)])
        if bar.last:
            hits = [(4 * beat, 1.0) for beat in range(max(1, bar.beats))]
        elif bar.section == "build" and bar.left == 0 and not score.loop and bar.count > 1:
            hits = [(step, loud) for step, loud in hits if step < 8]
        for step, loud in hits:
            at = score.grid.step(bar.index, step)
            if at >= score.length:
                break
            force = human(style.rng("kick", bar.index, step // 4 if step % 4 == 0 else step + 16), level * loud, 0.02)
            score.note("kick", at, score.grid.length(1), 36, force)
            if bar.section == "drop" or bar.last:
                bus.place(sound, at, force)
            else:  # the build loses its low end, so that the drop brings it back
                bus.place(thin[190 if bar.section == "build" else 60], at, force)
            score.kicks.append(at)


def play_clap(score: Score, bus: Bus) -> None:
    """Claps on two and four, snare under them, rolls that double up through the builds."""
    style, mood = score.style, score.mood
    taste = style.taste("clap")
    tone = 1250 * 2 ** (0.35 * mood.brightness + taste.uniform(-0.15, 0.15))
    tail = 0.2 + 0.08 * mood.space
    claps = [score.sound(("clap", k), kit.clap, tail, tone, style.taste("clap", k)) for k in (0, 1)]
    snare = score.sound(("snare",), kit.snare, 0.2, 175 + 30 * mood.brightness, style.taste("snare"))
    layered = {"future": 0.55, "bass": 0.7, "progressive": 0.3, "melodic": 0.0}[style.genre]
    for bar, level in score.playing("clap"):
        rng = style.rng("clap", bar.index)
        for step, loud in steps(style.form.clap[: 4 * bar.beats]):
            at = score.grid.step(bar.index, step)
            force = level * loud * human(rng, 1.0, 0.05)
            score.note("clap", at, score.grid.length(1), 39, force)
            if style.form.kit != "break":
                bus.place(claps[step // 8], at, force)
            if style.form.kit == "break" or layered and bar.section == "drop":
                bus.place(snare, at, force if style.form.kit == "break" else layered * force)
        if bar.section == "build" and not bar.last:
            every = 1 if bar.left == 0 and bar.count > 1 else 2
            for step in range(0, 16, every):
                rise = 0.35 + 0.65 * (bar.place + step / 16) / bar.count
                force = 0.5 * level * human(rng, min(1.0, rise), 0.1)
                bus.place(snare, score.grid.step(bar.index, step), force)
                score.note("clap", score.grid.step(bar.index, step), score.grid.length(1), 38, force)
        elif bar.section == "drop" and bar.place % 4 == 3 and not bar.last:
            for step, force in steps(str(rng.choice(("..............o-", ".............oox", "...........-..oo")))):
                force = 0.55 * level * human(rng, force)
                bus.place(snare, score.grid.step(bar.index, step), force)
                score.note("clap", score.grid.step(bar.index, step), score.grid.length(1), 38, force)


def play_hats(score: Score, bus: Bus) -> None:
    """Closed hats by energy, open hats off the beat, shaker in soft genres, ride in the second half of long drops."""
    style, mood = score.style, score.mood
    edge = 7200 * 2 ** (0.3 * mood.brightness)
    metal = float(np.clip(0.45 - 0.3 * mood.era, 0.1, 0.8))
    edge *= {"dust": 0.7, "hand": 0.8}.get(style.form.kit, 1.0)
    closed = [score.sound(("hat", k), kit.hat, 0.045 + 0.006 * k, edge, metal, style.taste("hat", k)) for k in range(3)]
    opened = [
        score.sound(("open", k), kit.hat, 0.125 + 0.015 * k, 0.85 * edge, metal, style.taste("open", k)) for k in (0, 1)
    ]
    shaken = [score.sound(("shaker", k), kit.shaker, 0.09, style.taste("shaker", k)) for k in (0, 1)]
    ride = score.sound(("ride",), kit.ride, 0.7, style.taste("ride"))
    ring = 0.35 if style.genre == "melodic" else 0.5
    busy = 1 + round(float(np.clip(0.5 * mood.energy + style.taste("busy").uniform(-0.5, 0.5), -1, 1)))
    for bar, level in score.playing("hats"):
        rng = style.rng("hats", bar.index)
        density = busy if bar.section == "drop" else max(0, busy - 1)
        if bar.section == "drop" and bar.place % 8 >= 4:
            density = min(2, density + 1)
        for step, force in steps((style.form.hats or _CLOSED[style.genre][density])[: 4 * bar.beats]):
            late = int(rng.normal(0, 0.0012) * RATE)
            force = 0.5 * level * human(rng, force)
            bus.place(closed[int(rng.integers(3))], max(0, score.grid.step(bar.index, step) + late), force, -0.15)
            score.note("hats", score.grid.step(bar.index, step), score.grid.length(0.5), 42, force)
        if bar.section in ("drop", "intro", "outro"):
            for step, force in steps(style.form.opened[: 4 * bar.beats]):
                force = ring * level * human(rng, force)
                bus.place(opened[int(rng.integers(2))], score.grid.step(bar.index, step), force, 0.12)
                score.note("hats", score.grid.step(bar.index, step), score.grid.length(1), 46, force)
        if style.genre in ("melodic", "progressive") or mood.era < -0.3:
            for step in range(4 * bar.beats):
                force = (0.9, 0.35, 0.6, 0.35)[step % 4]
                force = 0.3 * level * human(rng, force, 0.15)
                bus.place(shaken[step % 2], score.grid.step(bar.index, step), force, 0.35)
                score.note("hats", score.grid.step(bar.index, step), score.grid.length(0.5), 70, force)
        if style.genre in ("progressive", "future") and bar.section == "drop" and bar.place % 8 >= 4:
            for beat in range(2 * bar.beats):
                at = score.grid.step(bar.index, 2 * beat)
                force = (0.26 if beat % 2 == 0 else 0.16) * level * human(rng, 1.0)
                bus.place(ride, at, force, -0.3)
                score.note("hats", at, score.grid.length(1), 51, force)


def play_perc(score: Score, bus: Bus) -> None:
    """A percussion figure that belongs to the take, varied every other bar: rims, congas, toms or struck metal."""
    style, mood = score.style, score.mood
    taste, take = style.taste("perc"), style.rng("perc")
    root = hertz(48 + style.key.tonic)
    kinds = ("rim", "conga", "tom", "clank")
    weights = np.array(
        [1.0 + mood.era, 1.2 - mood.era, 0.4 + mood.motif("mountains") * 6, 0.3 + mood.motif("machines") * 8]
    )
    kind = str(taste.choice(kinds, p=np.clip(weights, 0.05, None) / np.clip(weights, 0.05, None).sum()))
    if style.form.kit == "hand":
        kind = "conga" if kind in ("rim", "clank") else kind
    made = {
        "rim": lambda k: kit.rim(1650 + 380 * k, style.taste("rim", k)),
        "conga": lambda k: kit.tom(root * (1.5, 2.0, 1.0)[k], 0.16, style.taste("conga", k)),
        "tom": lambda k: kit.tom(root * (0.5, 0.75, 1.0)[k], 0.34, style.taste("tom", k)),
        "clank": lambda k: kit.clank(root * (3.1, 4.7, 2.2)[k], 0.22, style.taste("clank", k)),
    }[kind]
    hits = [score.sound(("perc", k), made, k) for k in range(3)]
    figures = style.form.perc or _PERC[style.genre]
    number = {"rim": 37, "conga": 63, "tom": 45, "clank": 76}[kind]
    first = int(take.integers(len(figures)))
    for bar, level in score.playing("perc"):
        rng = style.rng("perc", bar.index)
        figure = figures[(first + bar.place // 4 + bar.cycle) % len(figures)]
        for i, (step, force) in enumerate(steps(figure[: 4 * bar.beats])):
            if bar.place % 2 and rng.random() < 0.25:
                continue
            force = 0.4 * level * human(rng, force)
            bus.place(hits[(i + bar.place % 2) % 3], score.grid.step(bar.index, step), force, (0.4, -0.4, 0.2)[i % 3])
            score.note("perc", score.grid.step(bar.index, step), score.grid.length(1), number, force)
        if bar.section == "drop" and bar.place % 8 == 7 and not bar.last:
            for i, step in enumerate((10, 12, 13, 14, 15)):
                force = 0.45 * level * human(rng, 0.8)
                bus.place(hits[i % 3], score.grid.step(bar.index, step), force, 0.5 - 0.25 * i)
                score.note("perc", score.grid.step(bar.index, step), score.grid.length(1), number, force)
