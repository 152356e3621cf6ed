"""A song as a walk through a generator's latent space: class vectors from chroma, noise vectors from loudness. Small and saved.

    chroma (constant-Q)        -> class vectors, shape=(vector, 1000)   spectrogrand/walks/class_vectors.py
    mel power and its gradient -> noise vectors, shape=(vector, 128)    spectrogrand/walks/noise_vectors.py

One vector every `frame_length` samples at 22,050 Hz; a video at any frame rate reads them at its own times, so that nothing
drifts. Only the chosen classes are kept: an hour takes 100 MB, and nothing else of it is ever in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from ..audio.chroma import HOP_STEP, chroma
from ..audio.features import analyse
from ..audio.stft import ANALYSIS_RATE, power_blocks
from ..errors import InvalidValue
from ..types import Audio
from . import class_vectors, noise_vectors
from .class_vectors import CLASSES

RANGES: dict[str, tuple[float, float]] = {
    "pitch_sensitivity": (200, 295), "tempo_sensitivity": (0.05, 0.8), "jitter": (0, 1), "truncation": (0.1, 1),
    "smooth_factor": (1, 30), "frame_length": (64, 8192),
}  # fmt: skip
"""The published ranges; a smooth_factor of 1 (published from 10) leaves the class vectors as they are."""
DRIVE = ("power", "low", "mid", "high")
"""What a generator may also follow, each in [0, 1]: mel power, and onset strength under 200 Hz, between, over 2 kHz."""
FMAX = 8000.0
N_FFT = 2048


@dataclass(frozen=True, eq=False)
class LatentWalk:
    """Vectors at `rate` a second, the first at 0 s, read with `at`.

    Attributes:
        classes: ids of the chosen ImageNet classes, 0 to 999, different from each other.
        weights: float32, shape=(vector, class), nominal [0, 1], one column per chosen class.
        others: float32, shape=(vector,): the weight of every class not chosen; 0, save in the published way.
        noise: float32, shape=(vector, 128), in [-2, 2] times the truncation.
        drive: float32, shape=(vector, 4), see `DRIVE`.
        rate: vectors a second. duration: seconds of the song. truncation: in (0, 1].

    Raises:
        InvalidValue: shapes that do not fit, numbers that are not finite, or classes that are none.
    """

    classes: tuple[int, ...]
    weights: np.ndarray
    others: np.ndarray
    noise: np.ndarray
    drive: np.ndarray
    rate: Fraction
    duration: Fraction
    truncation: float = 1.0

    def __post_init__(self) -> None:
        count = len(self.noise)
        shapes = {
            "weights": (count, len(self.classes)), "others": (count,), "noise": (count, noise_vectors.NOISE),
            "drive": (count, len(DRIVE)),
        }  # fmt: skip
        for name, shape in shapes.items():
            x = getattr(self, name)
            if x.dtype != np.float32 or x.shape != shape or not count or not np.isfinite(x).all():
                raise InvalidValue(f"{name} of a latent walk is finite float32 {shape}, got {x.dtype} {x.shape}")
        check_classes(self.classes)
        if not (self.rate > 0 and self.duration > 0 and 0 < self.truncation <= 1):
            raise InvalidValue(f"a latent walk has a rate and a duration above 0, got {self.rate} and {self.duration}")

    def at(self, times: np.ndarray) -> LatentWalk:
        """The walk at other times in seconds: linear between vectors, held beyond the ends.

        >>> walk = still_walk((1, 2), 4)
        >>> walk.at(np.array([0.0, 0.5])).weights.shape
        (2, 2)
        """
        place = np.clip(np.asarray(times, np.float64) * float(self.rate), 0, len(self.noise) - 1)
        low = place.astype(np.int64)
        high = np.minimum(low + 1, len(self.noise) - 1)
        part = (place - low).astype(np.float32)

        def read(x: np.ndarray) -> np.ndarray:
            share = part if x.ndim == 1 else part[:, None]
            return np.asarray(x[low] * (1 - share) + x[high] * share)

        return LatentWalk(
            self.classes, read(self.weights), read(self.others), read(self.noise), read(self.drive), self.rate,
            self.duration, self.truncation,
        )  # fmt: skip

    def class_vectors(self) -> np.ndarray:
        """What BigGAN takes, float32, shape=(vector, 1000)."""
        out = np.repeat(self.others[:, None], CLASSES, axis=1)
        out[:, list(self.classes)] = self.weights
        return out


def walk(
    audio: Audio, classes: Sequence[int], *, seed: int = 0, pitch_sensitivity: float = 220, tempo_sensitivity: float = 0.25,
    jitter: float = 0.5, truncation: float = 1.0, smooth_factor: int = 20, frame_length: int = 512,
    sort_by_power: bool = True, published: bool = False,
) -> LatentWalk:  # fmt: skip
    """The walk of a song, with the published parameters, defaults and ranges (see `RANGES`).

    Args:
        classes: 1 to 12 ImageNet ids. With `sort_by_power` the first belongs to the strongest pitch class, the second to
            the next; without it to C, C sharp and so on (of as many pitch classes as there are classes).
        seed: of the first noise vector and the jitters.
        pitch_sensitivity: how fast class vectors follow the chroma.
        tempo_sensitivity: how far noise vectors move.
        jitter: about half of the noise axes, drawn anew every 200 vectors, move by 1 - jitter of the others.
        truncation: noise lies in [-2, 2] times this: small for typical pictures, 1 for varied ones.
        smooth_factor: vectors (at a frame_length of 512) over which class vectors are averaged; 1: none.
        frame_length: samples at 22,050 Hz between vectors, a multiple of 64.
        published: the vectors that the published program stores, defects included (shared arrays, noise out of its range,
            no smoothing, jitter always 0.5), for comparison. Slower, and silence is refused.

    Raises:
        InvalidValue: a parameter outside its range, or samples that are not finite.

    >>> found = walk(Audio(np.zeros((1, 22050), np.float32), 22050), [1, 2, 3])
    >>> found.weights.shape, bool(np.isfinite(found.noise).all())
    ((45, 3), True)
    """
    check_parameters(pitch_sensitivity, tempo_sensitivity, jitter, truncation, smooth_factor, frame_length)
    check_classes(classes)
    power, chroma = measure(audio, frame_length)
    sensitivity = (300 - pitch_sensitivity) * 512 / frame_length
    tempo = tempo_sensitivity * frame_length / 512
    order = class_vectors.pitch_order(chroma, len(classes), by_power=sort_by_power or published)
    first, jitters = noise_vectors.draw(seed, len(power), truncation=truncation, jitter=0.5 if published else jitter)
    loudness = power + rises(power)
    if published:
        if not loudness.any() or not chroma.any():
            raise InvalidValue("the published way makes no numbers of silence: leave published=false")
        beginning = class_vectors.first_weights(chroma, order)
        if len(classes) == 12:  # as published: by pitch class here, by rank in every later frame
            beginning = class_vectors.first_weights(chroma, np.arange(12))
        weights, others = class_vectors.published_class_weights(chroma, order, beginning, sensitivity)
        noise = noise_vectors.published_noise_walk(loudness, first, jitters, sensitivity=tempo, truncation=truncation)
    else:
        weights = class_vectors.class_weights(chroma, order, sensitivity)
        weights = class_vectors.smooth(
            weights, max(1, int(smooth_factor * 512 / frame_length)) if smooth_factor > 1 else 1
        )
        others = np.zeros(len(weights))
        noise = noise_vectors.noise_walk(loudness, first, jitters, sensitivity=tempo, truncation=truncation)
    features = analyse(audio)
    times = np.arange(len(noise)) * (frame_length / ANALYSIS_RATE)
    curves = [features.sample(c, times) for c in (features.onset_low, features.onset_mid, features.onset_high)]
    drive = np.stack([np.append(power, power[-1]), *curves], axis=1)
    arrays = [np.ascontiguousarray(x, np.float32) for x in (weights, others, noise, drive)]
    return LatentWalk(
        tuple(classes), arrays[0], arrays[1], arrays[2], arrays[3], Fraction(ANALYSIS_RATE, frame_length), audio.duration,
        float(truncation),
    )  # fmt: skip


def measure(audio: Audio, frame_length: int) -> tuple[np.ndarray, np.ndarray]:
    """(mel power scaled to [0, 1], float64, shape=(frame,); chroma, float32, shape=(12, frame)).

    Power is the mean of 128 mel bands up to 8 kHz of |STFT|^2 (2048 samples), less its smallest, over its span: 0 in silence.
    """
    weights = mel_mean(N_FFT)
    power = np.concatenate([weights @ block for _, block in power_blocks(audio, hop_length=frame_length, n_fft=N_FFT)])
    span = float(np.ptp(power))
    scaled = (power - power.min()) / span if span > 0 else np.zeros(len(power))
    return np.asarray(scaled, np.float64), chroma(audio, frame_length)


def rises(power: np.ndarray) -> np.ndarray:
    """The gradient of the power, falls left out, over its largest, in [0, 1]; 0 where nothing ever rises.

    >>> rises(np.array([0.0, 1.0, 1.0, 0.0])).tolist()
    [1.0, 0.5, 0.0, 0.0]
    """
    if len(power) < 2:
        return np.zeros(len(power))
    gradient = np.gradient(power)
    most = float(gradient.max())
    return np.clip(gradient / most, 0, None) if most > 0 else np.zeros(len(power))


@lru_cache(maxsize=1)
def mel_mean(n_fft: int) -> np.ndarray:
    """Weights of the bins, shape=(bin,), whose sum is the mean of 128 Slaney mel bands from 0 to 8 kHz."""
    import librosa

    return np.asarray(librosa.filters.mel(sr=ANALYSIS_RATE, n_fft=n_fft, n_mels=128, fmax=FMAX).mean(axis=0))


def still_walk(classes: Sequence[int], vectors: int = 1) -> LatentWalk:
    """A walk that stands still, equal parts of every class: for tests and examples."""
    zero = np.zeros((vectors, 1), np.float32)
    return LatentWalk(
        tuple(classes), np.ones((vectors, len(classes)), np.float32), zero[:, 0], np.repeat(zero, 128, 1),
        np.repeat(zero, len(DRIVE), 1), Fraction(ANALYSIS_RATE, 512), Fraction(vectors * 512, ANALYSIS_RATE),
    )  # fmt: skip


def check_classes(classes: Sequence[int]) -> None:
    """Raise InvalidValue unless these are 1 to 12 different ImageNet ids."""
    ids = [c for c in classes if isinstance(c, int) and not isinstance(c, bool) and 0 <= c < CLASSES]
    if len(ids) != len(classes) or len(set(ids)) != len(ids) or not 1 <= len(ids) <= 12:
        raise InvalidValue(f"classes are 1 to 12 different ImageNet ids from 0 to 999, got {list(classes)!r:.80}")


def check_parameters(
    pitch_sensitivity: float,
    tempo_sensitivity: float,
    jitter: float,
    truncation: float,
    smooth_factor: int,
    frame_length: int,
) -> None:
    """Raise InvalidValue for a parameter outside its published range."""
    given = dict(
        zip(
            RANGES, (pitch_sensitivity, tempo_sensitivity, jitter, truncation, smooth_factor, frame_length), strict=True
        )
    )
    for name, (low, high) in RANGES.items():
        value = given[name]
        kind = int if name in ("smooth_factor", "frame_length") else int | float
        if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
            what = "a whole number" if kind is int else "a number"
            raise InvalidValue(f"{name} is {what} from {low:g} to {high:g}, got {value!r}")
    if frame_length % HOP_STEP:
        raise InvalidValue(f"frame_length is a multiple of {HOP_STEP}, got {frame_length!r}: use 512")
