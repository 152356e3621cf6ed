"""Instruments that are struck, plucked, blown or bowed: piano, harp, bell, marimba, flute, strings, brass, choir, organ."""

from __future__ import annotations

import numpy as np

from .filters import formant, highpass, lowpass, sweep
from .oscillators import decay, envelope, glide, hertz, seconds, sine, wave

_STRUCK: dict[str, tuple[tuple[tuple[float, float, float], ...], float]] = {
    # partials as (ratio, level, share of the decay), and the decay in seconds at middle C
    "piano": (tuple((k * (1 + 0.0004 * k * k) ** 0.5, 0.9**k / k**0.8, 1 / k**0.45) for k in range(1, 13)), 0.9),
    "harp": (tuple((float(k), 1 / k**1.3, 1 / k**0.6) for k in range(1, 9)), 0.8),
    "pluck": (tuple((float(k), abs(np.sin(0.6 * k)) / k**0.7, 1 / k**0.7) for k in range(1, 15)), 0.45),
    "bell": (
        ((1.0, 0.8, 1.0), (2.0, 0.5, 0.7), (3.0, 0.25, 0.5), (4.2, 0.25, 0.3), (5.4, 0.18, 0.2), (8.1, 0.1, 0.1)),
        1.1,
    ),
    "marimba": (((1.0, 1.0, 1.0), (3.98, 0.35, 0.25), (9.9, 0.12, 0.08)), 0.25),
}
SUSTAINED = ("flute", "strings", "brass", "choir", "organ")
PLAYED = (*_STRUCK, *SUSTAINED)
"""Names of the instruments."""


def play_note(name: str, midi: float, n: int, bright: float) -> np.ndarray:
    """One note of n samples, float32, shape=(n,), peak near 1; `bright` in [-1, 1] opens the tone."""
    hz = hertz(midi)
    if name in _STRUCK:
        partials, length = _STRUCK[name]
        length *= (262 / hz) ** 0.35
        out = np.zeros(n, np.float32)
        for ratio, level, share in partials:
            if hz * ratio < 15000:
                out += np.float32(level * ratio ** (0.35 * bright)) * sine(hz * ratio, n) * decay(n, length * share)
        knock = {"piano": 0.1, "marimba": 0.25, "pluck": 0.15}.get(name, 0.0)
        if knock:
            out += np.float32(knock) * lowpass(wave("square", 1.37 * hz, n), 1800) * decay(n, 0.008)
        return out * envelope(n, 0.0015, min(0.06, 0.3 * n / 44100)) * np.float32(0.6)
    return _shape(name, _raw(name, hz, n), n, bright)


def _raw(name: str, hz: float, n: int) -> np.ndarray:
    """What a sustained instrument sounds like before its body: shape=(n,)."""
    t = seconds(n)
    depth = np.float32(0.005) * np.minimum(1, t / np.float32(0.3))
    vibrato = np.float32(hz) * (1 + depth * np.sin(np.float32(2 * np.pi * 5.2) * t))
    if name == "flute":
        breath = np.random.default_rng(7).standard_normal(n).astype(np.float32)
        made = sine(vibrato, n) + 0.25 * sine(2 * vibrato, n) + 0.08 * sine(3 * vibrato, n)
        return np.asarray(made + 0.05 * highpass(lowpass(breath, min(9000.0, 4 * hz)), hz), np.float32)
    if name == "strings":
        return glide("saw", vibrato) + glide("saw", vibrato * 1.004, 0.3) + glide("saw", vibrato * 0.9965, 0.7)
    if name == "brass":
        return glide("saw", vibrato) + np.float32(0.6) * wave("saw", hz * 1.003, n, 0.4)
    if name == "choir":
        return glide("vocal", vibrato) + glide("vocal", vibrato * 1.005, 0.4)
    return wave("organ", hz, n)


def _shape(name: str, raw: np.ndarray, n: int, bright: float) -> np.ndarray:
    """The body and the envelope, the same for every note, so that a chord passes once; `raw` has shape (..., n)."""
    if name == "flute":
        return raw * envelope(n, 0.045, 0.07, 0.85, 0.2) * np.float32(0.7)
    if name == "strings":
        return highpass(lowpass(raw, 3400 * 2 ** (0.8 * bright)), 180) * envelope(n, 0.09, 0.12) * np.float32(0.4)
    if name == "brass":
        swell = np.minimum(1, seconds(n) / 0.06) * (0.55 + 0.45 * decay(n, 0.3))
        return (
            sweep(raw, 350 + 3600 * 2 ** (0.7 * bright) * swell) * envelope(n, 0.02, 0.06, 0.8, 0.3) * np.float32(0.6)
        )
    if name == "choir":
        return formant(raw, "a") * envelope(n, 0.09, 0.14) * np.float32(1.6)
    return raw * envelope(n, 0.006, 0.04, 0.8, 0.2) * np.float32(0.6)


def play_together(name: str, notes: tuple[int, ...], n: int, bright: float) -> np.ndarray:
    """A chord of n samples, lowest note left, highest right, shape=(2, n)."""
    out = np.zeros((2, n), np.float32)
    for i, midi in enumerate(notes):
        pan = (i / max(1, len(notes) - 1) - 0.5) * 0.9
        tone = play_note(name, midi, n, bright) if name in _STRUCK else _raw(name, hertz(midi), n)
        out[0] += tone * np.float32(np.sqrt(0.5 - pan / 2))
        out[1] += tone * np.float32(np.sqrt(0.5 + pan / 2))
    return (out if name in _STRUCK else _shape(name, out, n, bright)) * np.float32(0.6)
