"""The master: tone, glue, soft saturation, loudness by ITU-R BS.1770-4, and a true-peak limiter."""

from __future__ import annotations

import numpy as np

from .mixing import around, convolve
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

    sos, hop = k_weighting(), int(0.1 * RATE)
    state = np.zeros((2, x.shape[0], 2))
    tenths = np.zeros(-(-x.shape[1] // hop))
    for k in range(0, len(tenths), 32):
        heard, state = sosfilt(sos, x[:, k * hop : (k + 32) * hop], axis=1, zi=state)
        power = np.square(heard).sum(axis=0)
        tenths[k : k + 32] = np.add.reduceat(power, np.arange(0, len(power), hop))
    if x.shape[1] < 4 * hop:
        return float(-0.691 + 10 * np.log10(tenths.sum() / x.shape[1] + 1e-12))
    if x.shape[1] % hop:
        tenths = tenths[:-1]
    blocks = (tenths[:-3] + tenths[1:-2] + tenths[2:-1] + tenths[3:]) / (4 * hop)
    level = -0.691 + 10 * np.log10(blocks + 1e-12)
    loud = blocks[level > -70]
    if not len(loud):
        return -70.0
    gate = -0.691 + 10 * np.log10(loud.mean()) - 10
    kept = blocks[(level > -70) & (level > gate)]
    return float(-0.691 + 10 * np.log10(kept.mean()))


def true_peaks(x: np.ndarray) -> np.ndarray:
    """Per sample, the largest magnitude of either channel within it at four times the rate; shape=(time,)."""
    from scipy.signal import firwin, resample_poly

    out = np.empty(x.shape[1], np.float32)
    taps = firwin(81, 0.25, window=("kaiser", 6.0)).astype(
        np.float32
    )  # as resample_poly makes them, in single precision
    block, pad = 1 << 18, 64
    for start in range(0, x.shape[1], block):
        low, high = max(0, start - pad), min(x.shape[1], start + block + pad)
        fine = np.abs(resample_poly(x[:, low:high], 4, 1, axis=1, window=taps)).max(axis=0)
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
    loud = size > knee
    x = x.copy()
    x[loud] = np.copysign(knee + (1 - knee) * np.tanh((size[loud] - knee) / (1 - knee)), x[loud])
    return x


_EDGES = (20, 60, 120, 250, 500, 1000, 2000, 4000, 8000, 16000)
_BALANCE = (-6.5, -4.5, -8.5, -10.0, -12.0, -14.0, -16.5, -19.5, -22.5)
"""Level of each band against the whole in dB, for a house master: some 3 dB an octave under pink noise above 250 Hz."""


def tone_response(x: np.ndarray, tilt_db: float, weight_db: float = 0.0) -> np.ndarray:
    """A minimum-phase filter, shape=(4096,), that brings the mix half of the way to `_BALANCE`, by at most 6 dB a band.

    `tilt_db` brightens (positive) or darkens the target by that much per three octaves away from 600 Hz; `weight_db` adds
    as much to what lies under 120 Hz. Under 26 Hz everything is cut.
    """
    from scipy.fft import irfft, rfft

    size = 8192
    window = np.hanning(size).astype(np.float32)
    starts = np.linspace(0, max(0, x.shape[1] - size), max(1, min(160, x.shape[1] // (size // 2)))).astype(int)
    power = np.zeros(size // 2 + 1)
    for start in starts:
        block = x[:, start : start + size]
        power += (np.abs(rfft(block * window[: block.shape[1]], size, axis=1)) ** 2).sum(axis=0)
    hz = np.arange(size // 2 + 1) * (RATE / size)
    centres = np.sqrt(np.array(_EDGES[:-1]) * np.array(_EDGES[1:]))
    got = np.array([power[(hz >= a) & (hz < b)].sum() for a, b in zip(_EDGES, _EDGES[1:], strict=False)])
    got = 10 * np.log10(got / (got.sum() + 1e-20) + 1e-9)
    want = np.array(_BALANCE) + tilt_db * np.log2(centres / 600) / 3
    want[:2] += weight_db
    gain = np.clip(0.55 * (want - got), -6, 6)
    taps = 4096
    grid = np.arange(taps + 1) * (RATE / (2 * taps))
    curve = np.interp(np.log2(np.maximum(grid, 1)), np.log2(centres), gain)
    curve = curve - 10 * np.log10(1 + (26 / np.maximum(grid, 0.1)) ** 4)
    # minimum phase from the real cepstrum (Oppenheim & Schafer, Discrete-Time Signal Processing, ch. 13)
    cepstrum = irfft(np.maximum(curve, -90) * (np.log(10) / 20))
    cepstrum[1:taps] *= 2
    cepstrum[taps + 1 :] = 0
    made = irfft(np.exp(rfft(cepstrum)))[:taps]
    made[-256:] *= np.linspace(1, 0, 256)
    return np.asarray(made, np.float32)


def master(x: np.ndarray, loop: bool, tilt_db: float, weight_db: float = 0.0) -> np.ndarray:
    """Finish a mix, shape=(2, time): balanced tone, -14 LUFS within 1, true peak at most -1 dBTP.

    `tilt_db` brightens (positive) or darkens the whole; `weight_db` is for what lies under 120 Hz.
    """
    return _finish(convolve(x, np.tile(tone_response(x, tilt_db, weight_db), (2, 1)), loop), loop)


def master_parts(parts: dict[str, np.ndarray], loop: bool, tilt_db: float, weight_db: float = 0.0) -> np.ndarray:
    """Master the sum of parts, and give each part its share, in place, so that they sum to what is returned.

    The tone filter is linear, and glue, clipping and limiter are a gain for each sample: the parts go through both.
    """
    x = np.add.reduce(list(parts.values()))
    response = np.tile(tone_response(x, tilt_db, weight_db), (2, 1))
    x = convolve(x, response, loop)
    made = _finish(x.copy(), loop)
    gain = np.divide(made, x, out=np.zeros_like(x), where=np.abs(x) > 1e-9)
    del x
    for name in parts:
        parts[name] = convolve(parts[name], response, loop)
        parts[name] *= gain
    return made


def _finish(x: np.ndarray, loop: bool) -> np.ndarray:
    """Glue, loudness and limiter."""
    x *= np.float32(0.16 / (np.sqrt(np.square(x[:, ::7]).mean()) + 1e-9))
    x = around(x, loop, lambda y: glue(y, -17.0, 1.6))
    ceiling = 10 ** ((CEILING_DBTP - 0.45) / 20)  # four times the rate reads up to 0.3 dB under the true crest
    now = loudness(x)
    for _ in range(3):
        x = clip_softly(x * np.float32(10 ** ((TARGET_LUFS - now) / 20)), 0.72)
        x = around(x, loop, lambda y: limit(y, ceiling))
        now = loudness(x)
        if abs(now - TARGET_LUFS) < 0.3:
            break
    return x
