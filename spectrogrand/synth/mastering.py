"""The master: tone, glue, soft saturation, loudness by ITU-R BS.1770-4, and a true-peak limiter."""

from __future__ import annotations

import numpy as np

from .filters import equalise, highpass, lowpass
from .mixing import around
from .timing import RATE

TARGET_LUFS = -14.0
CEILING_DBTP = -1.0


def k_weighting() -> np.ndarray:
    """The two biquads of BS.1770-4 annex 1 (shelf, then high-pass) at 44.1 kHz, as second-order sections.

    The standard prints coefficients for 48 kHz; these come from the same analogue prototypes (De Man 2014).
    """
    gain, q, hz = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    k, vh = np.tan(np.pi * hz / RATE), 10 ** (gain / 20)
    vb = vh**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [(vh + vb * k / q + k * k) / a0, 2 * (k * k - vh) / a0, (vh - vb * k / q + k * k) / a0,
             1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]  # fmt: skip
    q, hz = 0.5003270373238773, 38.13547087602444
    k = np.tan(np.pi * hz / RATE)
    a0 = 1 + k / q + k * k
    return np.array([shelf, [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]])


def loudness(x: np.ndarray) -> float:
    """Integrated loudness in LUFS of a sound at 44.1 kHz, shape=(channel, time), mono or stereo (ITU-R BS.1770-4).

    Blocks of 400 ms every 100 ms, gated at -70 LUFS and then 10 LU under the mean; shorter sounds count as one block.

    >>> tone = np.sin(2 * np.pi * 997 * np.arange(88200) / 44100).astype(np.float32)
    >>> round(loudness(tone[None]), 1)
    -3.0
    """
    from scipy.signal import sosfilt

    size, hop = int(0.4 * RATE), int(0.1 * RATE)
    power = np.zeros(x.shape[1], np.float64)
    for channel in x:
        power += sosfilt(k_weighting(), channel.astype(np.float64)) ** 2
    if len(power) < size:
        return float(-0.691 + 10 * np.log10(power.mean() + 1e-12))
    total = np.concatenate([[0.0], np.cumsum(power)])
    starts = np.arange(0, len(power) - size + 1, hop)
    blocks = (total[starts + size] - total[starts]) / size
    level = -0.691 + 10 * np.log10(blocks + 1e-12)
    loud = blocks[level > -70]
    if not len(loud):
        return -70.0
    gate = -0.691 + 10 * np.log10(loud.mean()) - 10
    kept = blocks[(level > -70) & (level > gate)]
    return float(-0.691 + 10 * np.log10(kept.mean()))


def true_peaks(x: np.ndarray) -> np.ndarray:
    """Per sample, the largest magnitude of either channel within it at four times the rate; shape=(time,)."""
    from scipy.signal import resample_poly

    out = np.empty(x.shape[1], np.float32)
    block, pad = 1 << 18, 64
    for start in range(0, x.shape[1], block):
        low, high = max(0, start - pad), min(x.shape[1], start + block + pad)
        fine = np.abs(resample_poly(x[:, low:high], 4, 1, axis=1, window=("kaiser", 6.0))).max(axis=0)
        size = min(block, x.shape[1] - start)
        offset = start - low
        # the point halfway to the next sample belongs to both neighbours
        out[start : start + size] = fine.reshape(-1, 4).max(axis=1)[offset : offset + size]
    return out


def true_peak(x: np.ndarray) -> float:
    """True peak in dBTP: the largest magnitude at four times the rate (BS.1770-4 annex 2)."""
    return float(20 * np.log10(true_peaks(x).max() + 1e-12))


def limit(x: np.ndarray, ceiling: float) -> np.ndarray:
    """Look-ahead limiter on true peaks: gain falls smoothly within 4 ms before a peak and recovers over some 60 ms."""
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    peaks = true_peaks(x)
    if float(peaks.max()) <= ceiling:
        return x
    need = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9)).astype(np.float32)
    look = int(0.004 * RATE)
    held = minimum_filter1d(need, 2 * look + 1, mode="wrap")
    slow = minimum_filter1d(held, int(0.03 * RATE), mode="wrap")
    slow = np.minimum(held, 1 - (1 - uniform_filter1d(slow, int(0.06 * RATE), mode="wrap")) * np.float32(0.7))
    smooth = uniform_filter1d(uniform_filter1d(slow, look, mode="wrap"), look, mode="wrap")
    return x * smooth


def glue(x: np.ndarray, threshold_db: float, ratio: float) -> np.ndarray:
    """A slow bus compressor: power averaged over 50 ms, smoothed again so that the gain breathes with the beat."""
    from scipy.ndimage import uniform_filter1d

    power = uniform_filter1d((x * x).mean(axis=0), int(0.05 * RATE), mode="wrap")
    over = np.maximum(0, 10 * np.log10(power + 1e-9) - threshold_db).astype(np.float32)
    over = uniform_filter1d(over, int(0.12 * RATE), mode="wrap")
    return x * (10 ** (-over * np.float32((1 - 1 / ratio) / 20)))


def clip_softly(x: np.ndarray, knee: float) -> np.ndarray:
    """Leave what is under `knee` as it is and bend the rest towards 1, as a console's output does."""
    size = np.abs(x)
    bent = knee + (1 - knee) * np.tanh((size - knee) / (1 - knee))
    return np.where(size > knee, np.copysign(bent, x), x).astype(np.float32)


def master(x: np.ndarray, loop: bool, tilt_db: float) -> np.ndarray:
    """Finish a mix, shape=(2, time): -14 LUFS within 1, true peak at most -1 dBTP.

    `tilt_db` brightens (positive) or darkens the whole.
    """

    def tone(y: np.ndarray) -> np.ndarray:
        y = highpass(y, 26)
        side = (y[0] - y[1]) / 2
        low = lowpass(side, 140)  # bass in the middle: the sides start above it
        y = np.stack([y[0] - low, y[1] + low])
        y = equalise(y, "low", 180, -0.5 * tilt_db)
        return equalise(y, "high", 3800, tilt_db)

    x = around(x, loop, tone)
    x = x * np.float32(10 ** ((-16.0 - loudness(x)) / 20))
    x = around(x, loop, lambda y: glue(y, -17.0, 1.8))
    ceiling = 10 ** ((CEILING_DBTP - 0.25) / 20)
    for _ in range(3):
        x = clip_softly(x * np.float32(10 ** ((TARGET_LUFS - loudness(x)) / 20)), 0.6)
        x = around(x, loop, lambda y: limit(y, ceiling))
        if abs(loudness(x) - TARGET_LUFS) < 0.3:
            break
    over = float(true_peaks(x).max()) / 10 ** ((CEILING_DBTP - 0.1) / 20)
    return x / np.float32(over) if over > 1 else x
