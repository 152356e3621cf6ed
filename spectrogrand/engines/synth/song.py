"""A whole song: plan it, let every voice play, mix with side-chain, reverb and delay, and master."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ...types import Plan, Section
from .arrangement import Bar, lay_out, plan_sections
from .mastering import master, master_parts
from .mixing import Bus, around, convolve, duck, echoes, room, spans, widen
from .score import Score
from .style import Style
from .timing import RATE, Grid, nearest_sample
from .voices.bass import play_bass
from .voices.chords import play_chords, play_pad
from .voices.drums import play_clap, play_hats, play_kick, play_perc
from .voices.effects import play_effects
from .voices.filters import highpass, sweep
from .voices.melody import play_arp, play_lead
from .voices.textures import play_textures


@dataclass(frozen=True)
class Channel:
    """A strip of the mixing desk: who plays, side-chain depth, sends to reverb and delay, whether it is swept, width."""

    play: Callable[[Score, Bus], None]
    duck: float = 0.0
    reverb: float = 0.0
    delay: float = 0.0
    swept: bool = False
    width: float = 1.0


_DESK = {
    "kick": Channel(play_kick),
    "clap": Channel(play_clap, reverb=0.2, width=1.3),
    "hats": Channel(play_hats, duck=0.12, reverb=0.05, width=1.5),
    "perc": Channel(play_perc, reverb=0.15, delay=0.06, width=1.3),
    "bass": Channel(play_bass, duck=0.9),
    "chords": Channel(play_chords, duck=0.78, reverb=0.22, delay=0.05, swept=True, width=1.7),
    "pad": Channel(play_pad, duck=0.8, reverb=0.35, swept=True, width=1.7),
    "arp": Channel(play_arp, duck=0.5, reverb=0.22, delay=0.32, swept=True, width=1.5),
    "lead": Channel(play_lead, duck=0.45, reverb=0.22, delay=0.24, swept=True, width=1.4),
    "texture": Channel(play_textures, duck=0.4, reverb=0.2, width=1.4),
    "effects": Channel(play_effects, duck=0.2, reverb=0.15, width=1.4),
}
_LEVEL = {
    # power of each track in the drop against the kick's, in dB, before the side-chain
    "future": {
        "clap": -11, "hats": -16, "perc": -20, "bass": -5, "chords": -7, "pad": -19, "arp": -16, "lead": -10, "texture": -21,
    },
    "bass": {
        "clap": -11, "hats": -16, "perc": -17, "bass": -3, "chords": -12, "pad": -20, "arp": -20, "lead": -13, "texture": -21,
    },
    "progressive": {
        "clap": -14, "hats": -16, "perc": -21, "bass": -6, "chords": -7, "pad": -14, "arp": -11, "lead": -9, "texture": -21,
    },
    "melodic": {
        "clap": -16, "hats": -19, "perc": -19, "bass": -5, "chords": -11, "pad": -11, "arp": -9, "lead": -11, "texture": -19,
    },
}  # fmt: skip
_KICK_RMS = 0.37
_EFFECTS = 0.6


def _fader(score: Score, name: str, x: np.ndarray) -> float:
    """The gain that sets a track where `_LEVEL` wants it, measured in the drops (where it is silent there: anywhere)."""
    if name in ("kick", "effects"):
        kick = (0.85 + 0.08 * score.mood.energy) * 10 ** (score.style.form.gains.get("kick", 0.0) / 20)
        calm = 0.5 if score.style.form.soft_opening else 1.0
        return float(kick * (0.75 if score.style.take.quiet else 1.0)) if name == "kick" else _EFFECTS * calm
    bars = [b for b in score.bars if b.section == "drop" and b.level(name) > 0] or [
        b for b in score.bars if b.level(name) > 0
    ]
    heard = [x[:, score.grid.step(b.index, 0) : score.grid.step(b.index + 1, 0)] for b in bars[:32]]
    power = sum(float(np.square(s).sum(dtype=np.float64)) for s in heard) / max(1, sum(s.size for s in heard))
    loudest = max(b.level(name) for b in bars)
    want = _LEVEL[score.style.genre][name] + 20 * np.log10(max(loudest, 0.1))
    mood = score.mood
    want += score.style.form.gains.get(name, 0.0)
    if score.style.take.quiet:
        want += {"clap": -4.0, "hats": -4.0, "perc": -2.0, "pad": 3.0, "texture": 3.0}.get(name, 0.0)
    want += {
        "hats": 2.5 * mood.brightness + 1.5 * mood.energy,
        "clap": 1.5 * mood.energy,
        "perc": 1.5 * mood.energy,
        "pad": 2.0 * mood.space - 1.5 * mood.energy,
        "bass": 1.5 * mood.tension - 1.5 * mood.brightness,
    }.get(name, 0.0)
    if name == "texture":
        named = bool(score.style.wishes.beds)
        want += 4.0 if named else 20 * np.log10(min(1.0, 0.25 + 1.6 * max(mood.motifs)))
    return float(_KICK_RMS * 10 ** (want / 20) / (np.sqrt(power) + 1e-6))


def plan_song(style: Style, seconds: Fraction, loop: bool, tempo_fixed: bool = False) -> tuple[Score, Plan]:
    """Lay out a song of `seconds` (in a loop: of the nearest whole number of bars) and declare it."""
    if loop:
        bars, style = _fit_loop(style, seconds, tempo_fixed)
    grid = Grid(style.tempo, style.swing)
    length = nearest_sample(seconds * RATE)
    if loop:
        length = nearest_sample(bars * grid.bar_samples)
        tail = None
    else:
        whole = Fraction(length) / grid.bar_samples
        bars = max(1, whole.numerator // whole.denominator)
        over = max(Fraction(0), whole - bars)
        tail = int(4 * over) if over * grid.bar_samples > 0.3 * RATE else None
    laid = lay_out(style, plan_sections(bars, loop, style.take.drop), tail)
    score = Score(style, grid, laid, length, loop)
    for bar, after in zip(laid, laid[1:], strict=False):
        if bar.section in ("build", "break") and after.section == "drop":
            score.gaps.append(
                (grid.step(after.index, 0) - grid.length(4 if bar.count > 1 else 2), grid.step(after.index, 0))
            )
    beat = float(grid.beat_samples) / RATE
    end = float(Fraction(length, RATE))
    count = 4 * bars if loop else int(np.ceil(end / beat - 1e-9))
    beats = tuple(float(k * 60 / style.tempo) for k in range(count))
    starts = [b.start for b in laid if b.place == 0]
    edges = [float(4 * s * 60 / style.tempo) for s in starts] + [end]
    names = [laid[s].section for s in starts]
    sections = tuple(Section(n, a, b) for n, a, b in zip(names, edges, edges[1:], strict=False))
    plan = Plan(float(style.tempo), style.key.name, style.key.mode, style.genre, beats, beats[::4], sections)
    return score, plan


def _fit_loop(style: Style, seconds: Fraction, tempo_fixed: bool) -> tuple[int, Style]:
    """Whole bars nearest to the wanted length, even groups first where they are as near as half a bar.

    Where the tempo is free and the sub-genre's range allows it, it is moved so that the bars last exactly as long as wanted.
    """
    exact = seconds * style.tempo / 240
    bars = max(1, round(exact))
    for group in (4, 2):
        near = group * round(exact / group)
        if near and abs(near - exact) <= Fraction(1, 2):
            bars = near
            break
    fitted = 240 * bars / seconds
    low, high = style.band
    return bars, style if tempo_fixed or not low <= fitted <= high else replace(style, tempo=fitted)


STEMS = {
    "drums": ("kick", "clap", "hats", "perc"), "bass": ("bass",), "chords": ("chords", "pad"), "lead": ("arp", "lead"),
    "atmosphere": ("texture", "effects"),
}  # fmt: skip
"""The stems of a song and the tracks in each, in the order of the desk."""


def render(score: Score) -> np.ndarray:
    """Play, mix and master a score: float32, shape=(2, length)."""
    return _render(score, False)[0]


def render_stems(score: Score) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """As `render`, and the stems of `STEMS`, each with its own reverb, echo and share of the master: they sum to the song."""
    return _render(score, True)


def _render(score: Score, apart: bool) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    style, mood, loop = score.style, score.mood, score.loop
    response = room(
        style.taste("room"), style.wishes.room or 1.5 * 2 ** (0.9 * mood.space), 0.5 - 0.35 * mood.brightness
    )
    desk = _Desk(score)
    stems: dict[str, np.ndarray] = {}
    for stem, tracks in STEMS.items():
        for name in tracks:
            desk.play(name)
        if apart:
            stems[stem] = desk.take(response)
    tilt, weight = 6.0 * mood.brightness, 2.5 * mood.energy - 1.5 * mood.space
    if not apart:
        out = master(desk.take(response), loop, tilt, weight)
    else:
        out = master_parts(stems, loop, tilt, weight)
    for x in () if loop else (out, *stems.values()):
        _edges(score, x)
    return out, stems


class _Desk:
    """The mixing desk: the tracks played so far, dry and as sent to reverb and delay."""

    def __init__(self, score: Score) -> None:
        self.score = score
        self.pump: np.ndarray | None = None
        self.recovery = 60 / float(score.style.tempo) * (0.62 + 0.12 * score.mood.era)
        self.wet = float(np.clip(1 + 0.75 * score.mood.space, 0.3, 2.0))
        self._clear()

    def _clear(self) -> None:
        self.dry = np.zeros((2, self.score.length), np.float32)
        self.to_reverb, self.to_delay = np.zeros_like(self.dry), np.zeros_like(self.dry)

    def play(self, name: str) -> None:
        """Let a track play, with its side-chain, filter and width, onto the desk."""
        score, channel = self.score, _DESK[name]
        if score.style.form.gains.get(name, 0.0) <= -60:
            return
        bus = Bus(score.length, score.loop)
        channel.play(score, bus)
        x = bus.x
        if self.pump is None and name == "kick":
            self.pump = duck(sorted(score.kicks), score.length, score.loop, 1.0, self.recovery)
        if not bus.used:
            return
        if channel.swept:
            _automate(score, x)
        if name != "effects":
            for start, stop in score.gaps:
                x[:, start:stop] *= _held(stop - start)
        gain = np.float32(_fader(score, name, x))
        depth = np.float32(min(1.0, channel.duck * (1 + 0.12 * score.mood.era)))
        for span in spans(score.length):
            y = x[:, span]
            if channel.width != 1:
                widen(y, channel.width)
            y *= gain if self.pump is None or not depth else gain * (1 - depth * (1 - self.pump[span]))
            self.dry[:, span] += y
            if channel.reverb:
                self.to_reverb[:, span] += y * np.float32(channel.reverb * self.wet)
            if channel.delay:
                self.to_delay[:, span] += y * np.float32(channel.delay * self.wet)

    def take(self, response: np.ndarray) -> np.ndarray:
        """What has been played since the last call, with its echoes and its reverb, which make room for the kick."""
        score, loop, mix = self.score, self.score.loop, self.dry
        if self.to_delay.any():
            three = nearest_sample(score.grid.beat_samples * Fraction(3, 4))
            wet_delay = echoes(self.to_delay, three, loop, 0.55 + 0.08 * score.mood.space)
            mix += wet_delay
            self.to_reverb += np.float32(0.3) * wet_delay
        if self.to_reverb.any():
            tail = convolve(around(self.to_reverb, loop, lambda y: highpass(y, 220)), response, loop)
            if self.pump is not None:
                tail *= 0.45 + 0.55 * self.pump
            mix += tail
        self._clear()
        return mix


def _automate(score: Score, x: np.ndarray) -> None:
    """Close the filter on the music through intro and outro, and open it through each build, in place."""
    sweeps = {"intro": (900.0, 2200.0), "build": (1300.0, 6000.0), "outro": (3500.0, 500.0), "break": (2600.0, 5000.0)}
    for first in (b for b in score.bars if b.place == 0 and b.section in sweeps):
        start = score.grid.step(first.start, 0)
        stop = min(score.length, score.grid.step(first.start + first.count, 0))
        if stop <= start or not x[:, start:stop].any():
            continue
        low, high = sweeps[first.section]
        cutoff = np.geomspace(low, high, stop - start).astype(np.float32)
        swept = sweep(x[:, start:stop], cutoff)
        fade = min(512, (stop - start) // 2)
        ramp = np.linspace(0, 1, fade, dtype=np.float32)
        swept[:, :fade] = swept[:, :fade] * ramp + x[:, start : start + fade] * (1 - ramp)
        swept[:, -fade:] = swept[:, -fade:] * ramp[::-1] + x[:, stop - fade : stop] * (1 - ramp[::-1])
        x[:, start:stop] = swept


def _held(n: int) -> np.ndarray:
    """Gain of a gap: out within 8 ms, nothing, and back within 2 ms of its end."""
    gain = np.zeros(n, np.float32)
    out, back = min(n // 2, int(0.008 * RATE)), min(n // 2, int(0.002 * RATE))
    gain[:out] = np.linspace(1, 0, out)
    gain[n - back :] = np.linspace(0, 1, back)
    return gain


def _edges(score: Score, x: np.ndarray) -> np.ndarray:
    """No click at either end: half a millisecond in, and out over the closing bar or the last third of a second."""
    bars: list[Bar] = score.bars
    n = x.shape[1]
    into = min(n // 2, 22)
    ringing = n - score.grid.step(bars[-1].index, 0) if bars[-1].last else 0
    out = 0.8 * ringing if ringing and not bars[-1].beats else 0.35 * RATE
    out = min(n // 4, int(out))
    x[:, :into] *= np.linspace(0, 1, into, dtype=np.float32)
    if out:
        x[:, n - out :] *= np.cos(np.linspace(0, np.pi / 2, out)).clip(0).astype(np.float32) ** 1.5
        x[:, -1] = 0
    return x
