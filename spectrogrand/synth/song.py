"""A whole song: plan it, let every voice play, mix with side-chain, reverb and delay, and master."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..types import Plan, Section
from .arrangement import Bar, lay_out, plan_sections
from .bass import play_bass
from .chords import play_chords, play_pad
from .drums import play_clap, play_hats, play_kick, play_perc
from .effects import play_effects
from .filters import sweep
from .mastering import master
from .melody import play_arp, play_lead
from .mixing import Bus, around, convolve, duck, echoes, highpass, room
from .score import Score
from .style import Style
from .textures import play_textures
from .timing import RATE, Grid, nearest_sample


@dataclass(frozen=True)
class Channel:
    """A strip of the mixing desk: who plays, how loud, how deep the side-chain, how much to reverb and delay, sweepable."""

    play: Callable[[Score, Bus], None]
    gain: float
    duck: float = 0.0
    reverb: float = 0.0
    delay: float = 0.0
    swept: bool = False


_DESK = {
    "kick": Channel(play_kick, 0.95),
    "clap": Channel(play_clap, 0.5, reverb=0.16),
    "hats": Channel(play_hats, 0.62, duck=0.12, reverb=0.03),
    "perc": Channel(play_perc, 0.5, reverb=0.12, delay=0.05),
    "bass": Channel(play_bass, 0.62, duck=0.9),
    "chords": Channel(play_chords, 0.30, duck=0.78, reverb=0.2, delay=0.05, swept=True),
    "pad": Channel(play_pad, 0.26, duck=0.8, reverb=0.3, swept=True),
    "arp": Channel(play_arp, 0.42, duck=0.5, reverb=0.2, delay=0.3, swept=True),
    "lead": Channel(play_lead, 0.44, duck=0.45, reverb=0.2, delay=0.22, swept=True),
    "texture": Channel(play_textures, 0.55, duck=0.4, reverb=0.2),
    "effects": Channel(play_effects, 0.55, duck=0.2, reverb=0.15),
}
_TRIM = {
    "future": {"chords": 1.15, "lead": 0.9},
    "bass": {"bass": 1.15, "chords": 0.8, "pad": 0.6, "lead": 0.8},
    "progressive": {"chords": 1.0, "bass": 0.9},
    "melodic": {"clap": 0.7, "hats": 0.75, "pad": 1.2, "chords": 1.1, "kick": 0.95},
}


def plan_song(style: Style, seconds: Fraction, loop: bool) -> tuple[Score, Plan]:
    """Lay out a song of `seconds` (in a loop: of the nearest whole number of bars) and declare it."""
    if loop:
        bars, style = _fit_loop(style, seconds)
    grid = Grid(style.tempo, style.swing)
    length = nearest_sample(seconds * RATE)
    if loop:
        length = nearest_sample(bars * grid.bar_samples)
        tail = False
    else:
        whole = Fraction(length) / grid.bar_samples
        bars = max(1, whole.numerator // whole.denominator)
        tail = whole >= 1 and (whole - bars) * grid.bar_samples > 0.3 * RATE
    laid = lay_out(style, plan_sections(bars, loop), tail)
    score = Score(style, grid, laid, length, loop)
    beat = float(grid.beat_samples) / RATE
    end = float(Fraction(length, RATE))
    count = int(np.ceil(end / beat - 1e-9))
    beats = tuple(float(k * 60 / style.tempo) for k in range(count))
    starts = [b.start for b in laid if b.place == 0]
    edges = [float(4 * s * 60 / style.tempo) for s in starts] + [end]
    names = [laid[s].section for s in starts]
    sections = tuple(Section(n, a, b) for n, a, b in zip(names, edges, edges[1:], strict=False))
    plan = Plan(float(style.tempo), style.key.name, style.key.mode, style.genre, beats, beats[::4], sections)
    return score, plan


def _fit_loop(style: Style, seconds: Fraction) -> tuple[int, Style]:
    """Whole bars nearest to the wanted length; groups of four (or two) bars where they come within a bar of it."""
    exact = seconds * style.tempo / 240
    bars = max(1, round(exact))
    for group in (4, 2):
        near = group * max(1, round(exact / group))
        if abs(near - exact) <= Fraction(1, 2) * group / 2:
            bars = near
            break
    return bars, style


def render(score: Score) -> np.ndarray:
    """Play, mix and master a score: float32, shape=(2, length)."""
    style, mood, length, loop = score.style, score.mood, score.length, score.loop
    mix = np.zeros((2, length), np.float32)
    to_reverb, to_delay = np.zeros_like(mix), np.zeros_like(mix)
    pump: np.ndarray | None = None
    recovery = 60 / float(style.tempo) * (0.62 + 0.12 * mood.era)
    wet = float(np.clip(1 + 0.75 * mood.space, 0.3, 2.0))
    for name, channel in _DESK.items():
        bus = Bus(length, loop)
        channel.play(score, bus)
        x = bus.x
        if not x.any():
            continue
        if pump is None and name != "kick":
            pump = duck(sorted(score.kicks), length, loop, 1.0, recovery)
        if channel.swept:
            _automate(score, x)
        x *= np.float32(channel.gain * _TRIM[style.genre].get(name, 1.0))
        if channel.duck and pump is not None:
            depth = np.float32(min(1.0, channel.duck * (1 + 0.12 * mood.era)))
            x *= 1 - depth * (1 - pump)
        mix += x
        if channel.reverb:
            to_reverb += x * np.float32(channel.reverb * wet)
        if channel.delay:
            to_delay += x * np.float32(channel.delay * wet)
    if to_delay.any():
        three = nearest_sample(score.grid.beat_samples * Fraction(3, 4))
        wet_delay = echoes(to_delay, three, loop, 0.55 + 0.08 * mood.space)
        mix += wet_delay
        to_reverb += np.float32(0.3) * wet_delay
    response = room(style.taste("room"), 1.5 * 2 ** (0.9 * mood.space), 0.5 - 0.35 * mood.brightness)
    tail = convolve(around(to_reverb, loop, lambda y: highpass(y, 220)), response, loop)
    if pump is not None:
        tail *= 0.45 + 0.55 * pump
    mix += tail
    out = master(mix, loop, 2.2 * mood.brightness)
    return out if loop else _edges(score, out)


def _automate(score: Score, x: np.ndarray) -> None:
    """Close the filter on the music through intro and outro, and open it through each build, in place."""
    spans = {"intro": (700.0, 2500.0), "build": (900.0, 9000.0), "outro": (4500.0, 500.0), "break": (2200.0, 5000.0)}
    for first in (b for b in score.bars if b.place == 0 and b.section in spans):
        start = score.grid.step(first.start, 0)
        stop = min(score.length, score.grid.step(first.start + first.count, 0))
        if stop <= start or not x[:, start:stop].any():
            continue
        low, high = spans[first.section]
        cutoff = np.geomspace(low, high, stop - start).astype(np.float32)
        swept = sweep(x[:, start:stop], cutoff)
        fade = min(512, (stop - start) // 2)
        ramp = np.linspace(0, 1, fade, dtype=np.float32)
        swept[:, :fade] = swept[:, :fade] * ramp + x[:, start : start + fade] * (1 - ramp)
        swept[:, -fade:] = swept[:, -fade:] * ramp[::-1] + x[:, stop - fade : stop] * (1 - ramp[::-1])
        x[:, start:stop] = swept


def _edges(score: Score, x: np.ndarray) -> np.ndarray:
    """No click at either end: half a millisecond in, and out over the closing bar or the last 50 ms."""
    bars: list[Bar] = score.bars
    n = x.shape[1]
    into = min(n // 2, 22)
    out = n - score.grid.step(bars[-1].index, 0) if bars[-1].last else int(0.05 * RATE)
    out = min(n // 2, int(out * 0.8)) if bars[-1].last else min(n // 2, out)
    x[:, :into] *= np.linspace(0, 1, into, dtype=np.float32)
    if out:
        x[:, n - out :] *= np.cos(np.linspace(0, np.pi / 2, out)).clip(0).astype(np.float32) ** 1.5
        x[:, -1] = 0
    return x
