"""What a song sounds like, as about a hundred numbers: timbre, rhythm and tonal statistics in one pass, in blocks."""

from __future__ import annotations

from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np

from ..types import Audio
from .spectrogram import mel_filters
from .stft import ANALYSIS_RATE, analysis_length, power_blocks

HOP = 512
N_FFT = 2048
RATE = ANALYSIS_RATE / HOP
_MELS = 48
_KEPT = 44
"""Mel bands in use: up to 8.6 kHz, below what an MP3 at 64 kb/s or a telephone-quality resampling leaves out."""
_FLOOR = 50.0
"""dB below the song's loudest mel bin at which bands are cut: under it lies coding noise, not music."""
_EDGES = (0, 120, 200, 400, 800, 1600, 3200, 8600)
_GROUPS = {"low": slice(0, 3), "mid": slice(3, 28), "high": slice(28, _KEPT)}
"""Mel rows under 200 Hz, to 2.5 kHz, and above."""
_LAGS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
_RATES = (0.5, 1.0, 2.0, 4.0)
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
NAMES: tuple[str, ...] = (
    *(f"mfcc{k}_mean" for k in range(1, 20)),
    *(f"mfcc{k}_std" for k in range(20)),
    *(f"mfcc{k}_slope" for k in range(1, 9)),
    *(f"contrast{k}_{s}" for s in ("mean", "std") for k in range(1, len(_EDGES))),
    *(f"{c}_{s}" for c in ("centroid", "bandwidth", "flatness", "bass_share") for s in ("mean", "std")),
    "loudness_range", "crest",
    *(f"onsets_{g}" for g in _GROUPS),
    *(f"pulse_{g}_{lag}" for g in _GROUPS for lag in _LAGS),
    *(f"swell_{g}_{rate}" for g in _GROUPS for rate in _RATES),
    "tempo", "pulse_clarity",
    "chroma_entropy", "chroma_flux", "key_major", "key_minor",
    *(f"interval{k}" for k in range(1, 7)), "tonal_spread",
)  # fmt: skip
_known: WeakKeyDictionary[Audio, np.ndarray] = WeakKeyDictionary()


def describe(audio: Audio) -> np.ndarray:
    """The statistics called `NAMES`, float32, shape=(statistic,); all zero for silence. Kept while the `Audio` lives.

    Sound is read as one channel at 22,050 Hz, bands above 8.6 kHz left out, levels relative to the song's own loudest
    mel bin with a floor at -50 dB: gain has no influence, MP3 coding and resampling little; nor has transposition.

    Timbre: mean, spread and mean absolute change of the mel-frequency cepstrum (Davis & Mermelstein 1980; 44 bands, DCT-II);
    spectral contrast (Jiang et al. 2002: dB between the mean of the loudest and the quietest fifth of the bins) in seven
    bands; log2 of centroid and bandwidth, flatness, share of the energy under 120 Hz.
    Rhythm: tempo (log2) and pulse clarity are place and height of the best peak of the onset strength's autocorrelation
    between 80 and 180 beats per minute; "pulse" is each group's onset autocorrelation at multiples of that beat (a
    tempogram read at musical lags, after Grosche et al. 2010); "swell" is the share of each group's level that moves at
    multiples of the beat rate, as side-chained pads do; "onsets" per second.
    Tonal: entropy and change of chroma, correlation with the best major and minor key profile (Krumhansl & Kessler
    1982), how often two pitch classes k semitones apart sound together (circular autocorrelation of mean chroma), and
    the spread of the tonal centroid (Harte et al. 2006).

    Raises:
        InvalidValue: a sample is not a finite number.

    >>> describe(Audio(np.zeros((1, 22050), np.float32), 22050)).any().item()
    False
    >>> len(NAMES) == len(set(NAMES)) == 123
    True
    """
    if audio not in _known:
        _known[audio] = _describe(audio)
    return _known[audio]


