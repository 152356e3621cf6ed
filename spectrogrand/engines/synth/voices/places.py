"""Beds that a topic names: rain, thunder, a crowd, church bells, a fire."""

from __future__ import annotations

import numpy as np

from ..score import Score
from ..timing import RATE
from .filters import bandpass, formant, highpass, lowpass
from .oscillators import decay, envelope, glide, hertz, noise, sine


def rain(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    """Steady hiss with single drops."""
    out = bandpass(noise(rng, n, 2), 1800, 9000) * np.float32(0.55)
    for at in rng.integers(0, max(1, n - 900), max(8, n // 1100)):
        hz, size = rng.uniform(1200, 5200), 800
        drop = sine(hz * (1 + 0.3 * decay(size, 0.004)), size) * decay(size, 0.003) * rng.uniform(0.05, 0.5)
        out[int(rng.integers(2)), at : at + size] += drop[: max(0, n - at)]
    return np.asarray(out * envelope(n, 0.3, 0.4))


def thunder(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    """Rain and a rolling boom."""
    out = 0.8 * rain(score, n, rng)
    at = int(rng.integers(0, max(1, n // 3)))
    size = n - at
    roll = lowpass(noise(rng, size, 2), 140) * decay(size, 0.9) * envelope(size, 0.04, 0.2)
    crack = bandpass(noise(rng, size, 2), 300, 2200) * decay(size, 0.15)
    out[:, at:] += 3.2 * roll + 0.5 * crack
    return np.asarray(out * envelope(n, 0.1, 0.3))


def crowd(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    """Many voices at once, none understood, and cups or hands now and then."""
    out: np.ndarray = np.zeros((2, n), np.float32)
    t = np.arange(n) / RATE
    for _ in range(7):
        speech = (
            110
            * 2 ** rng.uniform(0, 1.3)
            * (1 + 0.12 * np.sin(2 * np.pi * rng.uniform(0.5, 1.6) * t + rng.uniform(0, 6)))
        )
        syllables = np.maximum(0, np.sin(2 * np.pi * rng.uniform(2.5, 5.0) * t + rng.uniform(0, 6))) ** 1.5
        side = rng.uniform(0.15, 0.85)
        voice = (glide("vocal", speech) * syllables).astype(np.float32)
        out += np.stack([voice * np.float32(1 - side), voice * np.float32(side)])
    out = formant(out, "o") + 0.5 * formant(out, "e") + bandpass(noise(rng, n, 2), 300, 1500) * np.float32(0.3)
    for at in rng.integers(0, max(1, n - 3000), 3):
        clink = sine(rng.uniform(2600, 4200), 2600) * decay(2600, 0.012) * 0.25
        out[int(rng.integers(2)), at : at + 2600] += clink[: max(0, n - at)]
    return np.asarray(out * envelope(n, 0.3, 0.4))


def bells(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    """Church bells on the tonic and its fifth: hum, prime, minor third, fifth and nominal (Rossing, The Physics of Bells)."""
    out = np.zeros((2, n), np.float32)
    key, beat = score.style.key, score.grid.length(4)
    for k, at in enumerate(range(0, n - beat // 2, 2 * beat)):
        hz, size = hertz(key.midi((0, 4, 0, 7)[k % 4], 4)), n - at
        third = 1.2 if key.midi(2, 0) - key.midi(0, 0) == 3 else 1.25
        for ratio, level, length in (
            (0.5, 0.5, 1.6),
            (1, 0.8, 1.0),
            (third, 0.35, 0.7),
            (1.5, 0.3, 0.5),
            (2, 0.6, 0.7),
            (3, 0.2, 0.3),
        ):
            out[k % 2, at:] += np.float32(0.4 * level) * sine(hz * ratio, size) * decay(size, length)
            out[1 - k % 2, at:] += np.float32(0.2 * level) * sine(hz * ratio * 1.001, size) * decay(size, length)
    return np.asarray(out * envelope(n, 0.003, 0.5))


def fire(score: Score, n: int, rng: np.random.Generator) -> np.ndarray:
    """A low roar and crackling."""
    out = bandpass(noise(rng, n, 2), 120, 700) * np.float32(0.7)
    for at in rng.integers(0, max(1, n - 400), max(8, n // 1800)):
        snap = highpass(noise(rng, 300), 900) * decay(300, 0.0012) * rng.uniform(0.3, 2.2)
        out[int(rng.integers(2)), at : at + 300] += snap[: max(0, n - at)]
    return np.asarray(out * envelope(n, 0.2, 0.3))
