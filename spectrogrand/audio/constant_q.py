"""Constant-Q chroma as librosa's, several times faster: kernels in the time domain, one matrix product per octave, in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from ..errors import InvalidValue
from ..types import Audio
from .stft import ANALYSIS_RATE, analysis_blocks, analysis_length

OCTAVES, BINS = 7, 36
"""From C1 (32.7 Hz) up, three bins to a semitone: `librosa.feature.chroma_cqt`'s defaults."""
HOP_STEP = 2 ** (OCTAVES - 1)
"""A hop length is a multiple of 64, so that it can be halved with every octave."""
BLOCK = 300 * ANALYSIS_RATE
_MARGIN = 8 * ANALYSIS_RATE
_ROWS = 1024


def chroma(audio: Audio, hop_length: int = 512, tuning: float | None = None) -> np.ndarray:
    """Chroma of the constant-Q transform, float32 in [0, 1], shape=(12, frame), from C to B; 0 in silence.

    Brown, "Calculation of a constant Q spectral transform" (JASA 89, 1991), octave by octave on a halved rate
    (Schoerkhuber and Klapuri, SMC 2010). The same filters as `librosa.feature.chroma_cqt` of the sound as one channel at
    22,050 Hz: its sparse spectra are turned back into kernels of time, so that an octave is one product of a matrix of
    windows with a matrix of kernels, instead of a transform per frame. Frame j is centred on sample j * hop_length; each
    frame's largest class is 1. (An STFT chroma cannot take its place: its strongest class agrees in 73 % of frames.)

    Args:
        hop_length: samples at 22,050 Hz between frames, a multiple of 64.
        tuning: deviation from A440 in 36ths of an octave, -0.5 to 0.5; None estimates it (from the first five minutes).

    Memory: blocks of five minutes with eight seconds around them; what leaves is 48 bytes a frame.

    Raises:
        InvalidValue: a hop length that cannot be halved six times, or samples that are not finite.

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> int(chroma(Audio(tone[None], 22050))[:, 20].argmax())  # A
    9
    """
    if (
        isinstance(hop_length, bool)
        or not isinstance(hop_length, int)
        or hop_length < HOP_STEP
        or hop_length % HOP_STEP
    ):
        raise InvalidValue(f"a hop length is a multiple of {HOP_STEP} samples, got {hop_length!r}: use 512")
    block = BLOCK // hop_length * hop_length
    margin = -(-_MARGIN // hop_length) * hop_length
    total = analysis_length(audio)
    frames = 1 + total // hop_length
    out = np.empty((12, frames), np.float32)
    held, start = np.zeros(0, np.float32), 0  # `held` begins at sample `start`; frames before `done` are written
    done = 0
    for piece in _ends(audio):
        last = piece is None
        if piece is not None:
            held = np.concatenate([held, piece])
        while last or len(held) >= done * hop_length - start + block + margin:
            stop = frames if last else done + block // hop_length
            reach = None if last else stop * hop_length - start + margin
            part = held[:reach]
            if tuning is None:
                tuning = estimate_tuning(part)
            first = done - start // hop_length
            out[:, done:stop] = _chroma(part, hop_length, tuning)[:, first : first + stop - done]
            done = stop
            if last:
                return out
            keep = max(0, done * hop_length - margin)
            held, start = held[keep - start :], keep
    return out


def _ends(audio: Audio) -> Iterator[np.ndarray | None]:
    """The sound's blocks, then None."""
    yield from analysis_blocks(audio)
    yield None


def estimate_tuning(y: np.ndarray) -> float:
    """Deviation from A440 in 36ths of an octave, in [-0.5, 0.5), of a sound at 22,050 Hz, shape=(time,): 0 in silence.

    The same number as `librosa.estimate_tuning(y=y, sr=22050, bins_per_octave=36)`: spectral peaks from 150 Hz to 4 kHz
    above a tenth of their frame's loudest bin, placed by a parabola; the commonest fraction of a bin among the louder half.

    >>> at = np.arange(22050) / 22050
    >>> round(estimate_tuning(np.sin(2 * np.pi * 440 * 2 ** (0.1 / 36) * at).astype(np.float32)), 2)
    0.11
    """
    from scipy.fft import rfft

    size, hop = 2048, 512
    low, high = int(np.ceil(150 * size / ANALYSIS_RATE)), int(np.ceil(4000 * size / ANALYSIS_RATE))
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(y, size // 2), size)[::hop]
    places, heights = [], []
    for start in range(0, len(windows), _ROWS):
        magnitude = np.abs(rfft(windows[start : start + _ROWS] * window, axis=1))
        loud = np.float32(0.1) * magnitude.max(axis=1, keepdims=True)
        left, here, right = (magnitude[:, low + k : high + k] for k in (-1, 0, 1))
        rows, columns = np.nonzero((here > loud) & (here > left * (left > loud)) & (here >= right * (right > loud)))
        below, peak, above = (part[rows, columns] for part in (left, here, right))
        curve, slope = above + below - 2 * peak, (above - below) / 2
        shift = np.where(np.abs(slope) < np.abs(curve), -slope / np.where(curve == 0, 1, curve), 0)
        places.append(columns + low + shift)
        heights.append(peak + slope * shift / 2)
    place, height = np.concatenate(places), np.concatenate(heights)
    if not len(place):
        return 0.0
    place = place[height >= np.median(height)] * (ANALYSIS_RATE / size)
    residual = np.mod(BINS * np.log2(place / 27.5), 1.0)
    residual[residual >= 0.5] -= 1.0
    counts, edges = np.histogram(residual, np.linspace(-0.5, 0.5, 101))
    return float(edges[np.argmax(counts)])


def _chroma(y: np.ndarray, hop_length: int, tuning: float) -> np.ndarray:
    """Chroma of one block, shape=(12, frame), frame 0 centred on its first sample, zeros around it."""
    import soxr

    kernels, fold = _kernels(round(float(tuning), 6))
    frames = 1 + len(y) // hop_length
    total = np.zeros((frames, 12), np.float32)
    octave, hop = y, hop_length
    for k, kernel in enumerate(kernels):  # from the top down
        if k:
            octave, hop = soxr.resample(octave, 2, 1, quality="HQ") * np.float32(np.sqrt(2)), hop // 2
        total += _response(octave, kernel, hop, frames) @ fold[k]
    peak = total.max(axis=1, keepdims=True)
    return np.asarray((total / np.where(peak > np.finfo(np.float32).tiny, peak, 1)).T)


def _response(y: np.ndarray, kernel: np.ndarray, hop: int, frames: int) -> np.ndarray:
    """Magnitudes of an octave, shape=(frame, bin)."""
    size, bins = kernel.shape[0], kernel.shape[1] // 2
    padded = np.zeros(max(len(y), (frames - 1) * hop + 1) + size, np.float32)
    padded[size // 2 : size // 2 + len(y)] = y
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    out = np.empty((frames, bins), np.float32)
    for start in range(0, frames, _ROWS):
        both = np.ascontiguousarray(windows[start : min(start + _ROWS, frames)]) @ kernel
        np.hypot(both[:, :bins], both[:, bins:], out=out[start : start + len(both)])
    return out


@lru_cache(maxsize=2)
def _kernels(tuning: float) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Per octave from the top: kernels, float32, shape=(time, cosines then sines of 36 bins), and bins to classes, (36, 12)."""
    import librosa

    lowest = librosa.note_to_hz("C1") * 2.0 ** (tuning / BINS)
    frequencies = librosa.interval_frequencies(
        n_bins=OCTAVES * BINS, fmin=lowest, intervals="equal", bins_per_octave=BINS, sort=True
    )
    alpha = np.full(len(frequencies), _relative_bandwidth())
    lengths, _ = librosa.filters.wavelet_lengths(
        freqs=frequencies, sr=ANALYSIS_RATE, window="hann", filter_scale=1, gamma=0, alpha=alpha
    )
    fold = librosa.filters.cq_to_chroma(OCTAVES * BINS, bins_per_octave=BINS, n_chroma=12, fmin=None)
    kernels, folds = [], []
    for octave in range(OCTAVES):
        here = slice(len(frequencies) - BINS * (octave + 1), len(frequencies) - BINS * octave)
        rate = ANALYSIS_RATE / 2**octave
        basis, own = librosa.filters.wavelet(
            freqs=frequencies[here],
            sr=rate,
            filter_scale=1,
            norm=1,
            pad_fft=True,
            window="hann",
            gamma=0,
            alpha=alpha[here],
        )
        size = basis.shape[1]
        spectra = np.fft.fft(basis * own[:, None] / size, axis=1)[:, : size // 2 + 1]
        sparse = librosa.util.sparsify_rows(spectra, quantile=0.01, dtype=np.complex64).toarray()
        sparse *= np.sqrt(2.0**octave) / np.sqrt(lengths[here])[:, None]
        whole = np.zeros((BINS, size), np.complex128)
        whole[:, : size // 2 + 1] = sparse
        kernel = np.fft.fft(whole, axis=1).T
        kernels.append(np.ascontiguousarray(np.hstack([kernel.real, kernel.imag]), np.float32))
        folds.append(np.ascontiguousarray(fold[:, here].T, np.float32))
    return kernels, folds


def _relative_bandwidth() -> float:
    """Of a filter to its neighbours at equal temperament: Schoerkhuber and Klapuri 2010, eq. 1, as librosa counts it."""
    step = 2.0 ** (2 / BINS)
    return (step - 1) / (step + 1)
