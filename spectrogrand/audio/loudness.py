"""How loud a sound is, measured block by block: loudness of ITU-R BS.1770-4 and plain levels in dBFS."""

from __future__ import annotations

import math

import numpy as np

from ..types import Audio

BLOCK = 1 << 19
"""Samples per channel that are held at once."""


def decibels(power: float) -> float:
    """A power in dB; no power is -inf.

    >>> round(decibels(0.5), 2), decibels(0.0)
    (-3.01, -inf)
    """
    return 10 * math.log10(power) if power > 0 else -math.inf


def level(audio: Audio) -> float:
    """Root mean square of all channels in dBFS (a full-scale square wave is 0), without each channel's constant offset.

    A sound with NaN or infinite samples gives NaN.

    >>> round(level(Audio(np.tile(np.float32([0.5, -0.5]), 400)[None], 8000)), 2)
    -6.02
    """
    total, squares, count = np.zeros(audio.channels), np.zeros(audio.channels), 0
    for block in audio.blocks(BLOCK):
        x = block.astype(np.float64)
        total += x.sum(axis=1)
        squares += (x * x).sum(axis=1)
        count += x.shape[1]
    if not np.isfinite(squares).all():
        return math.nan
    return decibels(float(np.maximum(squares / count - (total / count) ** 2, 0).mean()))


def integrated_loudness(audio: Audio) -> float:
    """Integrated loudness in LUFS (ITU-R BS.1770-4): K-weighting, 400 ms windows with 75 % overlap, both gates.

    Every channel has weight 1. A sound shorter than 400 ms is one window; -inf where nothing passes the absolute gate.

    >>> tone = np.sin(2 * np.pi * 997 * np.arange(48000) / 48000).astype(np.float32)
    >>> round(integrated_loudness(Audio(tone[None], 48000)), 1)
    -3.0
    """
    from scipy.signal import lfilter

    step = max(1, round(audio.rate / 10))
    shelf, high_pass = _k_weighting(audio.rate)
    states = [np.zeros((audio.channels, 2)), np.zeros((audio.channels, 2))]
    energies, samples = [], 0
    for block in audio.blocks(step * max(1, BLOCK // step)):
        x, states[0] = lfilter(*shelf, block.astype(np.float64), zi=states[0])
        x, states[1] = lfilter(*high_pass, x, zi=states[1])
        power = (x * x).sum(axis=0)
        energies.append(np.add.reduceat(power, np.arange(0, len(power), step)))
        samples += len(power)
    tenths = np.concatenate(energies)
    if samples < 4 * step:
        windows = np.array([tenths.sum() / samples])
    else:
        whole = np.cumsum(np.concatenate([[0.0], tenths[: samples // step]]))
        windows = (whole[4:] - whole[:-4]) / (4 * step)
    offset = -0.691
    loud = windows[windows > 10 ** ((-70 - offset) / 10)]
    if not len(loud):
        return -math.inf
    loud = loud[loud > loud.mean() / 10]
    return offset + decibels(float(loud.mean()))


def _k_weighting(rate: int) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The two filters of BS.1770-4, annex 1, for any rate: bilinear forms of prototypes that give its 48 kHz tables.

    The constants are those of Mansbridge, Finn & Reiss (AES 132, 2012).
    """
    k, q, gain = math.tan(math.pi * 1681.974450955533 / rate), 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = gain**0.4996667741545416
    norm = 1 + k / q + k * k
    shelf_b = np.array([gain + band * k / q + k * k, 2 * (k * k - gain), gain - band * k / q + k * k]) / norm
    shelf_a = np.array([1, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm])
    k, q = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    norm = 1 + k / q + k * k
    pass_a = np.array([1, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm])
    return (shelf_b, shelf_a), (np.array([1.0, -2.0, 1.0]), pass_a)
