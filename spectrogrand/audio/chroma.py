"""Constant-Q chroma by librosa, in blocks, so that an hour of sound costs bounded memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from ..errors import InvalidValue
from ..types import Audio
from .stft import ANALYSIS_RATE, analysis_blocks, analysis_length

HOP_STEP = 64
"""A hop length is a multiple of it, so that it can be halved with each of the seven octaves below the first."""
BLOCK = 300 * ANALYSIS_RATE
_MARGIN = 8 * ANALYSIS_RATE
_BINS = 36


def chroma(audio: Audio, hop_length: int = 512, tuning: float | None = None) -> np.ndarray:
    """Chroma of the constant-Q transform, float32 in [0, 1], shape=(12, frame), from C to B; 0 in silence.

    `librosa.feature.chroma_cqt` of the sound as one channel at 22,050 Hz (Brown, "Calculation of a constant Q spectral
    transform", JASA 89, 1991). Frame j is centred on sample j * hop_length; each frame's largest class is 1.

    Args:
        hop_length: samples at 22,050 Hz between frames, a multiple of 64.
        tuning: deviation from A440 in 36ths of an octave, -0.5 to 0.5; None estimates it (from the first five minutes).

    Memory: blocks of five minutes with eight seconds around them; what leaves is 48 bytes a frame.

    Raises:
        InvalidValue: a hop length that cannot be halved six times, or samples that are not finite.

    >>> tone = np.sin(2 * np.pi * 440 * np.arange(44100) / 22050).astype(np.float32)
    >>> int(chroma(Audio(tone[None], 22050))[:, 40].argmax())  # A
    9
    """
    import librosa

    if (
        isinstance(hop_length, bool)
        or not isinstance(hop_length, int)
        or hop_length < HOP_STEP
        or hop_length % HOP_STEP
    ):
        raise InvalidValue(f"a hop length is a multiple of {HOP_STEP} samples, got {hop_length!r}: use 512")
    block = BLOCK // hop_length * hop_length
    margin = -(-_MARGIN // hop_length) * hop_length
    frames = 1 + analysis_length(audio) // hop_length
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
            if part.any():
                with warnings.catch_warnings():
                    warnings.simplefilter(
                        "ignore", UserWarning
                    )  # of sounds shorter than a window, which have chroma all the same
                    rows = librosa.feature.chroma_cqt(y=part, sr=ANALYSIS_RATE, hop_length=hop_length, tuning=tuning)
                out[:, done:stop] = rows[:, first : first + stop - done]
            else:
                out[:, done:stop] = 0
            done = stop
            if last:
                return out
            keep = max(0, done * hop_length - margin)
            held, start = held[keep - start :], keep
    return out


def estimate_tuning(y: np.ndarray) -> float:
    """Deviation from A440 in 36ths of an octave, in [-0.5, 0.5), of a sound at 22,050 Hz, shape=(time,): 0 in silence."""
    import librosa

    if not y.any():
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # where nothing has a pitch: 0
        return float(librosa.estimate_tuning(y=y, sr=ANALYSIS_RATE, bins_per_octave=_BINS))


def _ends(audio: Audio) -> Iterator[np.ndarray | None]:
    """The sound's blocks, then None."""
    yield from analysis_blocks(audio)
    yield None