def _describe(audio: Audio) -> np.ndarray:
    count = 1 + analysis_length(audio) // HOP
    mel = np.empty((_KEPT, count), np.float32)
    chroma = np.empty((12, count), np.float32)
    contrast = np.empty((len(_EDGES) - 1, count), np.float32)
    shape = np.empty((4, count), np.float32)
    done = 0
    for _, power in power_blocks(audio, hop_length=HOP, n_fft=N_FFT):
        here = slice(done, done + power.shape[1])
        done = here.stop
        mel[:, here] = mel_filters(_MELS, N_FFT)[:_KEPT] @ power
        inner = power[1:-1]
        peaks = np.sqrt(inner) * (
            (inner > power[:-2]) & (inner >= power[2:])
        )  # a tone is one bin, not its window's five
        chroma[:, here] = _chroma_filters()[:, 1:-1] @ peaks
        contrast[:, here] = _contrast(power)
        shape[:, here] = _shape(power)
    peak = float(mel.max())
    if peak <= 1e-9:
        return np.zeros(len(NAMES), np.float32)
    decibels = 10 * np.log10(np.maximum(mel / peak, 10 ** (-_FLOOR / 10)))
    heard = decibels.max(axis=0) > -_FLOOR + 10
    if not heard.any():
        heard[:] = True
    values = np.concatenate([
        _timbre(decibels, contrast, shape, heard),
        _rhythm(decibels, heard),
        _tonal(chroma / max(float(chroma.max()), 1e-12), heard),
    ])  # fmt: skip
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)


def _timbre(decibels: np.ndarray, contrast: np.ndarray, shape: np.ndarray, heard: np.ndarray) -> np.ndarray:
    k, n = np.arange(20)[:, None], np.arange(_KEPT)[None]
    basis = np.cos(np.pi * k * (n + 0.5) / _KEPT) * np.sqrt(2 / _KEPT)
    mfcc = (basis.astype(np.float32) @ decibels)[:, heard]
    slope = np.abs(np.diff(mfcc[1:9], axis=1)).mean(axis=1) if mfcc.shape[1] > 1 else np.zeros(8)
    shape, contrast = shape[:, heard], np.minimum(contrast[:, heard], _FLOOR)
    level = decibels[:, heard].max(axis=0)
    loudness = [np.percentile(level, 95) - np.percentile(level, 10), -level.mean()]
    moments = np.stack([shape.mean(axis=1), shape.std(axis=1)], axis=1).ravel()
    return np.concatenate(
        [mfcc[1:].mean(axis=1), mfcc.std(axis=1), slope, contrast.mean(axis=1), contrast.std(axis=1), moments, loudness]
    )


def _rhythm(decibels: np.ndarray, heard: np.ndarray) -> np.ndarray:
    onsets = {
        g: np.maximum(np.diff(decibels[rows], axis=1, prepend=decibels[rows, :1]), 0).mean(axis=0)
        for g, rows in _GROUPS.items()
    }
    both = sum(o / (o.std() + 1e-6) for o in onsets.values())
    overall = _autocorrelation(np.asarray(both))
    period, clarity = _beat(overall)
    rates = [_peaks(o) / (len(o) / RATE) for o in onsets.values()]
    pulse = [_at(_autocorrelation(o), period * np.array(_LAGS)) for o in onsets.values()]
    swell = [_swell(decibels[rows].mean(axis=0), period) for rows in _GROUPS.values()]
    return np.concatenate([rates, *pulse, *swell, [np.log2(60 * RATE / period), clarity]])


def _tonal(chroma: np.ndarray, heard: np.ndarray) -> np.ndarray:
    frames = chroma[:, heard] / np.maximum(chroma[:, heard].sum(axis=0), 1e-9)
    mean = frames.mean(axis=1)
    mean = mean / max(mean.sum(), 1e-9)
    entropy = -(mean * np.log2(mean + 1e-9)).sum()
    flux = np.abs(np.diff(frames, axis=1)).sum(axis=0).mean() if frames.shape[1] > 1 else 0.0
    keys = []
    for profile in (_MAJOR, _MINOR):
        turned = np.stack([np.roll(profile, k) for k in range(12)])
        turned = turned - turned.mean(axis=1, keepdims=True)
        centred = mean - mean.mean()
        keys.append((turned @ centred).max() / (np.linalg.norm(turned[0]) * np.linalg.norm(centred) + 1e-9))
    together = np.array([mean @ np.roll(mean, k) for k in range(1, 7)]) / (mean @ mean + 1e-9)
    turns = np.arange(12)[None] * np.array([7 / 6, 3 / 2, 2 / 3])[:, None] * np.pi
    basis = np.concatenate([np.sin(turns), np.cos(turns)])
    spread = (basis @ frames).std(axis=1).mean()
    return np.concatenate([[entropy, flux, *keys], together, [spread]])


