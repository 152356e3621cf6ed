"""What a stretch of music measurably is: length, loudness, tempo, key, brightness, percussion, bass, density."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from ..types import Audio
from .features import analyse
from .onsets import onsets
from .rhythm.percussive import energies
from .stft import ANALYSIS_RATE, analysis_blocks

NOTES = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
"""Key profiles: Krumhansl and Kessler 1982, as in Krumhansl, Cognitive Foundations of Musical Pitch, 1990, table 2.1."""
SURE, MARGIN = 0.65, 0.1
"""A key is named where its profile correlates at least so much, and so much more than the next one that is not its relative."""
SILENT = 1e-3
"""Root mean square (-60 dBFS) below which nothing is heard."""


@dataclass(frozen=True)
class Facts:
    """Measures of a sound; `tempo` 0.0 and `key` None where there is none to be sure of.

    Attributes:
        seconds: length. loudness: dBFS of the loudest tenth (RMS of 23 ms frames), -inf in silence.
        tempo: beats per minute. steady: the beats are a constant grid.
        key: "A minor", or None. brightness: spectral centroid in Hz, weighted by loudness.
        percussive: share of mel amplitude that is percussive, 0 to 1. bass: share of mel power below 250 Hz, 0 to 1.
        density: onsets a second.
    """

    seconds: float
    loudness: float
    tempo: float
    steady: bool
    key: str | None
    brightness: float
    percussive: float
    bass: float
    density: float


def listen(sound: Audio) -> Facts:
    """Measure a stretch of music of up to some minutes.

    >>> listen(Audio(np.zeros((1, 22050), np.float32), 22050)).tempo
    0.0
    """
    song = analyse(sound)
    rms = np.asarray(song.rms, np.float64)
    loud = float(np.sqrt(np.mean(np.sort(rms)[-max(1, len(rms) // 10) :] ** 2)))
    if loud < SILENT:
        return Facts(song.duration, float("-inf"), 0.0, False, None, 0.0, 0.0, 0.0, 0.0)
    power = np.power(10.0, np.asarray(song.bands, np.float64) / 10).mean(axis=1)
    parts = energies(sound)
    # amplitudes: in energies one deep note outweighs a whole drum kit
    harmonic, percussive = (float(np.sqrt(e, dtype=np.float64).sum()) for e in (parts.harmonic, parts.percussive))
    return Facts(
        seconds=song.duration, loudness=20 * float(np.log10(loud)), tempo=float(song.tempo), steady=bool(song.steady),
        key=key_of(_chroma(sound)), brightness=float((song.centroid * rms).sum() / max(float(rms.sum()), 1e-12)),
        percussive=percussive / max(harmonic + percussive, 1e-30), bass=float(power[0] / max(float(power.sum()), 1e-30)),
        density=len(onsets(song)) / song.duration,
    )  # fmt: skip


def key_of(chroma: np.ndarray) -> str | None:
    """The key whose profile correlates best with how much each pitch class sounds, None where none does clearly.

    Krumhansl and Schmuckler's algorithm (Krumhansl 1990, chapter 4).

    Args:
        chroma: shape=(12,), from C to B.

    >>> key_of(np.array(MAJOR)), key_of(np.roll(MINOR, 9)), key_of(np.ones(12))
    ('C major', 'A minor', None)
    """
    x = np.asarray(chroma, np.float64)
    if not np.isfinite(x).all() or x.std() < 1e-9:
        return None
    fits = np.array([[np.corrcoef(x, np.roll(p, k))[0, 1] for k in range(12)] for p in (MAJOR, MINOR)])
    mode, tonic = np.unravel_index(int(fits.argmax()), fits.shape)
    best = float(fits[mode, tonic])
    others = fits.copy()
    others[mode, tonic] = -1
    others[1 - mode, (tonic + (9 if mode == 0 else 3)) % 12] = -1  # the relative key has the same notes
    if best < SURE or best - float(others.max()) < MARGIN:
        return None
    return f"{NOTES[tonic]} {'major' if mode == 0 else 'minor'}"


def _chroma(sound: Audio) -> np.ndarray:
    """How much each pitch class sounds, shape=(12,): constant-Q chroma, the mean over time of its columns' squares."""
    import librosa

    y = np.concatenate(list(analysis_blocks(sound)))
    if len(y) < ANALYSIS_RATE:
        return np.ones(12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "empty frequency set": a sound without tones has no tuning
        low = librosa.note_to_hz("C2")
        found = librosa.feature.chroma_cqt(y=y, sr=ANALYSIS_RATE, hop_length=2048, fmin=low, n_octaves=5)
    return np.asarray((found**2).mean(axis=1), np.float64)
