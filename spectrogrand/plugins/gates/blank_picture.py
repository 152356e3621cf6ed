"""Fails a picture in which there is nothing: one colour, or nothing but a smooth gradient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...image.statistics import prepare
from ...interfaces import Card, Gate
from ...registry import register
from ...types import Image


@register("blank_picture")
class BlankPicture(Gate):
    """Fails a picture whose colours a slow gradient explains.

    Measured on 256 x 256 sRGB in [0, 1]: the root mean square, over pixels and channels, of what is left after the best quadratic
    surface in (row, column) is taken away. Below 0.012 (about 3 of 255 levels) there is nothing to see. A one-pixel checkerboard
    averages to grey on the way to 256 and is blank, too. The 334 SDXL covers of the published set have at least 0.016.

    >>> BlankPicture().check([Image(np.full((32, 32, 3), 7, np.uint8))])
    ['is blank (0.000 left beside a smooth gradient, at least 0.012 expected)']
    """

    artefact = Image
    card = Card(summary="nothing but one colour or a smooth gradient", modules=("PIL",))
    THRESHOLD = 0.012

    def check(self, batch: Sequence[Image]) -> list[str | None]:
        """Per picture None, or the reason."""
        left = [residual(prepare(image)) for image in batch]
        return [
            f"is blank ({r:.3f} left beside a smooth gradient, at least {self.THRESHOLD} expected)"
            if r < self.THRESHOLD
            else None
            for r in left
        ]


def residual(srgb: np.ndarray) -> float:
    """Root mean square of what a quadratic surface per channel leaves, sRGB in [0, 1], shape=(row, column, rgb)."""
    t = np.linspace(-1, 1, srgb.shape[0])
    line = np.stack([np.ones_like(t), t, t * t - np.mean(t * t)])
    line /= np.linalg.norm(line, axis=1, keepdims=True)  # orthonormal: t is symmetric
    total = 0.0
    for k in range(3):
        x = srgb[..., k].astype(np.float64)
        part = line @ x @ line.T
        part[1:, 2] = part[2, 1] = 0.0  # keep total degree two
        total += np.sum(x * x) - np.sum(part * part)
    return float(np.sqrt(max(total, 0.0) / srgb.size))
