"""Sampling-rate conversion by soxr, whole or block by block."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..errors import InvalidValue
from ..types import Audio


def resample(samples: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Resample sound (soxr, quality HQ: about 20 bit, pass band to 0.91 of the lower Nyquist frequency).

    Args:
        samples: float32, shape=(channel, time).
        from_rate: Hz.
        to_rate: Hz.

    Returns:
        float32, shape=(channel, round(time * to_rate / from_rate)), at least one sample.

    Raises:
        InvalidValue: not two axes, or a rate below 1 Hz.

    >>> resample(np.zeros((2, 44100), np.float32), 44100, 16000).shape
    (2, 16000)
    """
    import soxr

    if samples.ndim != 2 or min(from_rate, to_rate) < 1:
        raise InvalidValue(
            f"resample takes (channel, time) and rates in Hz, got {samples.shape}, {from_rate}, {to_rate}"
        )
    if from_rate == to_rate:
        return np.ascontiguousarray(samples, np.float32)
    made = soxr.resample(np.ascontiguousarray(samples.T, np.float32), from_rate, to_rate, quality="HQ")
    length = max(1, (2 * samples.shape[1] * to_rate + from_rate) // (2 * from_rate))
    return np.ascontiguousarray(_fit(made, length).T)


def resample_blocks(audio: Audio, to_rate: int, size: int = 1 << 16) -> Iterator[np.ndarray]:
    """The same, streamed: float32 blocks (channel, time) that join to the resampled sound; memory stays flat.

    >>> sound = Audio(np.zeros((1, 96000), np.float32), 48000)
    >>> sum(block.shape[1] for block in resample_blocks(sound, 44100))
    88200
    """
    import soxr

    if audio.rate == to_rate:
        yield from audio.blocks(size)
        return
    total, channels = audio.samples.shape[1], audio.channels
    left = max(1, (2 * total * to_rate + audio.rate) // (2 * audio.rate))
    stream = soxr.ResampleStream(audio.rate, to_rate, channels, dtype="float32", quality="HQ")
    read = 0
    for block in audio.blocks(size):
        read += block.shape[1]
        made = stream.resample_chunk(np.ascontiguousarray(block.T, np.float32), last=read == total)[:left]
        left -= len(made)
        if len(made):
            yield made.T
    if left:
        yield np.zeros((channels, left), np.float32)


def _fit(samples: np.ndarray, length: int) -> np.ndarray:
    """Cut or zero-pad (time, channel) to a length: soxr may differ by a sample from the rounded one."""
    if len(samples) < length:
        samples = np.concatenate([samples, np.zeros((length - len(samples), samples.shape[1]), np.float32)])
    return samples[:length]
