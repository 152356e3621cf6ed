"""Filters: Butterworth sections, shelves, and sweeps made by blending a small bank of steady filters (no sample loops)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..timing import RATE


@lru_cache(maxsize=512)
def _sections(kind: str, low: float, high: float, order: int) -> np.ndarray:
    from scipy.signal import butter

    edge = [low, high] if kind == "bandpass" else low
    return np.asarray(butter(order, edge, kind, fs=RATE, output="sos"))


def _run(sos: np.ndarray, x: np.ndarray) -> np.ndarray:
    from scipy.signal import sosfilt

    return np.asarray(sosfilt(sos, x, axis=-1), np.float32)


def _edge(hz: float) -> float:
    return float(np.clip(hz, 15.0, 0.47 * RATE))


def lowpass(x: np.ndarray, hz: float, order: int = 2) -> np.ndarray:
    """Butterworth low-pass along time, float32."""
    return _run(_sections("lowpass", _edge(hz), 0.0, order), x)


def highpass(x: np.ndarray, hz: float, order: int = 2) -> np.ndarray:
    """Butterworth high-pass along time, float32."""
    return _run(_sections("highpass", _edge(hz), 0.0, order), x)


def bandpass(x: np.ndarray, low: float, high: float, order: int = 1) -> np.ndarray:
    """Butterworth band-pass along time, float32."""
    return _run(_sections("bandpass", _edge(low), _edge(max(high, low * 1.05)), order), x)


@lru_cache(maxsize=256)
def _cookbook(kind: str, hz: float, gain_db: float, q: float) -> np.ndarray:
    """One biquad of R. Bristow-Johnson's Audio EQ Cookbook: "peak", "low", "high" (shelves), "resonant" (low-pass)."""
    a = 10 ** (gain_db / 40)
    w = 2 * np.pi * hz / RATE
    cos, alpha = np.cos(w), np.sin(w) / (2 * q)
    if kind == "peak":
        b = [1 + alpha * a, -2 * cos, 1 - alpha * a]
        den = [1 + alpha / a, -2 * cos, 1 - alpha / a]
    elif kind == "resonant":
        b = [(1 - cos) / 2, 1 - cos, (1 - cos) / 2]
        den = [1 + alpha, -2 * cos, 1 - alpha]
    else:
        s = 1.0 if kind == "low" else -1.0
        root = 2 * np.sqrt(a) * alpha
        b = [a * (a + 1 - s * (a - 1) * cos + root), s * 2 * a * (a - 1 - s * (a + 1) * cos),
             a * (a + 1 - s * (a - 1) * cos - root)]  # fmt: skip
        den = [a + 1 + s * (a - 1) * cos + root, s * -2 * (a - 1 + s * (a + 1) * cos),
               a + 1 + s * (a - 1) * cos - root]  # fmt: skip
    return np.array([[*(np.array(b) / den[0]), 1.0, den[1] / den[0], den[2] / den[0]]])


def equalise(x: np.ndarray, kind: str, hz: float, gain_db: float, q: float = 0.7) -> np.ndarray:
    """A peak or shelf ("peak", "low", "high") of `gain_db` decibels at `hz`, float32."""
    return x if gain_db == 0 else _run(_cookbook(kind, _edge(hz), float(gain_db), q), x)


def resonant(x: np.ndarray, hz: float, q: float) -> np.ndarray:
    """A resonant two-pole low-pass, float32."""
    return _run(_cookbook("resonant", _edge(hz), 0.0, q), x)


def sweep(x: np.ndarray, cutoff: np.ndarray, kind: str = "lowpass", q: float = 0.9) -> np.ndarray:
    """A low- or high-pass whose cutoff follows `cutoff` (Hz, shape=(time,)), as a blend of steady filters an octave apart.

    Each steady filter runs on for as long as it is heard and sets out early enough to have settled (to -60 dB) by then, so
    that nothing zips or clicks however fast the cutoff moves.
    """
    log = np.log2(np.clip(cutoff, 20.0, 0.45 * RATE)).astype(np.float32)
    low, high = float(log.min()), float(log.max())
    count = max(2, int(np.ceil((high - low) / 0.8)) + 1)
    place = (log - low) * ((count - 1) / max(high - low, 1e-6))
    out = np.zeros_like(x, np.float32)
    for k in range(count):
        near = np.abs(place - k) < 1
        first = int(near.argmax())
        if not near[first]:
            continue
        stop = len(near) - int(near[::-1].argmax())
        hz = 2 ** (low + k * (high - low) / (count - 1))
        start = max(0, first - int(2.3 * max(q, 0.7) / hz * RATE))
        heard = x[..., start:stop]
        heard = (resonant(heard, hz, q) if kind == "lowpass" else highpass(heard, hz))[..., first - start :]
        weight = np.subtract(1, np.abs(place[first:stop] - k), dtype=np.float32)
        heard *= np.maximum(weight, 0, out=weight)
        out[..., first:stop] += heard
    return out


def formant(x: np.ndarray, vowel: str) -> np.ndarray:
    """Three parallel resonances that colour a buzz like a sung vowel: "a", "o", "e" or "u" (adult averages)."""
    peaks: dict[str, Any] = {
        "a": (800, 1150, 2900),
        "o": (450, 800, 2830),
        "e": (400, 1700, 2600),
        "u": (325, 700, 2530),
    }
    out = np.zeros_like(x)
    for hz, level in zip(peaks[vowel], (1.0, 0.7, 0.35), strict=True):
        out += np.float32(level) * bandpass(x, hz / 1.12, hz * 1.12)
    return out
