"""Band-limited oscillators (one-cycle wavetables read by a wrapping 32-bit phase), envelopes and noise."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..timing import RATE

_BITS = 13
_TOP = 17500.0


def hertz(midi: float) -> float:
    """Frequency of a MIDI note number; 69 is 440 Hz.

    >>> hertz(57)
    220.0
    """
    return float(440.0 * 2.0 ** ((midi - 69) / 12))


@lru_cache(maxsize=256)
def _cycle(shape: str, harmonics: int) -> np.ndarray:
    """One cycle of a wave with the first `harmonics` harmonics only, so that no alias can arise; shape=(8192,)."""
    size = 1 << _BITS
    k = np.arange(1, harmonics + 1)
    if shape == "saw":
        amplitude = -1j / k
    elif shape == "square":
        amplitude = np.where(k % 2 == 1, -1j * 1.6 / k, 0)
    elif shape == "triangle":
        amplitude = np.where(k % 2 == 1, 1.4 / k.astype(float) ** 2, 0).astype(complex)
    elif shape == "organ":  # drawbars: fundamental, octave, twelfth, fifteenth and a little of the rest
        amplitude = -1j * np.where(np.isin(k, (1, 2, 3, 4, 6, 8)), 0.9 / k**0.9, 0.06 / k)
    else:  # "vocal": an open vowel's harmonics stay even, formant filters shape them
        amplitude = -1j * 0.5 / k**0.6
    spectrum = np.zeros(size // 2 + 1, complex)
    spectrum[1 : harmonics + 1] = amplitude * np.sinc(k / (harmonics + 1.0)) ** 0.5
    return (np.fft.irfft(spectrum) * size * 0.32).astype(np.float32)


def wave(shape: str, hz: float, n: int, phase: float = 0.0) -> np.ndarray:
    """A steady band-limited wave, float32, shape=(n,), peak about 1; `phase` in cycles.

    >>> wave("saw", 441.0, 200).shape
    (200,)
    """
    table = _cycle(shape, int(np.clip(_TOP / hz, 1, (1 << (_BITS - 1)) - 1)))
    step = np.uint32(round(hz / RATE * 2**32) % 2**32)
    start = np.uint32(int((phase % 1.0) * 2**32) % 2**32)
    return table[(np.arange(n, dtype=np.uint32) * step + start) >> np.uint32(32 - _BITS)]


def glide(shape: str, hz: np.ndarray, phase: float = 0.0) -> np.ndarray:
    """A wave whose frequency moves, band-limited for its highest; `hz` has shape (n,)."""
    table = _cycle(shape, int(np.clip(_TOP / float(hz.max()), 1, (1 << (_BITS - 1)) - 1)))
    return table[_phases(hz, phase) >> np.uint32(32 - _BITS)]


def sine(hz: float | np.ndarray, n: int, phase: float = 0.0) -> np.ndarray:
    """A sine, float32, shape=(n,); `hz` may be an array of that shape."""
    if np.ndim(hz) == 0:
        step = np.uint32(round(float(hz) / RATE * 2**32) % 2**32)
        turns = np.arange(n, dtype=np.uint32) * step + np.uint32(int((phase % 1.0) * 2**32) % 2**32)
    else:
        turns = _phases(np.asarray(hz), phase)
    return np.asarray(np.sin(turns.view(np.int32) * np.float32(np.pi / 2**31)))


def _phases(hz: np.ndarray, phase: float) -> np.ndarray:
    """The phase of a moving frequency, uint32, shape=(n,): a turn is 2**32, so that whole turns fall away by themselves."""
    steps = np.empty(len(hz), np.uint32)
    steps[0] = int((phase % 1.0) * 2**32) % 2**32
    steps[1:] = np.asarray(hz)[1:] * (2**32 / RATE)
    return np.cumsum(steps, dtype=np.uint32)


def seconds(n: int) -> np.ndarray:
    """The time of each of n samples in seconds, float32."""
    return np.arange(n, dtype=np.float32) / np.float32(RATE)


def decay(n: int, halving: float) -> np.ndarray:
    """An exponential that falls to 1/e in `halving` seconds, float32, shape=(n,)."""
    return np.exp(-seconds(n) / np.float32(max(halving, 1e-4)))


def envelope(n: int, attack: float, release: float, hold: float = 1.0, fall: float = 0.0) -> np.ndarray:
    """Attack, exponential fall towards `hold` within about `fall` seconds, cosine release inside n; never clicks."""
    shape = np.full(n, hold, np.float32)
    if fall > 0:
        shape += (1 - hold) * decay(n, fall)
    else:
        shape[:] = 1.0
    rise = min(n, max(2, int(attack * RATE)))
    shape[:rise] *= np.sin(np.linspace(0, np.pi / 2, rise, dtype=np.float32)) ** 2
    drop = min(n, max(2, int(release * RATE)))
    shape[n - drop :] *= np.cos(np.linspace(0, np.pi / 2, drop, dtype=np.float32)) ** 2
    return shape


def noise(rng: np.random.Generator, n: int, channels: int = 1) -> np.ndarray:
    """White noise, float32, shape=(n,) or (channels, n), standard deviation 1/3 so that peaks stay near 1."""
    made = rng.standard_normal((channels, n), np.float32) / np.float32(3)
    return made[0] if channels == 1 else made
