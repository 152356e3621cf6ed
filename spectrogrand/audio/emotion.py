"""What a song feels like: arousal and valence from measured sound, and words for them; a stand-in for a paid service."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from ..errors import InvalidValue
from ..types import Audio
from .features import analyse
from .statistics import NAMES, describe

CIRCUMPLEX = {
    "happy": 7.8, "delighted": 24.9, "excited": 48.6, "astonished": 69.8, "aroused": 73.8, "tense": 92.8, "alarmed": 96.5,
    "angry": 99.0, "afraid": 116.0, "annoyed": 123.0, "distressed": 138.0, "frustrated": 141.0, "miserable": 188.7,
    "sad": 207.5, "gloomy": 209.0, "depressed": 210.0, "bored": 242.0, "droopy": 256.7, "tired": 267.7, "sleepy": 271.9,
    "calm": 316.2, "relaxed": 318.0, "satisfied": 319.0, "at ease": 321.0, "content": 323.0, "serene": 328.6, "glad": 349.0,
    "pleased": 353.2,
}  # fmt: skip
"""Twenty-eight words by their angle in degrees in the plane (valence, arousal): Russell 1980, A circumplex model of affect,
Journal of Personality and Social Psychology 39(6), direct circular scaling."""
AROUSAL = {"activity": 0.30, "tempo": 0.25, "loudness": 0.25, "brightness": 0.20}
VALENCE = {"mode": 0.55, "tempo": 0.25, "brightness": 0.20}
_GAIN = 1.6
_WINDOW = 32
"""Frames (0.74 s) over which a chord is heard."""
_TRIADS = (
    np.stack([np.roll(t, k) for t in (np.isin(range(12), (0, 4, 7)), np.isin(range(12), (0, 3, 7))) for k in range(12)])
    / 3.0
)


@dataclass(frozen=True)
class Emotion:
    """A song's place in the plane of feeling, and what was measured for it.

    Attributes:
        arousal, valence: in (-1, 1): calm to wild, sad to happy. `tension`: in (-1, 1), relaxed to threatening.
        tempo: beats per minute as felt. `activity`: onsets a second. `brightness`: spectral centroid in Hz.
        loudness: root mean square in dB below full scale. `mode`: in (-1, 1), minor to major, 0 where no key is clear.
    """

    arousal: float
    valence: float
    tension: float
    tempo: float
    activity: float
    brightness: float
    loudness: float
    mode: float

    def as_dict(self) -> dict[str, float]:
        """Plain data for a record."""
        return asdict(self)

    def words(self, count: int = 3) -> tuple[str, ...]:
        """The `count` words of `CIRCUMPLEX` nearest in direction, nearest first: the published column "Top Emotions".

        Raises:
            InvalidValue: a count outside 1 to 28.

        >>> Emotion(-0.3, -0.6, 0.1, 60.0, 1.0, 500.0, -30.0, -0.9).words(2)
        ('sad', 'gloomy')
        """
        if not 1 <= count <= len(CIRCUMPLEX):
            raise InvalidValue(f"between 1 and {len(CIRCUMPLEX)} emotions can be named, got {count}")
        angle = float(np.degrees(np.arctan2(self.arousal, self.valence)))
        apart = {word: abs((at - angle + 180) % 360 - 180) for word, at in CIRCUMPLEX.items()}
        return tuple(sorted(apart, key=lambda word: (apart[word], word))[:count])


def estimate(audio: Audio) -> Emotion:
    """Arousal and valence of a song by a fixed formula over measured sound; the same answer for the same samples.

    Five measures, each brought to (-1, 1) by tanh, their signs as in the literature (Gabrielsson & Lindstrom 2010, The role
    of structure in the musical expression of emotions; Eerola, Lartillot & Toiviainen, ISMIR 2009, whose regressions
    on film music also lean on loudness, pulse and brightness for activity, and on mode for valence):

        activity   = tanh(log2(onsets per second / 2.5) / 1.2)
        tempo      = tanh(log2(beats per minute / 118) / 0.5)
        loudness   = tanh((rms dBFS + 16) / 12)
        brightness = tanh(log2(spectral centroid / 1500 Hz) / 1.2)
        mode       = tanh((r_major - r_minor) / 0.12 + 0.7 triads)

        arousal = tanh(1.6 sum(AROUSAL[k] k)),   valence = tanh(1.6 sum(VALENCE[k] k))
        tension = tanh(0.7 arousal - 0.7 valence)

    with r the correlation with the best key profile of Krumhansl & Kessler 1982 and `triads` the share of windows of 0.74 s
    whose best triad is major, less the share where it is minor. A beat that fewer than 0.6 onsets carry is felt at half
    its rate (trackers name 110 for a song at 55). This is a stand-in for a trained or a paid service, not their equal: the
    weights follow the signs and orders in the literature and were fitted to nobody's ratings. Silence is at rest.

    Raises:
        InvalidValue: no sound, or a sample that is not a finite number.

    >>> quiet = estimate(Audio(np.zeros((1, 44100), np.float32), 22050))
    >>> quiet.arousal < -0.5 and quiet.mode == 0
    True
    """
    if not isinstance(audio, Audio):
        raise InvalidValue(f"an emotion is estimated from Audio, got {type(audio).__name__}: load it with load_audio")
    of = dict(zip(NAMES, describe(audio).astype(float), strict=True))
    curves = analyse(audio)
    level = 10 * np.log10(float(np.mean(np.square(curves.rms.astype(np.float64)))) + 1e-7)
    silent = level < -65
    activity = 0.0 if silent else max(of["onsets_low"], of["onsets_mid"], of["onsets_high"])
    tempo = 40.0 if silent else (curves.tempo or 2.0 ** of["tempo"])
    if activity < 0.6 * tempo / 60 and tempo > 80:
        tempo /= 2
    centroid = 100.0 if silent else 2.0 ** of["centroid_mean"]
    mode = 0.0 if silent else float(np.tanh((of["key_major"] - of["key_minor"]) / 0.12 + 0.7 * _triads(curves.chroma)))
    measured = {
        "activity": np.tanh(np.log2(max(activity, 0.1) / 2.5) / 1.2),
        "tempo": np.tanh(np.log2(tempo / 118) / 0.5),
        "loudness": np.tanh((level + 16) / 12),
        "brightness": np.tanh(np.log2(centroid / 1500) / 1.2),
        "mode": mode,
    }
    arousal = float(np.tanh(_GAIN * sum(w * measured[k] for k, w in AROUSAL.items())))
    valence = float(np.tanh(_GAIN * sum(w * measured[k] for k, w in VALENCE.items())))
    tension = float(np.tanh(0.7 * arousal - 0.7 * valence))
    values = (arousal, valence, tension, tempo, activity, centroid, level, mode)
    return Emotion(*(round(float(v), 6) for v in values))


def _triads(chroma: np.ndarray) -> float:
    """Share of windows that a major triad fits best, less that of minor ones, in [-1, 1]; a flat chroma is neither.

    >>> _triads(np.isin(range(12), (0, 4, 7)).astype(float)[:, None] * np.ones((1, 64)))
    1.0
    """
    count = max(1, chroma.shape[1] // _WINDOW)
    windows = np.stack([part.mean(axis=1) for part in np.array_split(chroma, count, axis=1)])
    fits = windows @ _TRIADS.T
    major, minor = fits[:, :12].max(axis=1), fits[:, 12:].max(axis=1)
    clear = np.abs(major - minor) > 0.02 * np.maximum(major, minor)
    return float(np.mean(np.sign(major - minor) * clear))