def _contrast(power: np.ndarray) -> np.ndarray:
    """dB between the loudest and the quietest fifth of the bins of each band, shape=(band, frame)."""
    edges = [round(e * N_FFT / ANALYSIS_RATE) for e in _EDGES]
    out = np.empty((len(edges) - 1, power.shape[1]), np.float32)
    for k, (low, high) in enumerate(zip(edges, edges[1:], strict=False)):
        band = np.sort(power[low:high], axis=0)
        fifth = max(1, len(band) // 5)
        out[k] = 10 * np.log10((band[-fifth:].mean(axis=0) + 1e-9) / (band[:fifth].mean(axis=0) + 1e-9))
    return out


def _shape(power: np.ndarray) -> np.ndarray:
    """log2 of centroid and bandwidth in Hz, flatness in [0, 1], share of energy under 120 Hz; shape=(4, frame)."""
    top, low = round(_EDGES[-1] * N_FFT / ANALYSIS_RATE), round(120 * N_FFT / ANALYSIS_RATE)
    used = power[1:top]
    frequencies = (np.arange(1, top) * ANALYSIS_RATE / N_FFT)[:, None].astype(np.float32)
    magnitude = np.sqrt(used)
    total = magnitude.sum(axis=0) + 1e-9
    centroid = (frequencies * magnitude).sum(axis=0) / total
    width = np.sqrt((np.square(frequencies - centroid) * magnitude).sum(axis=0) / total)
    floor = used.max(axis=0) * 1e-6 + 1e-12
    flat = np.exp(np.log(used + floor).mean(axis=0)) / (used.mean(axis=0) + floor)
    share = used[: low - 1].sum(axis=0) / (used.sum(axis=0) + 1e-12)
    return np.stack([np.log2(centroid + 20), np.log2(width + 20), flat, share])


def _autocorrelation(curve: np.ndarray) -> np.ndarray:
    """Unbiased, 1 at lag 0, up to four beats at 60 a minute."""
    centred = curve - curve.mean()
    size = 1 << (2 * len(centred) - 1).bit_length()
    lags = min(len(centred), int(4 * RATE) + 4)
    spectrum = np.fft.rfft(centred, size)
    raw = np.fft.irfft(np.abs(spectrum) ** 2, size)[:lags]
    raw = raw * len(centred) / np.maximum(len(centred) - np.arange(lags), len(centred) / 4)
    return raw / raw[0] if raw[0] > 1e-9 else np.zeros(lags)


def _beat(overall: np.ndarray) -> tuple[float, float]:
    """Frames per beat at the best peak from 80 to 180 beats per minute, those near 126 preferred; and its height."""
    first, last = int(60 * RATE / 180), int(60 * RATE / 80) + 2
    if len(overall) < last + 2:
        return 60 * RATE / 126, 0.0
    lags = np.arange(first, last)
    # a period that holds also holds twice: a beat must be seen again after two and four beats
    height = (overall[lags] + 0.5 * _at(overall, 2.0 * lags) + 0.5 * _at(overall, 4.0 * lags)) / 2
    best = int(lags[np.argmax(height - 0.25 * np.log2(60 * RATE / lags / 126) ** 2)])
    left, middle, right = overall[best - 1 : best + 2]
    bend = left - 2 * middle + right
    period = best + (0.5 * (left - right) / bend if bend < 0 else 0.0)
    return float(np.clip(period, best - 1, best + 1)), float(overall[best])


def _at(curve: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """The curve's largest value within one frame of each lag, 0 beyond its end."""
    near = np.rint(lags).astype(int)
    return np.max(
        [np.where(near + d < len(curve), curve[np.minimum(near + d, len(curve) - 1)], 0) for d in (-1, 0, 1)], axis=0
    )


def _swell(level: np.ndarray, period: float) -> np.ndarray:
    """Share of a level's variance at multiples of the beat rate, shape=(rate,)."""
    centred = (level - level.mean()) * np.hanning(len(level))
    total = np.sqrt((centred**2).mean()) + 1e-6
    time = np.arange(len(level))
    return np.array([np.abs((centred * np.exp(-2j * np.pi * rate / period * time)).mean()) for rate in _RATES]) / total


def _peaks(onset: np.ndarray) -> int:
    """Local maxima that stand out of the curve by a standard deviation."""
    inner = onset[1:-1]
    return int(np.sum((inner > onset[:-2]) & (inner >= onset[2:]) & (inner > onset.mean() + onset.std())))


@lru_cache(maxsize=1)
def _chroma_filters() -> np.ndarray:
    """Each bin from 200 Hz to 4 kHz shared between its two nearest pitch classes, shape=(12, bin); rows sum to 1."""
    frequencies = np.arange(N_FFT // 2 + 1) * ANALYSIS_RATE / N_FFT
    use = (frequencies >= 200) & (frequencies <= 4000)
    pitch = 12 * np.log2(np.where(use, frequencies, 440) / 440) + 9
    distance = np.abs((pitch[None] - np.arange(12)[:, None] + 6) % 12 - 6)
    filters = np.maximum(1 - distance, 0) * use
    return (filters / filters.sum(axis=1, keepdims=True)).astype(np.float32)
