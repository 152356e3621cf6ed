"""Transitions: risers, reverse crashes, impacts, down-sweeps and crashes at the edges of sections."""

from __future__ import annotations

import numpy as np

from ..mixing import Bus
from ..score import Score
from ..timing import RATE
from . import kit
from .filters import highpass, lowpass, sweep
from .oscillators import decay, envelope, glide, hertz, noise, sine


def _riser(n: int, root: float, rng: np.random.Generator) -> np.ndarray:
    """Noise and a saw that climb two octaves over n samples, shape=(2, n)."""
    x = np.linspace(0, 1, n, dtype=np.float32)
    air = sweep(noise(rng, n, 2), 350 * 2 ** (4.6 * x), "highpass") * 0.8
    tone = lowpass(glide("saw", root * 2 ** (2 * x**1.5)) + glide("saw", root * 1.008 * 2 ** (2 * x**1.5), 0.3), 4500)
    pulse = 1 - 0.5 * x * (0.5 + 0.5 * np.sin(2 * np.pi * np.cumsum(3 + 13 * x**2) / RATE))
    return (air + 0.16 * highpass(tone, 250)) * (0.22 + 0.78 * x**1.6) * pulse * envelope(n, 0.05, 0.02)


def _fall(n: int, rng: np.random.Generator) -> np.ndarray:
    """Noise that closes and dies away, shape=(2, n)."""
    x = np.linspace(0, 1, n, dtype=np.float32)
    return sweep(noise(rng, n, 2), 9000 * 2 ** (-5.5 * x)) * (1 - x) ** 2 * envelope(n, 0.003, 0.2)


def _impact(root: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """A low boom under a drop's first beat."""
    boom = sine(root * (1 + 0.8 * decay(n, 0.06)), n) * decay(n, 0.45)
    dust = lowpass(noise(rng, n), 900) * decay(n, 0.12)
    return (boom + 0.5 * dust) * envelope(n, 0.002, 0.2)


def _backwards(sound: np.ndarray) -> np.ndarray:
    """The first 1.6 s, faded out, from end to start: it swells into what follows."""
    n = min(sound.shape[1], int(1.6 * RATE))
    return (sound[:, :n] * envelope(n, 0.001, 0.9))[:, ::-1]


def play_effects(score: Score, bus: Bus) -> None:
    """Each section's entrance and, before a drop, what leads into it."""
    style, grid, bars = score.style, score.grid, score.bars
    crash = score.sound(("crash",), kit.crash, 2.2, style.taste("crash"))
    reverse = score.sound(("reverse",), _backwards, crash)
    root = hertz(36 + style.key.tonic)
    for bar in bars:
        at = grid.step(bar.index, 0)
        if bar.last:
            bus.place(crash, at, 0.55)
            continue
        if score.loop and bar.index == 0:  # nothing may mark the seam
            continue
        if bar.place % 8 == 0 and bar.section == "drop":
            bus.place(crash, at, 0.55 if bar.place == 0 else 0.35)
        if bar.place == 0 and bar.section == "drop":
            n = int(1.4 * RATE)
            bus.place(score.sound(("impact",), _impact, root / 2, n, style.taste("impact")), at, 0.45)
        if bar.place == 0 and bar.section in ("break", "outro") and bar.index:
            n = grid.length(32)
            bus.place(score.sound(("fall",), _fall, n, style.taste("fall")), at, 0.5)
            bus.place(crash, at, 0.3)
        after = bar.start + bar.count
        leads = (
            bar.section == "break"
            and bar.left == min(2, bar.count) - 1
            and after < len(bars)
            and bars[after].section == "drop"
        )
        if leads or (bar.section == "build" and bar.place == 0):
            n = grid.step(after, 0) - grid.length(4 if bar.count > 1 else 2) - at
            bus.place(score.sound(("riser", n), _riser, n, root * 4, style.taste("riser")), at, 0.36)
        following = bars[bar.index + 1] if bar.index + 1 < len(bars) else None
        if bar.left == 0 and following is not None and not following.last:
            end = grid.step(bar.index + 1, 0)
            bus.place(reverse, end - reverse.shape[1], 0.5)
