"""A colour map made of a picture's own colours, so that a spectrogram is drawn in those of the cover."""

from __future__ import annotations

import numpy as np

from ..types import Image
from .colour import oklab, shrink, srgb

_DARK, _LIGHT = 0.06, 0.93
_CHROMA = 0.07
"""Least chroma of the middle of the ramp where the picture has any colour at all: a dull cover still gives a hue."""


def colour_ramp(pixels: np.ndarray) -> np.ndarray:
    """A table from silence (row 0, dark) to the loudest (row 255, light), uint8, shape=(256, rgb).

    Lightness rises evenly, as in perceptually uniform maps; the hue goes from the picture's strongest colour to its second
    one, if it has one. Colours are counted by their chroma, in 24 sectors of OKLab's hue; a grey picture gives a grey ramp.

    >>> ramp = colour_ramp(np.full((8, 8, 3), (200, 30, 30), np.uint8))
    >>> ramp.shape, bool(ramp[128, 0] > 2 * ramp[128, 2])
    ((256, 3), True)
    """
    rows, columns = pixels.shape[:2]
    lab = oklab(shrink(pixels, min(rows, 64), min(columns, 64))).reshape(-1, 3).astype(np.float64)
    chroma, hue = np.hypot(lab[:, 1], lab[:, 2]), np.arctan2(lab[:, 2], lab[:, 1])
    light = np.linspace(_DARK, _LIGHT, 256)
    if np.quantile(chroma, 0.95) < 0.02:
        ramp = np.stack([light, 0 * light, 0 * light], 1)
        return np.asarray(srgb(ramp.astype(np.float32)).round().clip(0, 255), np.uint8)
    sector = ((hue / (2 * np.pi) * 24).round().astype(int)) % 24
    weight = np.bincount(sector, chroma**1.5, 24)
    even = weight + 0.5 * (np.roll(weight, 1) + np.roll(weight, -1))
    first = int(even.argmax())
    apart = np.abs((np.arange(24) - first + 12) % 24 - 12)
    other = np.where(apart >= 3, even, 0)
    second = int(other.argmax()) if other.max() >= 0.2 * even.max() else first

    def colour(at: int) -> np.ndarray:
        near = np.abs((sector - at + 12) % 24 - 12) <= 1
        mean = np.average(lab[near, 1:], axis=0, weights=chroma[near] + 1e-9)
        return np.asarray(mean * max(1.0, _CHROMA / max(float(np.hypot(*mean)), 1e-9)))

    share = np.clip((np.linspace(0, 1, 256) - 0.55) / 0.35, 0, 1)[:, None]
    hues = (1 - share) * colour(first) + share * colour(second)
    room = np.sin(np.pi * np.linspace(0.12, 0.88, 256))[:, None]  # neither black nor white holds much chroma
    return _within_gamut(np.hstack([light[:, None], 1.2 * room * hues]))


def ramp_of(picture: Image) -> np.ndarray:
    """`colour_ramp` of a picture as it travels between steps."""
    return colour_ramp(picture.pixels)


def _within_gamut(lab: np.ndarray) -> np.ndarray:
    """OKLab to bytes, with as much of each row's chroma as sRGB can show at its lightness: clipping would turn the hue."""
    out = np.zeros((len(lab), 3), np.uint8)
    for share in np.linspace(0, 1, 26):
        tried = (lab * (1, share, share)).astype(np.float32)
        drawn = np.asarray(srgb(tried).round().clip(0, 255), np.uint8)
        fits = np.abs(oklab(drawn) - tried).max(1) < 0.015
        out[fits | (share == 0)] = drawn[fits | (share == 0)]
    return out
