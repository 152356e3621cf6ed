"""What a song does, frame by frame: loudness, onsets, bands, chroma, brightness; and its beats. One pass, in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np

from ..types import Audio
from .rhythm.accents import RATE as ACCENT_RATE
from .rhythm.accents import accents
from .rhythm.beats import Beats, planned, track
from .spectrogram import MelBuilder
from .stft import ANALYSIS_RATE, analysis_length, power_blocks

HOP = 512
N_FFT = 2048
BANDS = 16
_FINE = 4
"""Energies per hop for placing beats: 172 a second, because a hop of 23 ms is most of a video frame."""
_known: WeakKeyDictionary[Audio, Features] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Features:
    """Curves with one value per frame, 43.07 a second, frame j at j / frame_rate seconds; finite in silence, too.

    Attributes:
        frame_rate: frames per second, 22050 / 512.
        duration: seconds.
        onset_strength: shape=(frame,), in [0, 1], 1 at the song's strongest onset: spectral flux, the mean rise of the
            mel bands in dB. `onset_low` (under 200 Hz), `onset_mid`, `onset_high` (over 2 kHz): the same of those bands,
            each relative to its own maximum.
        rms: shape=(frame,), root mean square of the 23 ms that begin at the frame's time, full scale is 1.
        bands: shape=(16, frame), mel bands from low to high, dB relative to the song's loudest mel bin, in [-80, 0].
        chroma: shape=(12, frame), from C to B, columns sum to 1, or to 0 in silence. From the short-time spectrum above
            200 Hz: enough for change and colour, not for naming chords.
        centroid: shape=(frame,), spectral centroid in Hz, 0 in silence.
        tempo: beats per minute; 0.0 where no beat was found.
        beats: shape=(beat,), seconds; empty where no beat was found. `beat_strength`: shape=(beat,), in [0, 1].
        downbeats: shape=(bar,), seconds, a subset of `beats`.
        steady: the beats are an exact grid: declared by the song's plan, or found constant.
        metre: "4/4", "3/4", ..., found or given. `downbeat_confidence`: probability that `downbeats` begin the bars, 0 to 1.
    """

    frame_rate: float
    duration: float
    onset_strength: np.ndarray
    onset_low: np.ndarray
    onset_mid: np.ndarray
    onset_high: np.ndarray
    rms: np.ndarray
    bands: np.ndarray
    chroma: np.ndarray
    centroid: np.ndarray
    tempo: float
    beats: np.ndarray
    downbeats: np.ndarray
    beat_strength: np.ndarray
    steady: bool
    metre: str = "4/4"
    downbeat_confidence: float = 0.0

    @property
    def times(self) -> np.ndarray:
        """Seconds of each frame, shape=(frame,)."""
        return np.arange(len(self.rms)) / self.frame_rate

    def sample(self, curve: np.ndarray, times: np.ndarray) -> np.ndarray:
        """A curve, shape=(..., frame), at other times in seconds: linear between frames, held beyond the ends.

        >>> song = analyse(Audio(np.zeros((1, 22050), np.float32), 22050))
        >>> song.sample(song.bands, np.array([0.1, 0.2])).shape
        (16, 2)
        """
        at = np.clip(np.asarray(times, np.float64) * self.frame_rate, 0, curve.shape[-1] - 1)
        low = at.astype(np.int64)
        high = np.minimum(low + 1, curve.shape[-1] - 1)
        part = (at - low).astype(curve.dtype)
        return np.asarray(curve[..., low] * (1 - part) + curve[..., high] * part)


def analyse(audio: Audio, metre: str | None = None) -> Features:
    """Analyse a song once; the answer (and its mel spectrogram) is kept for as long as the `Audio` object lives.

    Beats come from the song's plan where it has one; otherwise they are tracked (`spectrogrand.audio.rhythm.beats`). Channels are
    mixed to one, as every analysis here does. Memory: the sound is read in blocks; an hour leaves 100 MB of curves.

    Args:
        audio: the song.
        metre: "3/4", "6/8", ... where it is known; None finds it (or takes what the song was first analysed with).

    Raises:
        InvalidValue: a sample is not a finite number, or a metre that is not known.

    >>> clicks = np.zeros(8 * 22050, np.float32)
    >>> clicks[:: 22050 // 2] = 1
    >>> round(analyse(Audio(clicks[None], 22050)).tempo)
    120
    """
    if audio not in _known or (metre is not None and _known[audio].metre != metre):
        _known[audio] = _analyse(audio, metre)
    return _known[audio]


def _analyse(audio: Audio, metre: str | None) -> Features:
    mel = MelBuilder(audio, hop_length=HOP, n_fft=N_FFT)
    frames = 1 + analysis_length(audio) // HOP
    rms, centroid = np.empty(frames, np.float32), np.empty(frames, np.float32)
    chroma = np.empty((12, frames), np.float32)
    fine = np.empty((frames, _FINE), np.float32)
    frequencies = np.arange(N_FFT // 2 + 1, dtype=np.float32) * np.float32(ANALYSIS_RATE / N_FFT)
    done = 0
    for hops, power in power_blocks(audio, hop_length=HOP, n_fft=N_FFT):
        here = slice(done, done + power.shape[1])
        done = here.stop
        mel.add(power)
        fine[here] = np.mean(np.square(hops.reshape(len(hops), _FINE, -1)), axis=2)
        rms[here] = np.sqrt(fine[here].mean(axis=1))
        magnitude = np.sqrt(power, out=power)
        total = magnitude.sum(axis=0)
        heard = total > 1e-6
        centroid[here] = np.where(heard, frequencies @ magnitude / np.where(heard, total, 1), 0)
        classes = _chroma_filters() @ magnitude
        total = classes.sum(axis=0)
        chroma[:, here] = np.where(total > 1e-6, classes / np.where(total > 1e-6, total, 1), 0)
    decibels = mel.finish().decibels
    onsets = [_flux(decibels, rows) for rows in (slice(None), slice(0, 8), slice(8, 64), slice(64, None))]
    rate = ANALYSIS_RATE / HOP
    duration = float(audio.duration)
    if audio.plan is not None and audio.plan.beats:
        found = planned(audio.plan)
    else:
        heard = accents(audio)
        found = track(heard, ACCENT_RATE, chroma, rate, fine.reshape(-1), rate * _FINE, duration, metre)
    return Features(
        frame_rate=rate, duration=duration,
        onset_strength=onsets[0], onset_low=onsets[1], onset_mid=onsets[2], onset_high=onsets[3],
        rms=rms, bands=_bands(decibels), chroma=chroma, centroid=centroid,
        tempo=found.tempo, beats=found.beats, downbeats=found.downbeats,
        beat_strength=_strength(found, onsets[0], rate), steady=found.steady,
        metre=found.metre, downbeat_confidence=found.confidence,
    )  # fmt: skip


def _flux(decibels: np.ndarray, rows: slice) -> np.ndarray:
    """Mean rise in dB from the frame before, relative to the largest; a song that begins loud begins with an onset."""
    part = decibels[rows]
    flux = np.empty(part.shape[1], np.float32)
    flux[0] = np.mean(part[:, 0] + 80)
    for start in range(1, part.shape[1], 4096):
        block = part[:, start - 1 : start + 4096]
        flux[start : start + block.shape[1] - 1] = np.maximum(np.diff(block, axis=1), 0).mean(axis=0)
    if len(flux) > 1 and flux[1:].max() > 0:
        flux[0] = min(flux[0], flux[1:].max())
    peak = flux.max()
    return flux / peak if peak > 0 else flux


def _bands(decibels: np.ndarray) -> np.ndarray:
    """The mel rows in 16 groups, mean power in dB, shape=(16, frame)."""
    bands = np.empty((BANDS, decibels.shape[1]), np.float32)
    for band, rows in zip(bands, np.array_split(decibels, BANDS), strict=True):
        band[:] = 10 * np.log10(np.mean(np.power(np.float32(10), rows / np.float32(10)), axis=0))
    return np.clip(bands, -80, 0, out=bands)


def _strength(found: Beats, onset: np.ndarray, rate: float) -> np.ndarray:
    """The strongest onset within a frame of each beat, shape=(beat,)."""
    at = np.clip(np.round(found.beats * rate).astype(int)[:, None] + np.arange(-2, 2), 0, len(onset) - 1)
    return np.asarray(onset[at].max(axis=1) if len(at) else np.zeros(0, np.float32))


@lru_cache(maxsize=1)
def _chroma_filters() -> np.ndarray:
    """Each bin from 200 Hz to 5 kHz shared between its two nearest pitch classes, float32, shape=(12, bin)."""
    frequencies = np.arange(N_FFT // 2 + 1) * ANALYSIS_RATE / N_FFT
    use = (frequencies >= 200) & (frequencies <= 5000)
    pitch = 12 * np.log2(np.where(use, frequencies, 440) / 440) + 9  # 9: A, counted from C
    distance = np.abs((pitch[None] - np.arange(12)[:, None] + 6) % 12 - 6)
    filters = np.maximum(1 - distance, 0) * use
    return (filters / filters.sum(axis=1, keepdims=True)).astype(np.float32)
