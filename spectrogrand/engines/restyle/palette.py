"""Colours as a table over (tone, level): solved on a few thousand points, applied to a frame by one look-up a pixel."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...image.colour import luma, oklab, srgb
from ...image.kernels import pack_floats

LEVELS, PAD, TONES = 512, 128, 32
"""A code is tone * (LEVELS + 2 PAD) + PAD + level; the padding leaves room for light that is added to levels."""
ROW = LEVELS + 2 * PAD
_COARSE = 48


class Axes:
    """How a picture's colours become two numbers: level is its luma, tone the main axis of its hue and, faintly, its height.

    A spectrogram has no hue of its own beyond its level, so that there its tone is the height: colours go with pitch.
    """

    def __init__(self, sample: np.ndarray, height: float = 0.03) -> None:
        lab = oklab(sample).reshape(-1, 3)
        level = lab[:, 0] - lab[:, 0].mean()
        hue = lab[:, 1:] - lab[:, 1:].mean(0)
        slope = (hue * level[:, None]).sum(0) / max(float((level**2).sum()), 1e-9)
        hue = hue - level[:, None] * slope
        values, vectors = np.linalg.eigh(hue.T @ hue / len(hue) + 1e-12 * np.eye(2))
        axis = vectors[:, -1] * np.sign(vectors[np.argmax(np.abs(vectors[:, -1])), -1])
        self._axis, self._slope = axis.astype(np.float32), float(slope @ axis)
        self._centre = lab.mean(0)
        self._height = height
        raw = self._raw(sample)
        self._low, self._high = (float(v) for v in np.quantile(raw, (0.01, 0.99)))
        self._high = max(self._high, self._low + 1e-3)

    def _raw(self, pixels: np.ndarray) -> np.ndarray:
        lab = oklab(pixels) - self._centre
        up = np.linspace(0.5, -0.5, pixels.shape[0], dtype=np.float32)[:, None]
        return lab[..., 1:] @ self._axis - lab[..., 0] * np.float32(self._slope) + up * np.float32(self._height)

    def tone(self, pixels: np.ndarray) -> np.ndarray:
        """Tone of every pixel, float32 in [0, 1], shape=(row, column)."""
        return np.asarray(np.clip((self._raw(pixels) - self._low) / (self._high - self._low), 0, 1), np.float32)


def codes(level: np.ndarray, tone: np.ndarray) -> np.ndarray:
    """Codes, int16, of levels and tones in [0, 1], shape=(row, column); tones are dithered by a still, fine grain."""
    rows, columns = level.shape
    y, x = np.arange(rows)[:, None], np.arange(columns)[None]
    grain = np.mod(52.9829189 * np.mod(0.06711056 * x + 0.00583715 * y, 1), 1).astype(np.float32) - 0.5
    t = np.clip(tone * (TONES - 1) + grain + 0.5, 0, TONES - 1).astype(np.int16)
    return t * np.int16(ROW) + np.int16(PAD) + (level * (LEVELS - 1) + 0.5).astype(np.int16)


def table(level: np.ndarray, tone: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """A colour for every code from scattered (level, tone) -> OKLab points, as float RGB, shape=(tone * ROW, rgb).

    Points are averaged over a smooth neighbourhood, wider where they are rare, so that no code is without a colour.
    """
    from scipy.ndimage import gaussian_filter

    i = np.clip((tone * 12).astype(int), 0, 11) * _COARSE + np.clip((level * _COARSE).astype(int), 0, _COARSE - 1)
    cells = np.stack([np.bincount(i, w, 12 * _COARSE) for w in (*colours.T, np.ones(len(i)))], -1).reshape(
        12, _COARSE, 4
    )
    total = np.zeros_like(cells)
    for tones, levels, weight in _neighbourhoods():
        total += weight * np.einsum("tu,uvc,lv->tlc", tones, cells, levels, optimize=("einsum_path", (0, 1), (0, 1)))
    lab = (total[..., :3] / np.maximum(total[..., 3:], 1e-12)).astype(np.float32)
    lab[..., 0] = np.maximum.accumulate(gaussian_filter(lab[..., 0], (0, 1.0), mode="nearest"), axis=1)
    at_tone = np.linspace(0, 11, TONES, dtype=np.float32)
    at_level = (np.arange(ROW, dtype=np.float32) - PAD) / (LEVELS - 1) * _COARSE - 0.5
    fine = _between(_between(lab, at_tone, 0), np.clip(at_level, 0, _COARSE - 1), 1)
    over = np.clip(at_level - (_COARSE - 1), 0, None) / _COARSE
    under = np.clip(-at_level, 0, None) / _COARSE
    fine[..., 0] += 0.8 * over - 0.8 * under
    fine[..., 1:] *= (1 - 0.8 * np.minimum(1, 2 * over))[:, None]
    return srgb(fine).reshape(-1, 3)


@lru_cache(maxsize=1)
def _neighbourhoods() -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Gaussian filters over tones and over levels as matrices, and the weight of each: wider ones count where points are rare."""
    from scipy.ndimage import gaussian_filter1d

    def smooth(n: int, spread: float) -> np.ndarray:
        return np.asarray(gaussian_filter1d(np.eye(n), spread, axis=0, mode="nearest"))

    wide = ((0.7, 1.0), (2.0, 1e-2), (6.0, 1e-4), (24.0, 1e-6))
    return [(smooth(12, s), smooth(_COARSE, 1.5 * s), weight) for s, weight in wide]


def packed(rgb: np.ndarray) -> np.ndarray:
    """A float table as packed uint32 for look-up."""
    return pack_floats(rgb)


def level_of(pixels: np.ndarray) -> np.ndarray:
    """Luma in [0, 1], float32."""
    return np.asarray(luma(pixels), np.float32) / 255


def _between(values: np.ndarray, at: np.ndarray, axis: int) -> np.ndarray:
    """Linear interpolation along one axis."""
    low = np.clip(np.floor(at).astype(int), 0, values.shape[axis] - 1)
    high = np.minimum(low + 1, values.shape[axis] - 1)
    shape = [1] * values.ndim
    shape[axis] = -1
    mix = (at - low).reshape(shape)
    return np.asarray(values.take(low, axis) * (1 - mix) + values.take(high, axis) * mix, np.float32)
