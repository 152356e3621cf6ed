"""Fails a picture of noise: neighbouring pixels know nothing of each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...image.statistics import SIDE, prepare
from ...interfaces import Card, Gate
from ...registry import register
from ...types import Image


@register("noise_picture")
class NoisePicture(Gate):
    """Fails a picture whose neighbouring pixels are unlike: noise, or a checkerboard of single pixels.

    Measured on sRGB of at most 256 x 256: the correlation of the picture with itself moved by one pixel, the mean of both
    directions, covariances summed over the channels so that noise in colour alone counts. White noise has 0 (0.2 when it
    was averaged down to 256), a checkerboard -1, most pictures 0.8 to 1; the published set's 334 SDXL covers at least 0.58.
    Below 0.45 it is noise. Flat pictures pass here: `blank_picture` has them.

    >>> static = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    >>> NoisePicture().check([Image(static)])[0][:8]
    'is noise'
    """

    artefact = Image
    card = Card(summary="neighbouring pixels that do not resemble each other", modules=("PIL",))
    THRESHOLD = 0.45

    def check(self, batch: Sequence[Image]) -> list[str | None]:
        """Per picture None, or the reason."""
        found = [
            neighbour_correlation(prepare(image) if max(image.size) > SIDE else image.pixels / 255) for image in batch
        ]
        return [
            f"is noise (neighbouring pixels correlate by {r:.2f}, at least {self.THRESHOLD} expected)"
            if r < self.THRESHOLD
            else None
            for r in found
        ]


def neighbour_correlation(srgb: np.ndarray) -> float:
    """Correlation of neighbouring pixels in [-1, 1], sRGB of shape=(row, column, rgb); 1 for a flat picture."""
    x = srgb.astype(np.float64)
    x = x - x.mean(axis=(0, 1))
    power = np.mean(x * x)
    if power < 1e-7 or min(x.shape[:2]) < 2:
        return 1.0
    return float((np.mean(x[1:] * x[:-1]) + np.mean(x[:, 1:] * x[:, :-1])) / (2 * power))
