"""Drum sounds, each rendered once for a song: kick, clap, snare, hats, ride, shaker, rim, tom, conga, crash."""

from __future__ import annotations

import numpy as np

from ..timing import RATE
from .filters import bandpass, equalise, highpass, lowpass
from .oscillators import decay, envelope, noise, seconds, sine, wave

_METAL = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)
"""Square oscillators of the classic analogue cymbal, Hz."""


def _samples(length: float) -> int:
    return int(length * RATE)


def kick(tune: float, punch: float, length: float, drive: float, rng: np.random.Generator) -> np.ndarray:
    """A swept sine with a click: from about 1 kHz down to `tune` Hz; `punch` in [0, 1] hardens the attack."""
    n = _samples(length)
    t = seconds(n)
    hz = tune + (90 + 90 * punch) * np.exp(-t / 0.028) + (500 + 700 * punch) * np.exp(-t / 0.0035)
    body = np.sin(2 * np.pi * (np.cumsum(hz) - hz[0]) / RATE).astype(np.float32)
    body *= np.exp(-((t / (0.52 * length)) ** 1.7)) * envelope(n, 0.0005, 0.05)
    body = np.tanh(drive * body) / np.tanh(drive)
    click = highpass(noise(rng, n), 2500) * decay(n, 0.0022) * np.float32(0.35 + 0.5 * punch)
    knock = bandpass(noise(rng, n), 160, 420) * decay(n, 0.018) * np.float32(0.5 * punch)
    return (body + click + knock) * envelope(n, 0.0002, 0.03)


def clap(length: float, tone: float, rng: np.random.Generator) -> np.ndarray:
    """Four hands a few milliseconds apart and their room, stereo, shape=(2, n); `tone` is the band's centre in Hz."""
    n = _samples(length + 0.08)
    out = np.zeros((2, n), np.float32)
    for at, level in ((0.0, 0.55), (0.0085, 0.65), (0.0175, 0.8), (0.0265, 1.0)):
        k = _samples(at)
        burst = noise(rng, n - k, 2) * decay(n - k, 0.006 if at < 0.02 else length / 4.5)
        out[:, k:] += burst * np.float32(level)
    mid = out.mean(axis=0)
    out = 0.72 * mid + 0.5 * (out - mid)
    shaped = bandpass(out, tone * 0.62, tone * 1.9) + 0.22 * highpass(out, 4500)
    return shaped * envelope(n, 0.0005, 0.05) * 1.7


def snare(length: float, tune: float, rng: np.random.Generator) -> np.ndarray:
    """Two shell tones and wires."""
    n = _samples(length)
    tone = sine(tune + 60 * decay(n, 0.012), n) * decay(n, 0.06) + 0.5 * sine(tune * 1.72, n) * decay(n, 0.035)
    wires = highpass(noise(rng, n), 1400) * decay(n, length / 4.5)
    return (0.6 * tone + 1.2 * wires) * envelope(n, 0.0004, 0.03)


def hat(length: float, edge: float, metal: float, rng: np.random.Generator) -> np.ndarray:
    """Closed or open by its length: noise and six squares above `edge` Hz; `metal` in [0, 1] is their balance."""
    n = _samples(length * 2.2)
    ring = sum((wave("square", hz * 2.1, n, float(rng.random())) for hz in _METAL), np.zeros(n, np.float32)) / 6
    made = highpass((1 - metal) * noise(rng, n) * 1.3 + metal * ring, edge, 3)
    fast = np.exp(-((seconds(n) / (0.7 * length)) ** 0.85)).astype(np.float32)
    return made * fast * envelope(n, 0.0006, length * 0.4)


def ride(length: float, rng: np.random.Generator) -> np.ndarray:
    """A cymbal's bell and wash."""
    n = _samples(length)
    ring = sum((wave("square", hz * 1.47, n, float(rng.random())) for hz in _METAL), np.zeros(n, np.float32)) / 6
    bell = bandpass(ring, 3200, 9000, 2) * decay(n, 0.22)
    wash = highpass(noise(rng, n), 6500, 2) * decay(n, length / 3.5)
    return (bell + 0.45 * wash) * envelope(n, 0.001, 0.06)


def shaker(length: float, rng: np.random.Generator) -> np.ndarray:
    """Grains thrown forward: noise with a soft start."""
    n = _samples(length)
    return bandpass(noise(rng, n), 4200, 11000, 2) * envelope(n, length * 0.35, length * 0.55) * 1.4


def rim(tune: float, rng: np.random.Generator) -> np.ndarray:
    """A short woody tick."""
    n = _samples(0.06)
    tone = sine(tune, n) * decay(n, 0.008) + 0.7 * sine(tune * 1.51, n) * decay(n, 0.005)
    return (tone + 0.4 * highpass(noise(rng, n), 3000) * decay(n, 0.003)) * envelope(n, 0.0003, 0.01)


def tom(tune: float, length: float, rng: np.random.Generator) -> np.ndarray:
    """A tuned drum with a falling pitch; short ones sound like congas."""
    n = _samples(length)
    body = sine(tune * (1 + 0.5 * decay(n, 0.03)), n) * decay(n, length / 3.2)
    skin = bandpass(noise(rng, n), tune * 2, tune * 7) * decay(n, 0.012)
    return (body + 0.35 * skin) * envelope(n, 0.0008, 0.03)


def clank(tune: float, length: float, rng: np.random.Generator) -> np.ndarray:
    """Struck metal: partials of a free bar, with a rattle."""
    n = _samples(length)
    out = np.zeros(n, np.float32)
    for ratio, level in ((1.0, 1.0), (2.756, 0.8), (5.404, 0.6), (8.933, 0.35)):
        if tune * ratio < 16000:
            out += (
                np.float32(level) * sine(tune * ratio * rng.uniform(0.995, 1.005), n) * decay(n, length / (2.5 + ratio))
            )
    return (0.5 * out + 0.3 * highpass(noise(rng, n), 5000) * decay(n, 0.01)) * envelope(n, 0.0005, 0.03)


def crash(length: float, rng: np.random.Generator) -> np.ndarray:
    """A stereo crash, shape=(2, n)."""
    n = _samples(length)
    wash = highpass(noise(rng, n, 2), 3200, 2)
    ring = sum((wave("square", hz * 2.7, n, float(rng.random())) for hz in _METAL), np.zeros(n, np.float32)) / 6
    made = wash + 0.5 * highpass(ring, 5000)
    made = equalise(lowpass(made, 13000, 1), "peak", 7000, 3.0)
    return made * (0.6 * decay(n, length / 5) + 0.4 * decay(n, 0.06)) * envelope(n, 0.001, length * 0.3)
