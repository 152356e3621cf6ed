"""Sound to power spectra, read in blocks: what every analysis shares, so that an hour of sound costs bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from ..errors import InvalidValue
from ..types import Audio

ANALYSIS_RATE = 22050
"""Hz. Every sound is analysed at this rate, so that a mel row and a column mean the same in every song."""
_BLOCK = 1 << 19
OFFSET = 0.002
"""Mean of a channel (full scale is 1) from which it is a constant offset and no rounding."""
_mixes: WeakKeyDictionary[Audio, Mix] = WeakKeyDictionary()


def analysis_length(audio: Audio) -> int:
    """Samples of the sound at the analysis rate: ceil(samples * 22050 / rate)."""
    return -(-audio.samples.shape[1] * ANALYSIS_RATE // audio.rate)


@dataclass(frozen=True)
class Mix:
    """How channels become one: a weight and a constant to take off each, float32, shape=(channel,)."""

    weights: np.ndarray
    offsets: np.ndarray


def mix_of(audio: Audio) -> Mix:
    """The mean of the channels, unless they cancel; a constant offset over 0.2 % of full scale is taken off.

    Where the mean has less than a quarter of the channels' mean power (stereo in opposite phase), channels that move against
    the loudest one are turned over; where that does not help, the loudest stands for all. One pass, remembered.

    >>> tone = np.sin(np.arange(8000) / 9).astype(np.float32)
    >>> mix_of(Audio(np.stack([tone, -tone]), 8000)).weights.tolist()
    [0.5, -0.5]
    """
    if audio not in _mixes:
        _mixes[audio] = _mix(audio)
    return _mixes[audio]


def _mix(audio: Audio) -> Mix:
    count = audio.channels
    total, product, length = np.zeros(count), np.zeros((count, count)), audio.samples.shape[1]
    for block in audio.blocks(_BLOCK):
        total += block.sum(axis=1, dtype=np.float64)
        product += np.asarray(block @ block.T, np.float64)
    mean = total / length
    usual = np.full(count, 1 / count)
    if not np.isfinite(mean).all() or not np.isfinite(product).all():  # said by whoever reads the samples
        return Mix(usual.astype(np.float32), np.zeros(count, np.float32))
    steady = length >= audio.rate // 2  # of less than half a second a low note has a mean, too
    offsets = np.where((np.abs(mean) > OFFSET) & steady, mean, 0.0)
    cross = product / length - np.outer(mean, mean)
    power = np.diag(cross).mean()
    loudest = int(np.argmax(np.diag(cross)))
    ways = [usual, np.where(cross[loudest] < 0, -1.0, 1.0) / count, np.eye(count)[loudest]]
    chosen = next((w for w in ways if w @ cross @ w >= 0.25 * power), usual)
    return Mix(chosen.astype(np.float32), offsets.astype(np.float32))


def analysis_blocks(audio: Audio) -> Iterator[np.ndarray]:
    """The sound as one channel at 22,050 Hz, float32 blocks, shape=(time,); lengths add up to `analysis_length`.

    Raises:
        InvalidValue: a sample is not a finite number.
    """
    left = analysis_length(audio)
    stream = None
    if audio.rate != ANALYSIS_RATE:
        import soxr

        stream = soxr.ResampleStream(audio.rate, ANALYSIS_RATE, 1, dtype="float32", quality="HQ")
    seen, total = 0, audio.samples.shape[1]
    mix = mix_of(audio)
    plain = bool((mix.weights == mix.weights[0]).all())
    for block in audio.blocks(_BLOCK):
        if (mix.offsets != 0).any():
            block = block - mix.offsets[:, None]
        mono = block.mean(axis=0, dtype=np.float32) if plain else mix.weights @ block
        seen += len(mono)
        if not np.isfinite(mono.sum(dtype=np.float64)):
            raise InvalidValue("the sound holds samples that are not finite numbers: decode or export it again")
        if stream is not None:
            mono = stream.resample_chunk(mono, last=seen == total)
        mono = mono[:left]
        left -= len(mono)
        yield mono
    if left:  # a resampler may end a sample short of the exact length
        yield np.zeros(left, np.float32)


def power_blocks(audio: Audio, *, hop_length: int, n_fft: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Short-time power spectra of the sound at 22,050 Hz, block by block, with no seam between blocks.

    Yields:
        (samples, power): the hop that begins at each frame's centre, shape=(frame, hop_length), zeros past the end; and
        |rfft(hann * frame)|^2, float32, shape=(bin, frame), frame j centred on sample j * hop_length.
    """
    # float64, as librosa does: float32 transforms are wrong by 3e-4 dB in quiet bins
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    half, step = n_fft // 2, 512
    frames_left = 1 + analysis_length(audio) // hop_length
    held = np.zeros(half, np.float32)
    tail = np.zeros(n_fft + hop_length, np.float32)

    def spectra_of(samples: np.ndarray, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        views = np.lib.stride_tricks.sliding_window_view(samples, n_fft)[::hop_length]
        hops = np.lib.stride_tricks.sliding_window_view(samples[half:], hop_length)[::hop_length]
        for start in range(0, count, step):
            stop = min(start + step, count)
            spectrum = np.fft.rfft(views[start:stop] * window, axis=1)
            yield hops[start:stop], np.ascontiguousarray((spectrum.real**2 + spectrum.imag**2).T, np.float32)

    for block in analysis_blocks(audio):
        held = np.concatenate([held, block])
        count = min(frames_left, max(0, (len(held) - n_fft - half) // hop_length))
        if count:
            yield from spectra_of(held, count)
            held, frames_left = held[count * hop_length :], frames_left - count
    if frames_left:
        yield from spectra_of(np.concatenate([held, tail]), frames_left)
