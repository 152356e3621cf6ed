"""A fingerprint of sound that survives coding, level, a change of speed, stretching and transposition; no network."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..errors import InvalidValue
from ..types import Audio
from .windows import windows

FRAMES, BITS = 50, 64
"""Frames of a stored print, five a second, and bits a frame: semitone steps from 110 Hz up."""
_RATE, _SIZE, _HOP, _FINE = 11025, 4096, 551, 4
_STARTS = 975
"""Starts that are tried in one transform."""
_SIZES = (256, 512, 1080)
"""Of the transforms: few, so that the prints are transformed once for all songs and speeds."""
_LOWEST, _MARGIN = 110.0, 3
_SPEEDS = (0.94, 0.96, 0.98, 1.0, 1.02, 1.04, 1.06)


def take_print(audio: Audio) -> np.ndarray:
    """The print of the sound's middle ten seconds, packed, uint8, shape=(50, 8); a shorter sound is repeated.

    A bit says whether the level of a semitone grew more since the last fifth of a second than that of its lower neighbour
    (Haitsma & Kalker 2002, on a logarithmic axis of frequency, where transposition is a shift).

    >>> take_print(Audio(np.zeros((1, 8000), np.float32), 8000)).shape
    (50, 8)
    """
    parts = windows(audio, FRAMES / 5, 3)
    levels = _levels(parts[len(parts) // 2])[::_FINE][:FRAMES, 2 * _MARGIN : 2 * (_MARGIN + BITS) + 1 : 2]
    return np.packbits(_differences(levels) > 0, axis=1)


def match_prints(audio: Audio, prints: np.ndarray) -> np.ndarray:
    """How well the best place of a sound agrees with each print, float64, shape=(print,), chance 0, the same sound nearly 1.

    Tried are seven speeds (-6 to +6 per cent, where the limit of half a frame over ten seconds is a step), transpositions of
    -3 to +3 semitones in halves, two positions of the grid, and every start. A copy that is also coded and moved agrees by
    0.3 and more, other songs by 0.1 to 0.25 (`docs/results/creativity.md`). Sounds under ten seconds agree by chance more.

    Args:
        audio: what is looked for.
        prints: of `take_print`, uint8, shape=(print, 50, 8).

    Raises:
        InvalidValue: the prints have another shape.

    >>> t = np.arange(80000) / 8000
    >>> notes = [np.sin(2 * np.pi * f * t) * ((t * 4).astype(int) % k == 0) for f, k in ((262, 2), (330, 3), (392, 5))]
    >>> tune = Audio((sum(notes) / 4).astype(np.float32)[None], 8000)
    >>> bool(match_prints(tune, take_print(tune)[None])[0] > 0.9)
    True
    """
    prints = np.asarray(prints)
    if prints.ndim != 3 or prints.shape[1:] != (FRAMES, BITS // 8) or prints.dtype != np.uint8:
        raise InvalidValue(f"prints are uint8 (print, {FRAMES}, {BITS // 8}), got {prints.dtype} {prints.shape}")
    fine = _levels(audio)
    best = np.zeros(len(prints))
    known = prints.tobytes()
    for speed in _SPEEDS:
        step = _FINE * speed
        at = np.round(np.arange(int((len(fine) - 1) / step) + 1) * step).astype(int)
        signs = np.stack([
            np.sign(_differences(fine[np.minimum(at + phase, len(fine) - 1)][:, k : k + 2 * BITS + 1 : 2]))
            for phase in (0, _FINE // 2) for k in range(4 * _MARGIN + 1)
        ])  # fmt: skip
        best = np.maximum(best, _agreement(signs, known))
    return best


def _agreement(signs: np.ndarray, known: bytes) -> np.ndarray:
    """The best over variants and starts, shape=(print,); correlation by the Fourier transform along time."""
    from scipy.fft import irfft, rfft

    best = np.zeros(len(known) // (FRAMES * BITS // 8))
    for start in range(
        0, signs.shape[1], _STARTS
    ):  # a piece at a time: an hour costs what it is long, and memory for one
        piece = signs[:, start : start + _STARTS + FRAMES - 1]
        last = start + piece.shape[1] == signs.shape[1]
        size = next(n for n in _SIZES if n >= piece.shape[1] + FRAMES)
        spectrum = np.matmul(
            rfft(piece, size, axis=1).transpose(1, 0, 2), _spectra(known, size)
        )  # (bin, variant, print)
        agreed = irfft(spectrum, size, axis=0).max(axis=1)
        whole = agreed[: size - FRAMES + 1] if last else agreed[:_STARTS]
        best = np.maximum(best, whole.max(axis=0))
        if start == 0:  # prints that begin before the sound
            best = np.maximum(best, agreed[size - FRAMES + 1 :].max(axis=0))
        if last:
            break
    return np.asarray(best / (min(signs.shape[1], FRAMES) * BITS), np.float64)


@lru_cache(maxsize=3)
def _spectra(known: bytes, size: int) -> np.ndarray:
    """Prints in the frequency domain, conjugate, complex64, shape=(bin, bit, print); the same for every song of a length."""
    from scipy.fft import rfft

    bits = np.unpackbits(np.frombuffer(known, np.uint8).reshape(-1, FRAMES, BITS // 8), axis=2)
    return np.ascontiguousarray(rfft(bits.astype(np.float32) * 2 - 1, size, axis=1).conj().transpose(1, 2, 0))


def _levels(audio: Audio) -> np.ndarray:
    """log of the power on half semitones from 3 semitones under 110 Hz, twenty frames a second, shape=(frame, step)."""
    import soxr

    x = soxr.resample(audio.samples.mean(axis=0, dtype=np.float32), audio.rate, _RATE)
    x = np.pad(x, _SIZE // 2)
    frames = np.lib.stride_tricks.sliding_window_view(x, _SIZE)[::_HOP]
    out = []
    for start in range(0, len(frames), 512):
        power = np.abs(np.fft.rfft(frames[start : start + 512] * np.hanning(_SIZE).astype(np.float32), axis=1)) ** 2
        out.append((power @ _filters()).astype(np.float32))
    levels = np.concatenate(out)
    return np.asarray(np.log(levels + 1e-5 * levels.max() + 1e-20))


def _differences(levels: np.ndarray) -> np.ndarray:
    """Growth in time minus the lower neighbour's, shape=(frame, bit)."""
    grown = np.diff(levels, axis=0, prepend=levels[:1])
    return np.asarray(grown[:, 1:] - grown[:, :-1])


@lru_cache(maxsize=1)
def _filters() -> np.ndarray:
    """Triangles a semitone to either side, at least one bin, shape=(bin, step)."""
    centres = _LOWEST * 2 ** (np.arange(-2 * _MARGIN, 2 * (BITS + 1 + _MARGIN)) / 24)
    frequencies = np.arange(_SIZE // 2 + 1) * _RATE / _SIZE
    half = np.maximum(centres * (2 ** (1 / 12) - 1), _RATE / _SIZE)
    return np.maximum(0, 1 - np.abs(frequencies[:, None] - centres) / half).astype(np.float32)
