"""Buses, side-chain, reverb and tempo delays. In a loop everything wraps round, so that the end leads into the start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from .timing import RATE
from .voices.filters import bandpass, highpass, lowpass
from .voices.oscillators import decay, noise


class Bus:
    """A stereo track, float32, shape=(2, time), onto which sounds are placed at exact samples."""

    def __init__(self, length: int, loop: bool) -> None:
        self.x = np.zeros((2, length), np.float32)
        self.loop = loop
        self.used = False
        """Whether anything was placed."""

    def place(self, sound: np.ndarray, at: int, gain: float = 1.0, pan: float = 0.0) -> None:
        """Add a sound, shape=(n,) or (2, n), from sample `at`; `pan` in [-1, 1] with constant power.

        What reaches past the end is dropped, or in a loop wrapped to the start.
        """
        length = self.x.shape[1]
        self.used = True
        if self.loop:
            at %= length
        elif at < 0:
            sound, at = sound[..., -at:], 0
        left, right = gain * np.cos((pan + 1) * np.pi / 4) * 2**0.5, gain * np.sin((pan + 1) * np.pi / 4) * 2**0.5
        while sound.shape[-1] and at < length:
            n = min(sound.shape[-1], length - at)
            part = sound[..., :n]
            self.x[0, at : at + n] += np.float32(left) * (part if part.ndim == 1 else part[0])
            self.x[1, at : at + n] += np.float32(right) * (part if part.ndim == 1 else part[1])
            if not self.loop:
                return
            sound, at = sound[..., n:], 0


def around(x: np.ndarray, loop: bool, process: Callable[[np.ndarray], np.ndarray], margin: int = RATE) -> np.ndarray:
    """Run a process with memory; in a loop, over the sound with its own end before it and its start after it."""
    if not loop:
        return process(x)
    n = x.shape[-1]
    index = np.arange(-margin, n + margin) % n
    return process(x[..., index])[..., margin : margin + n]


def shift(x: np.ndarray, by: int, loop: bool) -> np.ndarray:
    """The sound delayed by a number of samples, same length."""
    if loop:
        return np.roll(x, by, axis=-1)
    out = np.zeros_like(x)
    if by < x.shape[-1]:
        out[..., by:] = x[..., : x.shape[-1] - by]
    return out


def duck(hits: Iterable[int], length: int, loop: bool, depth: float, recovery: float) -> np.ndarray:
    """Side-chain gain, float32, shape=(time,): at each kick down to 1 - depth in 4 ms, back within `recovery` seconds."""
    n = int(recovery * RATE)
    t = np.linspace(0, 1, n, dtype=np.float32)
    curve = 1 - np.float32(depth) * (0.5 + 0.5 * np.cos(np.pi * t**0.75)) ** 1.2
    attack = min(n, int(0.004 * RATE))
    curve[:attack] = 1 - (1 - curve[attack - 1]) * np.linspace(0, 1, attack, dtype=np.float32)
    gain = np.ones(length, np.float32)
    for at in hits:
        stop = min(length, at + n)
        np.minimum(gain[at:stop], curve[: stop - at], out=gain[at:stop])
        if loop and at + n > length:
            rest = min(length, at + n - length)
            np.minimum(gain[:rest], curve[length - at : length - at + rest], out=gain[:rest])
    return gain


def room(rng: np.random.Generator, length: float, dark: float) -> np.ndarray:
    """A stereo impulse response, shape=(2, time): decaying noise whose high end dies first, after a short pre-delay.

    `length` is the time in seconds to -60 dB in the mid band; `dark` in [0, 1] damps the highs.
    """
    n = int(length * 1.1 * RATE)
    raw = noise(rng, n, 2)
    fast = 1.0 - 0.55 * dark
    mid = bandpass(raw, 250, 2500) * decay(n, length / 6.9)
    high = highpass(raw, 2500) * decay(n, length * 0.62 * fast / 6.9) * np.float32(0.8 * fast)
    low = bandpass(raw, 120, 300) * decay(n, length * 0.7 / 6.9) * np.float32(0.6)
    wet = mid + high + low
    early = np.zeros_like(wet)
    for channel in range(2):
        for at in rng.integers(int(0.006 * RATE), int(0.045 * RATE), 7):
            early[channel, min(at, n - 1)] += rng.uniform(0.25, 0.6) * rng.choice((-1, 1))
    rise = min(n, int(0.02 * RATE))
    wet[:, :rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    wet[:, -rise:] *= np.linspace(1, 0, rise, dtype=np.float32)
    wet /= np.sqrt((wet**2).sum(axis=1, keepdims=True))
    made = wet + lowpass(early, 6000) * np.float32(0.25)
    return np.concatenate([np.zeros((2, int(0.012 * RATE)), np.float32), made], axis=1)


def convolve(x: np.ndarray, response: np.ndarray, loop: bool) -> np.ndarray:
    """Convolution per channel by overlap-add, float32, same length; in a loop the tail wraps round to the start."""
    from scipy.fft import irfft, rfft

    taps, length = response.shape[1], x.shape[1]
    size = 1 << int(np.ceil(np.log2(max(2 * taps, 1 << 15))))
    hop = size - taps + 1
    spectrum = rfft(response, size, axis=1)
    out = np.zeros((2, length + taps), np.float32)
    for start in range(0, length, hop):
        block = x[:, start : start + hop]
        if not block.any():
            continue
        wet = irfft(rfft(block, size, axis=1) * spectrum, size, axis=1)
        n = min(block.shape[1] + taps - 1, out.shape[1] - start)
        out[:, start : start + n] += wet[:, :n]
    made = out[:, :length]
    if loop:
        tail = out[:, length:]
        for start in range(0, taps, length):
            part = tail[:, start : start + length]
            made[:, : part.shape[1]] += part
    return made


def echoes(x: np.ndarray, delay: int, loop: bool, feedback: float, taps: int = 6) -> np.ndarray:
    """A ping-pong delay: each echo softer, duller, and on the other side."""
    wet = np.zeros_like(x)
    tone = around(x.mean(axis=0), loop, lambda y: lowpass(highpass(y, 250), 5200, 1))
    for k in range(1, taps + 1):
        side, other = (0, 1) if k % 2 else (1, 0)
        moved = shift(tone, k * delay, loop) * np.float32(feedback**k)
        wet[side] += moved
        wet[other] += np.float32(0.3) * moved
        if k % 2 == 0:
            tone = around(tone, loop, lambda y: lowpass(y, 3600, 1))
    return wet


def widen(x: np.ndarray, width: float) -> None:
    """Scale the side signal in place: 0 is mono, 1 unchanged."""
    mid, side = (x[0] + x[1]) * np.float32(0.5), (x[0] - x[1]) * np.float32(width / 2)
    np.add(mid, side, out=x[0])
    np.subtract(mid, side, out=x[1])


def spans(length: int, size: int = 1 << 16) -> Iterator[slice]:
    """Consecutive slices that fit the processor's cache, so that a chain of operations reads memory once."""
    for start in range(0, length, size):
        yield slice(start, min(length, start + size))
